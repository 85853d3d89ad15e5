//! What all threads of one server share.

use crate::config::Builder;
use crate::event::{Entry, Event};
use crate::flusher::Flusher;
use crate::front::Front;
use crate::identity::Guests;
use crate::protocol::Limits;
use crate::roster::Roster;
use crate::store::Store;
use crossbeam_channel::Sender;
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
    pub stopping: AtomicBool,
}

impl Line {
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }
}
