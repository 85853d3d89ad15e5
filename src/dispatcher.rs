//! The dispatcher: the one thread that touches the registry. It writes to all, and waits for nobody.

use crate::cluster::Cluster;
use crate::cluster::note::Note;
use crate::doors::Doors;
use crate::event::{Elsewhere, Event, Party, Recorded, Step};
use crate::metrics::Metrics;
use crate::name::{PersonName, RoomName};
use crate::pace::Pace;
use crate::peer::{ClientId, Tongue};
use crate::protocol::{self, close};
use crate::registry::{Frame, Names, News, Registry, Stepped};
use crate::store::{Kind, Message, Rev, Room, RoomId};
use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stored batches that are sent together when they wait together.
const TOGETHER: usize = 16;

/// Other nodes are told at most so often who came and went.
const CROWDS_EVERY: Duration = Duration::from_millis(200);

pub(crate) struct Dispatcher {
    registry: Registry<Arc<Party>>,
    /// Rooms that have frames to deliver.
    touched: Vec<RoomId>,
    /// The names of all rooms that there are, for frames of rooms that nobody has joined yet.
    rooms: HashMap<RoomId, RoomName>,
    /// Who may see which room.
    doors: Arc<Doors>,
    /// Whom to wake when a room has more.
    subscribers: HashMap<RoomId, Vec<Sender<()>>>,
    pace: Arc<Pace>,
    metrics: Arc<Metrics>,
    /// The other nodes, and when they may next be told who is here.
    cluster: Cluster,
    crowds_due: Option<Instant>,
    now: Instant,
}

impl Dispatcher {
    /// A dispatcher that knows these rooms. One that steps onto a line is handed `stride` bytes at the most.
    pub fn new(
        rooms: HashMap<RoomId, RoomName>,
        doors: Arc<Doors>,
        stride: usize,
        pace: Arc<Pace>,
        metrics: Arc<Metrics>,
    ) -> Dispatcher {
        metrics.here((0, 0), rooms.len());
        Dispatcher {
            registry: Registry::new(stride),
            touched: Vec::new(),
            rooms,
            doors,
            subscribers: HashMap::new(),
            pace,
            metrics,
            cluster: Cluster::alone(),
            crowds_due: None,
            now: Instant::now(),
        }
    }

    /// The same, as one of several nodes, if it is.
    pub fn among(self, cluster: Cluster) -> Dispatcher {
        let registry = if cluster.is_there() { self.registry.among_others() } else { self.registry };
        Dispatcher { registry, cluster, ..self }
    }

