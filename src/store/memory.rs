//! A store that keeps the newest messages in memory and nothing after the end of the process.

mod keeping;
mod messages;
mod order;
mod people;
mod search;
mod tokens;
mod webhooks;

use super::people::PersonId;
use super::{
    Change, Kind, Membership, Message, Outcome, Record, Rev, Role, Room, RoomId, RoomView, Store, direct_name,
    random_hex,
};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Messages are kept up to this many bytes in all; past it the oldest go, wherever they stand.
const BUDGET: usize = 64 << 20;

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
    /// All messages in the order in which they came, so that the oldest is known.
    arrivals: VecDeque<(RoomId, Rev)>,
    /// How many came before these, and are kept no more.
    forgotten: i64,
    bytes: usize,
    marks: HashMap<(String, RoomId), Rev>,
    everyone: people::Everyone,
    book: order::Book,
    keys: tokens::Keys,
    webhooks: webhooks::All,
}

struct Kept {
    room: Room,
    maker: Option<PersonName>,
    /// In the order in which they came; empty where the room is open to all.
    members: Vec<PersonName>,
    messages: VecDeque<Message>,
    /// The messages that were changed: rev → seq.
    changed: BTreeMap<Rev, Rev>,
    /// Who is spoken to in a message: seq → folded names.
    mentioned: BTreeMap<Rev, Vec<String>>,
}

impl Memory {
    /// An empty store with the lobby in it, which will hold `room_limit` rooms.
    pub fn new(room_limit: usize) -> Result<Memory, Error> {
        Memory::with_budget(room_limit, BUDGET)
    }

    pub(super) fn with_budget(room_limit: usize, budget: usize) -> Result<Memory, Error> {
        let mut state = State::default();
        state.create(RoomName::lobby(), "Lobby", "", Kind::Public, &[]);
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
        let is_own = |kept: &&Kept| kept.has(&folded);
        let read_in = |kept: &&Kept| state.marks.contains_key(&(folded.clone(), kept.room.id));
        let (own, rest): (Vec<&Kept>, Vec<&Kept>) = state.rooms.iter().partition(is_own);
        let (read, others): (Vec<&Kept>, Vec<&Kept>) =
            rest.into_iter().filter(|kept| kept.room.kind == Kind::Public).partition(read_in);
        let all: Vec<&Kept> = own.into_iter().rev().chain(read).chain(others).collect();
        let more = all.len() > most;
        let mut found: Vec<&Kept> = all.into_iter().take(most).collect();
        found.sort_by_key(|kept| kept.room.id);
        let view = |kept: &Kept| {
            let mark = state.marks.get(&(folded.clone(), kept.room.id));
            let (unread, mentions) = mark.map_or((0, 0), |mark| kept.count_after(*mark, &folded));
            RoomView { room: kept.room.clone(), unread, mentions }
        };
        Ok((found.into_iter().map(view).collect(), more))
    }

    fn every_room(&self) -> Result<Vec<Membership>, Error> {
        let state = self.state.read();
        let furnished = |kept: &Kept| Membership {
            room: kept.room.clone(),
            maker: kept.maker.clone(),
            members: kept.members.clone(),
        };
        Ok(state.rooms.iter().map(furnished).collect())
    }

    fn heads(&self) -> Result<Vec<(RoomId, Rev)>, Error> {
        Ok(self.state.read().rooms.iter().map(|kept| (kept.room.id, kept.room.head)).collect())
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
        Ok(self.state.read().kept(room).since(rev, count))
    }

