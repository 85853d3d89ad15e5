//! Whatever clients do, in whatever order: in the end each has the same messages as the store, in the same order. What
//! is tried is any order; what is shown if one fails is the shortest that does.

use crate::common::{DEADLINE, TestServer, eventually, raw, server_with};
use crate::witness::{Ledger, Witness};
use parlor::{Builder, Server, Synchronous};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

const PEOPLE: usize = 3;
const ROOMS: usize = 2;

/// What a client does. It reads only when it is told to, so that all others are to be slow readers.
#[derive(Clone, Debug)]
enum Step {
    Post {
        who: usize,
        room: usize,
    },
    /// More than is held for one that does not read: whoever does not is sent away.
    Flood {
        who: usize,
        room: usize,
    },
    Edit {
        who: usize,
        nth: usize,
    },
    Delete {
        who: usize,
        nth: usize,
    },
    React {
        who: usize,
        nth: usize,
        on: bool,
    },
    Join {
        who: usize,
        room: usize,
    },
    Leave {
        who: usize,
        room: usize,
    },
    /// Everything that was sent so far.
    Read {
        who: usize,
    },
    /// The line breaks, and what was on its way is lost.
    Break {
        who: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (who, room, nth) = (0..PEOPLE, 0..ROOMS, 0..100_usize);
    prop_oneof![
        8 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Post { who, room }),
        1 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Flood { who, room }),
        3 => (who.clone(), nth.clone()).prop_map(|(who, nth)| Step::Edit { who, nth }),
        1 => (who.clone(), nth.clone()).prop_map(|(who, nth)| Step::Delete { who, nth }),
        3 => (who.clone(), nth, any::<bool>()).prop_map(|(who, nth, on)| Step::React { who, nth, on }),
        3 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Join { who, room }),
        1 => (who.clone(), room).prop_map(|(who, room)| Step::Leave { who, room }),
        3 => who.clone().prop_map(|who| Step::Read { who }),
        1 => who.prop_map(|who| Step::Break { who }),
    ]
}

#[test]
fn in_memory_any_order_leaves_everyone_with_what_is_stored() {
    try_all(120, Server::builder());
}

#[test]
fn in_a_database_any_order_leaves_everyone_with_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    try_all(60, Server::builder().sqlite(folder.path(), Synchronous::Normal));
}

/// One server for all cases, each in rooms of its own. `PROPTEST_CASES` says how many more than these.
fn try_all(cases: u32, builder: Builder) {
    let server = server_with(builder.max_rooms(1_000_000).outbox_limit(64 * 1024));
    let more = std::env::var("PROPTEST_CASES").ok().map_or(cases, |cases| cases.parse().expect("a number of cases"));
    let config = Config { cases: more, failure_persistence: None, max_shrink_iters: 30, ..Config::default() };
    let case = AtomicUsize::new(0);
    let tried = TestRunner::new(config).run(&proptest::collection::vec(step(), 1..50), |steps| {
        try_one(&server, case.fetch_add(1, SeqCst), &steps);
        Ok::<(), TestCaseError>(())
    });
    if let Err(failed) = tried {
        panic!("{failed}");
    }
}

