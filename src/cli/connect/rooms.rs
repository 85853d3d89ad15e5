//! What a chat in a terminal knows: the rooms, who is in them, what was shown. Events in, lines out; no I/O.

use super::look::Look;
use super::{failure, harmless};
use parlor::{Event, Message, Problem, Room};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use time::Date;

/// Messages of a room that is not looked at, kept until it is.
const KEPT: usize = 500;

pub struct Rooms {
    look: Look,
    you: String,
    /// While the connection is broken: why, as it was said last.
    broken: Option<String>,
    epoch: Option<String>,
    places: BTreeMap<String, Place>,
    /// The rooms that are open, the one looked at last.
    open: Vec<String>,
    /// The room to go to as soon as the server lets us in.
    wanted: Option<String>,
    /// The day of the message that was shown last; at first today, which needs no word.
    day: Date,
}

/// What is known of a room.
#[derive(Default)]
struct Place {
    title: String,
    unread: usize,
    count: usize,
    members: BTreeSet<String>,
    /// Messages that came while another room was looked at; how many more there were.
    waiting: VecDeque<Message>,
    dropped: usize,
    /// Up to here this person had read it before; whether what is new is still to be marked.
    known: i64,
    unmarked: bool,
    /// The messages that were shown: the lowest `seq`, the highest `rev`.
    oldest: Option<i64>,
    seen: i64,
    /// Some of them, by `seq`: what has become of them can be told, and what answers them.
    said: BTreeMap<i64, Message>,
    /// Who has written what was shown.
    writers: BTreeSet<String>,
    /// It was said who is here.
    greeted: bool,
}

impl Rooms {
    pub fn new(look: Look) -> Rooms {
        Rooms {
            look,
            you: String::new(),
            broken: None,
            epoch: None,
            places: BTreeMap::new(),
            open: Vec::new(),
            wanted: None,
            day: look.today(),
        }
    }

    /// The room that is looked at.
    pub fn here(&self) -> Option<&str> {
        self.open.last().map(String::as_str)
    }

    /// Goes to a room; if it is not open yet, as soon as it is. Gives what is to be shown, and whether to ask for it.
    pub fn go(&mut self, room: &str) -> (Vec<String>, bool) {
        if let Some(at) = self.open.iter().position(|open| open == room) {
            let room = self.open.remove(at);
            self.open.push(room);
            return (self.arrive(), false);
        }
        self.wanted = Some(room.to_owned());
        (Vec::new(), true)
    }

    /// Leaves a room; None: it is not open.
    pub fn leave(&mut self, room: &str) -> Option<Vec<String>> {
        let at = self.open.iter().position(|open| open == room)?;
        let was_here = at + 1 == self.open.len();
        self.open.remove(at);
        if let Some(place) = self.places.get_mut(room) {
            *place = Place { title: std::mem::take(&mut place.title), ..Place::default() };
        }
        let mut lines = vec![self.look.quiet(&format!("left {}", harmless::line(room)))];
        match self.here() {
            Some(_) if was_here => lines.extend(self.arrive()),
            Some(_) => {}
            None => lines.push(self.look.quiet("you are in no room; /join goes to one")),
        }
        Some(lines)
    }

    /// What is shown of an event.
    pub fn hear(&mut self, event: Event) -> Vec<String> {
        let look = self.look;
        match event {
            Event::Connected { name, server, epoch, rooms } => self.connected(name, &server, epoch, rooms),
            Event::Lost { cause, retry_in } => {
                let cause = failure::cause(&cause);
                // It is tried for as long as it takes; a line for each time would push the talk away.
                if self.broken.as_ref() == Some(&cause) {
                    return vec![];
                }
                let line = match self.broken {
                    None => format!("connection lost, trying again in {}: {cause}", seconds(retry_in)),
                    Some(_) => format!("still trying: {cause}"),
                };
                self.broken = Some(cause);
                vec![look.alarm(&line)]
            }
            Event::Message(message) => self.message(message),
            Event::Joined { room, count, members, .. } => {
                let mut lines = self.opened(&room);
                let place = self.places.entry(room.clone()).or_default();
                (place.count, place.members) = (count, members.into_iter().flatten().collect());
                if self.here() == Some(&room) {
                    lines.extend(self.greeting());
                }
                lines
            }
            Event::Presence { room, count, joined, left } => self.presence(&room, count, joined, left),
            Event::History { room, messages, more } => self.history(&room, &messages, more),
            Event::Read { room, rev } => {
                // Read on another device, up to there.
                let place = self.places.entry(room).or_default();
                if place.waiting.iter().all(|message| message.rev <= rev) {
                    place.unread = 0;
                }
                vec![]
            }
            Event::Room(room) if room.gone => {
                let lines = self.leave(&room.room).unwrap_or_default();
                self.places.remove(&room.room);
                lines
            }
            Event::Room(room) => {
                let lines = match self.places.contains_key(&room.room) || self.wanted.as_ref() == Some(&room.room) {
                    true => vec![],
                    false => vec![look.quiet(&format!("a new room: {}", titled(&room.room, &room.title)))],
                };
                self.places.entry(room.room.clone()).or_default().title = room.title;
                lines
            }
            Event::Refused(problem) => self.refused(&problem),
            _ => vec![],
        }
    }

