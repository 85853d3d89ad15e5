//! What a store does. The recorder writes, a batch at a time; client threads read pages, each on its own.
//!
//! Whatever the store, the rules are one:
//! - a room's numbers rise by exactly 1, and are given in [`Store::record`], inside its transaction;
//! - (author, the client's id) is unique: a repeat is not stored, and the message it repeats is given back;
//! - `record` is all or nothing: after an error nothing of the batch may be shown to anyone.

#[cfg(feature = "sql")]
mod address;
#[cfg(all(feature = "http", feature = "sqlite"))]
pub(crate) mod backup;
mod change;
#[cfg(feature = "sql")]
mod copy;
#[cfg(feature = "sql")]
mod database;
mod keeping;
#[cfg(feature = "sql")]
mod link;
mod memory;
#[cfg(feature = "mysql")]
mod mysql;
mod order;
mod people;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sql")]
mod readers;
#[cfg(feature = "sql")]
mod schema;
mod search;
#[cfg(feature = "sql")]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tokens;
mod webhooks;
#[cfg(feature = "sql")]
mod workers;

use crate::error::Error;
use crate::name::{DIRECT, PersonName, RoomName};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(feature = "sql")]
pub(crate) use address::Address;
pub use change::{Change, Fault};
#[cfg(all(feature = "http", feature = "sqlite"))]
pub use change::{MOST_REACTIONS, MOST_SIGNS};
#[cfg(feature = "sql")]
pub use copy::{CopiedTable, Progress, copy_database};
#[cfg(feature = "sql")]
pub use database::Synchronous;
pub use keeping::Keeping;
#[cfg(all(feature = "http", feature = "sqlite"))]
pub use keeping::{Exported, Import, Imported};
pub use memory::Memory;
pub use order::{Deed, Order, Penalty, Sanction};
#[cfg(feature = "http")]
pub use people::{Invitation, NewAccount, NewSession, PersonView, Registered, SessionView, public_id};
pub use people::{People, Person, PersonId, Role};
#[cfg(all(feature = "cluster", feature = "postgres"))]
pub(crate) use postgres::connect_plainly as connect_to_postgres;
pub use search::{Cursor, Found, Hit, Search, Wanted, Within};
#[cfg(feature = "sql")]
pub use sql::Sql;
pub use tokens::Tokens;
#[cfg(feature = "http")]
pub use tokens::{LONGEST_LABEL, NewToken, TokenView};
pub use webhooks::Webhooks;
#[cfg(feature = "http")]
pub use webhooks::{NewWebhook, Webhook, WebhookId};

/// A number of a room's line.
pub type Rev = i64;

/// A room's key in the store. Its name can be read by people; this never changes.
pub type RoomId = i64;

/// The slowest a room can be, in seconds.
pub const SLOWEST: u32 = 60 * 60;

/// A room.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// The key in the store.
    pub id: RoomId,
    /// The name in frames and addresses.
    pub name: RoomName,
    /// The title that people read.
    pub title: String,
    /// What it is about; empty where nobody has said.
    pub topic: String,
    /// Who may be in it.
    pub kind: Kind,
    /// It can be read, and not posted to.
    pub archived: bool,
    /// Seconds between two posts of one person; 0: none.
    pub slow: u32,
    /// Only those who look after it may post.
    pub read_only: bool,
    /// The number given last.
    pub head: Rev,
}

/// Who may be in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Everybody.
    #[default]
    Public,
    /// Its members.
    Private,
    /// The people it was made for, for good.
    Direct,
}

