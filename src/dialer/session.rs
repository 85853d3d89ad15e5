//! What a client remembers from one connection to the next: its rooms and how far it has seen them, and what it has
//! posted that nobody has seen yet.
//!
//! No I/O here: frames in, events and frames out.

use super::event::{Event, Problem, Room, Start};
use crate::message::Message;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Messages that come first in a room whose numbers mean nothing any more.
const ANEW: usize = 50;

/// Changes that are remembered, in case that they have come too soon.
const TOLD: usize = 256;

/// Rooms and posts, over all connections.
#[derive(Default)]
pub(super) struct Session {
    epoch: Option<String>,
    /// Who this is, as the server says it.
    name: String,
    /// The longest body, in bytes.
    pub body_limit: usize,
    /// Welcomed: what is asked for can be sent at once.
    pub welcomed: bool,
    rooms: BTreeMap<String, Place>,
    /// Sent or to be sent, and not seen on the line yet, in order.
    posts: VecDeque<Post>,
    /// Rooms where a post came too soon, and when the first of those that wait may come again. None: it is on its way.
    held: BTreeMap<String, Option<Instant>>,
    /// Changes that were sent lately, by the `ref` that they carry.
    told: VecDeque<(u64, String)>,
    /// Changes that came too soon, and when they may come again.
    late: VecDeque<(Instant, u64, String)>,
    references: u64,
    fences: u64,
}

struct Place {
    start: Start,
    /// The number up to which everything was handed over: the next connection goes on from here.
    seen: Option<i64>,
    /// Before there is such a number, while the last messages come by `seq`: the one that was handed over last.
    replayed: i64,
    /// The highest `rev` among them: what has a higher one was changed since.
    changed: i64,
    /// It was asked for by `create`, and nothing was heard of it yet.
    is_wish: bool,
    flow: Flow,
}

#[derive(PartialEq)]
enum Flow {
    /// What comes is handed over.
    Open,
    /// The program does not keep up: what comes is let fall, and asked for again later.
    Behind,
    /// It was asked for again. What comes before the answer to this ping is of before.
    Fenced(u64),
}

struct Post {
    id: String,
    room: String,
    body: String,
    reply_to: Option<i64>,
    /// It came too soon, or stands behind one that did.
    waits: bool,
}

/// What a frame of the server means.
#[derive(Default)]
pub(super) struct Heard {
    pub events: Vec<Event>,
    /// To be sent, in order.
    pub frames: Vec<String>,
    /// What became of a post, by its id.
    pub settled: Option<(String, Result<Message, Problem>)>,
}

/// The frames of the server; fields and types that are not known are let fall.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame {
    Welcome {
        you: You,
        epoch: String,
        rooms: Vec<Room>,
        limits: Limits,
        server: String,
    },
    Message(Message),
    Joined {
        room: String,
        head: i64,
        count: usize,
        members: Option<Vec<String>>,
    },
    History {
        room: String,
        messages: Vec<Message>,
        more: bool,
    },
    Presence {
        room: String,
        count: usize,
        #[serde(default)]
        joined: Vec<String>,
        #[serde(default)]
        left: Vec<String>,
    },
    Typing {
        room: String,
        from: String,
    },
    Read {
        room: String,
        rev: i64,
    },
    Room(Room),
    Pong {
        t: serde_json::Value,
    },
    Error(Refusal),
    #[serde(other)]
    Unknown,
}