    fn connected(&mut self, name: String, server: &str, epoch: String, rooms: Vec<Room>) -> Vec<String> {
        let again = self.epoch.is_some();
        let anew = self.epoch.replace(epoch.clone()).is_some_and(|before| before != epoch);
        (self.you, self.broken) = (name, None);
        for room in rooms {
            let open = self.open.contains(&room.room);
            let place = self.places.entry(room.room.clone()).or_default();
            place.title = room.title;
            if !open {
                place.unread = usize::try_from(room.unread).unwrap_or(0);
                (place.known, place.unmarked) = (room.head - room.unread, room.unread > 0);
            } else if anew {
                (place.oldest, place.seen, place.known) = (None, 0, 0);
                place.said.clear();
            }
        }
        let who = self.look.name(&self.you);
        match (again, anew) {
            (false, _) => vec![format!("{} {who}", self.look.quiet(&format!("{} as", harmless::line(server))))],
            (true, false) => vec![self.look.quiet("connected again")],
            (true, true) => vec![self.look.quiet("connected again, to a server that has forgotten what was before")],
        }
    }

    fn message(&mut self, message: Message) -> Vec<String> {
        let mut lines = self.opened(&message.room);
        let here = self.here() == Some(&message.room);
        let place = self.places.entry(message.room.clone()).or_default();
        // What was never shown here, nobody needs to hear of when it changes.
        if message.rev > message.seq && place.oldest.is_some_and(|oldest| message.seq < oldest) {
            place.seen = place.seen.max(message.rev);
            return lines;
        }
        if here {
            lines.extend(self.shown(&message));
            return lines;
        }
        if let Some(waiting) = place.waiting.iter_mut().find(|waiting| waiting.seq == message.seq) {
            *waiting = message;
            return lines;
        }
        if message.from != self.you && message.seq > place.known {
            place.unread += 1;
            place.unmarked = true;
        }
        place.waiting.push_back(message);
        if place.waiting.len() > KEPT {
            place.waiting.pop_front();
            place.dropped += 1;
        }
        lines
    }

    /// A message of the room that is looked at.
    fn shown(&mut self, message: &Message) -> Vec<String> {
        let look = self.look;
        let place = self.places.entry(message.room.clone()).or_default();
        place.seen = place.seen.max(message.rev);
        let is_change = message.rev > message.seq;
        if let Some(before) =
            place.said.get(&message.seq).filter(|before| is_change && before.rev < message.rev).cloned()
        {
            place.said.insert(message.seq, message.clone());
            return look.change(&before, message, &self.you);
        }
        let mut lines = Vec::new();
        let day = look.day(message.at);
        if std::mem::replace(&mut self.day, day) != day {
            lines.push(look.between_days(day));
        }
        if message.seq > place.known && std::mem::take(&mut place.unmarked) && message.from != self.you {
            lines.push(look.fresh("── new ──"));
        }
        place.known = place.known.max(message.seq);
        place.oldest = Some(place.oldest.map_or(message.seq, |oldest| oldest.min(message.seq)));
        place.unread = 0;
        if place.writers.len() < KEPT {
            place.writers.insert(message.from.clone());
        }
        let answered = message.reply_to.and_then(|seq| place.said.get(&seq));
        lines.extend(look.message(message, answered, &self.you));
        place.said.insert(message.seq, message.clone());
        if place.said.len() > KEPT {
            place.said.pop_first();
        }
        lines
    }

