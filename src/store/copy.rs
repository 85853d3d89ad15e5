//! Copies a whole database into another, of the same kind or not: numbers, ids and epoch stay, so that nobody who comes back
//! notices.
//!
//! It goes through the tables in slices by key. A slice that is there already is compared, and what is missing of it added: a copy
//! that broke off goes on where it was. Until it is finished, no server opens the new database. At the end all is read once
//! more, from both, and compared.

use super::Synchronous;
use super::address::Address;
use super::database::{Database, Purpose, on};
#[cfg(feature = "postgres")]
use super::postgres;
use super::schema::*;
use crate::error::Error;
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use std::fmt::Debug;
#[cfg(feature = "sqlite")]
use std::path::Path;

/// The fact that a copy is under way, with the epoch of what is copied.
const UNFINISHED: &str = "copying";

/// How far a copy is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The table that is copied or compared.
    pub table: &'static str,
    /// Rows so far: each counts twice, when it is copied and when it is compared.
    pub done: u64,
    /// Of how many, as was counted before.
    pub of: u64,
}

/// A table that was copied.
#[derive(Clone, Debug, PartialEq)]
pub struct CopiedTable {
    /// Its name.
    pub name: &'static str,
    /// Rows that both databases have now.
    pub rows: u64,
    /// Rows that were not there before.
    pub added: u64,
    /// The SHA-256 of all of them, in hexadecimal.
    pub sha256: String,
}

/// Copies the chat at one address to another, each as [`Builder::database`](crate::Builder::database) takes it. The server of
/// the old one must be stopped, and none may run on the new one.
///
/// ```no_run
/// let copied = parlor::copy_database("sqlite:parlor-data/parlor.db", "postgres://parlor@localhost/chat", |progress| {
///     println!("{} {}/{}", progress.table, progress.done, progress.of);
/// })?;
/// # Ok::<(), parlor::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] for an address that makes no sense, or a database that holds no chat or another; [`Error::Store`] where the
/// two differ at the end, or one of them refuses; [`Error::Unreachable`], [`Error::NewerDatabase`], [`Error::DataFolder`].
/// After each of them it can be run again.
pub fn copy_database(from: &str, to: &str, told: impl FnMut(Progress)) -> Result<Vec<CopiedTable>, Error> {
    let (from, to) = (Address::parse(from)?, Address::parse(to)?);
    if from == to {
        return Err(Error::Setting(format!("{from} cannot be copied onto itself")));
    }
    #[cfg(feature = "sqlite")]
    if let Some(path) = from.file() {
        is_there(path)?;
    }
    let epoch = from.prepare(Synchronous::Full, |c| epoch(c).map_err(|e| failed(&from, &e)))?;
    let epoch = epoch.ok_or_else(|| Error::Setting(format!("{from} holds no chat")))?;
    to.prepare(Synchronous::Full, |c| claim(c, &epoch, &to))?;
    let open = |address: &Address, purpose| {
        let opened = address.connect(purpose, Synchronous::Full);
        opened.map_err(|why| Error::Unreachable(format!("{address}: {why}")))
    };
    let (source, target) = (open(&from, Purpose::Read)?, open(&to, Purpose::Write)?);
    let mut copy = Copy { from, to, source, target, done: 0, of: 0, told };
    let copied = copy.every_table()?;
    let finished = copy.target.transaction(|c| finish(c, &epoch));
    finished.map_err(|e| failed(&copy.to, &e))?;
    Ok(copied)
}

#[cfg(feature = "sqlite")]
fn is_there(path: &Path) -> Result<(), Error> {
    if path.is_file() { Ok(()) } else { Err(Error::Setting(format!("there is no database at {}", path.display()))) }
}

fn failed(address: &Address, cause: &diesel::result::Error) -> Error {
    Error::Store(format!("{cause} ({address}). What is copied stays; run it again to go on"))
}

fn fact(c: &mut Database, name: &str) -> QueryResult<Option<String>> {
    facts::table.filter(facts::name.eq(name)).select(facts::value).first(c).optional()
}