    /// Handles events until it is told to stop.
    pub fn run(mut self, events: &Receiver<Event>) {
        loop {
            self.metrics.dispatcher.rest();
            let next = match self.registry.news_due().into_iter().chain(self.crowds_due).min() {
                Some(due) => events.recv_deadline(due),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            self.metrics.dispatcher.work();
            self.now = Instant::now();
            let mut next = match next {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while let Some(event) = next.take() {
                match event {
                    Event::Stop => return,
                    Event::Recorded(recorded) => next = self.recorded(recorded, events),
                    event => self.handle(event),
                }
            }
            self.metrics.here(self.registry.counts(), self.rooms.len());
            for news in self.registry.news(self.now) {
                self.tell(&news);
            }
            if self.registry.has_changed() {
                self.tell_nodes();
            }
        }
    }

    /// Tells other nodes who came and went, soon.
    fn tell_nodes(&mut self) {
        let due = *self.crowds_due.get_or_insert(self.now + CROWDS_EVERY);
        if due > self.now {
            return;
        }
        self.crowds_due = None;
        for room in self.registry.take_changed() {
            self.cluster.tell(|| Note::Here(room, self.registry.crowd(room)));
        }
    }

    /// Sends what was stored, and with it what else was stored meanwhile. Gives the event of another kind that ended it.
    fn recorded(&mut self, first: Vec<Recorded>, events: &Receiver<Event>) -> Option<Event> {
        self.line_up(first);
        let (mut batches, mut other) = (1, None);
        while batches < TOGETHER && other.is_none() {
            match events.try_recv() {
                Ok(Event::Recorded(more)) => {
                    self.line_up(more);
                    batches += 1;
                }
                Ok(event) => other = Some(event),
                Err(_) => break,
            }
        }
        self.deliver();
        self.pace.sent(batches, self.now.elapsed());
        other
    }

    fn line_up(&mut self, recorded: Vec<Recorded>) {
        let mut news = Vec::new();
        for recorded in recorded {
            match recorded {
                Recorded::Posted(message) => self.push(&message),
                Recorded::Created(room) => {
                    self.describe(&room, &mut news);
                    self.rooms.insert(room.id, room.name);
                }
                Recorded::Changed(room) => self.describe(&room, &mut news),
                Recorded::Invited(room, person) => self.invite(&room, &person),
                Recorded::Removed(room, person) => self.remove(room, &person),
                // What is for one alone must not overtake what is for all.
                Recorded::Repeated(client, message) => {
                    self.deliver();
                    self.repeat(client, &message);
                }
                Recorded::Read(client, room, rev) => {
                    let frame = protocol::read(&room, rev);
                    for party in self.registry.others(client) {
                        party.outbox.send(std::slice::from_ref(&frame));
                    }
                }
            }
        }
        self.announce(&news);
    }

    fn push(&mut self, message: &Message) {
        let encode = |room: &RoomName| Frame {
            rev: message.rev,
            json: protocol::message(room, message),
            // A line that was said is said: a tool that reads lines would take a change for another.
            plain: if message.rev == message.seq { protocol::plain_message(message) } else { Bytes::new() },
        };
        let name = || self.rooms.get(&message.room).cloned().unwrap_or_else(RoomName::lobby);
        if self.registry.push(message.room, name, encode) {
            self.touched.push(message.room);
        }
    }

    /// Tells those who may see a room how it stands. What is for everyone is put to the `news`.
    fn describe(&self, room: &Room, news: &mut Vec<Bytes>) {
        let standing = self.doors.standing(room.id);
        if room.kind == Kind::Public {
            return news.push(protocol::room(room, &standing, &PersonName::trusted(""), None));
        }
        for party in self.insiders(room.id) {
            party.outbox.send(&[protocol::room(room, &standing, &party.name, None)]);
        }
    }

    /// The connections of a room's members, whether or not they are in it just now, of those who speak `parlor.v1`.
    fn insiders(&self, room: RoomId) -> Vec<&Arc<Party>> {
        let members = self.doors.members(room);
        let connections = members.iter().flat_map(|member| self.registry.person(&member.folded()));
        connections.filter(|party| party.tongue == Tongue::Json).collect()
    }

    fn tell_insiders(&self, room: RoomId, frame: &Bytes) {
        for party in self.insiders(room) {
            party.outbox.send(std::slice::from_ref(frame));
        }
    }

    fn invite(&self, room: &Room, person: &PersonName) {
        let standing = self.doors.standing(room.id);
        for party in self.registry.person(&person.folded()) {
            if party.tongue == Tongue::Json {
                party.outbox.send(&[protocol::room(room, &standing, &party.name, None)]);
            }
        }
        let frame = protocol::member(&room.name, person, true);
        self.tell_insiders(room.id, &frame);
    }

    /// Takes a person off a room's line, on all connections at once: what came before it is delivered, nothing later is.
    fn remove(&mut self, room: RoomId, person: &PersonName) {
        self.deliver();
        let Some(name) = self.rooms.get(&room).cloned() else { return };
        let connections: Vec<Arc<Party>> = self.registry.person(&person.folded()).into_iter().cloned().collect();
        for party in connections {
            let was_in = self.registry.is_in(party.id, room);
            self.registry.leave(party.id, room, self.now);
            match party.tongue {
                Tongue::Json => _ = party.outbox.send(&[protocol::gone(&name)]),
                Tongue::Plain if was_in => party.outbox.close(close::POLICY, "you are not in this room any more"),
                Tongue::Plain => {}
            }
        }
        let frame = protocol::member(&name, person, false);
        self.tell_insiders(room, &frame);
    }

    /// Tells everyone of public rooms, of all at once.
    fn announce(&mut self, news: &[Bytes]) {
        if news.is_empty() {
            return;
        }
        for party in self.registry.everyone() {
            party.outbox.send(news);
        }
    }

    fn repeat(&self, client: ClientId, message: &Message) {
        let Some((party, room)) = self.registry.client(client).zip(self.rooms.get(&message.room)) else { return };
        if self.doors.ticket(message.room, &party.name).is_none() {
            // Said before in a room that is shut to its author by now.
            return party.refuse(&protocol::Problem::no_such_room(room).id(message.id.clone()));
        }
        // In plain text the one that posts it again may find that it was deleted: that has no word.
        let frame = party.message(room, message);
        if !frame.is_empty() {
            party.outbox.send(&[frame]);
        }
    }

    fn deliver(&mut self) {
        let mut closed = Vec::new();
        for room in self.touched.drain(..) {
            let delivered = self.registry.deliver(room, |party, frames| {
                let taken = party.outbox.send(frames);
                if !taken {
                    closed.push(party.id);
                }
                taken
            });
            self.metrics.delivered(&delivered);
            if let Some(subscribers) = self.subscribers.get_mut(&room) {
                // Full means that it is awake; who has gone is forgotten.
                subscribers.retain(|wake| !wake.try_send(()).is_err_and(|e| e.is_disconnected()));
            }
        }
        // Who was just evicted, or is on its way out, is here no more; its thread says so again when it ends.
        for client in closed {
            self.registry.close(client, self.now);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Open(party) => self.registry.open(party.id, party.name.clone(), party.tongue, party),
            Event::Closed(client) => self.registry.close(client, self.now),
            Event::Leave { client, room, done } => {
                self.registry.leave(client, room.id, self.now);
                let _ = done.send(());
            }
            Event::Join { client, room, since, answer } => {
                let _ = self.join(client, &room, since).map(|step| answer.send(step));
            }
            Event::Typing { client, room } => self.typing(client, &room),
            Event::Subscribe { room, wake } => self.subscribers.entry(room).or_default().push(wake),
            Event::Look(look) => look(&self.registry),
            Event::Elsewhere(news) => self.elsewhere(news),
            Event::Recorded(_) | Event::Stop => {}
        }
    }

    /// One step onto the moving line: the rest of the ring, `joined`, and from here on a member. No gap, no repeat.
    fn join(&mut self, client: ClientId, room: &Room, since: Rev) -> Option<Step> {
        let party = self.registry.client(client)?.clone();
        if self.doors.ticket(room.id, &party.name).is_none() {
            return Some(Step::Shut);
        }
        match self.registry.join(client, room, since, self.now)? {
            Stepped::Onto { mut frames, head, count, members } => {
                frames.extend(party.joined(&room.name, head, count, members.as_deref()));
                party.outbox.send(&frames);
                Some(Step::Joined)
            }
            Stepped::Behind(head) => Some(Step::Behind(head)),
        }
    }

    fn elsewhere(&mut self, news: Elsewhere) {
        match news {
            Elsewhere::Typing(room, person) => {
                let Some(name) = self.rooms.get(&room) else { return };
                let frame = protocol::typing(name, &person);
                for party in self.registry.watchers_of(&person, room) {
                    party.outbox.send(std::slice::from_ref(&frame));
                }
            }
            Elsewhere::Read(person, room, rev) => {
                let frame = protocol::read(&room, rev);
                let own = self.registry.person(&person.folded());
                for party in own.into_iter().filter(|party| party.tongue == Tongue::Json) {
                    party.outbox.send(std::slice::from_ref(&frame));
                }
            }
            Elsewhere::Here(node, room, crowd) => self.registry.put_elsewhere(&node, room, crowd, self.now),
            Elsewhere::Nowhere(node, rooms) => self.registry.keep_elsewhere(&node, &rooms, self.now),
            Elsewhere::Ask => {
                let rooms = self.registry.rooms_with_people();
                self.cluster.tell(|| Note::Nowhere(rooms.clone()));
                for room in rooms {
                    self.cluster.tell(|| Note::Here(room, self.registry.crowd(room)));
                }
            }
        }
    }

    fn typing(&self, client: ClientId, room: &Room) {
        let Some(writer) = self.registry.client(client) else { return };
        self.cluster.tell(|| Note::Typing(room.id, writer.name.as_str().to_owned()));
        let frame = protocol::typing(&room.name, &writer.name);
        for party in self.registry.watchers(client, room.id) {
            party.outbox.send(std::slice::from_ref(&frame));
        }
    }

    fn tell(&self, news: &News) {
        let frame = match &news.names {
            Names::Untold => protocol::presence(&news.room, news.count, None),
            Names::Changes(joined, left) => protocol::presence(&news.room, news.count, Some((joined, left))),
            // Whoever was told only a count has no names left; now all come at once.
            Names::All(all) => protocol::presence(&news.room, news.count, Some((all, &[]))),
        };
        for party in self.registry.members(news.id, Tongue::Json) {
            party.outbox.send(std::slice::from_ref(&frame));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Membership, Outcome, Record, Role, Time};
    use crate::{duplex, flusher, outbox};

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).unwrap()
    }

    fn posted(room: RoomId, seq: Rev) -> Recorded {
        let (id, body) = (seq.to_string(), String::new());
        Recorded::Posted(Message::born(room, seq, id, name("ann"), Time(0), body, None))
    }

    #[test]
    fn nobody_steps_onto_a_line_whom_the_doors_do_not_let_in_any_more() {
        let den = RoomName::parse("den").unwrap();
        let kind = Kind::Private;
        let (title, topic, archived, slow, read_only) = Default::default();
        let room = Room { id: 7, name: den.clone(), title, topic, kind, archived, slow, read_only, head: 0 };
        let within = Membership { room: room.clone(), maker: None, members: vec![name("bob")] };
        let doors = Arc::new(Doors::new(vec![within]));
        let metrics = Arc::new(Metrics::new(1));
        let rooms = HashMap::from([(7, den)]);
        let mut dispatcher = Dispatcher::new(rooms, doors.clone(), 65536, Arc::default(), metrics.clone());
        let (_near, far) = duplex::pair();
        let (flusher, _watched) = flusher::handle_for_tests();
        let outbox = outbox::Outbox::new(far, flusher, 65536, metrics.evictions.clone());
        let (id, role, tongue) = (1, Role::Guest, Tongue::Json);
        let (address, account, session, is_vouched_for) = (None, None, None, false);
        let party =
            Party { id, name: name("bob"), role, address, account, session, is_vouched_for, tongue, outbox, metrics };
        let party = Arc::new(party);
        dispatcher.handle(Event::Open(party));
        assert_eq!(dispatcher.join(1, &room, 0), Some(Step::Joined));
        dispatcher.line_up(vec![posted(7, 1), Recorded::Removed(7, name("Bob")), posted(7, 2)]);
        assert!(!dispatcher.registry.is_in(1, 7));
        // He asked for it before, and is only now heard; by now he is out.
        let remove = Record::Remove { room: 7, person: name("bob"), by: None };
        doors.take(&remove, &Outcome::Removed(None));
        assert_eq!(dispatcher.join(1, &room, 1), Some(Step::Shut));
        assert!(!dispatcher.registry.is_in(1, 7));
    }
}