fn try_one(server: &TestServer, case: usize, steps: &[Step]) {
    let rooms: Vec<String> = (0..ROOMS).map(|room| format!("case{case}-{room}")).collect();
    rooms.iter().for_each(|room| server.handle.create_room(room, "").unwrap());
    let witness = Witness::default();
    let mut people: Vec<Person> =
        (0..PEOPLE).map(|who| Person::new(server, &witness, &format!("p{case}-{who}"))).collect();
    let mut said = BTreeSet::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Post { who, room } => said.extend(people[*who].post(&rooms[*room], &number.to_string(), "short")),
            Step::Flood { who, room } => {
                // Who is being sent a room's messages is not read from meanwhile.
                people[*who].read_all();
                for part in 0..80 {
                    said.extend(people[*who].post(&rooms[*room], &format!("{number}-{part}"), &"flood ".repeat(1300)));
                }
            }
            Step::Edit { who, nth } => {
                people[*who].change(&rooms, *nth, json!({"type": "edit", "body": format!("edit {number}")}))
            }
            Step::Delete { who, nth } => people[*who].change(&rooms, *nth, json!({"type": "delete"})),
            Step::React { who, nth, on } => {
                people[*who].change(&rooms, *nth, json!({"type": "react", "emoji": "👍", "on": on}));
            }
            Step::Join { who, room } => people[*who].join(&rooms[*room]),
            Step::Leave { who, room } => people[*who].leave(&rooms[*room]),
            Step::Read { who } => _ = people[*who].read_all(),
            Step::Break { who } => people[*who].lose(),
        }
    }
    for person in &mut people {
        person.settle(&rooms);
    }
    let mut ledger = Ledger::of(&rooms.iter().map(String::as_str).collect::<Vec<_>>());
    ledger.read_on(server.address, &format!("clerk{case}"), &witness);
    witness.compare_all(&ledger);
    let stored: BTreeSet<String> = ledger.rooms.values().flat_map(|line| line.messages.values()).map(key).collect();
    assert_eq!(stored, said, "each post is there once, and nothing else");
    for person in &mut people {
        // What others have said again while they settled comes, too; and whoever did not read meanwhile was sent away.
        let has_all = |person: &Person| rooms.iter().all(|room| person.lines[room].last >= ledger.rooms[room].head);
        eventually("everyone has heard all", || {
            if !person.read_all() {
                person.settle(&rooms);
            }
            has_all(person)
        });
        for room in &rooms {
            let revs: BTreeMap<i64, i64> = ledger.rooms[room].messages.values().map(|m| (m.seq, m.rev)).collect();
            assert_eq!(person.lines[room].revs, revs, "{} in {room}", person.name);
        }
    }
}

fn key(message: &crate::witness::Shown) -> String {
    format!("{} {}", message.said["from"].as_str().unwrap(), message.said["id"].as_str().unwrap())
}

/// A client to the letter of the protocol, that does what it is told.
struct Person<'a> {
    server: &'a TestServer,
    witness: &'a Witness,
    name: String,
    socket: Option<WebSocket<std::net::TcpStream>>,
    lines: BTreeMap<String, Line>,
    /// Posted, and the receipt not seen.
    unseen: Vec<(String, Value)>,
    fences: i64,
}

#[derive(Default)]
struct Line {
    last: i64,
    place: Place,
    revs: BTreeMap<i64, i64>,
}

#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Out,
    /// Asked to be let in, and sent what it lacks.
    Coming,
    In,
}

