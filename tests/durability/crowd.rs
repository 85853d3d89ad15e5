//! A crowd that talks, changes what it said, and comes back whenever its connection breaks.

use crate::chance::Chance;
use crate::common::{Client, DEADLINE};
use crate::witness::{Ledger, Witness};
use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// A public room besides the lobby, and a private one that only some are in.
pub const ROOMS: [&str; 3] = ["lobby", "den", "cellar"];

/// Who may see everything, and reads it for the test.
pub const CLERK: &str = "clerk";

/// Where all of them meet the test.
#[derive(Default)]
pub struct Place {
    state: Mutex<State>,
    moved: Condvar,
    pub witness: Witness,
}

#[derive(Default)]
struct State {
    server: Option<SocketAddr>,
    /// Nobody begins to say anything more.
    hushed: bool,
    /// Read up to here, and be compared.
    finale: Option<Arc<Ledger>>,
    /// Who does nothing until something changes.
    idle: usize,
    /// A client that found something wrong.
    failed: Option<String>,
}

impl Place {
    /// The server is here now.
    pub fn open(&self, server: SocketAddr) {
        self.change(|state| state.server = Some(server));
    }

    /// Nobody connects any more.
    pub fn close(&self) {
        self.change(|state| state.server = None);
    }

    /// Nobody begins to say anything more; waits until all have heard what became of what they said.
    pub fn hush(&self, crowd: usize) {
        self.change(|state| state.hushed = true);
        self.wait_for_idle(crowd);
    }

    /// All read to the end of the ledger, find that they have the same, and go.
    pub fn finish(&self, ledger: Ledger) {
        self.change(|state| state.finale = Some(Arc::new(ledger)));
    }

    /// The test is over before its time: all go.
    pub fn give_up(&self) {
        self.change(|state| _ = state.failed.get_or_insert("the test is over".into()));
    }

    /// Waits until so many wait for the test.
    pub fn wait_for_idle(&self, crowd: usize) {
        let mut state = self.state.lock();
        while state.idle < crowd && state.failed.is_none() {
            let late = self.moved.wait_for(&mut state, 3 * DEADLINE).timed_out();
            assert!(!late, "{} of {crowd} came to rest", state.idle);
        }
        self.check(&state);
    }

    /// Nobody has found anything wrong.
    pub fn is_well(&self) {
        self.check(&self.state.lock());
    }

    fn check(&self, state: &State) {
        if let Some(what) = &state.failed {
            panic!("{what}");
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.moved.notify_all();
    }

    /// Waits, counted among the idle, until `ready` has something.
    fn idle<T>(&self, ready: impl Fn(&State) -> Option<T>) -> Option<T> {
        let mut state = self.state.lock();
        let mut counted = false;
        let found = loop {
            if state.failed.is_some() {
                break None;
            }
            if let Some(found) = ready(&state) {
                break Some(found);
            }
            if !std::mem::replace(&mut counted, true) {
                state.idle += 1;
                self.moved.notify_all();
            }
            self.moved.wait(&mut state);
        };
        state.idle -= usize::from(counted);
        found
    }
}

/// Ends the crowd, if the test ends before.
pub struct End<'a>(pub &'a Place);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}

/// Makes the rooms, and all who talk known, so that they can be members.
pub fn furnish(server: SocketAddr, crowd: &[Talker]) {
    let come = |name: &str| Client::try_json(server, &format!("/ws?name={name}&key={name}")).unwrap();
    let here: Vec<Client> = crowd.iter().map(|talker| come(talker.name())).collect();
    let mut clerk = come(CLERK);
    let members: Vec<&str> = crowd.iter().filter(|talker| talker.is_in_the_cellar()).map(Talker::name).collect();
    clerk.send(json!({"type": "create", "room": "den"}));
    clerk.hear("joined");
    clerk.send(json!({"type": "create", "room": "cellar", "kind": "private", "members": members}));
    clerk.hear("joined");
    drop(here);
}

/// One of the crowd.
pub struct Talker {
    name: String,
    rooms: Vec<&'static str>,
    chance: Chance,
    lines: HashMap<String, Heard>,
    /// Said, and its receipt not seen.
    unseen: BTreeMap<String, Value>,
    said: usize,
    mine: Vec<(String, i64)>,
}

