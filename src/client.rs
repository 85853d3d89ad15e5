//! A client: its thread blocks in `read`, and makes of each frame an event, a record or an answer.

use crate::actor::Actor;
use crate::connection::Connection;
use crate::deflate::Early;
use crate::doors::Ticket;
use crate::event::{Asker, Entry, Event, Party, Step};
use crate::frame;
use crate::identity::{self, Claim, Identity};
use crate::line::Line;
use crate::name::{PersonName, RoomName};
use crate::outbox::Outbox;
use crate::peer::{ClientId, Peer, Tongue};
use crate::protocol::{self, Code, Problem, Request, Start, Way, close};
use crate::query::Question;
use crate::rate::{Bucket, too_fast};
use crate::search;
use crate::store::{Change, Kind, Message, Record, Rev, Room, RoomView, random_hex};
use crate::transport::Transport;
use bytes::Bytes;
use log::{debug, info};
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

/// How long what comes behind something that came too soon waits for that to come again, past the time that it was told.
const HELD: Duration = Duration::from_secs(2);

/// What is too soon because of what stands before it may try again so soon.
const BEHIND: Duration = Duration::from_millis(50);

/// How a client of the chat speaks, and where a plain one begins.
pub(crate) enum Chat {
    Json,
    Plain(Room, usize),
}

/// Who comes in, as the handshake has found.
pub(crate) struct Arrival {
    pub who: Identity,
    /// The name is taken until this is dropped.
    pub claim: Claim,
    pub chat: Chat,
    pub early: Early,
}

/// Serves a client of the chat until it is gone. What stands on the stack here stands there while the client does nothing.
#[inline(never)]
pub(crate) fn chat(line: &Arc<Line>, peer: Peer, socket: &Arc<dyn Transport>, mut arrival: Box<Arrival>) {
    let early = std::mem::take(&mut arrival.early);
    let Some(mut connection) = Connection::open(line, peer, socket, early) else { return };
    let mut client = Client::new(line, peer, &connection.outbox, &arrival);
    let Some(presence) = Presence::begin(&client) else { return };
    let _claim = client.come(arrival);
    connection.read(|message| client.take(message));
    drop(presence);
    client.leave_all();
    connection.part();
}

/// Gives back each message as it came, until the client is gone.
#[inline(never)]
pub(crate) fn echo(line: &Arc<Line>, peer: Peer, socket: &Arc<dyn Transport>, early: Early) {
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
    /// The rooms it is in, and what let it in.
    rooms: HashMap<RoomName, (Box<Room>, Ticket)>,
    /// How many people had been removed from rooms when it was last looked whether it is still let in.
    removals: u64,
    /// The one room of a plain-text client.
    plain: Option<Arc<Room>>,
    typed: Option<Instant>,
    /// What this person may still do just now.
    bucket: Arc<Bucket>,
    /// What came too soon, by its id or `ref`, when it may come again, and until when what comes behind it is held back.
    held: Option<(Value, Instant, Instant)>,
}