fn epoch(c: &mut Database) -> QueryResult<Option<String>> {
    if fact(c, UNFINISHED)?.is_some() { Ok(None) } else { fact(c, "epoch") }
}

/// Whether a copy into this database was begun and never finished.
pub(super) fn is_unfinished(c: &mut Database) -> QueryResult<bool> {
    Ok(fact(c, UNFINISHED)?.is_some())
}

/// Takes an empty database for this copy, or one that the same copy has begun or made.
fn claim(c: &mut Database, epoch: &str, address: &Address) -> Result<(), Error> {
    let (before, begun) = (fact(c, "epoch"), fact(c, UNFINISHED));
    let held = before.and_then(|before| Ok(before.or(begun?))).map_err(|e| failed(address, &e))?;
    match held {
        Some(held) if held != epoch => Err(Error::Setting(format!(
            "{address} holds another chat (its epoch is {held}, and not {epoch}): give a database that is empty"
        ))),
        Some(_) => Ok(()),
        None => {
            let new = (facts::name.eq(UNFINISHED), facts::value.eq(epoch));
            diesel::insert_into(facts::table).values(new).execute(c).map(drop).map_err(|e| failed(address, &e))
        }
    }
}

/// From here on a server may open it.
fn finish(c: &mut Database, epoch: &str) -> QueryResult<()> {
    #[cfg(feature = "postgres")]
    #[allow(irrefutable_let_patterns, reason = "a build may know no other")]
    if let Database::Postgres(c) = c {
        postgres::after_copy(c)?;
    }
    diesel::delete(facts::table.filter(facts::name.eq(UNFINISHED))).execute(c)?;
    if fact(c, "epoch")?.is_none() {
        let new = (facts::name.eq("epoch"), facts::value.eq(epoch));
        diesel::insert_into(facts::table).values(new).execute(c)?;
    }
    Ok(())
}

struct Copy<T> {
    from: Address,
    to: Address,
    source: Database,
    target: Database,
    done: u64,
    of: u64,
    told: T,
}

/// A table in slices. Its key is of numbers and hashes, which all databases put into the same order; several rows may share one.
trait Table {
    const NAME: &'static str;
    /// Keys in a slice.
    const SLICE: i64;
    type Key: Clone;
    type Row: Ord + Debug;

    fn first() -> Self::Key;
    /// The last key of the slice behind `after`; none where the table ends there.
    fn bound(c: &mut Database, after: &Self::Key) -> QueryResult<Option<Self::Key>>;
    /// The rows behind `after`, up to `bound`.
    fn rows(c: &mut Database, after: &Self::Key, bound: &Self::Key) -> QueryResult<Vec<Self::Row>>;
    fn insert(c: &mut Database, rows: Vec<Self::Row>) -> QueryResult<()>;
    fn count(c: &mut Database) -> QueryResult<i64>;
}

/// Rows, and the last key among them.
type Slice<T> = (Vec<<T as Table>::Row>, <T as Table>::Key);

/// The least key of a type.
trait Least {
    fn least() -> Self;
}

impl Least for i64 {
    fn least() -> i64 {
        i64::MIN
    }
}

impl Least for Vec<u8> {
    fn least() -> Vec<u8> {
        Vec::new()
    }
}

