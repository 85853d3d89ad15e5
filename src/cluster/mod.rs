//! The cluster: any number of servers, the nodes, on one shared database are one chat.
//!
//! The row under its room's lock is the truth, and gives the numbers. A [`Bus`] between the nodes only carries hints: what was
//! stored, so that others need not read it, and that something is to be looked at anew. Each node passes on what comes next
//! by its number, and reads from the store what it misses; now and then it compares how far the rooms have come. So a bus that
//! loses everything costs time, and nothing else.

mod address;
pub(crate) mod bus;
pub(crate) mod crowd;
mod errands;
pub(crate) mod guests;
mod letters;
mod nodes;
pub(crate) mod note;
mod outgoing;
#[cfg(feature = "postgres")]
mod postgres;
mod receiver;
mod redis;
mod scout;
mod sender;
mod sequencer;
pub(crate) mod threads;

pub(crate) use address::Address;
pub(crate) use sequencer::Sequencer;

use crate::error::Error;
use crate::name::PersonName;
use crate::store::{Message, PersonId, Rev, RoomId, random_hex};
use crossbeam_channel::{Receiver, Sender, bounded};
use errands::Errands;
use note::Note;
use outgoing::Outgoing;
use std::sync::Arc;

/// What may wait for the recorder of what other nodes have said; who reads it from the bus waits then.
const HEARD: usize = 1024;

/// What the recorder hears of other nodes.
pub(crate) enum Heard {
    /// Messages that one has stored.
    Said(Vec<Message>),
    /// How far rooms have come, and whether what was said there is mostly on its way.
    Heads { heads: Vec<(RoomId, Rev)>, is_coming: bool },
    /// A person is called otherwise: account, name before, name now.
    Renamed(PersonId, PersonName, PersonName),
}

/// How a server tells the other nodes, if there are any. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Cluster(Option<Arc<Node>>);

/// This server as one of them.
pub(crate) struct Node {
    /// What it is called among them: another name with each start.
    name: String,
    outgoing: Outgoing,
    errands: Errands,
    /// To the recorder.
    heard: Sender<Heard>,
}

impl Cluster {
    /// A server that is alone.
    pub fn alone() -> Cluster {
        Cluster(None)
    }

    /// A server that is one of several. Gives what its recorder is to listen to.
    pub fn joined() -> Result<(Cluster, Receiver<Heard>), Error> {
        let (heard, hears) = bounded(HEARD);
        let (name, outgoing, errands) = (random_hex(6)?, Outgoing::default(), Errands::default());
        Ok((Cluster(Some(Arc::new(Node { name, outgoing, errands, heard }))), hears))
    }

    /// Whether there may be other nodes.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Tells the others, soon, and waits for nothing.
    pub fn tell(&self, note: impl FnOnce() -> Note) {
        if let Some(node) = &self.0 {
            node.outgoing.push(note());
        }
    }

    /// Tells the others what was stored.
    pub fn said(&self, message: &Message) {
        if let Some(node) = &self.0 {
            node.outgoing.say(message.into());
        }
    }

    /// Tells the others that a person has spent one of what may be done in a second.
    pub fn spent(&self, person: &PersonName) {
        if let Some(node) = &self.0 {
            node.outgoing.spend(person.folded());
        }
    }
}
