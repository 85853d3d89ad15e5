//! A batch of the recorder's, as it is stored: what takes a way to the database and back for each message, is done once for
//! all of them, where a network lies between.
//!
//! Posts wait until something must see them, or until the end: then they are inserted together, and the rooms' heads put down.

use super::super::database::{Database, on};
use super::super::schema::{people, rooms};
use super::super::{Change, Fault, Message, Outcome, Record, Rev, Role, RoomId, Time};
use super::messages::{self, Stored};
use super::writer::People;
use super::{mark, of_rooms, person};
use crate::name::PersonName;
use diesel::prelude::*;
use diesel::result::Error::NotFound;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Stores a batch. The rooms' rows are locked first, in one order, so that the numbers are this transaction's alone.
pub fn record(
    c: &mut Database,
    known: &mut People,
    records: &[Record],
    room_limit: usize,
) -> QueryResult<Vec<Outcome>> {
    let heads = lock_rooms(c, records)?;
    foresee(c, known, records)?;
    let stored = messages::stored_before(c, records)?;
    let outcomes = Vec::with_capacity(records.len());
    let mut batch = Batch { c, known, room_limit, heads, stored, outcomes, waiting: Vec::new() };
    for record in records {
        let outcome = batch.take(record)?;
        batch.outcomes.push(outcome);
    }
    batch.write()?;
    Ok(batch.outcomes)
}

struct Batch<'a> {
    c: &'a mut Database,
    known: &'a mut People,
    room_limit: usize,
    heads: BTreeMap<RoomId, Head>,
    /// Where messages stand that posts may repeat.
    stored: Stored<'a>,
    outcomes: Vec<Outcome>,
    /// Posts that are not in the database yet: their authors, and where in `outcomes` they are.
    waiting: Vec<(i64, usize)>,
}

/// The last number of a room: as given, and as the database has it.
struct Head {
    given: Rev,
    written: Rev,
}

impl<'a> Batch<'a> {
    fn take(&mut self, record: &'a Record) -> QueryResult<Outcome> {
        match record {
            Record::Post { room, author, id, body, reply_to, at, .. } => {
                let (author, from) = self.person(author, *at)?;
                if let Entry::Occupied(stored) = self.stored.entry((author, id.as_str())) {
                    let (room, seq) = *stored.get();
                    self.write()?;
                    return Ok(Outcome::Repeated(messages::find(self.c, room, seq)?.ok_or(NotFound)?));
                }
                if let Some(seq) = reply_to
                    && !self.is_there(*room, *seq)?
                {
                    return Ok(Outcome::Refused(Fault::NothingToReplyTo));
                }
                let seq = self.next(*room)?;
                self.stored.insert((author, id.as_str()), (*room, seq));
                self.waiting.push((author, self.outcomes.len()));
                Ok(Outcome::Posted(Message::born(*room, seq, id.clone(), from, *at, body.clone(), *reply_to)))
            }
            Record::Amend { room, seq, by, role, change, at } => self.amend((*room, *seq), (by, *role), change, *at),
            Record::Purge { room, seq, by, at } => self.amend((*room, *seq), (by, Role::Owner), &Change::Delete, *at),
            Record::Read { person, room, rev } => {
                let (person, _) = self.person(person, Time::now())?;
                mark(self.c, person, *room, *rev)?;
                Ok(Outcome::Read)
            }
            Record::Create { .. }
            | Record::Direct { .. }
            | Record::Change { .. }
            | Record::Invite { .. }
            | Record::Remove { .. } => {
                self.write()?;
                of_rooms::record(self.c, self.known, record, self.room_limit)
            }
        }
    }

    /// Makes of a message what a change by that person makes of it.
    fn amend(
        &mut self,
        (room, seq): (RoomId, Rev),
        (by, role): (&PersonName, Role),
        change: &Change,
        at: Time,
    ) -> QueryResult<Outcome> {
        self.write()?;
        let found = messages::find(self.c, room, seq)?;
        let last = found.as_ref().map_or(seq, |before| before.rev);
        match found.ok_or(Fault::NoSuchMessage).and_then(|before| before.after(change, by, role, at)) {
            Ok(Some(new)) => {
                let message = Message { rev: self.next(room)?, ..new };
                let (by, _) = self.person(by, at)?;
                Ok(Outcome::Posted(messages::update(self.c, by, change, last, message)?))
            }
            Ok(None) => Ok(Outcome::Unchanged),
            Err(fault) => Ok(Outcome::Refused(fault)),
        }
    }