/// All tables but the facts and the index of words, which is made anew; each behind those that it refers to. A new one needs
/// a line here.
macro_rules! tables {
    ($( $table:ident ($($column:ident: $type:ty),*) by $key:ident: $key_type:ty $(, $second:ident: $second_type:ty)?; $slice:literal )*) => {
        impl<T: FnMut(Progress)> Copy<T> {
            fn every_table(&mut self) -> Result<Vec<CopiedTable>, Error> {
                $( self.of += 2 * self.count::<$table::table>()?; )*
                let mut added = vec![$( self.copy::<$table::table>()? ),*].into_iter();
                Ok(vec![$( self.compare::<$table::table>(added.next().unwrap_or_default())? ),*])
            }
        }
        $( impl Table for $table::table {
            const NAME: &'static str = stringify!($table);
            const SLICE: i64 = $slice;
            type Key = ($key_type, $($second_type)?);
            type Row = ($($type,)*);

            fn first() -> Self::Key {
                (<$key_type>::least(), $(<$second_type>::least())?)
            }

            fn bound(c: &mut Database, after: &Self::Key) -> QueryResult<Option<Self::Key>> {
                let keys = $table::table.filter(tables!(@behind after, $table, $key $(, $second)?));
                let keys = keys.select(($table::$key, $($table::$second)?));
                let full = keys.order(($table::$key.asc(), $($table::$second.asc())?)).offset(Self::SLICE - 1).limit(1);
                match full.first::<Self::Key>(c).optional()? {
                    Some(bound) => Ok(Some(bound)),
                    None => keys.order(($table::$key.desc(), $($table::$second.desc())?)).first(c).optional(),
                }
            }

            fn rows(c: &mut Database, after: &Self::Key, bound: &Self::Key) -> QueryResult<Vec<Self::Row>> {
                let rows = $table::table
                    .filter(tables!(@behind after, $table, $key $(, $second)?))
                    .filter(diesel::dsl::not(tables!(@behind bound, $table, $key $(, $second)?)));
                rows.select(($($table::$column,)*)).load(c)
            }

            fn insert(c: &mut Database, rows: Vec<Self::Row>) -> QueryResult<()> {
                let rows: Vec<_> =
                    rows.into_iter().map(|($($column,)*)| ($($table::$column.eq($column),)*)).collect();
                on!(c, |c| diesel::insert_into($table::table).values(rows).execute(c)).map(drop)
            }

            fn count(c: &mut Database) -> QueryResult<i64> {
                $table::table.count().get_result(c)
            }
        } )*
    };
    (@behind $after:ident, $table:ident, $key:ident) => {
        $table::$key.gt(&$after.0)
    };
    (@behind $after:ident, $table:ident, $key:ident, $second:ident) => {
        $table::$key.gt(&$after.0).or($table::$key.eq(&$after.0).and($table::$second.gt(&$after.1)))
    };
}

tables! {
    people (
        id: i64, name: String, folded: String, role: String, password: Option<String>, avatar: Option<Vec<u8>>,
        created_at: i64
    ) by id: i64; 16
    sessions (token_hash: Vec<u8>, person_id: i64, created_at: i64, seen_at: i64, agent: String)
        by token_hash: Vec<u8>; 500
    invitations (
        token_hash: Vec<u8>, role: String, created_by: Option<i64>, created_at: i64, expires_at: i64, uses_left: i64
    ) by token_hash: Vec<u8>; 500
    rooms (
        id: i64, name: String, title: String, topic: String, kind: String, archived: bool, slow: i64, read_only: bool,
        maker_id: Option<i64>, head: i64, created_at: i64
    ) by id: i64; 500
    members (room_id: i64, person_id: i64, since: i64) by room_id: i64, person_id: i64; 500
    messages (
        id: i64, room_id: i64, seq: i64, rev: i64, author_id: i64, client_id: String, at: i64, body: String,
        reply_to: Option<i64>, edited_at: Option<i64>, deleted: bool
    ) by id: i64; 500
    changes (room_id: i64, rev: i64, message_id: i64) by room_id: i64, rev: i64; 500
    reactions (message_id: i64, emoji: String, person_id: i64, rev: i64) by message_id: i64; 20
    mentions (person_id: i64, message_id: i64) by message_id: i64; 100
    marks (person_id: i64, room_id: i64, rev: i64) by person_id: i64, room_id: i64; 500
    sanctions (
        person_id: i64, penalty: String, until: Option<i64>, reason: String, by_name: String, at: i64
    ) by person_id: i64; 500
    banned_networks (person_id: i64, network: String) by person_id: i64; 20
    deeds (
        id: i64, at: i64, by_name: String, act: String, whom: Option<String>, room: Option<String>, detail: Option<String>,
        reason: Option<String>
    ) by id: i64; 500
    tokens (token_hash: Vec<u8>, person_id: i64, label: String, created_at: i64, used_at: Option<i64>)
        by token_hash: Vec<u8>; 500
    bots (person_id: i64, created_at: i64) by person_id: i64; 500
    webhooks (
        id: String, person_id: i64, room_id: Option<i64>, url: String, secret: String, created_at: i64,
        delivered_at: Option<i64>, attempts: i64, paused: bool, error: Option<String>
    ) by person_id: i64; 100
    webhook_marks (webhook_id: String, room_id: i64, rev: i64) by room_id: i64; 100
}

