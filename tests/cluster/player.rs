//! A client that talks, changes, moves from node to node, and remembers all that it was told.

use crate::chance::Chance;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// Nothing was heard for so long, though it was asked for: the line is dead.
const SILENCE: Duration = Duration::from_secs(4);

/// How long everything may take to arrive once it is over.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long it reads before it looks what else there is to do.
const TURN: Duration = Duration::from_millis(20);

/// What all players share.
pub struct Game {
    pub nodes: Mutex<Vec<SocketAddr>>,
    /// Nothing new is said any more.
    pub over: AtomicBool,
    /// The test has failed, and all go home.
    pub failed: AtomicBool,
    /// How far each room has come, once that is known for good.
    pub heads: Mutex<Option<HashMap<String, i64>>>,
    /// Between two things that one does, in milliseconds.
    pub pause: AtomicU64,
}

pub struct Player<'a> {
    game: &'a Game,
    name: String,
    room: String,
    chance: Chance,
    socket: Option<WebSocket<TcpStream>>,
    heard_at: Instant,
    asked: bool,
    /// It was joined on this connection.
    is_in: bool,
    next_at: Instant,
    posted: u64,
    /// Posts that were not seen yet, and when they are to be sent again.
    unseen: VecDeque<(String, Option<Instant>)>,
    /// The last number seen.
    pub seen: i64,
    /// Each message as it was shown last, by its number.
    pub messages: BTreeMap<i64, Value>,
    /// What its posts became, by their id.
    pub receipts: HashMap<String, i64>,
    pub moves: usize,
    /// The last frames, for when something is amiss.
    last: VecDeque<String>,
}

impl<'a> Player<'a> {
    pub fn new(game: &'a Game, number: usize, rooms: usize, seed: u64) -> Player<'a> {
        Player {
            game,
            name: format!("p{number}"),
            room: room(number % rooms),
            chance: Chance::new(seed + number as u64),
            socket: None,
            heard_at: Instant::now(),
            asked: false,
            is_in: false,
            next_at: Instant::now(),
            posted: 0,
            unseen: VecDeque::new(),
            seen: 0,
            messages: BTreeMap::new(),
            receipts: HashMap::new(),
            moves: 0,
            last: VecDeque::new(),
        }
    }

    pub fn room(&self) -> &str {
        &self.room
    }

    /// Plays until the game is over and everything has arrived.
    pub fn play(mut self) -> Player<'a> {
        let mut until = None;
        while !self.is_done() && !self.game.failed.load(SeqCst) {
            if self.game.heads.lock().unwrap().is_some() {
                let until = *until.get_or_insert(Instant::now() + PATIENCE);
                let place = self.socket.as_ref().and_then(|socket| socket.get_ref().peer_addr().ok());
                let (name, room, seen, unseen) = (&self.name, &self.room, self.seen, &self.unseen);
                let is_late = Instant::now() >= until;
                assert!(
                    !is_late,
                    "{name} is at {place:?} in {room} at {seen}, in: {}, lacks {unseen:?}; {:#?}",
                    self.is_in, self.last
                );
            }
            if self.socket.is_none() {
                self.connect();
            }
            if self.is_in && Instant::now() >= self.next_at {
                self.act();
            }
            self.read();
            if self.heard_at.elapsed() > SILENCE {
                if std::mem::replace(&mut self.asked, true) {
                    self.socket = None;
                } else {
                    self.heard_at = Instant::now() - SILENCE / 2;
                    self.send(&json!({"type": "ping", "t": 1}));
                }
            }
        }
        self
    }

    fn is_done(&self) -> bool {
        let heads = self.game.heads.lock().unwrap();
        let head = heads.as_ref().map(|heads| heads.get(&self.room).copied().unwrap_or(0));
        self.unseen.is_empty() && head.is_some_and(|head| self.seen >= head)
    }

