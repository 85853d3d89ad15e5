//! A client: its thread blocks in `read`, and makes of each frame an event, a record or an answer.

use crate::connection::Connection;
use crate::event::{Asker, Entry, Event, Party, Step};
use crate::frame;
use crate::identity::Identity;
use crate::line::Line;
use crate::name::RoomName;
use crate::peer::{ClientId, Peer, Tongue};
use crate::protocol::{self, Code, Problem, Request, Start, close};
use crate::store::{Message, Outcome, Record, Rev, Room, Time, random_hex};
use crate::transport::Transport;
use bytes::Bytes;
use log::{error, info};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tungstenite::Message as Incoming;

/// Messages read from the store at once.
const PAGE: usize = 200;

/// A client that takes nothing for so long while it is sent what it asked for is too slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// One typing notice in this time.
const TYPING_EVERY: Duration = Duration::from_secs(3);

/// How a client of the chat speaks, and where a plain one begins.
pub(crate) enum Chat {
    Json,
    Plain(Room, usize),
}

/// Serves a client of the chat until it is gone.
pub(crate) fn chat(
    line: &Arc<Line>,
    peer: Peer,
    socket: &Arc<dyn Transport>,
    early: Vec<u8>,
    who: Identity,
    chat: Chat,
) {
    let Some(mut connection) = Connection::open(line, peer, socket, early) else { return };
    let tongue = if matches!(chat, Chat::Json) { Tongue::Json } else { Tongue::Plain };
    let (outbox, metrics) = (connection.outbox.clone(), line.metrics.clone());
    let party = Arc::new(Party { id: peer.id, name: who.name.clone(), tongue, outbox, metrics });
    let mut client = Client { line, peer, party, who, rooms: HashMap::new(), plain: None, typed: None };
    let Some(presence) = Presence::begin(&client) else { return };
    info!(
        "{peer} is {} ({})",
        client.who.name,
        if tongue == Tongue::Json { protocol::SUBPROTOCOL } else { "plain text" }
    );
    match chat {
        Chat::Json => client.welcome(),
        Chat::Plain(room, last) => {
            client.plain = Some(room.clone());
            client.enter(room, Start::Last(last));
        }
    }
    connection.read(|message| match message {
        Incoming::Text(text) => client.hear(&text),
        _ => client.party.outbox.close(close::UNSUPPORTED, "the chat is text; a binary frame means nothing here"),
    });
    drop(presence);
    for room in client.rooms.into_keys() {
        line.settings.hooks.left(client.who.name.as_str(), room.as_str());
    }
    connection.part();
}

/// Gives back each message as it came, until the client is gone.
pub(crate) fn echo(line: &Arc<Line>, peer: Peer, socket: &Arc<dyn Transport>, early: Vec<u8>) {
    let Some(mut connection) = Connection::open(line, peer, socket, early) else { return };
    info!("{peer} is at the echo");
    let outbox = connection.outbox.clone();
    connection.read(|message| {
        // Who does not read what comes back is not read from.
        if !outbox.wait_for_room(0, PATIENCE) {
            return outbox.close(close::TOO_SLOW, "too slow: read what comes back");
        }
        outbox.send(&[match message {
            Incoming::Text(text) => frame::text(Bytes::from(text)),
            other => frame::binary(other.into_data()),
        }]);
    });
    connection.part();
}

/// From `Open` to `Closed`: the one comes exactly once for the other, however the thread ends.
struct Presence<'a> {
    line: &'a Line,
    id: ClientId,
}

impl<'a> Presence<'a> {
    fn begin(client: &Client<'a>) -> Option<Presence<'a>> {
        client.line.events.send(Event::Open(client.party.clone())).ok()?;
        Some(Presence { line: client.line, id: client.party.id })
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        let _ = self.line.events.send(Event::Closed(self.id));
    }
}

struct Client<'a> {
    line: &'a Line,
    peer: Peer,
    party: Arc<Party>,
    who: Identity,
    /// The rooms it is in.
    rooms: HashMap<RoomName, Room>,
    /// The one room of a plain-text client.
    plain: Option<Room>,
    typed: Option<Instant>,
}

