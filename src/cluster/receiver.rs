//! The receiver: the one thread that reads the bus, and hands what it hears to whom it concerns.

use super::bus::{Bus, Ear};
use super::nodes::{Met, Nodes};
use super::note::{Counted, Guest, Note};
use super::{Heard, Node, letters, sender};
use crate::event::{Elsewhere, Event};
use crate::line::Line;
use crate::name::{PersonName, RoomName};
use crate::protocol::close;
use crate::store::Message;
use crate::tries::{FROM_AN_ADDRESS, LOGINS};
use crate::trouble::Trouble;
use log::{debug, info, warn};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it listens before it looks whether it is time to stop.
const TURN: Duration = Duration::from_millis(500);

/// How long it waits before it tries again; each time twice as long.
const SOON: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(2);

/// A node that sends and does not hear itself for so long listens at the wrong place.
const DEAF: Duration = Duration::from_secs(10);

/// How long a node listens before it takes those that it has heard for all that there are.
const ENROLLED: Duration = Duration::from_secs(5);

/// Listens until the node is told to stop.
pub(super) fn run(node: &Node, line: &Arc<Line>, bus: &dyn Bus) {
    let (nodes, now) = (Nodes::default(), Instant::now());
    let mut receiver = Receiver { node, line, nodes, heard_itself: now, began: now, asked: false, leads: false };
    let mut ear: Option<Box<dyn Ear>> = None;
    let (trouble, mut pause) = (Trouble::default(), SOON);
    while !node.outgoing.is_stopping() {
        let is_new = ear.is_none();
        let listened = ear.take().map_or_else(|| bus.ear(), Ok).and_then(|mut own| {
            let came = if is_new { Vec::new() } else { own.listen(TURN)? };
            Ok((own, came))
        });
        match listened {
            Ok((own, came)) => {
                pause = SOON;
                if is_new {
                    receiver.begin();
                    if trouble.worked() {
                        info!("the other nodes are heard again, over {}", bus.shown());
                    }
                }
                came.iter().for_each(|came| receiver.hear(came.at, &came.letter));
                receiver.answer();
                receiver.lead();
                ear = Some(own).filter(|_| !receiver.is_deaf());
            }
            Err(cause) => {
                node.errands.hearing(false);
                if let Some(unsaid) = trouble.failed(Instant::now()) {
                    warn!(
                        "the other nodes cannot be heard over {}, and what they store is read from the database \
                         meanwhile: {cause}{unsaid}",
                        bus.shown()
                    );
                }
                node.outgoing.rest(pause);
                pause = (pause * 2).min(LATEST);
            }
        }
    }
}

struct Receiver<'a> {
    node: &'a Node,
    line: &'a Arc<Line>,
    nodes: Nodes,
    heard_itself: Instant,
    /// When it began to listen this time.
    began: Instant,
    /// Another node wants to know who is here.
    asked: bool,
    /// This node sends webhooks.
    leads: bool,
}