impl<F: FnMut(Progress)> Copy<F> {
    fn count<T: Table>(&mut self) -> Result<u64, Error> {
        T::count(&mut self.source).map(|count| count as u64).map_err(|e| failed(&self.from, &e))
    }

    /// Adds what is missing, and says how much that was.
    fn copy<T: Table>(&mut self) -> Result<u64, Error> {
        let (mut after, mut added) = (T::first(), 0);
        while let Some((rows, bound)) = self.slice::<T>(&after)? {
            let there = T::rows(&mut self.target, &after, &bound).map_err(|e| failed(&self.to, &e))?;
            self.done += rows.len() as u64;
            let missing = missing(rows, there).map_err(|row| {
                let why = "has a row that is not, or not so, in";
                Error::Store(format!(
                    "{} {why} {}: {} {row}. Give a database that is empty",
                    self.to,
                    self.from,
                    T::NAME
                ))
            })?;
            added += missing.len() as u64;
            if !missing.is_empty() {
                let inserted = self.target.transaction(|c| T::insert(c, missing));
                inserted.map_err(|e| failed(&self.to, &e))?;
            }
            after = bound;
            self.tell(T::NAME);
        }
        Ok(added)
    }

    /// Reads a table from both, and finds that it is the same.
    fn compare<T: Table>(&mut self, added: u64) -> Result<CopiedTable, Error> {
        let (mut after, mut count) = (T::first(), 0);
        let (mut source, mut target) = (Sha256::new(), Sha256::new());
        while let Some((mut rows, bound)) = self.slice::<T>(&after)? {
            let mut there = T::rows(&mut self.target, &after, &bound).map_err(|e| failed(&self.to, &e))?;
            rows.sort_unstable();
            there.sort_unstable();
            rows.iter().for_each(|row| source.update(format!("{row:?}\n")));
            there.iter().for_each(|row| target.update(format!("{row:?}\n")));
            count += rows.len() as u64;
            self.done += rows.len() as u64;
            after = bound;
            self.tell(T::NAME);
        }
        let there = T::count(&mut self.target).map_err(|e| failed(&self.to, &e))? as u64;
        let (source, target) = (hex(&source.finalize()), hex(&target.finalize()));
        if there != count || source != target {
            return Err(Error::Store(format!(
                "{} is not the same in {} ({count} rows, SHA-256 {source}) and in {} ({there} rows, {target}): was it written \
                 to meanwhile? Stop what writes, and run it again into a database that is empty",
                T::NAME,
                self.from,
                self.to
            )));
        }
        Ok(CopiedTable { name: T::NAME, rows: count, added, sha256: source })
    }

    fn slice<T: Table>(&mut self, after: &T::Key) -> Result<Option<Slice<T>>, Error> {
        let c = &mut self.source;
        let slice = T::bound(c, after).and_then(|bound| {
            let Some(bound) = bound else { return Ok(None) };
            Ok(Some((T::rows(c, after, &bound)?, bound)))
        });
        slice.map_err(|e| failed(&self.from, &e))
    }

    fn tell(&mut self, table: &'static str) {
        (self.told)(Progress { table, done: self.done, of: self.of });
    }
}

/// The rows that are not there yet; or one that is there and should not be.
fn missing<R: Ord + Debug>(mut rows: Vec<R>, mut there: Vec<R>) -> Result<Vec<R>, String> {
    rows.sort_unstable();
    there.sort_unstable();
    match there.iter().find(|row| rows.binary_search(row).is_err()) {
        Some(row) => Err(format!("{row:?}").chars().take(200).collect()),
        None => {
            rows.retain(|row| there.binary_search(row).is_err());
            Ok(rows)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
