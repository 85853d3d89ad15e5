//! A subscription: a room's messages, for the program that embeds the server.
//!
//! It has no queue. It remembers how far it has come, is woken when there is more, and reads that from the store: so it
//! may be as slow as it likes, and misses nothing.

use crate::message::Message;
use crate::name::RoomName;
use crate::store::{self, Rev, RoomId, Store};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use log::debug;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Messages read at once.
const PAGE: usize = 200;

/// A store that did not answer is asked again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// The messages of a room, each once and in rising `rev`, as an iterator that waits for the next; it ends when the
/// server has stopped and all was told. One that is edited, deleted or answered with a reaction comes again as it now stands:
/// then its `rev` is above its `seq`. Made by [`Handle::subscribe`](crate::Handle::subscribe).
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let mut lobby = server.subscribe("lobby")?;
/// server.post("lobby", "Weather", "21 °C")?;
/// assert_eq!(lobby.next_within(std::time::Duration::from_secs(5)).map(|message| message.rev), Some(1));
///
/// let channel = lobby.into_channel(100)?; // for a select! of crossbeam
/// server.post("lobby", "Weather", "22 °C")?;
/// assert_eq!(channel.recv()?.rev, 2);
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Subscription {
    store: Arc<dyn Store>,
    room: RoomId,
    name: RoomName,
    /// Everything up to here was handed over, or waits in `page`.
    since: Rev,
    page: VecDeque<store::Message>,
    /// Rung when there is more; hung up when there never will be.
    wake: Receiver<()>,
}

impl Subscription {
    pub(crate) fn new(store: Arc<dyn Store>, room: &store::Room, since: Rev, wake: Receiver<()>) -> Subscription {
        Subscription { store, room: room.id, name: room.name.clone(), since, page: VecDeque::new(), wake }
    }

    /// The next message, if it comes within that time.
    pub fn next_within(&mut self, time: Duration) -> Option<Message> {
        self.next_until(Some(Instant::now() + time))
    }

    /// Hands the messages to a channel that holds up to `bound` of them, for a `select!`. A thread of its own fills it,
    /// until the receiver is dropped or the server has stopped.
    ///
    /// # Errors
    /// [`Error::System`](crate::Error::System) when no thread can be started.
    pub fn into_channel(self, bound: usize) -> Result<Receiver<Message>, crate::Error> {
        let (tell, messages) = bounded(bound.max(1));
        let pass_on = move || self.map(|message| tell.send(message).is_ok()).take_while(|sent| *sent).for_each(drop);
        let thread = std::thread::Builder::new().name("subscription".into()).spawn(pass_on);
        thread.map_err(|e| crate::Error::System("cannot start a subscription's thread", e))?;
        Ok(messages)
    }

    fn next_until(&mut self, until: Option<Instant>) -> Option<Message> {
        loop {
            if let Some(message) = self.page.pop_front() {
                return Some(Message::of(&self.name, message));
            }
            // In this order: what is stored after the look rings again.
            let rung = self.wake.try_recv();
            let patience = match self.store.since(self.room, self.since, PAGE) {
                Ok(page) if page.is_empty() && rung.is_err_and(|e| e.is_disconnected()) => return None,
                Ok(page) if page.is_empty() => None,
                Ok(page) => {
                    self.since = page.last().map_or(self.since, |last| last.rev);
                    self.page = page.into();
                    continue;
                }
                Err(cause) => {
                    debug!("cannot read {}: {cause}", self.name);
                    Some(Instant::now() + AGAIN)
                }
            };
            let woken = match [patience, until].into_iter().flatten().min() {
                Some(at) => self.wake.recv_deadline(at),
                None => self.wake.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            if woken == Err(RecvTimeoutError::Timeout) && until.is_some_and(|until| until <= Instant::now()) {
                return None;
            }
        }
    }
}

impl Iterator for Subscription {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.next_until(None)
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Subscription({} after {})", self.name, self.since)
    }
}
