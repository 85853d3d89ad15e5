//! What was shown to anyone, and what is in the store: the one must be in the other.

use crate::common::Client;
use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;

/// A message as it was shown. Without its reactions: a page may show one that has its number only a moment later.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub seq: i64,
    pub rev: i64,
    pub said: Value,
}

impl Shown {
    /// The room and the message of a `message` frame.
    pub fn of(frame: &Value) -> (String, Shown) {
        let number = |field: &str| frame[field].as_i64().unwrap_or_else(|| panic!("no {field} in {frame}"));
        let fields = ["id", "from", "at", "body", "reply_to", "edited_at", "deleted"];
        let said = fields.iter().map(|field| (field.to_string(), frame[field].clone())).collect();
        let room = frame["room"].as_str().expect("a room").to_owned();
        (room, Shown { seq: number("seq"), rev: number("rev"), said: Value::Object(said) })
    }

    fn id(&self) -> (&str, &str) {
        (self.said["from"].as_str().unwrap(), self.said["id"].as_str().unwrap())
    }
}

/// Remembers every message that anyone was shown, by its room and `rev`.
#[derive(Default)]
pub struct Witness {
    seen: Mutex<Seen>,
    more: Condvar,
}

#[derive(Default)]
struct Seen {
    all: HashMap<(String, i64), Shown>,
    /// Not yet compared with the store.
    fresh: Vec<(String, i64)>,
    frames: usize,
    epoch: Option<String>,
}

impl Witness {
    /// Somebody is shown this. All are shown the same under the same number, before a break and after it.
    pub fn see(&self, frame: &Value) -> (String, Shown) {
        let (room, shown) = Shown::of(frame);
        let mut seen = self.seen.lock();
        seen.frames += 1;
        let key = (room.clone(), shown.rev);
        match seen.all.get(&key) {
            Some(other) => assert_eq!(*other, shown, "two messages under one number of {room}"),
            None => {
                seen.all.insert(key.clone(), shown.clone());
                seen.fresh.push(key);
            }
        }
        self.more.notify_all();
        (room, shown)
    }

    pub fn see_epoch(&self, welcome: &Value) {
        let epoch = welcome["epoch"].as_str().expect("an epoch").to_owned();
        let known = self.seen.lock().epoch.get_or_insert(epoch.clone()).clone();
        assert_eq!(known, epoch, "the epoch is the database's");
    }

    /// Waits until so many frames more were seen. False: nothing was for `DEADLINE`.
    pub fn wait_for(&self, more: usize) -> bool {
        let mut seen = self.seen.lock();
        let wanted = seen.frames + more;
        while seen.frames < wanted {
            if self.more.wait_for(&mut seen, crate::common::DEADLINE).timed_out() {
                return false;
            }
        }
        true
    }

    /// How many messages were shown, each counted as often as it was changed.
    pub fn states(&self) -> usize {
        self.seen.lock().all.len()
    }

    /// Whatever was shown since this was asked last is in the store: as it was shown, or as it was changed since.
    pub fn compare(&self, ledger: &Ledger) {
        let mut seen = self.seen.lock();
        let fresh = std::mem::take(&mut seen.fresh);
        fresh.iter().for_each(|key| seen.compare(key, ledger));
    }

    /// The same for all that was ever shown.
    pub fn compare_all(&self, ledger: &Ledger) -> usize {
        let seen = self.seen.lock();
        seen.all.keys().for_each(|key| seen.compare(key, ledger));
        seen.all.len()
    }
}

impl Seen {
    fn compare(&self, key: &(String, i64), ledger: &Ledger) {
        let shown = &self.all[key];
        let stored = ledger.rooms[&key.0].messages.get(&shown.seq);
        let stored = stored.unwrap_or_else(|| panic!("shown in {}, and not there any more: {shown:?}", key.0));
        assert!(stored.rev >= shown.rev, "shown in {}: {shown:?}, and stored as before: {stored:?}", key.0);
        if stored.rev == shown.rev {
            assert_eq!(stored, shown, "in {}", key.0);
        } else {
            assert_eq!(stored.id(), shown.id(), "in {}, number {}", key.0, shown.seq);
        }
    }
}

/// What the server says is in its store.
#[derive(Clone, Default)]
pub struct Ledger {
    pub rooms: BTreeMap<String, Line>,
}

#[derive(Clone, Default)]
pub struct Line {
    pub head: i64,
    /// By `seq`, as they stand.
    pub messages: BTreeMap<i64, Shown>,
    ids: HashMap<(String, String), i64>,
}

impl Ledger {
    pub fn of(rooms: &[&str]) -> Ledger {
        Ledger { rooms: rooms.iter().map(|room| (room.to_string(), Line::default())).collect() }
    }

    /// Reads on from where it was, in all rooms.
    pub fn read_on(&mut self, address: SocketAddr, name: &str, witness: &Witness) {
        let mut clerk = Client::try_json(address, &format!("/ws?name={name}&key={name}")).unwrap();
        witness.see_epoch(&clerk.welcome);
        for (room, line) in &mut self.rooms {
            clerk.send(json!({"type": "join", "room": room, "since": line.head}));
            let mut last = line.head;
            let joined = loop {
                let frame = clerk.next();
                match frame["type"].as_str().unwrap() {
                    "message" => {
                        let (_, shown) = witness.see(&frame);
                        assert!(shown.rev > last, "{room} replays {} after {last}", shown.rev);
                        last = shown.rev;
                        let id = (shown.id().0.to_owned(), shown.id().1.to_owned());
                        let place = *line.ids.entry(id).or_insert(shown.seq);
                        assert_eq!(place, shown.seq, "stored twice: {shown:?}");
                        line.messages.insert(shown.seq, shown);
                    }
                    "joined" => break frame,
                    "error" => panic!("{frame}"),
                    _ => {}
                }
            };
            assert_eq!(joined["head"], last, "the number given last in {room} is of a message");
            line.head = last;
        }
    }
}

/// What SQLite itself finds wrong with a database.
pub fn integrity(folder: &Path) -> String {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = diesel::sql_types::Text)]
        integrity_check: String,
    }
    let mut database = SqliteConnection::establish(folder.join("parlor.db").to_str().unwrap()).unwrap();
    let found: Vec<Found> = match diesel::sql_query("PRAGMA integrity_check").load(&mut database) {
        Ok(found) => found,
        Err(cause) => return cause.to_string(),
    };
    let astray: usize = diesel::sql_query("PRAGMA foreign_key_check").execute(&mut database).unwrap();
    assert_eq!(astray, 0, "rows that belong to nothing");
    found.into_iter().map(|found| found.integrity_check).collect::<Vec<_>>().join("\n")
}
