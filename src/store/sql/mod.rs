//! A store in an SQL database, through Diesel. The queries stand once for every database; what differs, stands in
//! `database`.

mod keeping;
mod messages;
mod order;
// The tables have the names of these files already.
mod indexer;
#[path = "people.rs"]
mod of_people;
#[path = "rooms.rs"]
mod of_rooms;
#[path = "tokens.rs"]
mod of_tokens;
#[path = "webhooks.rs"]
mod of_webhooks;
mod search;

use super::database::{Database, Pragmas, Synchronous, advise, be_patient, exclusively, migrate, on, probe};
use super::readers::{READERS, Readers, SEARCHERS};
use super::schema::{facts, marks, people, rooms};
use super::{
    Change, Fault, Membership, Message, Outcome, Record, Rev, Role, Room, RoomId, RoomView, Store, Time, random_hex,
};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use crate::trouble::Trouble;
use diesel::prelude::*;
use diesel::result::Error::NotFound;
use indexer::Indexer;
use log::{error, info};
use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Messages in an SQL database: one connection writes, a few read.
pub struct Sql {
    epoch: String,
    room_limit: usize,
    /// Ends before the others, with which it shares what it writes.
    indexer: Indexer,
    writer: Arc<Mutex<Writer>>,
    readers: Readers,
    searchers: Readers,
    /// What is written about people, not by the recorder.
    writing: Trouble,
}

struct Writer {
    connection: Database,
    /// The last transaction failed: the next one does not wait long for what is in its way.
    failed: bool,
    /// Folded name → the person's id and the name as stored, so that a post costs no look-up.
    people: People,
}

type People = HashMap<String, (i64, PersonName)>;

/// People remembered by the writer, at most.
const PEOPLE_REMEMBERED: usize = 10_000;

impl Sql {
    /// Opens `parlor.db` in `folder`, making both where they are missing and bringing an older database up to date.
    ///
    /// # Errors
    /// [`Error::DataFolder`] when the folder or the file cannot be written, [`Error::NewerDatabase`] when the file holds
    /// migrations that this program does not know, [`Error::Store`] for what SQLite itself refuses, such as a file that is no database.
    pub fn sqlite(folder: &Path, sync: Synchronous, room_limit: usize) -> Result<Sql, Error> {
        let path = folder.join("parlor.db");
        probe(folder, &path).map_err(|cause| Error::DataFolder(folder.into(), cause))?;
        let url = path.to_string_lossy().into_owned();
        let mut connection = Database::Sqlite(SqliteConnection::establish(&url).map_err(|e| refused(&e))?);
        let pragmas = Pragmas(sync);
        let opened = pragmas.set(&mut connection).and_then(|()| migrate(&mut connection, &path));
        opened.map_err(|e| match e {
            Error::Store(what) => Error::Store(format!("{what} ({})", path.display())),
            other => other,
        })?;
        let epoch = furnish(&mut connection)?;
        let connect = move |pragmas: Pragmas| {
            let sqlite = SqliteConnection::establish(&url).map_err(|e| refused(&e))?;
            let mut connection = Database::Sqlite(sqlite);
            pragmas.set(&mut connection).map(|()| connection)
        };
        let readers = Readers::start(READERS, {
            let connect = connect.clone();
            move || connect(pragmas)
        })?;
        let searchers = Readers::start(SEARCHERS, {
            let connect = connect.clone();
            move || connect(pragmas)
        })?;
        let writer = Arc::new(Mutex::new(Writer { connection, failed: false, people: HashMap::new() }));
        // What a power cut takes from the index is indexed again: it need not wait for the disk.
        let indexer = Indexer::start(writer.clone(), move || connect(Pragmas(Synchronous::Normal)))?;
        Ok(Sql { epoch, room_limit, indexer, writer, readers, searchers, writing: Trouble::default() })
    }
}

/// Puts what every database has into a new one, sweeps out what is old, and gives the epoch.
fn furnish(connection: &mut Database) -> Result<String, Error> {
    let fresh = random_hex(8)?;
    let now = Time::now().0;
    connection
        .transaction(|c| {
            of_people::sweep(c, Time(now))?;
            let epoch = facts::table.filter(facts::name.eq("epoch")).select(facts::value);
            if let Some(epoch) = epoch.first::<String>(c).optional()? {
                return Ok(epoch);
            }
            diesel::insert_into(facts::table).values((facts::name.eq("epoch"), facts::value.eq(&fresh))).execute(c)?;
            of_rooms::furnish(c, Time(now))?;
            Ok(fresh)
        })
        .map_err(|e: diesel::result::Error| refused(&e))
}

impl Store for Sql {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn rooms(&self, person: &PersonName, most: usize) -> Result<(Vec<RoomView>, bool), Error> {
        let person = person.clone();
        self.readers.read(move |c| of_rooms::views(c, &person, most))
    }