impl<'a> Person<'a> {
    fn new(server: &'a TestServer, witness: &'a Witness, name: &str) -> Person<'a> {
        let (lines, unseen) = (BTreeMap::new(), Vec::new());
        Person { server, witness, name: name.into(), socket: None, lines, unseen, fences: 0 }
    }

    fn post(&mut self, room: &str, id: &str, body: &str) -> Option<String> {
        let post = json!({"type": "post", "room": room, "id": id, "body": body});
        // Only who is in a room can post there; who is not will be, in the end.
        self.unseen.push((id.into(), post.clone()));
        if self.lines.get(room).is_some_and(|line| line.place != Place::Out) {
            self.say(&post);
        }
        Some(format!("{} {id}", self.name))
    }

    /// Changes a message that it knows.
    fn change(&mut self, rooms: &[String], nth: usize, mut change: Value) {
        let is_in = |room: &&String| self.lines.get(*room).is_some_and(|line| line.place != Place::Out);
        let known =
            rooms.iter().filter(is_in).flat_map(|room| self.lines[room].revs.keys().map(move |seq| (room, *seq)));
        let known: Vec<(&String, i64)> = known.collect();
        if let Some((room, seq)) = known.get(nth % known.len().max(1)) {
            (change["room"], change["seq"]) = (json!(room), json!(seq));
            self.say(&change);
        }
    }

    fn join(&mut self, room: &str) {
        // What is on its way of being there before must not come behind the answer: it is heard out first.
        self.leave(room);
        self.read_all();
        let line = self.lines.entry(room.into()).or_default();
        line.place = Place::Coming;
        let join = json!({"type": "join", "room": room, "since": line.last});
        self.say(&join);
    }

    fn leave(&mut self, room: &str) {
        if self.lines.get(room).is_some_and(|line| line.place != Place::Out) {
            self.say(&json!({"type": "leave", "room": room}));
            self.read_all();
            if let Some(line) = self.lines.get_mut(room) {
                line.place = Place::Out;
            }
        }
    }

    fn lose(&mut self) {
        self.socket = None;
        self.lines.values_mut().for_each(|line| line.place = Place::Out);
    }

    fn say(&mut self, frame: &Value) {
        if let Some(socket) = self.socket() {
            // If it is gone, reading tells.
            let _ = socket.send(Message::text(frame.to_string()));
        }
    }

    /// The connection; a new one, if there is none.
    fn socket(&mut self) -> Option<&mut WebSocket<std::net::TcpStream>> {
        if self.socket.is_none() {
            let url = format!("ws://{}/ws?name={1}&key={1}", self.server.address, self.name);
            let mut request = url.into_client_request().unwrap();
            request.headers_mut().insert("sec-websocket-protocol", "parlor.v1".parse().unwrap());
            let stream = raw(self.server.address);
            stream.set_write_timeout(Some(DEADLINE)).unwrap();
            self.socket = Some(tungstenite::client(request, stream).unwrap().0);
        }
        self.socket.as_mut()
    }

    /// Reads all that was sent until now. False: the connection has ended meanwhile.
    fn read_all(&mut self) -> bool {
        if self.socket.is_none() {
            return true;
        }
        self.fences += 1;
        let fence = self.fences;
        self.say(&json!({"type": "ping", "t": fence}));
        while let Some(socket) = &mut self.socket {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == "pong" && frame["t"] == fence {
                        return true;
                    }
                    self.hear(&frame);
                }
                Ok(Message::Close(Some(close))) => {
                    assert_eq!(u16::from(close.code), 4000, "{close}");
                    self.lose();
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => panic!("no answer"),
                Err(_) => self.lose(),
            }
        }
        false
    }

    fn hear(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "message" => {
                let (room, shown) = self.witness.see(frame);
                let own = shown.said["from"] == self.name.as_str();
                let settled = self.unseen.iter().position(|(id, _)| own && shown.said["id"] == id.as_str());
                settled.map(|at| self.unseen.remove(at));
                let line = self.lines.get_mut(&room).expect("a room that it was in");
                if shown.rev <= line.last {
                    assert!(own && line.place == Place::In, "{}: {room} repeats {}", self.name, shown.rev);
                    return;
                }
                assert!(
                    line.place != Place::In || shown.rev == line.last + 1,
                    "{room}: {} after {}",
                    shown.rev,
                    line.last
                );
                line.last = shown.rev;
                line.revs.insert(shown.seq, shown.rev);
            }
            "joined" => {
                let line = self.lines.get_mut(frame["room"].as_str().unwrap()).unwrap();
                assert_eq!((&frame["head"], line.place == Place::Coming), (&json!(line.last), true), "{frame}");
                line.place = Place::In;
            }
            // Of another's message, or one that is deleted by now.
            "error" => assert!(frame["code"] == "not_allowed" || frame["code"] == "bad_field", "{frame}"),
            _ => {}
        }
    }

    /// Comes into all rooms, and says again what nobody heard, until all of it was heard.
    fn settle(&mut self, rooms: &[String]) {
        for _ in 0..200 {
            for room in rooms {
                if self.lines.get(room).is_none_or(|line| line.place == Place::Out) {
                    self.join(room);
                    self.read_all();
                }
            }
            // A few at a time: it is read before the next.
            let is_out = |post: &Value| self.lines[post["room"].as_str().unwrap()].place == Place::Out;
            let posts = self.unseen.iter().map(|(_, post)| post.clone());
            let again: Vec<Value> = posts.filter(|post| !is_out(post)).take(5).collect();
            again.iter().for_each(|post| self.say(post));
            let heard_out = self.receipts(again.len());
            let is_in = |room: &String| self.lines.get(room).is_some_and(|line| line.place == Place::In);
            if heard_out && self.unseen.is_empty() && rooms.iter().all(is_in) {
                return;
            }
        }
        panic!("{} never settles: {} unseen", self.name, self.unseen.len());
    }

    /// Waits until so many of what waits for a receipt have it. False: the connection has ended meanwhile.
    fn receipts(&mut self, count: usize) -> bool {
        let wanted = self.unseen.len().saturating_sub(count);
        while self.read_all() {
            if self.unseen.len() <= wanted {
                return true;
            }
        }
        false
    }
}
