//! The dispatcher: the one thread that touches the registry. It writes to all, and waits for nobody.

use crate::event::{Event, Party, Recorded, Step};
use crate::metrics::Metrics;
use crate::name::RoomName;
use crate::pace::Pace;
use crate::peer::{ClientId, Tongue};
use crate::protocol;
use crate::registry::{Frame, Names, News, Registry, Stepped};
use crate::store::{Message, Rev, Room, RoomId};
use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Stored batches that are sent together when they wait together.
const TOGETHER: usize = 16;

pub(crate) struct Dispatcher {
    registry: Registry<Arc<Party>>,
    /// Rooms that have frames to deliver.
    touched: Vec<RoomId>,
    /// The names of all rooms that there are, for frames of rooms that nobody has joined yet.
    rooms: HashMap<RoomId, RoomName>,
    /// Whom to wake when a room has more.
    subscribers: HashMap<RoomId, Vec<Sender<()>>>,
    pace: Arc<Pace>,
    metrics: Arc<Metrics>,
    now: Instant,
}

impl Dispatcher {
    /// A dispatcher that knows these rooms. One that steps onto a line is handed `stride` bytes at the most.
    pub fn new(rooms: HashMap<RoomId, RoomName>, stride: usize, pace: Arc<Pace>, metrics: Arc<Metrics>) -> Dispatcher {
        metrics.here((0, 0), rooms.len());
        Dispatcher {
            registry: Registry::new(stride),
            touched: Vec::new(),
            rooms,
            subscribers: HashMap::new(),
            pace,
            metrics,
            now: Instant::now(),
        }
    }

    /// Handles events until it is told to stop.
    pub fn run(mut self, events: &Receiver<Event>) {
        loop {
            let next = match self.registry.news_due() {
                Some(due) => events.recv_deadline(due),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
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
                    news.push(protocol::room(&room));
                    self.rooms.insert(room.id, room.name);
                }
                // What is for one alone must not overtake what is for all.
                Recorded::Repeated(client, message) => {
                    self.deliver();
                    self.repeat(client, &message);
                }
                Recorded::Read(client, room, rev) => {
                    let frame = protocol::read(&room.name, rev);
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
            plain: protocol::plain_message(message),
        };
        let name = || self.rooms.get(&message.room).cloned().unwrap_or_else(RoomName::lobby);
        if self.registry.push(message.room, name, encode) {
            self.touched.push(message.room);
        }
    }

    /// Tells everyone of new rooms, of all at once.
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
        party.outbox.send(&[party.message(room, message)]);
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
            Event::Recorded(_) | Event::Stop => {}
        }
    }

    /// One step onto the moving line: the rest of the ring, `joined`, and from here on a member. No gap, no repeat.
    fn join(&mut self, client: ClientId, room: &Room, since: Rev) -> Option<Step> {
        let party = self.registry.client(client)?.clone();
        match self.registry.join(client, room, since, self.now)? {
            Stepped::Onto { mut frames, head, count, members } => {
                frames.extend(party.joined(&room.name, head, count, members.as_deref()));
                party.outbox.send(&frames);
                Some(Step::Joined)
            }
            Stepped::Behind(head) => Some(Step::Behind(head)),
        }
    }

    fn typing(&self, client: ClientId, room: &Room) {
        let Some(writer) = self.registry.client(client) else { return };
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