    fn every_room(&self) -> Result<Vec<Membership>, Error> {
        self.readers.read(of_rooms::every)
    }

    fn room(&self, name: &RoomName) -> Result<Option<Room>, Error> {
        let name = name.clone();
        self.readers.read(move |c| of_rooms::find(c, &name))
    }

    fn last(&self, room: RoomId, count: usize) -> Result<(Vec<Message>, Rev), Error> {
        self.readers.read(move |c| messages::last(c, room, count))
    }

    fn since(&self, room: RoomId, rev: Rev, count: usize) -> Result<Vec<Message>, Error> {
        self.readers.read(move |c| messages::since(c, room, rev, count))
    }

    fn before(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error> {
        self.readers.read(move |c| messages::before(c, room, seq, count))
    }

    fn after(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error> {
        self.readers.read(move |c| messages::after(c, room, seq, count))
    }

    fn record(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error> {
        let mut writer = self.writer.lock();
        let recorded = writer.transaction(|c, people| record(c, people, batch, self.room_limit));
        drop(writer);
        if batch.iter().any(|record| matches!(record, Record::Post { .. } | Record::Amend { .. })) {
            self.indexer.ring();
        }
        recorded.map_err(|e| refused(&e))
    }

    fn known(&self, name: &PersonName) -> Result<Option<PersonName>, Error> {
        let folded = name.folded();
        let found = self.readers.read(move |c| {
            let row = people::table.filter(people::folded.eq(folded)).select(people::name);
            row.first::<String>(c).optional()
        });
        Ok(found?.map(|name| PersonName::trusted(&name)))
    }
}

impl Sql {
    /// What came of writing about people; if nothing, the operator is told.
    fn written<T>(&self, done: QueryResult<T>) -> Result<T, Error> {
        let done = done.map_err(|e| refused(&e));
        match &done {
            Ok(_) if self.writing.worked() => info!("accounts can be changed again"),
            Ok(_) => {}
            Err(cause) => {
                if let Some(unsaid) = self.writing.failed(Instant::now()) {
                    error!("accounts cannot be changed, nor sessions begin or end: {cause}{unsaid}");
                }
            }
        }
        done
    }
}

impl Writer {
    /// Runs `work` in a transaction. What it learnt of people is forgotten if it fails, for it may be undone.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut Database, &mut People) -> QueryResult<T>) -> QueryResult<T> {
        if self.people.len() > PEOPLE_REMEMBERED {
            self.people.clear();
        }
        let people = &mut self.people;
        let done = exclusively(&mut self.connection, |c| work(c, people));
        if done.is_err() {
            self.people.clear();
        }
        if std::mem::replace(&mut self.failed, done.is_err()) != self.failed {
            // Whoever comes meanwhile is to hear soon that nothing can be stored.
            be_patient(&mut self.connection, !self.failed);
        }
        done
    }
}

/// Stores a batch. The rooms' rows are locked first, in one order, so that the numbers are this transaction's alone.
fn record(c: &mut Database, people: &mut People, batch: &[Record], room_limit: usize) -> QueryResult<Vec<Outcome>> {
    let mut numbers = reserve_numbers(c, batch)?;
    let mut stored = messages::stored_before(c, batch)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for record in batch {
        outcomes.push(match record {
            Record::Post { room, author, id, body, reply_to, at, .. } => {
                let (author_id, from) = person(c, people, author, *at)?;
                match (stored.entry((author_id, id.as_str())), reply_to) {
                    (Entry::Occupied(stored), _) => {
                        let (room, seq) = *stored.get();
                        Outcome::Repeated(messages::find(c, room, seq)?.ok_or(NotFound)?)
                    }
                    (Entry::Vacant(_), Some(seq)) if !messages::is_there(c, *room, *seq)? => {
                        Outcome::Refused(Fault::NothingToReplyTo)
                    }
                    (Entry::Vacant(place), reply_to) => {
                        let seq = next(&mut numbers, *room)?;
                        let (id, body, at) = (id.clone(), body.clone(), *at);
                        let message = Message::born(*room, seq, id, from, at, body, *reply_to);
                        messages::insert(c, author_id, &message)?;
                        place.insert((*room, seq));
                        Outcome::Posted(message)
                    }
                }
            }
            Record::Amend { room, seq, by, role, change, at } => {
                amend(c, people, &mut numbers, (*room, *seq), (by, *role), change, *at)?
            }
            Record::Purge { room, seq, by, at } => {
                amend(c, people, &mut numbers, (*room, *seq), (by, Role::Owner), &Change::Delete, *at)?
            }
            Record::Read { person: name, room, rev } => {
                let (person, _) = person(c, people, name, Time::now())?;
                mark(c, person, *room, *rev)?;
                Outcome::Read
            }
            Record::Create { .. }
            | Record::Direct { .. }
            | Record::Change { .. }
            | Record::Invite { .. }
            | Record::Remove { .. } => of_rooms::record(c, people, record, room_limit)?,
        });
    }
    return_numbers(c, numbers)?;
    Ok(outcomes)
}

/// Makes of a message what a change by that person makes of it.
fn amend(
    c: &mut Database,
    people: &mut People,
    numbers: &mut BTreeMap<RoomId, Range<Rev>>,
    (room, seq): (RoomId, Rev),
    (by, role): (&PersonName, Role),
    change: &Change,
    at: Time,
) -> QueryResult<Outcome> {
    let found = messages::find(c, room, seq)?;
    match found.ok_or(Fault::NoSuchMessage).and_then(|before| before.after(change, by, role, at)) {
        Ok(Some(new)) => {
            let message = Message { rev: next(numbers, room)?, ..new };
            let (by, _) = person(c, people, by, at)?;
            Ok(Outcome::Posted(messages::update(c, by, change, message)?))
        }
        Ok(None) => Ok(Outcome::Unchanged),
        Err(fault) => Ok(Outcome::Refused(fault)),
    }
}

/// Locks the rooms of the batch and reserves a number for each of its posts and changes.
fn reserve_numbers(c: &mut Database, batch: &[Record]) -> QueryResult<BTreeMap<RoomId, Range<Rev>>> {
    let mut wanted: BTreeMap<RoomId, Rev> = BTreeMap::new();
    for record in batch {
        if let Record::Post { room, .. } | Record::Amend { room, .. } | Record::Purge { room, .. } = record {
            *wanted.entry(*room).or_default() += 1;
        }
    }
    for (room, count) in &wanted {
        let row = rooms::table.filter(rooms::id.eq(room));
        on!(c, |c| diesel::update(row).set(rooms::head.eq(rooms::head + count)).execute(c))?;
    }
    let locked = rooms::table.filter(rooms::id.eq_any(wanted.keys())).select((rooms::id, rooms::head));
    let heads: Vec<(RoomId, Rev)> = if wanted.is_empty() { Vec::new() } else { locked.load(c)? };
    let range = |(room, head): (RoomId, Rev)| (room, head - wanted[&room] + 1..head + 1);
    Ok(heads.into_iter().map(range).collect())
}

/// The next number of a room, of those that were reserved.
fn next(numbers: &mut BTreeMap<RoomId, Range<Rev>>, room: RoomId) -> QueryResult<Rev> {
    // There is none only for a room that is not there.
    numbers.get_mut(&room).and_then(Iterator::next).ok_or(NotFound)
}

/// Gives back the numbers that repeats and what was refused did not use, so that the line has no gap.
fn return_numbers(c: &mut Database, numbers: BTreeMap<RoomId, Range<Rev>>) -> QueryResult<()> {
    for (room, left) in numbers.into_iter().filter(|(_, left)| !left.is_empty()) {
        diesel::update(rooms::table.filter(rooms::id.eq(room))).set(rooms::head.eq(left.start - 1)).execute(c)?;
    }
    Ok(())
}

/// The person of that name, made where there is none; a name written otherwise is taken over.
fn person(c: &mut Database, known: &mut People, name: &PersonName, at: Time) -> QueryResult<(i64, PersonName)> {
    let folded = name.folded();
    if let Some((id, as_stored)) = known.get(&folded)
        && as_stored == name
    {
        return Ok((*id, name.clone()));
    }
    let row = people::table.filter(people::folded.eq(&folded));
    let found: Option<(i64, String)> = row.select((people::id, people::name)).first(c).optional()?;
    let id = match found {
        Some((id, as_stored)) => {
            if as_stored != name.as_str() {
                diesel::update(row).set(people::name.eq(name.as_str())).execute(c)?;
            }
            id
        }
        None => {
            let new = (
                people::name.eq(name.as_str()),
                people::folded.eq(&folded),
                people::role.eq(Role::Guest.as_str()),
                people::created_at.eq(at.0),
            );
            diesel::insert_into(people::table).values(new).execute(c)?;
            row.select(people::id).first(c)?
        }
    };
    known.insert(folded, (id, name.clone()));
    Ok((id, name.clone()))
}

fn mark(c: &mut Database, person: i64, room: RoomId, rev: Rev) -> QueryResult<()> {
    let row = marks::table.filter(marks::person_id.eq(person).and(marks::room_id.eq(room)));
    match row.select(marks::rev).first::<Rev>(c).optional()? {
        Some(before) if before >= rev => {}
        Some(_) => drop(diesel::update(row).set(marks::rev.eq(rev)).execute(c)?),
        None => {
            let new = (marks::person_id.eq(person), marks::room_id.eq(room), marks::rev.eq(rev));
            diesel::insert_into(marks::table).values(new).execute(c)?;
        }
    }
    Ok(())
}

pub(super) fn refused(error: &dyn std::error::Error) -> Error {
    Error::Store(advise(error.to_string()))
}