    fn before(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error> {
        let state = self.state.read();
        let messages = &state.kept(room).messages;
        let end = messages.partition_point(|m| m.seq < seq);
        let start = end.saturating_sub(count);
        Ok(messages.range(start..end).cloned().collect())
    }

    fn after(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error> {
        let state = self.state.read();
        let messages = &state.kept(room).messages;
        let start = messages.partition_point(|m| m.seq <= seq);
        Ok(messages.range(start..).take(count).cloned().collect())
    }

    fn record(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error> {
        let mut state = self.state.write();
        let outcomes = batch.iter().map(|record| state.record(record, self.room_limit)).collect();
        while state.bytes > self.budget && state.arrivals.len() > 1 {
            state.forget_oldest();
        }
        Ok(outcomes)
    }

    fn known(&self, name: &PersonName) -> Result<Option<PersonName>, Error> {
        Ok(self.state.read().everyone.shown(name))
    }
}

impl State {
    fn kept(&self, room: RoomId) -> &Kept {
        &self.rooms[room as usize - 1]
    }

    fn kept_mut(&mut self, room: RoomId) -> &mut Kept {
        &mut self.rooms[room as usize - 1]
    }

    fn record(&mut self, record: &Record, room_limit: usize) -> Outcome {
        match record.clone() {
            Record::Post { room, author, id, body, reply_to, at, .. } => {
                self.post(room, author, id, body, reply_to, at)
            }
            Record::Amend { room, seq, by, role, change, at } => self.amend(room, seq, &by, role, &change, at),
            Record::Purge { room, seq, by, at } => self.amend(room, seq, &by, Role::Owner, &Change::Delete, at),
            Record::Create { name, .. } if self.names.contains_key(&name) => Outcome::RoomExists,
            Record::Create { .. } if self.rooms.len() >= room_limit => Outcome::RoomsFull,
            Record::Create { name, title, topic, kind, maker, members, .. } => {
                let room = self.create(name, &title, &topic, kind, &members);
                self.kept_mut(room.id).maker = maker;
                Outcome::Created(room)
            }
            Record::Direct { people, .. } => self.direct(&people, room_limit),
            Record::Change { room, title, topic, archived, slow, read_only, .. } => {
                let room = &mut self.kept_mut(room).room;
                room.title = title.unwrap_or_else(|| room.title.clone());
                room.topic = topic.unwrap_or_else(|| room.topic.clone());
                room.archived = archived.unwrap_or(room.archived);
                room.slow = slow.unwrap_or(room.slow);
                room.read_only = read_only.unwrap_or(room.read_only);
                Outcome::Changed(room.clone())
            }
            Record::Invite { room, person, .. } => {
                self.admit(room, &person);
                Outcome::Invited(self.kept(room).room.clone())
            }
            Record::Remove { room, person, .. } => self.remove(room, &person),
            Record::Read { person, room, rev } => {
                self.know(&person);
                let mark = self.marks.entry((person.folded(), room)).or_insert(rev);
                *mark = rev.max(*mark);
                Outcome::Read
            }
        }
    }

    fn create(&mut self, name: RoomName, title: &str, topic: &str, kind: Kind, members: &[PersonName]) -> Room {
        let id = self.rooms.len() as RoomId + 1;
        let (title, topic) = (title.to_owned(), topic.to_owned());
        let (archived, slow, read_only) = Default::default();
        let room = Room { id, name: name.clone(), title, topic, kind, archived, slow, read_only, head: 0 };
        self.names.insert(name, id);
        let (messages, changed, mentioned) = Default::default();
        self.rooms.push(Kept { room: room.clone(), maker: None, members: Vec::new(), messages, changed, mentioned });
        members.iter().for_each(|member| self.admit(id, member));
        room
    }

    fn direct(&mut self, people: &[PersonName], room_limit: usize) -> Outcome {
        let mut numbers: Vec<i64> = people.iter().map(|person| self.know(person)).collect();
        let name = direct_name(&mut numbers);
        if let Some(room) = self.names.get(&name) {
            return Outcome::Found(self.kept(*room).room.clone());
        }
        if self.rooms.len() >= room_limit {
            return Outcome::RoomsFull;
        }
        let title = people.iter().map(PersonName::as_str).collect::<Vec<_>>().join(", ");
        let room = self.create(name, &title, "", Kind::Direct, people);
        self.kept_mut(room.id).maker = people.first().cloned();
        Outcome::Created(room)
    }

    /// Makes a person a member, for whom everything so far is read.
    fn admit(&mut self, room: RoomId, person: &PersonName) {
        self.know(person);
        let kept = self.kept_mut(room);
        if !kept.has(&person.folded()) {
            kept.members.push(person.clone());
            let head = kept.room.head;
            self.marks.insert((person.folded(), room), head);
        }
    }

    /// Ends a membership, and what was read with it. If the maker goes, the room is the oldest member's.
    fn remove(&mut self, room: RoomId, person: &PersonName) -> Outcome {
        let folded = person.folded();
        let kept = self.kept_mut(room);
        kept.members.retain(|member| member.folded() != folded);
        if kept.maker.as_ref().is_some_and(|maker| maker.folded() == folded) {
            kept.maker = kept.members.first().cloned();
        }
        let maker = kept.maker.clone();
        self.marks.remove(&(folded, room));
        Outcome::Removed(maker)
    }

    /// The number of a person, who is known from now on.
    fn know(&mut self, name: &PersonName) -> PersonId {
        self.everyone.know(name)
    }
}

impl Kept {
    fn has(&self, folded: &str) -> bool {
        self.members.iter().any(|member| member.folded() == folded)
    }
}
