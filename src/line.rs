//! What all threads of one server share.

use crate::addresses::Addresses;
use crate::cluster::Cluster;
use crate::cluster::note::Note;
use crate::config::Builder;
use crate::deflate::Packer;
use crate::doors::Doors;
use crate::error::Error;
use crate::event::{Entry, Event, Party, Renaming};
use crate::flusher::Flusher;
use crate::front::Front;
use crate::identity::Guests;
use crate::metrics::{Metrics, Now};
use crate::name::PersonName;
use crate::peer::Peer;
use crate::protocol::{self, Limits, close};
use crate::rate::Rates;
use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::roster::Roster;
use crate::secure::Keys;
use crate::store::{Person, Store, TokenHash};
use crate::transport::Transport;
use crate::tries::Tries;
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
    /// The other nodes, if there are any.
    pub cluster: Cluster,
    /// How often passwords were tried lately.
    pub tries: Tries,
    /// How much each person may do.
    pub rates: Rates,
    pub roster: Roster,
    /// What is shown to whoever comes with TLS.
    pub keys: Keys,
    /// How many come from where.
    pub addresses: Arc<Addresses>,
    /// Packs what goes to those who can unpack it.
    pub packer: Arc<Packer>,
    /// To the page and the API.
    pub front: Front,
    /// Clients at the same time.
    pub admits: usize,
    pub metrics: Arc<Metrics>,
    /// What webhooks have to send, and where to they may.
    #[cfg(feature = "http")]
    pub webhooks: Arc<crate::webhooks::board::Board>,
    #[cfg(feature = "http")]
    pub networks: Arc<crate::webhooks::address::Networks>,
    pub stopping: AtomicBool,
}

impl Line {
    /// Gives a connection a thread, if there is room for one more.
    pub fn admit(
        self: &Arc<Self>,
        peer: Peer,
        transport: Arc<dyn Transport>,
        serve: impl FnOnce(&Arc<Line>, &Arc<dyn Transport>) + Send + 'static,
    ) -> Result<(), Refusal> {
        self.metrics.connections.inc();
        if self.roster.count() >= self.admits {
            return Err(self.full());
        }
        let line = self.clone();
        self.roster.seat(peer.id, transport, move |transport| serve(&line, transport)).map_err(|e| {
            error!("{peer} cannot be given a thread: {e}");
            self.full()
        })
    }

    /// Closes the connections of sessions that have ended, with 4001: who was signed out does not come back by itself.
    pub fn sign_out(&self, ended: Vec<TokenHash>, why: &'static str) {
        if ended.is_empty() {
            return;
        }
        self.cluster.tell(|| Note::SignedOut(ended.clone(), why.into()));
        self.close_sessions(ended, why.into());
    }

    /// Of this node alone.
    pub fn close_sessions(&self, ended: Vec<TokenHash>, why: String) {
        self.tell(move |registry| {
            let of_these = |party: &&Arc<Party>| party.session.is_some_and(|session| ended.contains(&session));
            registry.all().filter(of_these).for_each(|party| party.outbox.close(close::SIGNED_OUT, &why));
        });
    }

    /// Closes what connections a guest still has under a name that has become an account's.
    pub fn sign_out_guest(&self, name: &PersonName) {
        self.cluster.tell(|| Note::Taken(name.as_str().into()));
        self.close_all_of(name, close::SIGNED_OUT, "this name has an account now; sign in".into());
    }

    /// Closes all connections of a person at this node.
    pub fn close_all_of(&self, name: &PersonName, code: u16, why: String) {
        let folded = name.folded();
        self.tell(move |registry| {
            registry.person(&folded).iter().for_each(|party| party.outbox.close(code, &why));
        });
    }

    /// Gives a person another name, in its place among what is being recorded. False: it is taken.
    pub fn rename(&self, person: &Person, name: &PersonName) -> Result<bool, Error> {
        let (answer, renamed) = oneshot::channel();
        let renaming = Renaming { person: person.clone(), name: name.clone(), answer };
        let gone = || Error::Store("the recorder has ended".into());
        self.entries.send(Entry::Rename(renaming)).map_err(|_| gone())?;
        renamed.recv().map_err(|_| gone())?
    }

    /// Has a person's connections come back, as whoever the person is now.
    pub fn call_back(&self, name: &PersonName) {
        self.cluster.tell(|| Note::CalledBack(name.as_str().into()));
        self.come_back(name);
    }

    /// Of this node alone.
    pub fn come_back(&self, name: &PersonName) {
        self.close_all_of(name, close::CHANGED, "you have another name or role now; come back with since".into());
    }

    /// Tells those around a person that there is another picture, or none any more.
    pub fn pictured(&self, name: &PersonName, avatar: bool) {
        self.cluster.tell(|| Note::Pictured(name.as_str().into(), avatar));
        self.show_picture(name, avatar);
    }

    /// Of this node alone.
    pub fn show_picture(&self, name: &PersonName, avatar: bool) {
        let (folded, frame) = (name.folded(), protocol::person(name, avatar));
        self.tell(move |registry| {
            for party in registry.around(&folded) {
                party.outbox.send(std::slice::from_ref(&frame));
            }
        });
    }

    /// Has the dispatcher look at who is here.
    pub fn tell(&self, look: impl FnOnce(&Registry<Arc<Party>>) + Send + 'static) {
        // A dispatcher that is gone has no connections left either.
        let _ = self.events.send(Event::Look(Box::new(look)));
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
