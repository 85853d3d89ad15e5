//! What a client remembers from one connection to the next: its rooms and how far it has seen them, and what it has
//! posted that nobody has seen yet.
//!
//! No I/O here: frames in, events and frames out.

use super::event::{Event, Problem, Room, Start};
use crate::message::Message;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};

/// Messages that come first in a room whose numbers mean nothing any more.
const ANEW: usize = 50;

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
    Error(Problem),
    #[serde(other)]
    Unknown,
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
            Frame::Error(problem) => self.refused(problem, &mut heard),
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
            self.posts.remove(at);
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

    fn refused(&mut self, problem: Problem, heard: &mut Heard) {
        if let Some(at) = self.posts.iter().position(|post| Some(&post.id) == problem.id.as_ref()) {
            let Some(post) = self.posts.remove(at) else { return };
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
        frame.to_string()
    }

    /// Keeps a post until it is seen on the line; the frame to send.
    pub fn post(&mut self, id: String, room: &str, body: &str, reply_to: Option<i64>) -> String {
        let new = Post { id, room: room.into(), body: body.into(), reply_to };
        let frame = post(&new);
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