/// A refusal, and when what was refused may come again.
#[derive(Deserialize)]
struct Refusal {
    #[serde(flatten)]
    problem: Problem,
    retry_after: Option<u64>,
    #[serde(rename = "ref")]
    reference: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct You {
    name: String,
}

#[derive(Deserialize)]
struct Limits {
    body: usize,
}

impl Session {
    /// Takes a frame. `keeps_up`: the program has taken what it was given before. An error: this is no Parlor.
    pub fn hear(&mut self, text: &str, keeps_up: bool) -> Result<Heard, String> {
        let frame: Frame = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut heard = Heard::default();
        match frame {
            Frame::Welcome { you, epoch, rooms, limits, server } => {
                (self.body_limit, self.name) = (limits.body, you.name.clone());
                heard.frames = self.begin(&epoch);
                heard.events.push(Event::Connected { name: you.name, server, epoch, rooms });
            }
            Frame::Message(message) => self.message(message, keeps_up, &mut heard),
            Frame::Joined { room, head, count, members } => {
                if let Some(place) = self.rooms.get_mut(&room).filter(|place| place.flow == Flow::Open) {
                    place.seen = Some(head);
                    place.is_wish = false;
                    heard.events.push(Event::Joined { room, head, count, members });
                }
            }
            Frame::History { room, messages, more } => heard.events.push(Event::History { room, messages, more }),
            Frame::Presence { .. } | Frame::Typing { .. } if !keeps_up => {}
            Frame::Presence { room, count, joined, left } => {
                heard.events.push(Event::Presence { room, count, joined, left });
            }
            Frame::Typing { room, from } => heard.events.push(Event::Typing { room, from }),
            Frame::Read { room, rev } => heard.events.push(Event::Read { room, rev }),
            Frame::Room(room) => {
                if room.gone {
                    self.rooms.remove(&room.room);
                }
                heard.events.push(Event::Room(room));
            }
            Frame::Pong { t } => self.open_fence(t.as_u64()),
            Frame::Error(refusal) if self.postpone(&refusal) => {}
            Frame::Error(refusal) => self.refused(refusal.problem, &mut heard),
            Frame::Unknown => {}
        }
        Ok(heard)
    }

    /// What a new connection begins with: the rooms, from where they were left, then what was posted and not seen.
    fn begin(&mut self, epoch: &str) -> Vec<String> {
        let before = self.epoch.replace(epoch.to_owned());
        if before.is_some_and(|before| before != epoch) {
            for place in self.rooms.values_mut() {
                *place = Place::new(Start::Last(ANEW));
            }
        }
        self.welcomed = true;
        self.held.clear();
        self.posts.iter_mut().for_each(|post| post.waits = false);
        let mut frames = Vec::new();
        for (room, place) in &mut self.rooms {
            place.flow = Flow::Open;
            frames.push(join(room, place));
        }
        frames.extend(self.posts.iter().map(post));
        frames
    }

    fn message(&mut self, message: Message, keeps_up: bool, heard: &mut Heard) {
        // An id is one person's own. One that was used before comes back as what it was used for, wherever that was.
        let own = message.from == self.name;
        if let Some(at) = self.posts.iter().position(|post| own && post.id == message.id) {
            self.settle(at);
            heard.settled = Some((message.id.clone(), Ok(message.clone())));
        }
        let Some(place) = self.rooms.get_mut(&message.room) else { return };
        // What is known already is the receipt of something that was posted twice.
        let is_next = message.seq > place.replayed || message.rev > place.changed;
        let is_new = place.seen.map_or(is_next, |seen| message.rev > seen);
        if place.flow != Flow::Open || !is_new {
            return;
        }
        if !keeps_up {
            place.flow = Flow::Behind;
            // Among the last messages, everything from this one on is what it lacks: no `rev` is below its `seq`.
            place.seen.get_or_insert(message.seq - 1);
            return;
        }
        match &mut place.seen {
            Some(seen) => *seen = message.rev,
            None => {
                place.replayed = place.replayed.max(message.seq);
                place.changed = place.changed.max(message.rev);
            }
        }
        heard.events.push(Event::Message(message));
    }

    /// Takes a post out that was stored or refused for good. The next that waits in its room may go.
    fn settle(&mut self, at: usize) -> Option<Post> {
        let post = self.posts.remove(at)?;
        if let Some(due) = self.held.get_mut(&post.room) {
            if self.posts.iter().any(|other| other.waits && other.room == post.room) {
                *due = post.waits.then(Instant::now).or(*due);
            } else {
                self.held.remove(&post.room);
            }
        }
        Some(post)
    }

