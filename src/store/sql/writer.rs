//! The writer: the one connection of this server that changes the database.
//!
//! Where other servers write into the same database, a transaction may be refused because of theirs, and is then run again.
//! And where a network lies between, the connection may be lost just while a commit is on its way. Whether it took place is
//! then not guessed: each writer has a row with the number of its last batch, which is written in the same transaction and
//! read once there is a connection again.

use super::super::database::{Database, Purpose, exclusively};
use super::super::link::{Link, jittered, refused};
use super::super::readers::IDLE;
use super::super::schema::writers;
use super::super::{Time, random_hex};
use crate::error::Error;
use crate::name::PersonName;
use diesel::prelude::*;
use diesel::result::Error::{BrokenTransactionManager, DatabaseError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Folded name → the person's id and the name as stored, so that a post costs no look-up.
pub type People = HashMap<String, (i64, PersonName)>;

/// People remembered by the writer, at most.
const PEOPLE_REMEMBERED: usize = 10_000;

/// How often a transaction is run, and for how long it is run again, where others are in its way.
const TRIES: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// Before it is run again; each time twice as long.
const PAUSE: Duration = Duration::from_millis(4);

/// The row of a writer that has not written for so long is nobody's, in milliseconds.
const WRITER_LIFE: i64 = 30 * 24 * 60 * 60 * 1000;

pub struct Writer {
    link: Arc<Link>,
    connection: Option<Database>,
    /// When the connection was last used.
    used: Instant,
    people: People,
    /// The last transaction failed: the next one does not wait long for what is in its way.
    failed: bool,
    /// Its row.
    id: String,
    /// The number of its last batch.
    batch: i64,
}

/// How a try ended that did not do it.
enum Missed {
    /// The database refused, and nothing was changed.
    Refused(diesel::result::Error),
    /// The connection was lost, and nothing was changed.
    Lost(diesel::result::Error),
}

impl Writer {
    pub fn new(link: Arc<Link>) -> Result<Writer, Error> {
        let mut writer = Writer::unconnected(link)?;
        let opened = writer.connection().and_then(|mut c| {
            enrol(&mut c, &writer.id)?;
            Ok(c)
        });
        writer.connection = Some(opened.map_err(|e| refused(&e))?);
        Ok(writer)
    }

    /// One that connects, and gets its row, when it first writes.
    pub fn unconnected(link: Arc<Link>) -> Result<Writer, Error> {
        let (connection, used, people) = (None, Instant::now(), People::new());
        Ok(Writer { link, connection, used, people, failed: false, id: random_hex(8)?, batch: 0 })
    }

    /// Runs `work` in a transaction, and runs it again where another server was in its way. What it learnt of people is
    /// forgotten if it fails, for it may be undone; and where others write too it is not remembered at all, for they may
    /// give a person another name.
    pub fn transaction<T>(
        &mut self,
        mut work: impl FnMut(&mut Database, &mut People) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = PAUSE;
        for last in (0..TRIES).rev() {
            let mut c = self.connection()?;
            let is_shared = c.is_shared();
            if is_shared || self.people.len() > PEOPLE_REMEMBERED {
                self.people.clear();
            }
            match self.attempt(&mut c, &mut work, deadline) {
                Ok((done, connection)) => {
                    (self.connection, self.used) = (connection.or(Some(c)), Instant::now());
                    self.batch += 1;
                    self.now_failed(false);
                    return Ok(done);
                }
                Err(missed) => {
                    self.people.clear();
                    let (cause, is_lost) = match missed {
                        Missed::Refused(cause) => (cause, false),
                        Missed::Lost(cause) => (cause, true),
                    };
                    if !is_lost {
                        (self.connection, self.used) = (Some(c), Instant::now());
                    }
                    if last == 0 || Instant::now() > deadline || !(is_lost || is_shared && may_pass(&cause)) {
                        self.now_failed(true);
                        return Err(cause);
                    }
                }
            }
            std::thread::sleep(jittered(pause));
            pause *= 2;
        }
        Err(BrokenTransactionManager)
    }

    /// Once a transaction failed, whoever comes meanwhile is to hear soon that nothing can be stored.
    fn now_failed(&mut self, failed: bool) {
        if std::mem::replace(&mut self.failed, failed) != failed
            && let Some(c) = &mut self.connection
        {
            c.be_patient(!failed);
        }
    }

    /// Forgets everybody.
    pub fn forget(&mut self) {
        self.people.clear();
    }

    /// Reads at one moment, while nothing is written through this writer. Nobody waits for it.
    pub fn look<T, E: From<diesel::result::Error>>(
        &mut self,
        work: impl FnOnce(&mut Database) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut c = self.connection()?;
        if c.is_shared() {
            // Each query of a writer sees what others have written since the last.
            self.connection = Some(c);
            return self.link.open(Purpose::Read)?.transaction(work);
        }
        let done = c.transaction(work);
        (self.connection, self.used) = (Some(c), Instant::now());
        done
    }

    /// The connection, or another where it is none any more.
    fn connection(&mut self) -> QueryResult<Database> {
        let idle = self.used.elapsed() > IDLE;
        self.connection.take_if(|c| idle && c.is_shared() && !c.answers());
        self.connection.take().map_or_else(|| self.link.open(Purpose::Write), Ok)
    }

    /// Runs `work` once. If the connection was lost when only the commit was left, what became of it is looked up; the
    /// connection with which that was done is given along.
    fn attempt<T>(
        &mut self,
        c: &mut Database,
        work: &mut impl FnMut(&mut Database, &mut People) -> QueryResult<T>,
        deadline: Instant,
    ) -> Result<(T, Option<Database>), Missed> {
        let (id, number, people) = (&self.id, self.batch + 1, &mut self.people);
        let mut ready = None;
        let committed = exclusively(c, |c| {
            let done = work(c, people)?;
            number_batch(c, id, number)?;
            ready = Some(done);
            QueryResult::Ok(())
        });
        match (committed, ready) {
            (Ok(()), Some(done)) => Ok((done, None)),
            (Ok(()), None) => Err(Missed::Refused(BrokenTransactionManager)),
            (Err(cause), _) if !c.is_shared() || c.answers() => Err(Missed::Refused(cause)),
            (Err(cause), None) => Err(Missed::Lost(cause)),
            (Err(cause), Some(done)) => match self.settle(number, deadline) {
                Ok((true, connection)) => Ok((done, Some(connection))),
                Ok((false, connection)) => {
                    *c = connection;
                    Err(Missed::Refused(cause))
                }
                Err(cause) => Err(Missed::Lost(cause)),
            },
        }
    }

    /// Whether that batch was committed, asked of a new connection; the database has until `deadline` to come back.
    fn settle(&self, number: i64, deadline: Instant) -> QueryResult<(bool, Database)> {
        let mut pause = PAUSE;
        loop {
            self.link.wait(deadline);
            let asked =
                self.link.open(Purpose::Write).and_then(|mut c| Ok((last_batch(&mut c, &self.id)? == number, c)));
            match asked {
                Ok(settled) => return Ok(settled),
                Err(cause) if Instant::now() > deadline => return Err(cause),
                Err(_) => std::thread::sleep(jittered(pause)),
            }
            pause *= 2;
        }
    }
}

/// Whether what was refused may be let through the next time. A deadlock has no kind of its own in Diesel, nor has anything
/// that MySQL refuses but for its constraints, so all that the database itself has said is tried again.
fn may_pass(cause: &diesel::result::Error) -> bool {
    matches!(cause, DatabaseError(..) | diesel::result::Error::RollbackErrorOnCommit { .. })
}

/// Gives a writer its row, and sweeps out those of writers that are gone.
fn enrol(c: &mut Database, id: &str) -> QueryResult<()> {
    if !c.is_shared() {
        return Ok(());
    }
    let now = Time::now().0;
    diesel::delete(writers::table.filter(writers::at.lt(now - WRITER_LIFE))).execute(c)?;
    let new = (writers::id.eq(id), writers::batch.eq(0), writers::at.eq(now));
    diesel::insert_into(writers::table).values(new).execute(c).map(drop)
}

/// Says in a transaction which batch it is.
fn number_batch(c: &mut Database, id: &str, number: i64) -> QueryResult<()> {
    if !c.is_shared() {
        return Ok(());
    }
    let now = Time::now().0;
    let row = (writers::batch.eq(number), writers::at.eq(now));
    if diesel::update(writers::table.filter(writers::id.eq(id))).set(row).execute(c)? == 0 {
        let new = (writers::id.eq(id), writers::batch.eq(number), writers::at.eq(now));
        diesel::insert_into(writers::table).values(new).execute(c)?;
    }
    Ok(())
}

/// The last batch of a writer that was committed. The row is locked first: a commit that is still on its way has it.
fn last_batch(c: &mut Database, id: &str) -> QueryResult<i64> {
    c.transaction(|c| {
        let row = writers::table.filter(writers::id.eq(id));
        diesel::update(row).set(writers::at.eq(Time::now().0)).execute(c)?;
        Ok(row.select(writers::batch).first(c).optional()?.unwrap_or(0))
    })
}