    /// The person of that name. One who is new is spoken to only in what is said from now on.
    fn person(&mut self, name: &PersonName, at: Time) -> QueryResult<(i64, PersonName)> {
        if !self.known.contains_key(&name.folded()) {
            self.write()?;
        }
        person(self.c, self.known, name, at)
    }

    /// Whether the room has such a message.
    fn is_there(&mut self, room: RoomId, seq: Rev) -> QueryResult<bool> {
        if self.heads.get(&room).is_some_and(|head| seq > head.written) {
            self.write()?;
        }
        messages::is_there(self.c, room, seq)
    }

    /// The next number of a room.
    fn next(&mut self, room: RoomId) -> QueryResult<Rev> {
        // There is none only for a room that is not there.
        let head = self.heads.get_mut(&room).ok_or(NotFound)?;
        head.given += 1;
        Ok(head.given)
    }

    /// Puts into the database what has waited.
    fn write(&mut self) -> QueryResult<()> {
        let waiting = self.waiting.drain(..).filter_map(|(author, at)| match &self.outcomes[at] {
            Outcome::Posted(message) => Some((author, message)),
            _ => None,
        });
        let waiting: Vec<(i64, &Message)> = waiting.collect();
        messages::insert(self.c, &waiting)?;
        let mut moved = Vec::new();
        for (room, head) in self.heads.iter_mut().filter(|(_, head)| head.given > head.written) {
            head.written = head.given;
            moved.push((*room, head.given));
        }
        put_down(self.c, &moved)
    }
}

/// Locks the rooms in which the batch needs numbers, in one order whoever does it, and reads the last that were given.
fn lock_rooms(c: &mut Database, records: &[Record]) -> QueryResult<BTreeMap<RoomId, Head>> {
    let mut wanted: BTreeSet<RoomId> = BTreeSet::new();
    for record in records {
        if let Record::Post { room, .. } | Record::Amend { room, .. } | Record::Purge { room, .. } = record {
            wanted.insert(*room);
        }
    }
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = rooms::table.filter(rooms::id.eq_any(wanted)).order(rooms::id).select((rooms::id, rooms::head));
    let heads: Vec<(RoomId, Rev)> = match c {
        // Its transaction has the only lock that there is.
        #[cfg(feature = "sqlite")]
        Database::Sqlite(c) => rows.load(c)?,
        #[cfg(feature = "postgres")]
        Database::Postgres(c) => rows.for_update().load(c)?,
        #[cfg(feature = "mysql")]
        Database::Mysql(c) => rows.for_update().load(c)?,
    };
    Ok(heads.into_iter().map(|(room, head)| (room, Head { given: head, written: head })).collect())
}

/// Puts down the last numbers of rooms: of one with the statement that is prepared already, of more with one for all of them.
fn put_down(c: &mut Database, heads: &[(RoomId, Rev)]) -> QueryResult<()> {
    if heads.len() > 1 && c.is_shared() {
        let cases: String = heads.iter().map(|(room, head)| format!(" WHEN {room} THEN {head}")).collect();
        let rooms: Vec<String> = heads.iter().map(|(room, _)| room.to_string()).collect();
        let all = format!("UPDATE rooms SET head = CASE id{cases} END WHERE id IN ({})", rooms.join(", "));
        return diesel::sql_query(all).execute(c).map(drop);
    }
    for (room, head) in heads {
        let row = rooms::table.filter(rooms::id.eq(room));
        on!(c, |c| diesel::update(row).set(rooms::head.eq(head)).execute(c))?;
    }
    Ok(())
}

/// Looks up at once who has written a batch, where others write too and nobody is remembered from one to the next.
fn foresee(c: &mut Database, known: &mut People, records: &[Record]) -> QueryResult<()> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    if !c.is_shared() {
        return Ok(());
    }
    for record in records {
        if let Record::Post { author: name, .. }
        | Record::Amend { by: name, .. }
        | Record::Purge { by: name, .. }
        | Record::Read { person: name, .. } = record
        {
            names.insert(name.folded());
        }
    }
    let rows = people::table.filter(people::folded.eq_any(names)).select((people::folded, people::id, people::name));
    for (folded, id, name) in on!(c, |c| rows.load::<(String, i64, String)>(c))? {
        known.insert(folded, (id, PersonName::trusted(&name)));
    }
    Ok(())
}
