//! The cluster: any number of servers, the nodes, on one shared database are one chat.
//!
//! The row under its room's lock is the truth, and gives the numbers. A [`Bus`] between the nodes only carries hints: what was
//! stored, so that others need not read it, and that something is to be looked at anew. Each node passes on what comes next
//! by its number, and reads from the store what it misses; now and then it compares how far the rooms have come. So a bus that
//! loses everything costs time, and nothing else.

mod address;
pub(crate) mod bus;
pub(crate) mod crowd;
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

pub(crate) use address::Address;
pub(crate) use sequencer::Sequencer;

use crate::error::Error;
use crate::line::Line;
use crate::name::PersonName;
use crate::server::Fault;
use crate::store::{Message, PersonId, Rev, RoomId, random_hex};
use crossbeam_channel::{Receiver, Sender, bounded};
use note::Note;
use outgoing::Outgoing;
use scout::Scout;
use std::sync::Arc;
use std::thread::JoinHandle;

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
    scout: Scout,
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
        let (name, outgoing, scout) = (random_hex(6)?, Outgoing::default(), Scout::default());
        Ok((Cluster(Some(Arc::new(Node { name, outgoing, scout, heard }))), hears))
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

/// The threads that a node has more than a server that is alone.
pub(crate) struct Threads {
    node: Arc<Node>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

impl Threads {
    /// Starts them; None where there is no cluster.
    pub fn start(line: &Arc<Line>, fault: impl Fn(&'static str) -> Fault) -> Result<Option<Threads>, Error> {
        let Some(node) = line.cluster.0.clone() else { return Ok(None) };
        let Some(address) = &line.settings.cluster else { return Ok(None) };
        let bus: Arc<dyn bus::Bus> = Address::parse(address)?.bus(line)?;
        let mut threads = Threads { node: node.clone(), threads: Vec::new() };
        let (own, at, own_line) = (node.clone(), bus.clone(), line.clone());
        threads.spawn("sender", fault("cluster's sender"), move || sender::run(&own, &own_line, &*at))?;
        let (own, own_line) = (node.clone(), line.clone());
        threads.spawn("receiver", fault("cluster's receiver"), move || receiver::run(&own, &own_line, &*bus))?;
        let own_line = line.clone();
        threads.spawn("scout", fault("cluster's scout"), move || scout::run(&node, &own_line))?;
        Ok(Some(threads))
    }

    fn spawn(&mut self, name: &'static str, fault: Fault, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            let _fault = fault;
            work();
        });
        let failed = |cause| Error::System("cannot start one of the cluster's threads", cause);
        self.threads.push((name, thread.map_err(failed)?));
        Ok(())
    }

    /// Ends them. What was told up to now is sent, if the bus takes it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.node.scout.stop();
        self.node.outgoing.stop();
        for (name, thread) in self.threads.drain(..) {
            if thread.join().is_err() {
                log::error!("the cluster's {name} panicked");
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
    }
}
