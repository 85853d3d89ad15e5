//! What all threads of one server share.

use crate::config::Builder;
use crate::doors::Doors;
use crate::event::{Entry, Event};
use crate::flusher::Flusher;
use crate::front::Front;
use crate::identity::Guests;
use crate::metrics::{Metrics, Now};
use crate::peer::Peer;
use crate::protocol::Limits;
use crate::refusal::Refusal;
use crate::roster::Roster;
use crate::store::Store;
use crate::transport::Transport;
use crossbeam_channel::Sender;
use log::error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// One server's line, from the listener to the outboxes.
pub(crate) struct Line {
    pub settings: Builder,
    pub limits: Limits,
    pub store: Arc<dyn Store>,
    /// To the recorder. Bounded: a full channel slows the sender.
    pub entries: Sender<Entry>,
    /// To the dispatcher. Bounded, too.
    pub events: Sender<Event>,
    pub flusher: Flusher,
    pub guests: Arc<Guests>,
    pub doors: Arc<Doors>,
    pub roster: Roster,
    /// To the page and the API.
    pub front: Front,
    /// Clients at the same time.
    pub admits: usize,
    pub metrics: Arc<Metrics>,
    pub stopping: AtomicBool,
}

impl Line {
    /// Gives a connection a thread, if there is room for one more.
    pub fn admit(
        self: &Arc<Self>,
        peer: Peer,
        transport: Arc<dyn Transport>,
        serve: fn(&Arc<Line>, Peer, &Arc<dyn Transport>),
    ) -> Result<(), Refusal> {
        self.metrics.connections.inc();
        if self.roster.count() >= self.admits {
            return Err(self.full());
        }
        let line = self.clone();
        self.roster.seat(peer.id, transport, move |transport| serve(&line, peer, transport)).map_err(|e| {
            error!("{peer} cannot be given a thread: {e}");
            self.full()
        })
    }

    fn full(&self) -> Refusal {
        let refusal = Refusal::full(self.admits);
        self.metrics.refused(refusal.code);
        refusal
    }

    /// What the metrics do not count, but ask.
    pub fn now(&self) -> Now {
        Now {
            connections: self.roster.count(),
            recorder: self.entries.len(),
            dispatcher: self.events.len(),
            flusher: self.flusher.behind(),
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }
}