    /// Keeps for later what came too soon. False: it did not, or nothing is known of it.
    fn postpone(&mut self, Refusal { problem, retry_after, reference }: &Refusal) -> bool {
        let Some(wait) = *retry_after else { return false };
        let due = Instant::now() + Duration::from_millis(wait);
        if let Some(at) = self.posts.iter().position(|post| Some(&post.id) == problem.id.as_ref()) {
            let room = self.posts[at].room.clone();
            // What was sent behind it is refused as well, and all of it goes on from the first.
            let is_first = !self.posts.iter().take(at).any(|post| post.waits && post.room == room);
            let held = self.held.entry(room.clone()).or_insert(Some(due));
            if is_first {
                *held = Some(due);
            }
            self.posts.iter_mut().skip(at).filter(|post| post.room == room).for_each(|post| post.waits = true);
            return true;
        }
        let reference = reference.as_ref().and_then(serde_json::Value::as_u64);
        let Some((reference, frame)) = self.told.iter().find(|(told, _)| Some(*told) == reference).cloned() else {
            return false;
        };
        self.late.push_back((due, reference, frame));
        true
    }

    /// When something that came too soon may come again.
    pub fn due(&self) -> Option<Instant> {
        let posts = self.held.values().copied().flatten().min();
        posts.into_iter().chain(self.late.iter().map(|(due, ..)| *due)).min()
    }

    /// What may come again by now, in order.
    pub fn again(&mut self, now: Instant) -> Vec<String> {
        let mut frames = Vec::new();
        while self.late.front().is_some_and(|(due, ..)| *due <= now) {
            frames.extend(self.late.pop_front().map(|(_, _, frame)| frame));
        }
        for (room, due) in self.held.iter_mut().filter(|(_, due)| due.is_some_and(|due| due <= now)) {
            *due = None;
            frames.extend(self.posts.iter().find(|post| post.waits && post.room == *room).map(post));
        }
        frames
    }

    /// A change, with a `ref` by which it is known if it is refused; the frame to send.
    pub fn change(&mut self, mut frame: serde_json::Value) -> String {
        self.references += 1;
        frame["ref"] = self.references.into();
        let frame = frame.to_string();
        self.told.push_back((self.references, frame.clone()));
        if self.told.len() > TOLD {
            self.told.pop_front();
        }
        frame
    }

    fn refused(&mut self, problem: Problem, heard: &mut Heard) {
        if let Some(at) = self.posts.iter().position(|post| Some(&post.id) == problem.id.as_ref()) {
            let Some(post) = self.settle(at) else { return };
            heard.settled = Some((post.id, Err(problem.clone())));
        } else if let Some(room) = &problem.room
            && (problem.code == "no_such_room" || self.rooms.get(room).is_some_and(|place| place.is_wish))
        {
            self.rooms.remove(room);
        }
        heard.events.push(Event::Refused(problem));
    }

    /// Whether some room lacks what was let fall.
    pub fn is_behind(&self) -> bool {
        self.rooms.values().any(|place| place.flow == Flow::Behind)
    }

    /// The program has caught up: asks again for what was let fall. Leaving, then a ping, mark the end of what is of
    /// before, since a room that was left says nothing more.
    pub fn catch_up(&mut self) -> Vec<String> {
        let mut frames = Vec::new();
        for (room, place) in self.rooms.iter_mut().filter(|(_, place)| place.flow == Flow::Behind) {
            self.fences += 1;
            place.flow = Flow::Fenced(self.fences);
            frames.push(json!({"type": "leave", "room": room}).to_string());
            frames.push(json!({"type": "ping", "t": self.fences}).to_string());
            frames.push(join(room, place));
        }
        frames
    }

    fn open_fence(&mut self, t: Option<u64>) {
        let fenced = |place: &&mut Place| matches!(place.flow, Flow::Fenced(fence) if Some(fence) == t);
        if let Some(place) = self.rooms.values_mut().find(fenced) {
            place.flow = Flow::Open;
        }
    }

    /// The connection is gone; what is asked for waits for the next.
    pub fn lost(&mut self) {
        self.welcomed = false;
        self.held.clear();
        self.late.clear();
    }

    /// Enters a room; the frame to send.
    pub fn join(&mut self, room: &str, start: Start) -> String {
        let place = Place::new(start);
        let frame = join(room, &place);
        self.rooms.insert(room.into(), place);
        frame
    }