/// How far a room was heard.
#[derive(Default)]
struct Heard {
    last: i64,
    joined: bool,
    /// The `rev` of each message, by its `seq`.
    revs: BTreeMap<i64, i64>,
}

/// The connection is gone.
struct Broken;

impl Talker {
    /// The first half of the crowd is in the cellar, too.
    pub fn new(number: usize, crowd: usize, mut chance: Chance) -> Talker {
        let rooms = ROOMS[..if number < crowd.div_ceil(2) { 3 } else { 2 }].to_vec();
        let chance = Chance::new(chance.next() ^ number as u64);
        let (lines, unseen) = (HashMap::new(), BTreeMap::new());
        Talker { name: format!("talker{number}"), rooms, chance, lines, unseen, said: 0, mine: Vec::new() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_in_the_cellar(&self) -> bool {
        self.rooms.len() == 3
    }

    /// Talks until the test is over. What is found wrong on the way the test hears.
    pub fn run(mut self, place: &Place) {
        let done = catch_unwind(AssertUnwindSafe(|| while self.visit(place) {}));
        if let Err(cause) = done {
            let what = cause.downcast_ref::<String>().cloned();
            let what = what.or_else(|| cause.downcast_ref::<&str>().map(|what| what.to_string()));
            let what = format!("{}: {}", self.name, what.unwrap_or_default());
            place.change(|state| _ = state.failed.get_or_insert(what));
        }
    }

    /// One connection from its beginning to its end. False: the test is over.
    fn visit(&mut self, place: &Place) -> bool {
        let Some(server) = place.idle(|state| state.server) else { return false };
        let Ok(mut socket) = self.connect(server) else {
            std::thread::yield_now();
            return true;
        };
        self.begin(&mut socket, place).and_then(|()| self.talk(&mut socket, server, place)).unwrap_or(true)
    }

    fn connect(&self, server: SocketAddr) -> Result<WebSocket<TcpStream>, Broken> {
        let path = format!("ws://{server}/ws?name={0}&key={0}", self.name);
        let mut request = path.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "parlor.v1".parse().unwrap());
        let stream = TcpStream::connect(server).map_err(|_| Broken)?;
        stream.set_read_timeout(Some(DEADLINE)).map_err(|_| Broken)?;
        stream.set_nodelay(true).map_err(|_| Broken)?;
        Ok(tungstenite::client(request, stream).map_err(|_| Broken)?.0)
    }

    /// Enters the rooms where it was, and says again what it does not know to be heard.
    fn begin(&mut self, socket: &mut WebSocket<TcpStream>, place: &Place) -> Result<(), Broken> {
        let welcome = read(socket)?;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        place.witness.see_epoch(&welcome);
        for room in self.rooms.clone() {
            let heard = self.lines.entry(room.into()).or_default();
            heard.joined = false;
            send(socket, &json!({"type": "join", "room": room, "since": heard.last}))?;
            while !self.lines[room].joined {
                self.hear(&read(socket)?, place);
            }
        }
        self.unseen.values().try_for_each(|post| send(socket, post))?;
        self.wait_for_receipts(socket, place)
    }

    fn talk(&mut self, socket: &mut WebSocket<TcpStream>, server: SocketAddr, place: &Place) -> Result<bool, Broken> {
        loop {
            let (hushed, moved) = {
                let state = place.state.lock();
                (state.hushed, state.server != Some(server))
            };
            if moved {
                // The end of the connection is on its way; what comes before it is to be heard.
                self.hear(&read(socket)?, place);
            } else if !hushed {
                for _ in 0..self.chance.below(12) {
                    let frame = self.anything();
                    send(socket, &frame)?;
                }
                let post = self.post();
                send(socket, &post)?;
                if self.chance.percent(4) {
                    return Ok(true);
                }
                self.wait_for_receipts(socket, place)?;
            } else {
                let Some(ledger) = place.idle(|state| state.finale.clone()) else { return Ok(false) };
                self.compare(socket, place, &ledger)?;
                return Ok(false);
            }
        }
    }

    fn wait_for_receipts(&mut self, socket: &mut WebSocket<TcpStream>, place: &Place) -> Result<(), Broken> {
        while !self.unseen.is_empty() {
            self.hear(&read(socket)?, place);
        }
        Ok(())
    }

    /// Reads to the end of each line, and finds that it has heard all that is there.
    fn compare(&mut self, socket: &mut WebSocket<TcpStream>, place: &Place, ledger: &Ledger) -> Result<(), Broken> {
        for room in self.rooms.clone() {
            let line = &ledger.rooms[room];
            while self.lines[room].last < line.head {
                self.hear(&read(socket)?, place);
            }
            let stored: BTreeMap<i64, i64> = line.messages.values().map(|shown| (shown.seq, shown.rev)).collect();
            assert!(self.lines[room].revs == stored, "what it heard of {room} is not what is stored");
        }
        Ok(())
    }

    fn hear(&mut self, frame: &Value, place: &Place) {
        let of_cellar = frame["room"] == "cellar";
        assert!(!of_cellar || self.is_in_the_cellar(), "this is not for {}: {frame}", self.name);
        match frame["type"].as_str().unwrap() {
            "message" => {
                let (room, shown) = place.witness.see(frame);
                let own = shown.said["from"] == self.name.as_str();
                if own && self.unseen.remove(shown.said["id"].as_str().unwrap()).is_some() {
                    self.mine.push((room.clone(), shown.seq));
                }
                let heard = self.lines.get_mut(&room).unwrap();
                if heard.joined && shown.rev <= heard.last {
                    assert!(own, "{room}: {} again, which is nobody's receipt", shown.rev);
                    return;
                }
                assert!(shown.rev > heard.last, "{room}: {} after {}", shown.rev, heard.last);
                assert!(!heard.joined || shown.rev == heard.last + 1, "{room}: {} after {}", shown.rev, heard.last);
                heard.last = shown.rev;
                heard.revs.insert(shown.seq, shown.rev);
            }
            "joined" => {
                let heard = self.lines.get_mut(frame["room"].as_str().unwrap()).unwrap();
                assert_eq!(frame["head"], heard.last, "{frame}");
                heard.joined = true;
            }
            "error" => assert_ne!(frame["code"], "unavailable", "{frame}"),
            _ => {}
        }
    }

    fn post(&mut self) -> Value {
        self.said += 1;
        let id = format!("{}-{}", self.name, self.said);
        let words = if self.chance.percent(5) { 800 } else { 1 + self.chance.below(8) };
        let room = *self.chance.pick(&self.rooms);
        let post = json!({"type": "post", "room": room, "id": id, "body": format!("{id} {}", "word ".repeat(words))});
        self.unseen.insert(id, post.clone());
        post
    }

    fn anything(&mut self) -> Value {
        if self.mine.is_empty() || self.chance.percent(50) {
            return self.post();
        }
        let (room, seq) = self.chance.pick(&self.mine).clone();
        self.said += 1;
        match self.chance.below(4) {
            0 => json!({"type": "edit", "room": room, "seq": seq, "body": format!("changed {}", self.said)}),
            1 if self.chance.percent(30) => json!({"type": "delete", "room": room, "seq": seq}),
            2 => json!({"type": "read", "room": room, "rev": seq}),
            _ => {
                let others: Vec<i64> = self.lines[&room].revs.keys().rev().take(20).copied().collect();
                let (seq, on) = (*self.chance.pick(&others), self.chance.percent(70));
                let emoji = self.chance.pick(&["👍", "☕", "🎉"]);
                json!({"type": "react", "room": room, "seq": seq, "emoji": emoji, "on": on})
            }
        }
    }
}

fn read(socket: &mut WebSocket<TcpStream>) -> Result<Value, Broken> {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).expect("JSON")),
            Ok(Message::Close(_)) => return Err(Broken),
            Ok(_) => {}
            Err(tungstenite::Error::Io(e)) if matches!(e.kind(), WouldBlock | TimedOut) => panic!("no answer"),
            Err(_) => return Err(Broken),
        }
    }
}

fn send(socket: &mut WebSocket<TcpStream>, frame: &Value) -> Result<(), Broken> {
    socket.send(Message::text(frame.to_string())).map_err(|_| Broken)
}
