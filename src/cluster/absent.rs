//! What stands in for the other nodes where they are not compiled in: nobody.

pub(crate) mod crowd;
pub(crate) mod guests;
pub(crate) mod note;
mod sequencer;

pub(crate) use sequencer::Sequencer;

use crate::name::PersonName;
use crate::store::{Message, PersonId, Rev, RoomId};
use note::Note;

/// What would be heard of other nodes.
#[allow(dead_code, reason = "there are none")]
pub(crate) enum Heard {
    Said(Vec<Message>),
    Heads { heads: Vec<(RoomId, Rev)>, is_coming: bool },
    Renamed(PersonId, PersonName, PersonName),
}

/// A server that is alone.
#[derive(Clone, Default)]
pub(crate) struct Cluster;

impl Cluster {
    /// A server that is alone.
    pub fn alone() -> Cluster {
        Cluster
    }

    /// Tells nobody.
    pub fn tell(&self, _: impl FnOnce() -> Note) {}

    /// Whether there may be other nodes.
    pub fn is_there(&self) -> bool {
        false
    }

    /// Tells nobody.
    pub fn said(&self, _: &Message) {}

    /// Tells nobody.
    pub fn spent(&self, _: &PersonName) {}
}