impl Kind {
    /// As it stands on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Public => "public",
            Kind::Private => "private",
            Kind::Direct => "direct",
        }
    }

    /// The kind that is written so.
    pub fn parse(text: &str) -> Option<Kind> {
        [Kind::Public, Kind::Private, Kind::Direct].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A room with those who may be in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Membership {
    /// The room.
    pub room: Room,
    /// Who made it and may change it; none for the lobby, and for what the program made.
    pub maker: Option<PersonName>,
    /// Its members, where it is not open to all; in the order in which they became members.
    pub members: Vec<PersonName>,
}

/// A room as one person finds it: with the messages that came since that person last read there.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomView {
    /// The room.
    pub room: Room,
    /// Unread messages, counted up to [`UNREAD_COUNTED`]; 0 for one who has never read there.
    pub unread: i64,
    /// How many of them speak to this person, counted in the same way.
    pub mentions: i64,
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
    /// What it says; nothing once it is deleted.
    pub body: String,
    /// The message of the same room that it answers.
    pub reply_to: Option<Rev>,
    /// When it was given other words, if it was.
    pub edited_at: Option<Time>,
    /// It was taken back: its number is all that is left.
    pub deleted: bool,
    /// How people have answered it with a sign, in the order of first use.
    pub reactions: Vec<Reaction>,
}

/// A sign under a message, and who has put it there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reaction {
    /// The sign.
    pub emoji: String,
    /// Who, the first first.
    pub people: Vec<PersonName>,
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
        /// What that person may do; none: it is the program itself.
        role: Option<Role>,
        /// The client's id for it.
        id: String,
        /// What it says.
        body: String,
        /// The message that it answers.
        reply_to: Option<Rev>,
        /// When it was received.
        at: Time,
    },
    /// A message that is there already becomes another.
    Amend {
        /// In which room.
        room: RoomId,
        /// Which.
        seq: Rev,
        /// By whom.
        by: PersonName,
        /// What that person may do.
        role: Role,
        /// How.
        change: Change,
        /// When.
        at: Time,
    },
    /// A message is taken back by whoever keeps order, wherever it stands.
    Purge {
        /// In which room.
        room: RoomId,
        /// Which.
        seq: Rev,
        /// By whom.
        by: PersonName,
        /// When.
        at: Time,
    },
    /// A new room.
    Create {
        /// Its name, not yet taken one hopes.
        name: RoomName,
        /// Its title.
        title: String,
        /// What it is about.
        topic: String,
        /// Public or private.
        kind: Kind,
        /// Who makes it; none: the program.
        maker: Option<PersonName>,
        /// Who is in it, if it is private.
        members: Vec<PersonName>,
        /// When.
        at: Time,
    },
    /// The direct room of exactly these people: found, or made.
    Direct {
        /// Two or more, each once; the first is who asks.
        people: Vec<PersonName>,
        /// When.
        at: Time,
    },
    /// What is said of a room, where it is given.
    Change {
        /// Which room.
        room: RoomId,
        /// Its new title.
        title: Option<String>,
        /// What it is about now.
        topic: Option<String>,
        /// Whether it can only be read.
        archived: Option<bool>,
        /// Seconds between two posts of one person.
        slow: Option<u32>,
        /// Whether only those who look after it may post.
        read_only: Option<bool>,
        /// Who wants it so; none: the program.
        by: Option<(PersonName, Role)>,
    },
    /// A new member of a private room.
    Invite {
        /// Which room.
        room: RoomId,
        /// Who is to be in it.
        person: PersonName,
        /// Who wants it so; none: the program.
        by: Option<(PersonName, Role)>,
        /// When.
        at: Time,
    },
    /// A member of a private room is so no longer: by another's will or by their own.
    Remove {
        /// Which room.
        room: RoomId,
        /// Who is to be out of it.
        person: PersonName,
        /// Who wants it so; none: the program.
        by: Option<(PersonName, Role)>,
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

impl Record {
    /// Has it done by the same person under another name.
    pub fn sign(&mut self, new: &PersonName, old: &PersonName) {
        let (Record::Post { author: by, .. } | Record::Amend { by, .. } | Record::Read { person: by, .. }) = self
        else {
            return;
        };
        if by.folded() == old.folded() {
            by.clone_from(new);
        }
    }
}

/// What became of a [`Record`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Stored, with its number; after a change the message as it now stands, with its new one.
    Posted(Message),
    /// The message stands like that already; no number was given.
    Unchanged,
    /// It cannot be, and why; no number was given.
    Refused(Fault),
    /// This was stored before, as this message.
    Repeated(Message),
    /// The room is there.
    Created(Room),
    /// A room of that name was there already.
    RoomExists,
    /// There are as many rooms as the server allows.
    RoomsFull,
    /// The direct room was there.
    Found(Room),
    /// The room as it is now.
    Changed(Room),
    /// The person is a member of it.
    Invited(Room),
    /// The person is none; this one may change the room now.
    Removed(Option<PersonName>),
    /// The mark is kept.
    Read,
}

