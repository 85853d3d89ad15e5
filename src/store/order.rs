//! What a store does for order: who may not speak or come in, and what was done to whom.

use super::{Rev, RoomId, Time};
use crate::error::Error;
use crate::name::PersonName;
use serde::{Serialize, Serializer};

/// What is laid upon a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Penalty {
    /// Says nothing, anywhere.
    Mute,
    /// Does not come in.
    Ban,
}

impl Penalty {
    /// As it stands on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Penalty::Mute => "mute",
            Penalty::Ban => "ban",
        }
    }

    /// The penalty of that word.
    pub fn parse(word: &str) -> Option<Penalty> {
        [Penalty::Mute, Penalty::Ban].into_iter().find(|penalty| penalty.as_str() == word)
    }
}

impl Serialize for Penalty {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// A penalty that is in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Sanction {
    /// Upon whom.
    pub name: PersonName,
    /// Which.
    pub penalty: Penalty,
    /// When it ends. None: when somebody lifts it.
    pub until: Option<Time>,
    /// Why; empty where nobody has said.
    pub reason: String,
    /// Who laid it upon them.
    pub by: String,
    /// When.
    pub at: Time,
    /// From where nobody else comes in either; of a ban alone.
    pub networks: Vec<String>,
}

impl Sanction {
    /// Whether it still holds.
    pub fn holds(&self, now: Time) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// Something that was done to keep order, with the names of that time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deed {
    /// When.
    pub at: Time,
    /// Who did it.
    pub by: String,
    /// What: `mute`, `ban`, `role` …
    pub act: String,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whom: Option<String>,
    /// In which room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// How: until when, which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Deed {
    /// One that was done now.
    pub fn new(by: &PersonName, act: &str) -> Deed {
        let (by, act) = (by.as_str().to_owned(), act.to_owned());
        Deed { at: Time::now(), by, act, whom: None, room: None, detail: None, reason: None }
    }

    /// Says to whom.
    pub fn to(self, whom: &PersonName) -> Deed {
        Deed { whom: Some(whom.as_str().to_owned()), ..self }
    }

    /// Says how; nothing, if it is empty.
    pub fn detail(self, detail: impl Into<String>) -> Deed {
        Deed { detail: Some(detail.into()).filter(|text| !text.is_empty()), ..self }
    }

    /// Says why; nothing, if it is empty.
    pub fn reason(self, reason: &str) -> Deed {
        Deed { reason: Some(reason.to_owned()).filter(|text| !text.is_empty()), ..self }
    }
}

/// A deed as it stands in the book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noted {
    /// Its place: later ones have higher ones.
    pub id: i64,
    /// What was done.
    #[serde(flatten)]
    pub deed: Deed,
}

/// Order. Every method may block.
pub trait Order {
    /// All penalties that are in force.
    fn sanctions(&self, now: Time) -> Result<Vec<Sanction>, Error>;

    /// Lays a penalty upon a person, in the place of one of the same kind, and notes the deed with it.
    fn sanction(&self, sanction: &Sanction, deed: &Deed) -> Result<(), Error>;

    /// Lifts a penalty, and notes the deed if there was one. False: there was none.
    fn lift(&self, name: &PersonName, penalty: Penalty, deed: &Deed) -> Result<bool, Error>;

    /// Notes what was done.
    fn note(&self, deed: &Deed) -> Result<(), Error>;

    /// Up to `count` deeds before the one of that id, or the last ones, the newest first.
    fn deeds(&self, before: Option<i64>, count: usize) -> Result<Vec<Noted>, Error>;

    /// Up to `count` messages of a person in a room after `seq`, in rising order, without those that were deleted.
    fn written_by(&self, name: &PersonName, room: RoomId, after: Rev, count: usize) -> Result<Vec<Rev>, Error>;
}