impl Receiver<'_> {
    /// It listens from here on; what was told before may be missed.
    fn begin(&mut self) {
        (self.heard_itself, self.began) = (Instant::now(), Instant::now());
        self.node.errands.hearing(true);
        self.node.errands.look_at_everything();
        self.line.cluster.tell(|| Note::Hello);
    }

    fn is_deaf(&self) -> bool {
        self.heard_itself.elapsed() > DEAF && self.node.errands.is_sending()
    }

    fn hear(&mut self, at: u64, letter: &[u8]) {
        for gone in self.nodes.tick(at) {
            info!("the node {gone} is gone");
            self.forget(&gone);
        }
        let Some(letter) = letters::read(letter) else {
            debug!("a letter of another version came");
            return self.node.errands.look_at_everything();
        };
        if letter.node == self.node.name {
            self.heard_itself = Instant::now();
            return;
        }
        match self.nodes.hear(&letter.node, letter.number) {
            Met::Next => {}
            Met::New => {
                info!("the node {} is there", letter.node);
                self.line.cluster.tell(|| Note::Hello);
            }
            Met::Gap => {
                self.line.cluster.tell(|| Note::Hello);
                self.node.errands.look_at_everything();
            }
            Met::Again => return,
        }
        letter.notes.into_iter().for_each(|note| self.take(&letter.node, note));
    }

    fn take(&mut self, from: &str, note: Note) {
        let (line, now, name) = (self.line, Instant::now(), |name: &str| PersonName::trusted(name));
        match note {
            Note::Said(said) => self.record(Heard::Said(said.into_iter().map(Message::from).collect())),
            Note::Heads(heads) => self.record(Heard::Heads { heads, is_coming: false }),
            Note::Renamed(person, old, new) => self.record(Heard::Renamed(person, name(&old), name(&new))),
            Note::Rooms => self.node.errands.look_at_rooms(),
            Note::Sanctions => self.node.errands.look_at_sanctions(),
            Note::Webhooks => self.node.errands.look_at_webhooks(),
            Note::Everything => self.node.errands.look_at_everything(),
            Note::Typing(room, person) => self.show(Elsewhere::Typing(room, name(&person))),
            Note::Read(person, room, rev) => {
                self.show(Elsewhere::Read(name(&person), RoomName::trusted(&room), rev));
            }
            Note::Here(room, crowd) => self.show(Elsewhere::Here(from.into(), room, crowd)),
            Note::Nowhere(rooms) => self.show(Elsewhere::Nowhere(from.into(), rooms)),
            Note::Guest(guest) => self.let_in(from, guest),
            Note::NoGuest(guest) => line.guests.take_elsewhere(from, &guest),
            Note::Guests(all) => {
                line.guests.forget_elsewhere(from);
                all.into_iter().for_each(|guest| self.let_in(from, guest));
            }
            Note::SignedOut(ended, why) => line.close_sessions(ended, why),
            Note::Taken(guest) => {
                line.close_all_of(&name(&guest), close::SIGNED_OUT, "this name has an account now; sign in".into());
            }
            Note::CalledBack(person) => line.come_back(&name(&person)),
            Note::Pictured(person, avatar) => line.show_picture(&name(&person), avatar),
            Note::Kicked(person, why) => line.close_all_of(&name(&person), close::POLICY, why),
            Note::Spent(spent) => spent.iter().for_each(|(folded, times)| line.rates.spend(folded, *times, now)),
            Note::Tried(what, counted) => {
                let allowance = if counted == Counted::Login { LOGINS } else { FROM_AN_ADDRESS };
                let _ = line.tries.take(what, allowance, now);
            }
            Note::Forgiven(what) => line.tries.forgive(&what),
            Note::GivenBack(what) => line.tries.give_back(&what),
            Note::Hello => self.asked = true,
            Note::Bye => {
                info!("the node {from} has stopped");
                self.nodes.forget(from);
                self.forget(from);
            }
        }
    }

    /// A guest has come in at another node. Whoever came in here at the same moment, under the same name, goes if that was later.
    fn let_in(&self, from: &str, guest: Guest) {
        let name = PersonName::trusted(&guest.name);
        if self.line.guests.put_elsewhere(from, guest) {
            self.line.close_all_of(&name, close::SIGNED_OUT, "another guest has this name; choose another".into());
        }
    }

    /// Nobody is at that node any more.
    fn forget(&self, node: &str) {
        self.line.guests.forget_elsewhere(node);
        self.show(Elsewhere::Nowhere(node.into(), Vec::new()));
    }

    /// Tells who is here if it was asked, once for all that did.
    fn answer(&mut self) {
        if std::mem::take(&mut self.asked) {
            sender::tell_all(self.line);
        }
    }

    /// Waits while the dispatcher has as much to do as it can hold. One that has ended needs nothing more.
    fn show(&self, news: Elsewhere) {
        let _ = self.line.events.send(Event::Elsewhere(news));
    }

    /// The same for the recorder; the bus keeps the rest.
    fn record(&self, heard: Heard) {
        let _ = self.node.heard.send(heard);
    }

    /// One node sends webhooks: the first of those that are there, once it has listened long enough to know.
    fn lead(&mut self) {
        let leads = self.began.elapsed() > ENROLLED && self.nodes.all().all(|other| *self.node.name < **other);
        if std::mem::replace(&mut self.leads, leads) != leads {
            #[cfg(feature = "http")]
            self.line.webhooks.lead(leads);
            if leads {
                self.node.errands.look_at_webhooks();
            }
        }
    }
}