/// A store of rooms, messages and people. Every method may block; none is called by the dispatcher.
pub trait Store: People + Order + Search + Tokens + Webhooks + Keeping + Send + Sync + 'static {
    /// A random id made with the database: another epoch means that numbers seen before mean nothing here.
    fn epoch(&self) -> &str;

    /// Rooms that `person` may see, oldest first, and whether there are others: `most` at the most, those where the
    /// person is a member before those where the person has read, and these before any others.
    fn rooms(&self, person: &PersonName, most: usize) -> Result<(Vec<RoomView>, bool), Error>;

    /// All rooms, oldest first, with their members. For the program itself.
    fn every_room(&self) -> Result<Vec<Membership>, Error>;

    /// The room of that name, whoever may see it.
    fn room(&self, name: &RoomName) -> Result<Option<Room>, Error>;

    /// How far each room has come, by its head.
    #[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "it is for one of several servers"))]
    fn heads(&self) -> Result<Vec<(RoomId, Rev)>, Error>;

    /// The last `count` messages by `seq`, rising, and the room's head, both of one moment.
    fn last(&self, room: RoomId, count: usize) -> Result<(Vec<Message>, Rev), Error>;

    /// Up to `count` messages changed after `rev`, as they now stand, in rising `rev`. Fewer than `count`: that was all.
    fn since(&self, room: RoomId, rev: Rev, count: usize) -> Result<Vec<Message>, Error>;

    /// Up to `count` messages before `seq`, the nearest ones, in rising `seq`.
    fn before(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error>;

    /// Up to `count` messages after `seq`, the nearest ones, in rising `seq`.
    fn after(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error>;

    /// Stores the batch in one transaction, or nothing of it. One outcome for each record, in order.
    fn record(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error>;

    /// The name as it is shown of one who is known here: who has posted, read or signed in, or is a member of a room.
    fn known(&self, name: &PersonName) -> Result<Option<PersonName>, Error>;
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

impl std::fmt::Display for Time {
    /// As people read it in a sentence.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        use time::macros::format_description;
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        let nanos = i128::from(self.0) * 1_000_000;
        let text = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|t| t.format(format).ok());
        f.write_str(&text.ok_or(std::fmt::Error)?)
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

/// The name of the direct room of these people, by their keys in the store. The same people, the same room.
fn direct_name(people: &mut [i64]) -> RoomName {
    people.sort_unstable();
    let keys: Vec<u8> = people.iter().flat_map(|person| person.to_be_bytes()).collect();
    let hash: String = Sha256::digest(keys)[..10].iter().map(|b| format!("{b:02x}")).collect();
    RoomName::trusted(&format!("{DIRECT}{hash}"))
}

/// A random text of `bytes` bytes, in hexadecimal: an epoch, a token, an id.
pub(crate) fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut raw = vec![0; bytes];
    fill(&mut raw)?;
    Ok(raw.iter().map(|b| format!("{b:02x}")).collect())
}

/// Bytes that nobody can guess.
#[cfg(feature = "http")]
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut raw = [0; N];
    fill(&mut raw).map(|()| raw)
}

fn fill(raw: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(raw).map_err(|e| Error::System("the system has no randomness", e.into()))
}

/// What holds for every store holds for each: one suite, run against all of them.
#[cfg(all(test, feature = "sqlite"))]
mod contract;