impl<'a> Client<'a> {
    #[inline(never)]
    fn new(line: &'a Line, peer: Peer, outbox: &Arc<Outbox>, arrival: &Arrival) -> Client<'a> {
        let tongue = if matches!(arrival.chat, Chat::Json) { Tongue::Json } else { Tongue::Plain };
        let (who, outbox, metrics) = (arrival.who.clone(), outbox.clone(), line.metrics.clone());
        let Identity { name, role, person: account, session, .. } = who.clone();
        let (id, address, is_vouched_for) = (peer.id, peer.address.map(|at| at.ip()), line.guests.vouch_for(&who));
        let party = Party { id, name, role, address, account, session, is_vouched_for, tongue, outbox, metrics };
        let bucket = line.rates.of(&who.name, Instant::now());
        if tongue == Tongue::Json {
            // From `Open` on it is told of what happens; but the welcome comes first.
            party.outbox.hold();
        }
        let (rooms, removals, plain, typed, held) = Default::default();
        Client { line, peer, party: Arc::new(party), who, rooms, removals, plain, typed, bucket, held }
    }

    /// Comes in, once it is told of what happens.
    #[inline(never)]
    fn come(&mut self, arrival: Box<Arrival>) -> Claim {
        self.check_session();
        self.check_ban();
        let (name, tongue) = (&self.who.name, self.party.tongue);
        info!(
            "{} is {name} ({})",
            self.peer,
            if tongue == Tongue::Json { protocol::SUBPROTOCOL } else { "plain text" }
        );
        match arrival.chat {
            Chat::Json => self.welcome(),
            Chat::Plain(room, last) => {
                self.plain = Some(Arc::new(room.clone()));
                self.enter(room, Start::Last(last));
            }
        }
        arrival.claim
    }

    #[inline(never)]
    fn take(&mut self, message: Incoming) {
        match message {
            Incoming::Text(text) => self.hear(&text),
            _ => self.party.outbox.close(close::UNSUPPORTED, "the chat is text; a binary frame means nothing here"),
        }
    }

    #[inline(never)]
    fn leave_all(self) {
        for room in self.rooms.into_keys() {
            self.line.settings.hooks.left(self.who.name.as_str(), room.as_str());
        }
    }

    /// From `Open` on whoever ends the session finds this connection. If it was ended before, nobody did.
    fn check_session(&self) {
        let Some(session) = self.who.session else { return };
        match identity::person(&*self.line.store, &session) {
            Ok(None) => self.party.outbox.close(close::SIGNED_OUT, "signed out"),
            Ok(Some(person)) if person.role != self.who.role => {
                self.party.outbox.close(close::CHANGED, "you have another role now; come back with since");
            }
            _ => {}
        }
    }

    /// The same for who was banned meanwhile.
    fn check_ban(&self) {
        let Party { name, role, address, .. } = &*self.party;
        if let Some(why) = self.line.doors.sanctions.bars(name, *role, *address) {
            self.party.outbox.close(close::POLICY, &why);
        }
    }

    fn welcome(&self) {
        match self.line.store.rooms(&self.who.name, protocol::MOST_ROOMS) {
            Ok((rooms, more)) => {
                let seen = rooms.into_iter().filter(|view| self.ticket(&view.room).is_some());
                let with_standing = |view: RoomView| (self.line.doors.standing(view.room.id), view);
                let rooms: Vec<_> = seen.map(with_standing).collect();
                let epoch = self.line.store.epoch();
                let (Identity { name, role, .. }, limits) = (&self.who, &self.line.limits);
                let muted = self.line.doors.sanctions.muted(name);
                let frame = protocol::welcome(name, *role, epoch, &rooms, more, limits, muted.as_ref());
                self.party.outbox.begin(&[frame]);
            }
            Err(cause) => {
                debug!("cannot read the rooms: {cause}");
                self.party.outbox.close(close::FAULT, "the database does not answer just now; try again");
                self.party.outbox.begin(&[]);
            }
        }
    }

    fn hear(&mut self, text: &str) {
        self.line.metrics.messages_in.inc();
        let heard = match self.plain.clone() {
            Some(room) => {
                let body = self.take_turn().and_then(|()| protocol::body(text, self.line.limits.body));
                body.and_then(|body| self.post_plain(&room, body))
            }
            None => protocol::parse(text, &self.line.limits).and_then(|request| self.answer(request)),
        };
        if let Err(problem) = heard {
            self.party.refuse(&problem.answering(text));
        }
    }

    #[inline(never)]
    fn answer(&mut self, request: Request) -> Result<(), Problem> {
        self.shed();
        self.pace(&request)?;
        match request {
            Request::Post { room, id, body, reply_to } => {
                let room = self.member_of(&room).map_err(|problem| problem.id(id.clone()))?;
                self.post(room, id, body, reply_to)
            }
            Request::Amend { room, seq, change, reference } => {
                let asked = self.amend(&room, seq, change, reference.clone());
                asked.map_err(|problem| Problem { reference, ..problem })
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
            Request::Create { room, title, kind, topic, members } => self.create(room, title, kind, topic, &members),
            Request::Direct { people, reference } => self.direct(&people, reference.as_ref()),
            Request::Change { room, title, topic, archived, slow, read_only } => {
                self.actor().change(&room, title, topic, archived, slow, read_only).map(drop)
            }
            Request::Invite { room, name } => self.invite(&room, &name),
            Request::Remove { room, name } => self.actor().remove(&room, &name),
            Request::Quit { room } => self.actor().remove(&room, &self.who.name),
            Request::Members { room, reference } => self.members(&room, reference.as_ref()),
            Request::Typing { room } => self.typing(&room),
            Request::Read { room, rev } => {
                let room = self.member_of(&room)?.clone();
                let record = Record::Read { person: self.who.name.clone(), room: room.id, rev };
                self.record(record, Asker::Reader(self.party.clone(), room.name))
            }
            Request::Search { question, reference } => {
                let answered = self.search(&question, reference.as_ref());
                answered.map_err(|problem| Problem { reference, ..problem })
            }
            Request::History { room, way, limit, reference } => {
                let answered = self.history(&room, way, limit, reference.as_ref());
                answered.map_err(|problem| Problem { reference, ..problem })
            }
            Request::Ping { t } => {
                self.party.outbox.send(&[protocol::pong(t.as_ref(), self.party.outbox.spared())]);
                Ok(())
            }
        }
    }

    /// Holds this person to the rate at which one may change what others see. What is behind something that came too soon is
    /// too soon as well until that has come again: what was sent in order is stored in order.
    fn pace(&mut self, request: &Request) -> Result<(), Problem> {
        let now = Instant::now();
        let (room, id) = match request {
            Request::Post { room, id, .. } => (Some(room), Some(Value::from(id.as_str()))),
            Request::Amend { room, reference, .. } => (Some(room), reference.clone()),
            Request::Create { room, .. }
            | Request::Change { room, .. }
            | Request::Invite { room, .. }
            | Request::Remove { room, .. }
            | Request::Quit { room } => (Some(room), None),
            Request::Direct { reference, .. } => (None, reference.clone()),
            _ => return Ok(()),
        };
        self.held = self.held.take().filter(|(_, _, until)| now < *until);
        let behind = self.held.as_ref().filter(|(held, ..)| id.as_ref() != Some(held));
        let refused = match behind {
            Some((_, due, _)) => Some(too_fast(due.saturating_duration_since(now).max(BEHIND))),
            None => self.take_turn().err(),
        };
        let Some(refused) = refused else {
            self.held = self.held.take().filter(|(held, ..)| id.as_ref() != Some(held));
            return Ok(());
        };
        if behind.is_none()
            && let Some(id) = id
        {
            let due = now + refused.wait();
            self.held = Some((id, due, due + HELD));
        }
        let room = room.map(|room| room.as_str().to_owned());
        let own = if let Request::Post { id, .. } = request { Some(id.clone()) } else { None };
        Err(Problem { room, ..refused.id(own) })
    }

    fn take_turn(&self) -> Result<(), Problem> {
        self.bucket.take(Instant::now()).map_err(too_fast)?;
        self.line.cluster.spent(&self.who.name);
        Ok(())
    }

    fn post_plain(&self, room: &Room, body: String) -> Result<(), Problem> {
        let id = random_hex(12).map_err(|_| Problem::unavailable())?;
        self.post(room, id, body, None)
    }

    fn post(&self, room: &Room, id: String, body: String, reply_to: Option<Rev>) -> Result<(), Problem> {
        let record = self.actor().post(room, id.clone(), body, reply_to).map_err(|problem| problem.id(id))?;
        self.record(record, Asker::Client(self.party.clone()))
    }

    fn amend(&self, room: &RoomName, seq: Rev, change: Change, reference: Option<Value>) -> Result<(), Problem> {
        let room = self.member_of(room)?;
        let record = self.actor().amend(room, seq, change)?;
        self.record(record, Asker::Changer(self.party.clone(), room.name.clone(), reference))
    }

    fn create(
        &mut self,
        name: RoomName,
        title: String,
        kind: Kind,
        topic: String,
        members: &[PersonName],
    ) -> Result<(), Problem> {
        let room = self.actor().create(&name, title, kind, topic, members)?;
        info!("{} made the room {}", self.peer, room.name);
        self.enter(room, Start::Since(0));
        Ok(())
    }

    /// Finds or makes the direct room with these people, and enters it.
    fn direct(&mut self, people: &[PersonName], reference: Option<&Value>) -> Result<(), Problem> {
        let (room, _) = self.actor().direct(people)?;
        let standing = self.line.doors.standing(room.id);
        self.party.outbox.send(&[protocol::room(&room, &standing, &self.who.name, reference)]);
        if !self.rooms.contains_key(&room.name) {
            self.enter(room, Start::Last(protocol::JSON_LAST));
        }
        Ok(())
    }

    fn invite(&self, room: &RoomName, name: &PersonName) -> Result<(), Problem> {
        if self.actor().invite(room, name)? { Ok(()) } else { self.members(room, None) }
    }

    /// Tells who is a member of a room, where that means something.
    fn members(&self, room: &RoomName, reference: Option<&Value>) -> Result<(), Problem> {
        let people = self.actor().members(room)?;
        self.party.outbox.send(&[protocol::members(room, &people, reference)]);
        Ok(())
    }

    /// The person, as who asks for what a request over HTTP may ask for, too.
    fn actor(&self) -> Actor<'_> {
        Actor { line: self.line, name: &self.who.name, role: self.who.role }
    }

    fn typing(&mut self, room: &RoomName) -> Result<(), Problem> {
        let room = self.member_of(room)?.clone();
        if let Some(refused) = self.line.doors.refuses_to_hear(room.id, &self.who.name, self.who.role) {
            return Err(refused);
        }
        let now = Instant::now();
        if self.typed.is_some_and(|before| now < before + TYPING_EVERY) {
            return Err(Problem::new(Code::RateLimited, "one \"typing\" in 3 s is enough").room(room.name.as_str()));
        }
        self.typed = Some(now);
        self.tell(Event::Typing { client: self.party.id, room })
    }

    fn search(&self, question: &Question, reference: Option<&Value>) -> Result<(), Problem> {
        let answer = search::answer(self.line, &self.who.name, question)?;
        self.make_room();
        self.party.outbox.send(&[protocol::found(&answer, reference)]);
        Ok(())
    }

    fn history(&self, room: &RoomName, way: Way, limit: usize, reference: Option<&Value>) -> Result<(), Problem> {
        let (room, ticket) = self.place(room)?;
        let (messages, more) = self.actor().page(room, way, limit)?;
        self.make_room();
        self.still_in(room, ticket)?;
        self.line.metrics.history_pages.inc();
        self.party.outbox.send(&[protocol::history(&room.name, &messages, more, reference)]);
        Ok(())
    }

    /// Steps onto a room's moving line: pages from the store until the dispatcher's ring reaches the rest.
    fn enter(&mut self, room: Room, start: Start) {
        // What is still on its way from being there before must not come between the pages.
        let _ = self.leave(&room.name);
        let Some(ticket) = self.ticket(&room) else {
            return self.party.refuse(&Problem::no_such_room(&room.name));
        };
        match self.step_onto(&room, ticket, start) {
            Ok(true) => {
                self.line.settings.hooks.joined(self.who.name.as_str(), room.name.as_str());
                self.rooms.insert(room.name.clone(), (Box::new(room), ticket));
            }
            Ok(false) => {}
            Err(problem) => self.party.refuse(&problem),
        }
    }

    /// Leaves a room, and returns when nothing of it comes any more.
    fn leave(&mut self, name: &RoomName) -> Result<(), Problem> {
        let Some((room, _)) = self.rooms.remove(name) else { return Ok(()) };
        let (done, left) = oneshot::channel();
        let told = self.tell(Event::Leave { client: self.party.id, room: *room, done });
        let done = told.and_then(|()| left.recv().map_err(|_| Problem::unavailable()));
        self.line.settings.hooks.left(self.who.name.as_str(), name.as_str());
        done
    }

    /// False: the client or the server is going away.
    fn step_onto(&self, room: &Room, ticket: Ticket, start: Start) -> Result<bool, Problem> {
        let mut since = match start {
            // A number from the future is of another line; it must not hold back what comes.
            Start::Since(rev) => rev.min(room.head),
            Start::Last(count) => {
                let (messages, head) = self.line.store.last(room.id, count).map_err(|e| unreadable(&e, room))?;
                self.send_messages(room, ticket, &messages)?;
                head
            }
        };
        let mut read_to = if let Start::Since(_) = start { room.head } else { since };
        loop {
            while since < read_to && self.party.outbox.is_open() {
                let messages = self.line.store.since(room.id, since, PAGE).map_err(|e| unreadable(&e, room))?;
                self.send_messages(room, ticket, &messages)?;
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
                Ok(Step::Shut) => return Err(Problem::no_such_room(&room.name)),
                Err(_) => return Ok(false),
            }
        }
    }

    fn send_messages(&self, room: &Room, ticket: Ticket, messages: &[Message]) -> Result<(), Problem> {
        let mut frames = Vec::new();
        let mut bytes = 0;
        for message in messages {
            let frame = self.party.message(&room.name, message);
            bytes += frame.len();
            frames.extend(Some(frame).filter(|frame| !frame.is_empty()));
            if bytes > self.line.settings.portion() {
                self.make_room();
                self.still_in(room, ticket)?;
                self.party.outbox.send(&frames);
                (frames, bytes) = (Vec::new(), 0);
            }
        }
        self.make_room();
        self.still_in(room, ticket)?;
        self.party.outbox.send(&frames);
        Ok(())
    }

    /// Waits for a slow reader while it is sent what it asked for; nobody else waits for it.
    fn make_room(&self) {
        if !self.party.outbox.wait_for_room(self.line.settings.portion(), PATIENCE) {
            self.party.outbox.close(close::TOO_SLOW, "too slow: come back with since");
        }
    }

    /// The room of that name, if there is one for this person.
    fn find(&self, name: &RoomName) -> Result<Room, Problem> {
        self.actor().find(name)
    }

    fn member_of(&self, name: &RoomName) -> Result<&Room, Problem> {
        self.place(name).map(|(room, _)| room)
    }

    /// A room that it is in, and what let it in.
    fn place(&self, name: &RoomName) -> Result<(&Room, Ticket), Problem> {
        if let Some((room, ticket)) = self.rooms.get(name) {
            return self.still_in(room, *ticket).map(|()| (&**room, *ticket));
        }
        // A stranger hears of a room that is not open to all what is heard of one that is not there.
        self.find(name)?;
        let message = format!("you are not in \"{name}\"; join it first");
        Err(Problem::new(Code::NotAMember, message).room(name.as_str()))
    }

    /// Lets go of the rooms that it was removed from.
    fn shed(&mut self) {
        let removals = self.line.doors.removals();
        if std::mem::replace(&mut self.removals, removals) == removals {
            return;
        }
        let gone = |(room, ticket): &&(Box<Room>, Ticket)| self.still_in(room, *ticket).is_err();
        let gone: Vec<RoomName> = self.rooms.values().filter(gone).map(|(room, _)| room.name.clone()).collect();
        for name in gone {
            self.rooms.remove(&name);
            self.line.settings.hooks.left(self.who.name.as_str(), name.as_str());
        }
    }

    fn still_in(&self, room: &Room, ticket: Ticket) -> Result<(), Problem> {
        let let_in = self.ticket(room) == Some(ticket);
        if let_in { Ok(()) } else { Err(Problem::no_such_room(&room.name)) }
    }

    fn ticket(&self, room: &Room) -> Option<Ticket> {
        self.line.doors.ticket(room.id, &self.who.name)
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
    debug!("cannot read {}: {cause}", room.name);
    Problem::unavailable().room(room.name.as_str())
}
