//! What a store does. The recorder writes, a batch at a time; client threads read pages, each on its own.
//!
//! Whatever the store, the rules are one:
//! - a room's numbers rise by exactly 1, and are given in [`Store::record`], inside its transaction;
//! - (author, the client's id) is unique: a repeat is not stored, and the message it repeats is given back;
//! - `record` is all or nothing: after an error nothing of the batch may be shown to anyone.

#[cfg(feature = "sqlite")]
mod database;
mod memory;
#[cfg(feature = "sqlite")]
mod readers;
#[cfg(feature = "sqlite")]
mod schema;
#[cfg(feature = "sqlite")]
mod sql;

use crate::error::Error;
use crate::name::{PersonName, RoomName};
use serde::Serialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(feature = "sqlite")]
pub use database::Synchronous;
pub use memory::Memory;
#[cfg(feature = "sqlite")]
pub use sql::Sql;

/// A number of a room's line.
pub type Rev = i64;

/// A room's key in the store. Its name can be read by people; this never changes.
pub type RoomId = i64;

/// A room.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// The key in the store.
    pub id: RoomId,
    /// The name in frames and addresses.
    pub name: RoomName,
    /// The title that people read.
    pub title: String,
    /// `public`; more kinds will come.
    pub kind: String,
    /// The number given last.
    pub head: Rev,
}

/// A room as one person finds it: with the messages that came since that person last read there.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomView {
    /// The room.
    pub room: Room,
    /// Unread messages, counted up to [`UNREAD_COUNTED`]; 0 for one who has never read there.
    pub unread: i64,
}

/// Unread messages are counted up to here; nobody reads "1,204 unread" as a number.
pub const UNREAD_COUNTED: i64 = 100;

/// A message as it now stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its room.
    pub room: RoomId,
    /// The number it was born with.
    pub seq: Rev,
    /// The number of its last change.
    pub rev: Rev,
    /// The client's own id for it.
    pub id: String,
    /// Who wrote it.
    pub from: PersonName,
    /// When it was received.
    pub at: Time,
    /// What it says.
    pub body: String,
}

/// A person behind a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The name as it is shown.
    pub name: PersonName,
    /// What this person may do.
    pub role: Role,
}

/// What a person may do. Accounts will bring more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Came by name alone.
    Guest,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::Guest => "guest",
        }
    }
}

/// The SHA-256 of a session's token; the token itself is nowhere kept.
pub type TokenHash = [u8; 32];

/// Something to store.
#[derive(Clone, Debug)]
pub enum Record {
    /// A new message.
    Post {
        /// Into which room.
        room: RoomId,
        /// By whom.
        author: PersonName,
        /// The client's id for it.
        id: String,
        /// What it says.
        body: String,
        /// When it was received.
        at: Time,
    },
    /// A new room.
    Create {
        /// Its name, not yet taken one hopes.
        name: RoomName,
        /// Its title.
        title: String,
        /// When.
        at: Time,
    },
    /// A person has read a room up to a number. A mark only moves forward.
    Read {
        /// Who.
        person: PersonName,
        /// Where.
        room: RoomId,
        /// Up to which number.
        rev: Rev,
    },
}

/// What became of a [`Record`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Stored, with its number.
    Posted(Message),
    /// This was stored before, as this message.
    Repeated(Message),
    /// The room is there.
    Created(Room),
    /// A room of that name was there already.
    RoomExists,
    /// There are as many rooms as the server allows.
    RoomsFull,
    /// The mark is kept.
    Read,
}

/// A store of rooms, messages and people. Every method may block; none is called by the dispatcher.
pub trait Store: Send + Sync + 'static {
    /// A random id made with the database: another epoch means that numbers seen before mean nothing here.
    fn epoch(&self) -> &str;

    /// Rooms as `person` finds them, oldest first, and whether there are others: `most` at the most, those where the person
    /// has read before any others.
    fn rooms(&self, person: &PersonName, most: usize) -> Result<(Vec<RoomView>, bool), Error>;

    /// The room of that name.
    fn room(&self, name: &RoomName) -> Result<Option<Room>, Error>;

    /// The last `count` messages by `seq`, rising, and the room's head, both of one moment.
    fn last(&self, room: RoomId, count: usize) -> Result<(Vec<Message>, Rev), Error>;

    /// Up to `count` messages changed after `rev`, as they now stand, in rising `rev`. Fewer than `count`: that was all.
    fn since(&self, room: RoomId, rev: Rev, count: usize) -> Result<Vec<Message>, Error>;

    /// Up to `count` messages before `seq`, the nearest ones, in rising `seq`.
    fn before(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error>;

    /// Stores the batch in one transaction, or nothing of it. One outcome for each record, in order.
    fn record(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error>;

    /// Opens a session for a guest of that name.
    fn open_session(&self, token: &TokenHash, name: &PersonName, at: Time) -> Result<(), Error>;

    /// Whose session it is, if it is one.
    fn session(&self, token: &TokenHash) -> Result<Option<Person>, Error>;

    /// Ends a session; it is no error if there was none.
    fn end_session(&self, token: &TokenHash) -> Result<(), Error>;
}

/// A moment, in milliseconds since 1970 UTC. Written as RFC 3339 with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// The clock of this machine.
    pub fn now() -> Time {
        SystemTime::now().into()
    }
}

impl From<SystemTime> for Time {
    fn from(at: SystemTime) -> Time {
        Time(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64)
    }
}

impl From<Time> for SystemTime {
    fn from(at: Time) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(at.0.max(0) as u64)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use time::macros::format_description;
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        let nanos = i128::from(self.0) * 1_000_000;
        let text = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|t| t.format(format).ok());
        to.serialize_str(&text.ok_or_else(|| serde::ser::Error::custom("a time outside the calendar"))?)
    }
}

/// A random text of `bytes` bytes, in hexadecimal: an epoch, a token, an id.
pub(crate) fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut raw = vec![0; bytes];
    getrandom::fill(&mut raw).map_err(|e| Error::System("the system has no randomness", e.into()))?;
    Ok(raw.iter().map(|b| format!("{b:02x}")).collect())
}

/// What holds for every store holds for each: one suite, run against all of them.
#[cfg(all(test, feature = "sqlite"))]
mod contract;