impl Client<'_> {
    fn welcome(&self) {
        match self.line.store.rooms(&self.who.name, protocol::MOST_ROOMS) {
            Ok((rooms, more)) => {
                let epoch = self.line.store.epoch();
                let frame = protocol::welcome(&self.who.name, self.who.role, epoch, &rooms, more, &self.line.limits);
                self.party.outbox.send(&[frame]);
            }
            Err(cause) => {
                error!("cannot read the rooms: {cause}");
                self.party.outbox.close(close::FAULT, "the database does not answer just now; try again");
            }
        }
    }

    fn hear(&mut self, text: &str) {
        self.line.metrics.messages_in.inc();
        let heard = match self.plain.clone() {
            Some(room) => protocol::body(text, self.line.limits.body).and_then(|body| self.post_plain(&room, body)),
            None => protocol::parse(text, &self.line.limits).and_then(|request| self.answer(request)),
        };
        if let Err(problem) = heard {
            self.party.refuse(&problem);
        }
    }

    fn answer(&mut self, request: Request) -> Result<(), Problem> {
        match request {
            Request::Post { room, id, body } => {
                let room = self.member_of(&room).map_err(|problem| problem.id(id.clone()))?;
                self.post(room, id, body)
            }
            Request::Join { room, start } => {
                let room = self.find(&room)?;
                self.enter(room, start);
                Ok(())
            }
            Request::Leave { room } => {
                self.member_of(&room)?;
                self.leave(&room)
            }
            Request::Create { room, title } => self.create(room, title),
            Request::Typing { room } => self.typing(&room),
            Request::Read { room, rev } => {
                let room = self.member_of(&room)?.clone();
                let record = Record::Read { person: self.who.name.clone(), room: room.id, rev };
                self.record(record, Asker::Reader(self.party.clone(), room))
            }
            Request::History { room, before, limit, reference } => {
                let answered = self.history(&room, before, limit, reference.as_ref());
                answered.map_err(|problem| Problem { reference, ..problem })
            }
            Request::Ping { t } => {
                self.party.outbox.send(&[protocol::pong(t.as_ref())]);
                Ok(())
            }
        }
    }

    fn post_plain(&self, room: &Room, body: String) -> Result<(), Problem> {
        let id = random_hex(12).map_err(|_| Problem::unavailable())?;
        self.post(room, id, body)
    }

    fn post(&self, room: &Room, id: String, body: String) -> Result<(), Problem> {
        let hooked = self.line.settings.hooks.message(room.name.as_str(), self.who.name.as_str(), body);
        let checked = hooked.and_then(|body| protocol::body(&body, self.line.limits.body));
        let body = checked.map_err(|problem| problem.id(id.clone()).room(room.name.as_str()))?;
        let record = Record::Post { room: room.id, author: self.who.name.clone(), id, body, at: Time::now() };
        self.record(record, Asker::Client(self.party.clone()))
    }

    fn create(&mut self, name: RoomName, title: String) -> Result<(), Problem> {
        let (asker, answer) = oneshot::channel();
        let record = Record::Create { name: name.clone(), title, at: Time::now() };
        self.record(record, Asker::Thread(asker))?;
        let outcome = answer.recv().unwrap_or_else(|_| Err(Problem::unavailable()));
        let refuse = |code, message: &str| Err(Problem::new(code, message).room(name.as_str()));
        match outcome.map_err(|problem| problem.room(name.as_str()))? {
            Outcome::Created(room) => {
                info!("{} made the room {}", self.peer, room.name);
                self.enter(room, Start::Since(0));
                Ok(())
            }
            Outcome::RoomExists => {
                refuse(Code::RoomExists, "there is a room of that name already; join it, or choose another")
            }
            _ => refuse(Code::NotAllowed, "there are as many rooms as this server allows"),
        }
    }

    fn typing(&mut self, room: &RoomName) -> Result<(), Problem> {
        let room = self.member_of(room)?.clone();
        let now = Instant::now();
        if self.typed.is_some_and(|before| now < before + TYPING_EVERY) {
            return Err(Problem::new(Code::RateLimited, "one \"typing\" in 3 s is enough").room(room.name.as_str()));
        }
        self.typed = Some(now);
        self.tell(Event::Typing { client: self.party.id, room })
    }

    fn history(&self, room: &RoomName, before: Rev, limit: usize, reference: Option<&Value>) -> Result<(), Problem> {
        let room = self.member_of(room)?;
        let mut messages = self.line.store.before(room.id, before, limit + 1).map_err(|e| unreadable(&e, room))?;
        let mut room_left = self.line.settings.portion();
        let fits = messages.iter().rev().take(limit).take_while(|message| {
            let weight = message.body.len() + protocol::MESSAGE_OVERHEAD;
            let fits = weight <= room_left;
            room_left = room_left.saturating_sub(weight);
            fits
        });
        let skipped = messages.len() - fits.count();
        let messages = messages.split_off(skipped);
        self.make_room();
        self.line.metrics.history_pages.inc();
        self.party.outbox.send(&[protocol::history(&room.name, &messages, skipped > 0, reference)]);
        Ok(())
    }

    /// Steps onto a room's moving line: pages from the store until the dispatcher's ring reaches the rest.
    fn enter(&mut self, room: Room, start: Start) {
        // What is still on its way from being there before must not come between the pages.
        let _ = self.leave(&room.name);
        match self.step_onto(&room, start) {
            Ok(true) => {
                self.line.settings.hooks.joined(self.who.name.as_str(), room.name.as_str());
                self.rooms.insert(room.name.clone(), room);
            }
            Ok(false) => {}
            Err(cause) => self.party.refuse(&unreadable(&cause, &room)),
        }
    }

    /// Leaves a room, and returns when nothing of it comes any more.
    fn leave(&mut self, name: &RoomName) -> Result<(), Problem> {
        let Some(room) = self.rooms.remove(name) else { return Ok(()) };
        let (done, left) = oneshot::channel();
        let told = self.tell(Event::Leave { client: self.party.id, room, done });
        let done = told.and_then(|()| left.recv().map_err(|_| Problem::unavailable()));
        self.line.settings.hooks.left(self.who.name.as_str(), name.as_str());
        done
    }

    /// False: the client or the server is going away.
    fn step_onto(&self, room: &Room, start: Start) -> Result<bool, crate::error::Error> {
        let mut since = match start {
            // A number from the future is of another line; it must not hold back what comes.
            Start::Since(rev) => rev.min(room.head),
            Start::Last(count) => {
                let (messages, head) = self.line.store.last(room.id, count)?;
                self.send_messages(room, &messages);
                head
            }
        };
        let mut read_to = if let Start::Since(_) = start { room.head } else { since };
        loop {
            while since < read_to && self.party.outbox.is_open() {
                let messages = self.line.store.since(room.id, since, PAGE)?;
                self.send_messages(room, &messages);
                since = messages.last().map_or(read_to, |last| last.rev);
            }
            self.make_room();
            let (answer, step) = oneshot::channel();
            let join = Event::Join { client: self.party.id, room: room.clone(), since, answer };
            if !self.party.outbox.is_open() || self.tell(join).is_err() {
                return Ok(false);
            }
            match step.recv() {
                Ok(Step::Joined) => return Ok(true),
                Ok(Step::Behind(head)) => read_to = head,
                Err(_) => return Ok(false),
            }
        }
    }

    fn send_messages(&self, room: &Room, messages: &[Message]) {
        let mut frames = Vec::new();
        let mut bytes = 0;
        for message in messages {
            let frame = self.party.message(&room.name, message);
            bytes += frame.len();
            frames.push(frame);
            if bytes > self.line.settings.portion() {
                self.make_room();
                self.party.outbox.send(&frames);
                (frames, bytes) = (Vec::new(), 0);
            }
        }
        self.make_room();
        self.party.outbox.send(&frames);
    }

    /// Waits for a slow reader while it is sent what it asked for; nobody else waits for it.
    fn make_room(&self) {
        if !self.party.outbox.wait_for_room(self.line.settings.portion(), PATIENCE) {
            self.party.outbox.close(close::TOO_SLOW, "too slow: come back with since");
        }
    }

    fn find(&self, name: &RoomName) -> Result<Room, Problem> {
        match self.line.store.room(name) {
            Ok(Some(room)) => Ok(room),
            Ok(None) => Err(Problem::new(Code::NoSuchRoom, format!("there is no room \"{name}\"")).room(name.as_str())),
            Err(cause) => {
                error!("cannot read: {cause}");
                Err(Problem::unavailable().room(name.as_str()))
            }
        }
    }

    fn member_of(&self, name: &RoomName) -> Result<&Room, Problem> {
        self.rooms.get(name).ok_or_else(|| {
            Problem::new(Code::NotAMember, format!("you are not in \"{name}\"; join it first")).room(name.as_str())
        })
    }

    /// Waits while the recorder has as much to do as it can hold: that is what slows a sender.
    fn record(&self, record: Record, asker: Asker) -> Result<(), Problem> {
        self.line.entries.send(Entry::Record(record, asker)).map_err(|_| Problem::unavailable())
    }

    fn tell(&self, event: Event) -> Result<(), Problem> {
        self.line.events.send(event).map_err(|_| Problem::unavailable())
    }
}

fn unreadable(cause: &crate::error::Error, room: &Room) -> Problem {
    error!("cannot read {}: {cause}", room.name);
    Problem::unavailable().room(room.name.as_str())
}
