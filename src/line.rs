//! What all threads of one server share.

use crate::config::Builder;
use crate::event::{Entry, Event};
use crate::flusher::Flusher;
use crate::front::Front;
use crate::identity::Guests;
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
    pub roster: Roster,
    /// To the page and the API.
    pub front: Front,
    /// Clients at the same time.
    pub admits: usize,
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
        if self.roster.count() >= self.admits {
            return Err(Refusal::full(self.admits));
        }
        let line = self.clone();
        self.roster.seat(peer.id, transport, move |transport| serve(&line, peer, transport)).map_err(|e| {
            error!("{peer} cannot be given a thread: {e}");
            Refusal::full(self.admits)
        })
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }
}