    /// The server has let us into a room. If it is the one that is wanted, we look at it.
    fn opened(&mut self, room: &str) -> Vec<String> {
        if self.open.iter().any(|open| open == room) {
            return vec![];
        }
        let place = self.places.entry(room.to_owned()).or_default();
        (place.unread, place.greeted) = (0, false);
        if self.wanted.as_deref() == Some(room) || self.open.is_empty() {
            self.wanted = self.wanted.take().filter(|wanted| wanted != room);
            self.open.push(room.to_owned());
            return self.arrive();
        }
        self.open.insert(0, room.to_owned());
        vec![]
    }

    /// What is shown when a room comes into view.
    fn arrive(&mut self) -> Vec<String> {
        let Some(room) = self.here().map(str::to_owned) else { return vec![] };
        let place = self.places.entry(room.clone()).or_default();
        let mut lines = vec![self.look.loud(&format!("── {} ──", titled(&room, &place.title)))];
        self.day = self.look.today();
        place.unread = 0;
        if place.dropped > 0 {
            lines.push(self.look.quiet(&format!("{} more before these", std::mem::take(&mut place.dropped))));
        }
        for message in std::mem::take(&mut place.waiting) {
            lines.extend(self.shown(&message));
        }
        if !self.places.get(&room).is_some_and(|place| place.members.is_empty()) {
            lines.extend(self.greeting());
        }
        lines
    }

    /// Who is here, said once.
    fn greeting(&mut self) -> Vec<String> {
        let Some(place) = self.open.last().and_then(|room| self.places.get_mut(room)) else { return vec![] };
        if std::mem::replace(&mut place.greeted, true) { vec![] } else { self.who() }
    }

    /// Who is here.
    pub fn who(&self) -> Vec<String> {
        let Some(place) = self.here().and_then(|room| self.places.get(room)) else {
            return vec!["you are in no room".into()];
        };
        let names: Vec<String> = place.members.iter().map(|name| self.look.name(name)).collect();
        if names.is_empty() {
            return vec![self.look.quiet(&format!("{} people are here", place.count))];
        }
        vec![format!("{} {}", self.look.quiet("here:"), names.join(", "))]
    }

    fn presence(&mut self, room: &str, count: usize, joined: Vec<String>, left: Vec<String>) -> Vec<String> {
        let place = self.places.entry(room.to_owned()).or_default();
        place.count = count;
        let mut lines = Vec::new();
        for (names, sign, what) in [(joined, "→", "came"), (left, "←", "left")] {
            let came = what == "came";
            let news: Vec<String> = names
                .into_iter()
                .filter(|name| if came { place.members.insert(name.clone()) } else { place.members.remove(name) })
                .filter(|name| *name != self.you)
                .map(|name| self.look.name(&name))
                .collect();
            if !news.is_empty() && self.open.last().is_some_and(|here| here == room) {
                lines.push(format!("{} {} {}", self.look.quiet(sign), news.join(", "), self.look.quiet(what)));
            }
        }
        lines
    }

    fn history(&mut self, room: &str, messages: &[Message], more: bool) -> Vec<String> {
        if self.here() != Some(room) {
            return vec![];
        }
        let mut lines =
            vec![self.look.quiet(if more { "── before that ──" } else { "── from the beginning ──" })];
        self.day = self.look.today();
        for message in messages {
            lines.extend(self.shown(message));
        }
        lines.push(self.look.quiet("── until here ──"));
        self.day = self.look.today();
        lines
    }

    fn refused(&mut self, problem: &Problem) -> Vec<String> {
        let about = problem.room.as_deref().filter(|room| self.wanted.as_deref() == Some(room));
        let hint = match (about.is_some(), problem.code.as_str()) {
            (true, "no_such_room") => "; /rooms shows all, /create makes one",
            _ => "",
        };
        if about.is_some() {
            self.wanted = None;
        }
        vec![self.look.alarm(&format!("{}{hint}", harmless::line(&problem.message)))]
    }

