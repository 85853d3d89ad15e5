//! What a store does for whoever looks for something that was said.

use super::{Rev, RoomId, Time};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use crate::words::Term;

/// What is looked for. All of it must be so; of several authors or rooms, any.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What must stand in the text.
    pub terms: Vec<Term>,
    /// Who wrote it, as names are compared; nobody: whoever it was.
    pub from: Vec<String>,
    /// Where.
    pub within: Within,
    /// It was said before this moment…
    pub before: Option<Time>,
    /// …and not before this one.
    pub after: Option<Time>,
    /// Only what comes behind this, of a page before.
    pub cursor: Option<Cursor>,
    /// How many hits at most.
    pub limit: usize,
}

/// In which rooms.
#[derive(Clone, Debug, PartialEq)]
pub enum Within {
    /// In all public ones, and in these.
    PublicAnd(Vec<RoomId>),
    /// In these alone.
    Only(Vec<RoomId>),
}

/// A place among all messages, in the order in which they came. Only the store knows what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub i64);

/// A page of what was found, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The messages.
    pub hits: Vec<Hit>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
    /// The index lags behind: what came last, or where it is just being made much else, is not yet in it.
    pub indexing: bool,
}

/// A message that was found, as it now stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The key of its room.
    pub room: RoomId,
    /// The name of its room.
    pub room_name: RoomName,
    /// Its number there.
    pub seq: Rev,
    /// Who wrote it.
    pub from: PersonName,
    /// When.
    pub at: Time,
    /// What it says.
    pub body: String,
}

/// Looking for what was said. It may block.
pub trait Search {
    /// What there is of it, the newest first. What was deleted is never found, and what was edited as it now stands.
    fn search(&self, wanted: &Wanted) -> Result<Found, Error>;
}