    fn connect(&mut self) {
        let address = *self.chance.pick(&self.game.nodes.lock().unwrap());
        let opened = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok().and_then(|socket| {
            socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
            let mut request =
                format!("ws://{address}/ws?name={}&key=key-{}", self.name, self.name).into_client_request().ok()?;
            request.headers_mut().insert("sec-websocket-protocol", "parlor.v1".parse().ok()?);
            let (socket, _) = tungstenite::client(request, socket).ok()?;
            socket.get_ref().set_read_timeout(Some(TURN)).ok()?;
            Some(socket)
        });
        let Some(socket) = opened else {
            return std::thread::park_timeout(Duration::from_millis(100));
        };
        (self.socket, self.heard_at, self.asked, self.is_in) = (Some(socket), Instant::now(), false, false);
        self.moves += 1;
        self.send(&json!({"type": "join", "room": self.room, "since": self.seen}));
        let unseen: Vec<String> = self.unseen.iter().map(|(id, _)| id.clone()).collect();
        unseen.iter().for_each(|id| self.post(id));
    }

    fn send(&mut self, frame: &Value) {
        if let Some(socket) = &mut self.socket
            && socket.send(Message::text(frame.to_string())).is_err()
        {
            self.socket = None;
        }
    }

    fn post(&mut self, id: &str) {
        self.send(&json!({"type": "post", "room": self.room, "id": id, "body": format!("{id} by {}", self.name)}));
    }

    fn act(&mut self) {
        let now = Instant::now();
        let again = self.unseen.iter().find(|(_, due)| due.is_some_and(|due| due <= now)).map(|(id, _)| id.clone());
        if let Some(id) = again {
            self.unseen.iter_mut().find(|(other, _)| *other == id).unwrap().1 = None;
            return self.post(&id);
        }
        let pause = self.game.pause.load(SeqCst) as usize;
        self.next_at = now + Duration::from_millis((pause / 2 + self.chance.below(pause)) as u64);
        if self.game.over.load(SeqCst) {
            return;
        }
        let some = self.messages.keys().rev().take(20).copied().collect::<Vec<_>>();
        match self.chance.below(100) {
            0..2 => self.socket = None,
            2..15 if !some.is_empty() => {
                let seq = *self.chance.pick(&some);
                let on = self.chance.percent(70);
                self.send(&json!({"type": "react", "room": self.room, "seq": seq, "emoji": "👍", "on": on}));
            }
            15..25 => {
                let own = self.messages.values().rev().find(|message| message["from"] == *self.name);
                if let Some(seq) = own.map(|message| message["seq"].clone()) {
                    let body = format!("edited {}", self.chance.next());
                    self.send(&json!({"type": "edit", "room": self.room, "seq": seq, "body": body}));
                }
            }
            _ => {
                self.posted += 1;
                let id = format!("{}-{}", self.name, self.posted);
                self.unseen.push_back((id.clone(), None));
                self.post(&id);
            }
        }
    }

    fn read(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        match socket.read() {
            Ok(Message::Text(text)) => {
                (self.heard_at, self.asked) = (Instant::now(), false);
                self.last.push_back(text.chars().take(160).collect());
                if self.last.len() > 12 {
                    self.last.pop_front();
                }
                self.hear(serde_json::from_str(&text).unwrap());
            }
            Ok(Message::Close(_)) => self.socket = None,
            Ok(_) => {}
            Err(tungstenite::Error::Io(e)) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.socket = None,
        }
    }

    fn hear(&mut self, frame: Value) {
        match frame["type"].as_str().unwrap() {
            "message" => self.take(frame),
            "joined" => self.is_in = true,
            "error" => {
                let id = frame["id"].as_str().unwrap_or_default();
                if let Some((_, due)) = self.unseen.iter_mut().find(|(other, _)| other == id) {
                    assert_eq!(frame["code"], "unavailable", "{frame}");
                    *due = Some(Instant::now() + Duration::from_millis(300));
                } else if !self.is_in {
                    // The database did not answer, and the room was not entered.
                    self.socket = None;
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, message: Value) {
        let (seq, rev) = (message["seq"].as_i64().unwrap(), message["rev"].as_i64().unwrap());
        if message["from"] == *self.name {
            let id = message["id"].as_str().unwrap().to_owned();
            self.unseen.retain(|(other, _)| *other != id);
            let before = self.receipts.insert(id.clone(), seq);
            assert!(before.is_none_or(|before| before == seq), "{id} is {seq}, and was {before:?}");
        }
        if rev <= self.seen {
            // The receipt of something that was posted twice.
            assert!(message["from"] == *self.name, "{}: {rev} after {}: {message}", self.name, self.seen);
            return;
        }
        self.seen = rev;
        self.messages.insert(seq, message);
    }
}

pub fn room(number: usize) -> String {
    format!("room{number}")
}