    /// All rooms, with what is unread.
    pub fn list(&self) -> Vec<String> {
        let width = self.places.keys().map(String::len).max().unwrap_or(0);
        let line = |(name, place): (&String, &Place)| {
            let mark = if self.here() == Some(name) {
                "▸"
            } else if self.open.contains(name) {
                "·"
            } else {
                " "
            };
            let title =
                if place.title.eq_ignore_ascii_case(name) { String::new() } else { harmless::line(&place.title) };
            let unread = match place.unread {
                0 => String::new(),
                count => self.look.fresh(&format!("  {count} unread")),
            };
            format!("  {mark} {:<width$}  {title}{unread}", harmless::line(name)).trim_end().to_owned()
        };
        self.places.iter().map(line).collect()
    }

    /// The oldest message that was shown here: what `/history` goes back from. None: nothing was.
    pub fn oldest(&self) -> Option<i64> {
        self.places.get(self.here()?)?.oldest
    }

    /// The room that is looked at, and up to which number this person has read it.
    pub fn read(&self) -> Option<(&str, i64)> {
        let here = self.here()?;
        self.places.get(here).map(|place| (here, place.seen)).filter(|(_, seen)| *seen > 0)
    }

    /// What stands before the line that is written: the room, and what is unread elsewhere. Plain, and with colours.
    pub fn prompt(&self) -> (String, String) {
        // Nothing can be said before the first room has opened.
        if self.here().is_none() && self.wanted.is_some() {
            return Default::default();
        }
        let here = harmless::line(self.here().unwrap_or("no room"));
        let unread: Vec<String> = self
            .places
            .iter()
            .filter(|(name, place)| place.unread > 0 && self.here() != Some(name))
            .map(|(name, place)| format!("{} {}", harmless::line(name), place.unread))
            .collect();
        let elsewhere = if unread.is_empty() { String::new() } else { format!(" ({})", unread.join(", ")) };
        let offline = if self.broken.is_some() { " (offline)" } else { "" };
        let styled = format!("{}{}{}▸ ", self.look.loud(&here), self.look.alarm(offline), self.look.fresh(&elsewhere));
        (format!("{here}{offline}{elsewhere}▸ "), styled)
    }

    /// Whom one might speak to here: who is here, and who has written.
    pub fn people(&self) -> Vec<&str> {
        let Some(place) = self.here().and_then(|room| self.places.get(room)) else { return vec![] };
        place.members.union(&place.writers).map(String::as_str).filter(|name| *name != self.you).collect()
    }

    /// All rooms.
    pub fn names(&self) -> Vec<&str> {
        self.places.keys().map(String::as_str).collect()
    }
}

/// A time to wait, as people say it.
pub fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{seconds:.1} s") } else { format!("{} s", seconds.round()) }
}