    /// Leaves a room; the frame to send.
    pub fn leave(&mut self, room: &str) -> String {
        self.rooms.remove(room);
        json!({"type": "leave", "room": room}).to_string()
    }

    /// Makes a room and enters it; the frame to send.
    pub fn create(&mut self, room: &str, title: &str) -> String {
        // If it comes to a break first, it is joined: either it was made, or it will be said that there is none.
        let wish = || Place { is_wish: true, ..Place::new(Start::Since(0)) };
        self.rooms.entry(room.into()).or_insert_with(wish);
        let mut frame = json!({"type": "create", "room": room});
        if !title.is_empty() {
            frame["title"] = title.into();
        }
        self.change(frame)
    }

    /// Keeps a post until it is seen on the line; the frame to send. None: others wait before it.
    pub fn post(&mut self, id: String, room: &str, body: &str, reply_to: Option<i64>) -> Option<String> {
        let waits = self.held.contains_key(room);
        let new = Post { id, room: room.into(), body: body.into(), reply_to, waits };
        let frame = (!waits).then(|| post(&new));
        self.posts.push_back(new);
        frame
    }

    /// Posts that nobody has seen yet.
    pub fn unseen(&self) -> usize {
        self.posts.len()
    }
}

impl Place {
    fn new(start: Start) -> Place {
        let seen = if let Start::Since(rev) = start { Some(rev) } else { None };
        Place { start, seen, replayed: 0, changed: 0, is_wish: false, flow: Flow::Open }
    }
}

fn join(room: &str, place: &Place) -> String {
    match (place.seen, place.start) {
        (Some(rev), _) | (None, Start::Since(rev)) => json!({"type": "join", "room": room, "since": rev}).to_string(),
        (None, Start::Last(count)) => json!({"type": "join", "room": room, "last": count}).to_string(),
    }
}

fn post(post: &Post) -> String {
    let mut frame = json!({"type": "post", "room": post.room, "id": post.id, "body": post.body});
    if let Some(seq) = post.reply_to {
        frame["reply_to"] = seq.into();
    }
    frame.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(rev: i64, id: &str) -> String {
        format!(
            r#"{{"type":"message","room":"lobby","seq":{rev},"rev":{rev},"id":"{id}","from":"ann","at":"2023-11-14T22:13:20.007Z","body":"b"}}"#
        )
    }

    fn welcome(epoch: &str) -> String {
        let limits = r#"{"body":8192,"message":65536,"room_name":32,"name":32}"#;
        format!(
            r#"{{"type":"welcome","you":{{"name":"ann","role":"guest"}},"epoch":"{epoch}","rooms":[],"limits":{limits},"server":"p"}}"#
        )
    }

    fn joined(head: i64) -> String {
        format!(r#"{{"type":"joined","room":"lobby","head":{head},"count":1,"members":["ann"]}}"#)
    }

    /// The numbers of the messages that are handed over.
    fn revs(session: &mut Session, frames: &[String], keeps_up: bool) -> Vec<i64> {
        let events = frames.iter().flat_map(|frame| session.hear(frame, keeps_up).unwrap().events);
        events.filter_map(|event| if let Event::Message(m) = event { Some(m.rev) } else { None }).collect()
    }

    fn begun(start: Start) -> Session {
        let mut session = Session::default();
        session.hear(&welcome("e"), true).unwrap();
        session.join("lobby", start);
        session
    }

    fn again(session: &mut Session, epoch: &str) -> Vec<String> {
        session.lost();
        session.hear(&welcome(epoch), true).unwrap().frames
    }

    #[test]
    fn after_a_break_it_goes_on_from_what_was_handed_over() {
        let mut session = begun(Start::Last(50));
        assert_eq!(
            revs(&mut session, &[message(7, "a"), message(8, "b"), joined(8), message(9, "c")], true),
            [7, 8, 9]
        );
        assert_eq!(again(&mut session, "e"), [r#"{"room":"lobby","since":9,"type":"join"}"#]);
        assert_eq!(revs(&mut session, &[message(10, "d"), joined(10)], true), [10]);
    }

    #[test]
    fn a_break_among_the_last_messages_repeats_none() {
        let mut session = begun(Start::Last(3));
        assert_eq!(revs(&mut session, &[message(7, "a"), message(8, "b")], true), [7, 8]);
        assert_eq!(again(&mut session, "e"), [r#"{"last":3,"room":"lobby","type":"join"}"#]);
        assert_eq!(revs(&mut session, &[message(7, "a"), message(8, "b"), message(9, "c"), joined(9)], true), [9]);
    }

    #[test]
    fn a_change_is_handed_over_once_even_among_the_last_messages() {
        let changed =
            |seq: i64, rev: i64| message(rev, "x").replace(&format!("\"seq\":{rev}"), &format!("\"seq\":{seq}"));
        let mut session = begun(Start::Last(3));
        let replay = [changed(6, 9), message(7, "a"), message(8, "b")];
        assert_eq!(revs(&mut session, &replay, true), [9, 7, 8]);
        again(&mut session, "e");
        assert_eq!(revs(&mut session, &replay, true), [0; 0]);
        // Changed while the last messages were read; then live.
        let more = [changed(7, 10), joined(10), changed(6, 11), changed(6, 11)];
        assert_eq!(revs(&mut session, &more, true), [10, 11]);
    }

    #[test]
    fn another_epoch_begins_anew() {
        let mut session = begun(Start::Since(100));
        assert_eq!(again(&mut session, "other"), [r#"{"last":50,"room":"lobby","type":"join"}"#]);
        assert_eq!(revs(&mut session, &[message(1, "a"), joined(1)], true), [1]);
    }

    #[test]
    fn what_was_posted_and_not_seen_is_posted_again_with_the_same_id() {
        let mut session = begun(Start::Since(0));
        session.post("x".into(), "lobby", "one", None);
        session.post("y".into(), "lobby", "two", None);
        let heard = session.hear(&message(1, "x"), true).unwrap();
        assert!(matches!(heard.settled, Some((id, Ok(_))) if id == "x"));
        let frames = again(&mut session, "e");
        assert_eq!(
            frames,
            [r#"{"room":"lobby","since":1,"type":"join"}"#, r#"{"body":"two","id":"y","room":"lobby","type":"post"}"#]
        );
        // It had arrived: it comes with the replay, and its receipt is no news.
        assert_eq!(revs(&mut session, &[message(2, "y"), joined(2), message(2, "y")], true), [2]);
        assert_eq!(session.unseen(), 0);
    }

    fn too_soon(field: &str, ms: u64) -> String {
        format!(r#"{{"type":"error","code":"rate_limited","message":"m",{field},"retry_after":{ms}}}"#)
    }

    #[test]
    fn what_came_too_soon_comes_again_one_by_one_and_in_order() {
        let mut session = begun(Start::Since(0));
        for id in ["a", "b", "c"] {
            assert!(session.post(id.into(), "lobby", id, None).is_some());
        }
        assert!(session.hear(&message(1, "a"), true).unwrap().settled.is_some());
        for id in ["b", "c"] {
            let heard = session.hear(&too_soon(&format!(r#""id":"{id}""#), 1000), true).unwrap();
            assert!(heard.events.is_empty() && heard.settled.is_none(), "nobody need know");
        }
        assert_eq!(session.post("d".into(), "lobby", "d", None), None, "nothing overtakes");
        assert!(session.post("x".into(), "den", "x", None).is_some(), "another room is another line");
        let now = Instant::now();
        let due = session.due().unwrap();
        assert!(due > now && session.again(now).is_empty());
        let ids = |frames: Vec<String>| -> Vec<String> {
            frames
                .iter()
                .map(|frame| serde_json::from_str::<serde_json::Value>(frame).unwrap()["id"].to_string())
                .collect()
        };
        assert_eq!(ids(session.again(due)), ["\"b\""]);
        assert_eq!(session.due(), None, "one is on its way");
        session.hear(&too_soon(r#""id":"b""#, 500), true).unwrap();
        assert_eq!(ids(session.again(session.due().unwrap())), ["\"b\""]);
        for (rev, id, next) in [(2, "b", "\"c\""), (3, "c", "\"d\"")] {
            assert!(session.hear(&message(rev, id), true).unwrap().settled.is_some());
            assert_eq!(ids(session.again(Instant::now())), [next]);
        }
        session.hear(&message(4, "d"), true).unwrap();
        assert_eq!((session.due(), session.unseen()), (None, 1));
        assert!(session.post("e".into(), "lobby", "e", None).is_some());
    }

    #[test]
    fn a_change_that_came_too_soon_comes_again_and_a_new_connection_waits_for_nothing() {
        let mut session = begun(Start::Since(0));
        let edit = session.change(json!({"type": "edit", "room": "lobby", "seq": 1, "body": "b"}));
        assert!(session.hear(&too_soon(r#""ref":1"#, 10), true).unwrap().events.is_empty());
        assert_eq!(session.again(session.due().unwrap()), [edit]);
        assert!(matches!(session.hear(&too_soon(r#""ref":9"#, 10), true).unwrap().events[..], [Event::Refused(_)]));
        let made = session.create("den", "");
        session.hear(&too_soon(r#""ref":2,"room":"den""#, 10), true).unwrap();
        assert_eq!(session.again(session.due().unwrap()), [made]);
        session.post("a".into(), "lobby", "a", None);
        session.hear(&too_soon(r#""id":"a""#, 1000), true).unwrap();
        assert_eq!(again(&mut session, "e").len(), 3, "two rooms and a post");
        assert_eq!(session.due(), None);
    }

    #[test]
    fn what_somebody_else_says_under_the_same_id_is_no_receipt() {
        let mut session = begun(Start::Since(0));
        session.post("x".into(), "lobby", "mine", None);
        let heard = session.hear(&message(1, "x").replace("\"ann\"", "\"bob\""), true).unwrap();
        assert!(heard.settled.is_none() && heard.events.len() == 1);
        assert!(session.hear(&message(2, "x"), true).unwrap().settled.is_some());
    }

    #[test]
    fn a_program_that_does_not_keep_up_is_told_later_and_of_everything() {
        let mut session = begun(Start::Since(0));
        assert_eq!(revs(&mut session, &[joined(0), message(1, "a")], true), [1]);
        assert_eq!(revs(&mut session, &[message(2, "b"), message(3, "c")], false), [0; 0]);
        assert!(session.is_behind());
        // Once behind, nothing is handed over that would leave a gap.
        assert_eq!(revs(&mut session, &[message(4, "d")], true), [0; 0]);
        let frames = session.catch_up();
        assert!(
            frames[0].contains("leave") && frames[1].contains("ping") && frames[2].contains(r#""since":1"#),
            "{frames:?}"
        );
        let late = [message(5, "e"), r#"{"type":"pong","t":1}"#.into()];
        assert_eq!(revs(&mut session, &late, true), [0; 0], "of the time before");
        let replay: Vec<String> = (2..=5).map(|rev| message(rev, "z")).collect();
        assert_eq!(revs(&mut session, &replay, true), [2, 3, 4, 5]);
        assert!(!session.is_behind());
    }

    #[test]
    fn a_number_that_is_left_out_is_no_loss() {
        // At one of several servers, a message that has changed again before it was read there.
        let mut session = begun(Start::Since(3));
        let joined = r#"{"type":"joined","room":"lobby","head":3,"count":1}"#.to_owned();
        let live = [joined, message(4, "a"), message(7, "b"), message(8, "c")];
        assert_eq!(revs(&mut session, &live, true), [4, 7, 8]);
        assert!(again(&mut session, "e")[0].contains("\"since\":8"));
    }

    #[test]
    fn a_room_that_was_not_made_is_not_joined_again() {
        let mut session = begun(Start::Since(0));
        session.create("den", "");
        let refusal = r#"{"type":"error","code":"not_allowed","message":"full","room":"den"}"#;
        assert!(matches!(session.hear(refusal, true).unwrap().events[..], [Event::Refused(_)]));
        assert_eq!(again(&mut session, "e").len(), 1);
    }

    #[test]
    fn what_is_not_known_is_let_fall_and_what_is_no_parlor_is_said() {
        let mut session = begun(Start::Since(0));
        assert!(session.hear(r#"{"type":"weather","sun":true}"#, true).unwrap().events.is_empty());
        assert!(session.hear("ann: hello", true).is_err());
    }
}
