//! The index of words, which each database has in a way of its own.
//!
//! A row of it has the number of a place (`search_places.n`) and the words of the message there. It is asked for places, the
//! last first. It may find messages that do not have what is looked for, and must find all that do.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use super::super::RoomId;
use super::super::database::Database;
use super::super::schema::search_words;
use super::super::search::Within;
use crate::words::Term;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// Begins the words that are not the message's own: no word of a text has it.
const MARK: char = '×';

/// A message that is to be found.
pub(super) struct Entry<'a> {
    pub n: i64,
    pub room: RoomId,
    pub author: i64,
    pub is_public: bool,
    pub body: &'a str,
}

/// What is looked for.
pub(super) struct Asked<'a> {
    /// All of these.
    pub terms: &'a [Term],
    /// By one of these; of nobody: whoever it was.
    pub authors: &'a [i64],
    /// In one of these.
    pub within: &'a Within,
}

/// Where a message stands in the index.
#[derive(QueryableByName)]
pub(super) struct Place {
    #[diesel(sql_type = BigInt)]
    pub n: i64,
    #[diesel(sql_type = BigInt)]
    pub message_id: i64,
}

pub(super) fn insert(c: &mut Database, entries: &[Entry]) -> QueryResult<()> {
    match c {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(c) => sqlite::insert(c, entries),
        #[cfg(feature = "postgres")]
        Database::Postgres(c) => postgres::insert(c, entries),
        #[cfg(feature = "mysql")]
        Database::Mysql(c) => mysql::insert(c, entries),
    }
}

pub(super) fn remove(c: &mut Database, places: Vec<i64>) -> QueryResult<()> {
    diesel::delete(search_words::table.filter(search_words::rowid.eq_any(places))).execute(c).map(drop)
}

/// The last `count` places of what may be it, from `begin` on and before `end`, the last first.
pub(super) fn places(c: &mut Database, asked: &Asked, begin: i64, end: i64, count: usize) -> QueryResult<Vec<Place>> {
    let count = count as i64;
    match c {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(c) => sqlite::places(c, asked, begin, end, count),
        #[cfg(feature = "postgres")]
        Database::Postgres(c) => postgres::places(c, asked, begin, end, count),
        #[cfg(feature = "mysql")]
        Database::Mysql(c) => mysql::places(c, asked, begin, end, count),
    }
}

/// Words that nobody can write: that the room is public, the room, the author. With them a search in few rooms, or for one
/// author, walks along what is there and not along everything.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl Entry<'_> {
    fn marks(&self) -> Vec<String> {
        let public = self.is_public.then(in_public);
        public.into_iter().chain([in_room(self.room), by_author(self.author)]).collect()
    }
}

/// The same words in a question: one of each group must be there.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl Asked<'_> {
    fn marks(&self) -> Vec<Vec<String>> {
        let authors: Vec<String> = self.authors.iter().map(|author| by_author(*author)).collect();
        let rooms = |rooms: &[RoomId]| rooms.iter().map(|room| in_room(*room)).collect();
        let within: Vec<String> = match self.within {
            Within::PublicAnd(others) => [vec![in_public()], rooms(others)].concat(),
            Within::Only(only) => rooms(only),
        };
        [authors, within].into_iter().filter(|group| !group.is_empty()).collect()
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn in_public() -> String {
    format!("{MARK}p")
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn in_room(room: RoomId) -> String {
    format!("{MARK}r{room}")
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn by_author(author: i64) -> String {
    format!("{MARK}a{author}")
}