/// A room's name, and its title if it says more.
fn titled(room: &str, title: &str) -> String {
    let (room, title) = (harmless::line(room), harmless::line(title));
    if title.is_empty() || title.eq_ignore_ascii_case(&room) { room } else { format!("{room}: {title}") }
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::{COLOURED, PLAIN, message};
    use super::*;
    use serde_json::json;

    fn connected(rooms: &[(&str, i64, i64)]) -> Event {
        let room = |(name, head, unread): &(&str, i64, i64)| {
            serde_json::from_value(json!({"room": name, "title": name, "head": head, "unread": unread})).unwrap()
        };
        let rooms = rooms.iter().map(room).collect();
        Event::Connected { name: "ann".into(), server: "parlor/1".into(), epoch: "e".into(), rooms }
    }

    fn joined(room: &str, members: &[&str]) -> Event {
        let members: Vec<String> = members.iter().map(|name| name.to_string()).collect();
        Event::Joined { room: room.into(), head: 9, count: members.len(), members: Some(members) }
    }

    fn said(room: &str, seq: i64, from: &str, body: &str) -> Event {
        Event::Message(message(room, seq, from, body))
    }

    /// In the lobby, with ben.
    fn in_lobby() -> Rooms {
        let mut rooms = Rooms::new(PLAIN);
        assert_eq!(rooms.hear(connected(&[("lobby", 5, 2), ("garden", 7, 3)])), ["parlor/1 as ann"]);
        assert_eq!(rooms.go("lobby"), (vec![], true));
        assert_eq!(rooms.hear(joined("lobby", &["ann", "ben"])), ["── lobby ──", "here: ann, ben"]);
        rooms
    }

    #[test]
    fn what_is_new_is_marked_and_days_are_told_apart() {
        let mut rooms = Rooms::new(PLAIN);
        rooms.hear(connected(&[("lobby", 5, 2)]));
        rooms.go("lobby");
        assert_eq!(
            rooms.hear(said("lobby", 3, "ben", "old")),
            ["── lobby ──", "── Tuesday 14 November 2023 ──", "22:13 ben: old"]
        );
        assert_eq!(rooms.hear(said("lobby", 4, "ben", "new")), ["── new ──", "22:13 ben: new"]);
        assert_eq!(rooms.hear(said("lobby", 5, "ben", "newer")), ["22:13 ben: newer"]);
        assert_eq!(rooms.read(), Some(("lobby", 5)));
        assert_eq!(rooms.oldest(), Some(3));
    }

    #[test]
    fn the_prompt_tells_what_is_unread_elsewhere() {
        let mut rooms = in_lobby();
        assert_eq!(rooms.prompt().0, "lobby (garden 3)▸ ");
        assert_eq!(rooms.list(), ["    garden    3 unread", "  ▸ lobby"]);
        assert_eq!(rooms.go("garden"), (vec![], true));
        assert_eq!(rooms.hear(joined("garden", &["ann"]))[0], "── garden ──");
        assert_eq!(rooms.prompt().0, "garden▸ ");
        assert_eq!(rooms.hear(said("lobby", 6, "ben", "psst")), [] as [&str; 0]);
        assert_eq!(rooms.prompt().0, "garden (lobby 1)▸ ");
        let (lines, ask) = rooms.go("lobby");
        assert!(!ask, "it is open already");
        assert_eq!(lines, ["── lobby ──", "── Tuesday 14 November 2023 ──", "── new ──", "22:13 ben: psst"]);
        assert_eq!(rooms.prompt().0, "lobby▸ ");
    }

    #[test]
    fn of_several_rooms_the_first_is_looked_at_and_what_was_read_is_not_unread() {
        let mut rooms = Rooms::new(PLAIN);
        rooms.hear(connected(&[("lobby", 5, 0), ("garden", 7, 2)]));
        rooms.go("lobby");
        rooms.hear(joined("lobby", &["ann"]));
        for seq in 4..=7 {
            rooms.hear(said("garden", seq, "ben", &seq.to_string()));
        }
        rooms.hear(joined("garden", &["ann"]));
        assert_eq!(rooms.prompt().0, "lobby (garden 2)▸ ");
        let lines = rooms.go("garden").0;
        assert_eq!(lines[3..6], ["22:13 ben: 5", "── new ──", "22:13 ben: 6"]);
        assert_eq!(rooms.hear(said("garden", 8, "ben", "live")), ["22:13 ben: live"]);
    }

    #[test]
    fn who_comes_and_goes_is_told_where_one_looks() {
        let mut rooms = in_lobby();
        let presence = |room: &str, joined: &[&str], left: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
            Event::Presence { room: room.into(), count: 2, joined: names(joined), left: names(left) }
        };
        assert_eq!(
            rooms.hear(presence("lobby", &["cleo", "dan", "ann"], &["ben"])),
            ["→ cleo, dan came", "← ben left"]
        );
        assert_eq!(rooms.hear(presence("garden", &["eve"], &[])), [] as [&str; 0]);
        assert_eq!(rooms.who(), ["here: ann, cleo, dan"]);
        assert_eq!(rooms.people(), ["cleo", "dan"]);
    }

    #[test]
    fn a_break_is_told_once_and_the_room_is_not_greeted_again() {
        let mut rooms = in_lobby();
        let lost = || Event::Lost { cause: parlor::DialError::TimedOut, retry_in: Duration::from_millis(1900) };
        let lines = rooms.hear(lost());
        assert!(lines[0].starts_with("connection lost, trying again in 2 s: "), "{lines:?}");
        assert_eq!(rooms.hear(lost()), [] as [&str; 0], "it says so once");
        assert_eq!(rooms.prompt().0, "lobby (offline) (garden 3)▸ ");
        assert_eq!(rooms.hear(connected(&[("lobby", 5, 0)])), ["connected again"]);
        assert_eq!(rooms.hear(joined("lobby", &["ann"])), [] as [&str; 0]);
        assert_eq!(rooms.who(), ["here: ann"]);
    }

    #[test]
    fn a_room_that_does_not_let_us_in_leaves_us_where_we_are() {
        let mut rooms = in_lobby();
        rooms.go("nowhere");
        let problem = json!({"code": "no_such_room", "message": "there is no room nowhere", "room": "nowhere"});
        let lines = rooms.hear(Event::Refused(serde_json::from_value(problem).unwrap()));
        assert_eq!(lines, ["there is no room nowhere; /rooms shows all, /create makes one"]);
        assert_eq!(rooms.here(), Some("lobby"));
        assert_eq!(rooms.leave("nowhere"), None);
        assert_eq!(rooms.leave("lobby").unwrap(), ["left lobby", "you are in no room; /join goes to one"]);
        assert_eq!(rooms.prompt().0, "no room (garden 3)▸ ");
    }

    #[test]
    fn what_has_become_of_a_message_is_told_and_it_is_not_said_again() {
        let changed = |seq: i64, rev: i64, body: &str| {
            let mut value = serde_json::to_value(message("lobby", seq, "ben", body)).unwrap();
            (value["rev"], value["edited_at"]) = (json!(rev), json!("2023-11-14T22:14:00.000Z"));
            Event::Message(serde_json::from_value(value).unwrap())
        };
        let mut rooms = in_lobby();
        rooms.hear(said("lobby", 6, "ben", "helo"));
        assert_eq!(rooms.hear(changed(6, 7, "hello")), ["22:13 ben: hello (edited)"]);
        assert_eq!(rooms.hear(changed(2, 8, "long ago")), [] as [&str; 0], "it was never shown");
        assert_eq!(rooms.read(), Some(("lobby", 8)));
        rooms.go("garden");
        rooms.hear(joined("garden", &["ann"]));
        rooms.hear(said("lobby", 9, "ben", "psst"));
        rooms.hear(changed(9, 10, "pssst"));
        assert_eq!(rooms.prompt().0, "garden (lobby 1)▸ ");
        assert_eq!(rooms.go("lobby").0.last().unwrap(), "22:13 ben: pssst (edited)");
    }

    #[test]
    fn older_messages_stand_between_two_lines() {
        let mut rooms = in_lobby();
        rooms.hear(said("lobby", 8, "ben", "now"));
        let messages = vec![message("lobby", 2, "ben", "a"), message("lobby", 3, "ann", "b")];
        let lines = rooms.hear(Event::History { room: "lobby".into(), messages, more: false });
        assert_eq!(lines[0], "── from the beginning ──");
        assert_eq!(lines[2..], ["22:13 ben: a", "22:13 ann: b", "── until here ──"]);
        assert_eq!(rooms.oldest(), Some(2));
    }

    #[test]
    fn a_room_that_is_gone_is_left() {
        let mut rooms = in_lobby();
        rooms.hear(joined("den", &["ann"]));
        rooms.go("den");
        let gone = serde_json::from_value(json!({"room": "den", "gone": true})).unwrap();
        assert_eq!(rooms.hear(Event::Room(gone))[0], "left den");
        assert_eq!(rooms.here(), Some("lobby"));
        assert!(!rooms.names().contains(&"den"));
    }

    #[test]
    fn titles_and_errors_of_others_can_do_nothing_to_the_terminal() {
        let mut rooms = Rooms::new(COLOURED);
        let nasty = "\u{1b}]0;x\u{7}\r\n";
        let mut lines = Vec::new();
        for name in ["x", nasty] {
            let room = json!({"room": name, "title": nasty, "head": 0});
            lines.extend(rooms.hear(Event::Room(serde_json::from_value(room).unwrap())));
        }
        let problem = json!({"code": "unavailable", "message": nasty});
        lines.extend(rooms.hear(Event::Refused(serde_json::from_value(problem).unwrap())));
        lines.extend(rooms.hear(joined(nasty, &[nasty])));
        lines.extend(rooms.list());
        lines.push(rooms.prompt().1);
        lines.extend(rooms.leave(nasty).unwrap());
        let text = lines.concat();
        assert!(!text.contains("\u{1b}]") && !text.contains(['\u{7}', '\r', '\n']), "{text:?}");
    }
}
