//! A store that keeps the newest messages in memory and nothing after the end of the process.

use super::{
    Message, Outcome, Person, Record, Rev, Role, Room, RoomId, RoomView, Store, Time, TokenHash, UNREAD_COUNTED,
    random_hex,
};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use parking_lot::RwLock;
use std::collections::{HashMap, VecDeque};

/// Messages are kept up to this many bytes in all; past it the oldest go, wherever they stand.
const BUDGET: usize = 64 << 20;

/// What a kept message weighs besides its texts: the entry, its id in the index, the allocator's rounding.
const OVERHEAD: usize = 320;

/// Keeps everything in memory, up to 64 MiB of messages. Made for lessons, tests and trying things out.
pub struct Memory {
    epoch: String,
    room_limit: usize,
    budget: usize,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    /// A room's id is its place here, counted from 1.
    rooms: Vec<Kept>,
    names: HashMap<RoomName, RoomId>,
    /// (folded author, client's id) → the room and seq of the message.
    ids: HashMap<(String, String), (RoomId, Rev)>,
    /// The rooms of all messages in the order in which they came, so that the oldest is known.
    arrivals: VecDeque<RoomId>,
    bytes: usize,
    marks: HashMap<(String, RoomId), Rev>,
    sessions: HashMap<TokenHash, Person>,
}

struct Kept {
    room: Room,
    messages: VecDeque<Message>,
}

impl Memory {
    /// An empty store with the lobby in it, which will hold `room_limit` rooms.
    pub fn new(room_limit: usize) -> Result<Memory, Error> {
        Memory::with_budget(room_limit, BUDGET)
    }

    pub(super) fn with_budget(room_limit: usize, budget: usize) -> Result<Memory, Error> {
        let mut state = State::default();
        state.create(RoomName::lobby(), "Lobby".into());
        Ok(Memory { epoch: random_hex(8)?, room_limit, budget, state: RwLock::new(state) })
    }
}

impl Store for Memory {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn rooms(&self, person: &PersonName, most: usize) -> Result<(Vec<RoomView>, bool), Error> {
        let state = self.state.read();
        let folded = person.folded();
        let read_in = |kept: &&Kept| state.marks.contains_key(&(folded.clone(), kept.room.id));
        let (own, others): (Vec<&Kept>, Vec<&Kept>) = if state.rooms.len() > most {
            state.rooms.iter().partition(read_in)
        } else {
            (state.rooms.iter().collect(), Vec::new())
        };
        let mut found: Vec<&Kept> = own.into_iter().chain(others).take(most).collect();
        found.sort_by_key(|kept| kept.room.id);
        let view = |kept: &Kept| {
            let mark = state.marks.get(&(folded.clone(), kept.room.id));
            let unread = mark.map_or(0, |mark| {
                kept.messages.iter().rev().take_while(|m| m.seq > *mark).take(UNREAD_COUNTED as usize).count()
            });
            RoomView { room: kept.room.clone(), unread: unread as i64 }
        };
        Ok((found.into_iter().map(view).collect(), state.rooms.len() > most))
    }

    fn room(&self, name: &RoomName) -> Result<Option<Room>, Error> {
        let state = self.state.read();
        Ok(state.names.get(name).map(|id| state.kept(*id).room.clone()))
    }

    fn last(&self, room: RoomId, count: usize) -> Result<(Vec<Message>, Rev), Error> {
        let state = self.state.read();
        let kept = state.kept(room);
        let skipped = kept.messages.len().saturating_sub(count);
        Ok((kept.messages.iter().skip(skipped).cloned().collect(), kept.room.head))
    }

    fn since(&self, room: RoomId, rev: Rev, count: usize) -> Result<Vec<Message>, Error> {
        let state = self.state.read();
        let messages = &state.kept(room).messages;
        let start = messages.partition_point(|m| m.rev <= rev);
        Ok(messages.iter().skip(start).take(count).cloned().collect())
    }

    fn before(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error> {
        let state = self.state.read();
        let messages = &state.kept(room).messages;
        let end = messages.partition_point(|m| m.seq < seq);
        let start = end.saturating_sub(count);
        Ok(messages.range(start..end).cloned().collect())
    }

    fn record(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error> {
        let mut state = self.state.write();
        let outcomes = batch.iter().map(|record| state.record(record, self.room_limit)).collect();
        while state.bytes > self.budget && state.arrivals.len() > 1 {
            state.forget_oldest();
        }
        Ok(outcomes)
    }

    fn open_session(&self, token: &TokenHash, name: &PersonName, _at: Time) -> Result<(), Error> {
        self.state.write().sessions.insert(*token, Person { name: name.clone(), role: Role::Guest });
        Ok(())
    }

    fn session(&self, token: &TokenHash) -> Result<Option<Person>, Error> {
        Ok(self.state.read().sessions.get(token).cloned())
    }

    fn end_session(&self, token: &TokenHash) -> Result<(), Error> {
        self.state.write().sessions.remove(token);
        Ok(())
    }
}

impl State {
    fn kept(&self, room: RoomId) -> &Kept {
        &self.rooms[room as usize - 1]
    }

    fn record(&mut self, record: &Record, room_limit: usize) -> Outcome {
        match record.clone() {
            Record::Post { room, author, id, body, at } => self.post(room, author, id, body, at),
            Record::Create { name, .. } if self.names.contains_key(&name) => Outcome::RoomExists,
            Record::Create { .. } if self.rooms.len() >= room_limit => Outcome::RoomsFull,
            Record::Create { name, title, .. } => Outcome::Created(self.create(name, title)),
            Record::Read { person, room, rev } => {
                let mark = self.marks.entry((person.folded(), room)).or_insert(rev);
                *mark = rev.max(*mark);
                Outcome::Read
            }
        }
    }

    fn post(&mut self, room: RoomId, from: PersonName, id: String, body: String, at: Time) -> Outcome {
        let key = (from.folded(), id.clone());
        if let Some((room, seq)) = self.ids.get(&key) {
            let messages = &self.kept(*room).messages;
            let place = messages.partition_point(|m| m.seq < *seq);
            return Outcome::Repeated(messages[place].clone());
        }
        let kept = &mut self.rooms[room as usize - 1];
        kept.room.head += 1;
        let seq = kept.room.head;
        let message = Message { room, seq, rev: seq, id, from, at, body };
        kept.messages.push_back(message.clone());
        self.ids.insert(key, (room, seq));
        self.arrivals.push_back(room);
        self.bytes += weight(&message);
        Outcome::Posted(message)
    }

    fn create(&mut self, name: RoomName, title: String) -> Room {
        let id = self.rooms.len() as RoomId + 1;
        let room = Room { id, name: name.clone(), title, kind: "public".into(), head: 0 };
        self.names.insert(name, id);
        self.rooms.push(Kept { room: room.clone(), messages: VecDeque::new() });
        room
    }

    fn forget_oldest(&mut self) {
        let Some(room) = self.arrivals.pop_front() else { return };
        let Some(message) = self.rooms[room as usize - 1].messages.pop_front() else { return };
        self.bytes -= weight(&message);
        self.ids.remove(&(message.from.folded(), message.id));
    }
}

fn weight(message: &Message) -> usize {
    message.body.len() + 2 * message.id.len() + OVERHEAD
}
