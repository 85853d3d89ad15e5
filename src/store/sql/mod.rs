//! A store in an SQL database, through Diesel. The queries stand once for every database; what differs, stands in
//! `database`.

mod batch;
mod keeping;
mod messages;
mod order;
// The tables have the names of these files already.
mod index;
mod indexer;
#[path = "people.rs"]
mod of_people;
#[path = "rooms.rs"]
mod of_rooms;
#[path = "tokens.rs"]
mod of_tokens;
#[path = "webhooks.rs"]
mod of_webhooks;
mod pen;
mod search;
mod writer;

use super::address::Address;
#[cfg(all(feature = "http", feature = "sqlite"))]
use super::database::Purpose;
use super::database::{Database, Synchronous};
use super::link::{ANSWER, Link, refused};
use super::readers::{READERS, Readers, SEARCHERS};
use super::schema::{facts, marks, people, rooms};
use super::workers::{Hand, Workers};
use super::{Membership, Message, Outcome, Record, Rev, Role, Room, RoomId, RoomView, Store, Time, random_hex};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use crate::trouble::Trouble;
use diesel::prelude::*;
use indexer::Indexer;
use log::{error, info};
use pen::Pen;
#[cfg(feature = "sqlite")]
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use writer::People;

/// How much longer than for anything else one waits for each record of a batch.
const EACH: Duration = Duration::from_millis(20);

/// Messages in an SQL database: one connection writes, a few read.
pub struct Sql {
    epoch: String,
    room_limit: usize,
    link: Arc<Link>,
    /// Ends before the others, with which it shares what it writes.
    indexer: Indexer,
    pen: Arc<Pen>,
    /// Stores what is recorded, where the recorder does not itself.
    hand: Workers,
    readers: Readers,
    searchers: Readers,
    /// What is written about people, not by the recorder.
    writing: Trouble,
}

impl Sql {
    /// Opens `parlor.db` in `folder`, making both where they are missing and bringing an older database up to date.
    ///
    /// # Errors
    /// As those of [`Sql::open`].
    #[cfg(feature = "sqlite")]
    pub fn sqlite(folder: &Path, sync: Synchronous, room_limit: usize) -> Result<Sql, Error> {
        Sql::open(&Address::Sqlite(folder.join("parlor.db")), sync, room_limit)
    }

    /// Opens a database, bringing an older one up to date and furnishing one that is empty.
    ///
    /// # Errors
    /// [`Error::DataFolder`] when a file or its folder cannot be written, [`Error::NewerDatabase`] when it holds migrations that
    /// this program does not know, [`Error::Unreachable`] when nobody answers, [`Error::Store`] for what the database itself
    /// refuses, such as a file that is none.
    pub(crate) fn open(address: &Address, sync: Synchronous, room_limit: usize) -> Result<Sql, Error> {
        let epoch = address.prepare(sync, furnish)?;
        let link = Link::new(address.clone(), sync);
        let pen = Arc::new(Pen::new(link.clone())?);
        let hand = Workers::start("writer", usize::from(link.is_shared()), &link)?;
        let (readers, searchers) = (Readers::start(READERS, &link)?, Readers::start(SEARCHERS, &link)?);
        let indexer = Indexer::start(pen.clone(), link.clone())?;
        Ok(Sql { epoch, room_limit, link, indexer, pen, hand, readers, searchers, writing: Trouble::default() })
    }
}

#[cfg(all(feature = "http", feature = "sqlite"))]
impl Sql {
    /// Whether there is a chat at that address.
    pub(crate) fn is_there(address: &Address) -> Result<bool, Error> {
        if address.file().is_some_and(|file| !file.is_file()) {
            return Ok(false);
        }
        let connected = address.connect(Purpose::Read, Synchronous::Full);
        let mut c = connected.map_err(|why| Error::Unreachable(format!("{address}: {why}")))?;
        // Where there are no tables, none is read.
        let epoch = facts::table.filter(facts::name.eq("epoch")).select(facts::value);
        Ok(epoch.first::<String>(&mut c).is_ok())
    }

    /// Whether other servers may write into it too.
    pub(crate) fn is_shared(&self) -> bool {
        self.link.is_shared()
    }
}

/// Puts what every database has into a new one, sweeps out what is old, and gives the epoch.
fn furnish(connection: &mut Database) -> Result<String, Error> {
    let fresh = random_hex(8)?;
    let now = Time::now().0;
    if super::copy::is_unfinished(connection).map_err(|e| refused(&e))? {
        let why = "a copy into this database was begun and is not finished: run parlor migrate again";
        return Err(Error::Store(why.into()));
    }
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

    fn heads(&self) -> Result<Vec<(RoomId, Rev)>, Error> {
        self.readers.read(|c| rooms::table.select((rooms::id, rooms::head)).load(c))
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
        let recorded = self.recorded(batch);
        if batch.iter().any(|record| matches!(record, Record::Post { .. } | Record::Amend { .. })) {
            self.indexer.ring();
        }
        recorded
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
    /// Stores a batch. Where there may never be an answer, a thread of its own waits for that: it may store the batch after all,
    /// when everybody has been told that it did not.
    fn recorded(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error> {
        let room_limit = self.room_limit;
        if !self.link.is_shared() {
            let recorded = self.pen.transaction(|c, people| batch::record(c, people, batch, room_limit));
            return recorded.map_err(|e| refused(&e));
        }
        self.link.check().map_err(|e| refused(&e))?;
        let (pen, batch) = (self.pen.clone(), batch.to_vec());
        let patience = ANSWER + EACH * u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let work = move |_: &mut Hand| pen.transaction(|c, people| batch::record(c, people, &batch, room_limit));
        match self.hand.ask(patience, work) {
            Ok(recorded) => recorded.map_err(|e| refused(&e)),
            Err(cause) => {
                self.pen.renew();
                Err(cause)
            }
        }
    }

    /// What came of writing about people; if nothing, the operator is told.
    fn written<T>(&self, done: QueryResult<T>) -> Result<T, Error> {
        let done = done.map_err(|e| refused(&e));
        match &done {
            Ok(_) if self.writing.worked() => info!("accounts can be changed again"),
            Ok(_) => {}
            Err(cause) => {
                if !cause.is_said()
                    && let Some(unsaid) = self.writing.failed(Instant::now())
                {
                    error!("accounts cannot be changed, nor sessions begin or end: {cause}{unsaid}");
                }
            }
        }
        done
    }
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
        // Another server may have moved it on just now.
        Some(_) => drop(diesel::update(row.filter(marks::rev.lt(rev))).set(marks::rev.eq(rev)).execute(c)?),
        None => {
            let new = (marks::person_id.eq(person), marks::room_id.eq(room), marks::rev.eq(rev));
            diesel::insert_into(marks::table).values(new).execute(c)?;
        }
    }
    Ok(())
}
