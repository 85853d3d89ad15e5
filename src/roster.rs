//! The roster: the thread of each connection, from before it starts until it has been joined.

use crate::outbox::Outbox;
use crate::peer::ClientId;
use crate::protocol::close;
use crate::transport::Transport;
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;

/// Stack of a client's thread, in bytes. Only what is touched becomes memory.
const STACK: usize = 512 * 1024;

/// Everyone who is connected. A thread stands here before it starts, and until it has been joined.
pub(crate) struct Roster {
    here: Mutex<HashMap<ClientId, Seat>>,
    taken: AtomicUsize,
    came: AtomicU64,
    ended: Sender<ClientId>,
}

struct Seat {
    peer: Arc<dyn Transport>,
    thread: Option<JoinHandle<()>>,
    /// From the end of the handshake on.
    outbox: Option<Arc<Outbox>>,
}

impl Roster {
    /// An empty roster, and the channel that names those who have ended.
    pub fn new() -> (Roster, Receiver<ClientId>) {
        let (ended, hears) = unbounded();
        (Roster { here: Mutex::new(HashMap::new()), taken: AtomicUsize::new(0), came: AtomicU64::new(0), ended }, hears)
    }

    /// The number of the next connection.
    pub fn next(&self) -> ClientId {
        self.came.fetch_add(1, SeqCst) + 1
    }

    /// How many are here.
    pub fn count(&self) -> usize {
        self.taken.load(SeqCst)
    }

    /// Starts a thread for a connection.
    pub fn seat(
        &self,
        id: ClientId,
        peer: Arc<dyn Transport>,
        work: impl FnOnce(&Arc<dyn Transport>) + Send + 'static,
    ) -> io::Result<()> {
        // The lock is held until the thread is written down, so that its end finds it here.
        let mut here = self.here.lock();
        let own_end = peer.clone();
        let exit = Exit { ended: self.ended.clone(), id };
        let thread = std::thread::Builder::new().name(format!("client {id}")).stack_size(STACK).spawn(move || {
            let _exit = exit;
            work(&own_end);
        })?;
        here.insert(id, Seat { peer, thread: Some(thread), outbox: None });
        self.taken.fetch_add(1, SeqCst);
        Ok(())
    }

    /// The handshake is done. False: the server is stopping, and the client is to be told so.
    pub fn open(&self, id: ClientId, outbox: &Arc<Outbox>, stopping: &AtomicBool) -> bool {
        let mut here = self.here.lock();
        match here.get_mut(&id) {
            Some(seat) if !stopping.load(SeqCst) => {
                seat.outbox = Some(outbox.clone());
                true
            }
            _ => false,
        }
    }

    /// Joins a thread that has ended. False: it panicked, and its client is told so.
    pub fn join(&self, id: ClientId) -> bool {
        let seat = self.here.lock().remove(&id);
        let whole = seat.is_none_or(|Seat { peer, thread, outbox }| {
            let whole = thread.is_none_or(|thread| thread.join().is_ok());
            match outbox {
                _ if whole => {}
                Some(outbox) => outbox.close(close::FAULT, "a fault here, which is ours; come back"),
                None => peer.hang_up(),
            }
            whole
        });
        self.taken.fetch_sub(1, SeqCst);
        whole
    }

    /// 1001 to the open; the half-open are woken, see that the server stops, and say 503.
    pub fn dismiss(&self) {
        for seat in self.here.lock().values() {
            match &seat.outbox {
                Some(outbox) => outbox.close(close::AWAY, "the server is going away; come back soon"),
                None => seat.peer.end_reading(),
            }
        }
    }

    /// Those who are open, the longest here first.
    pub fn open_ones(&self) -> Vec<ClientId> {
        let here = self.here.lock();
        let mut open: Vec<ClientId> =
            here.iter().filter(|(_, seat)| seat.outbox.is_some()).map(|(id, _)| *id).collect();
        open.sort_unstable();
        open
    }

    /// 1001 to one, with a reason.
    pub fn send_away(&self, id: ClientId, why: &str) {
        let outbox = self.here.lock().get(&id).and_then(|seat| seat.outbox.clone());
        outbox.iter().for_each(|outbox| outbox.close(close::AWAY, why));
    }

    /// Hangs up on all who are still here.
    pub fn hang_up(&self) {
        for seat in self.here.lock().values() {
            match &seat.outbox {
                Some(outbox) => outbox.hang_up(),
                None => seat.peer.hang_up(),
            }
        }
    }
}

/// Says that a thread has ended, however it ended.
struct Exit {
    ended: Sender<ClientId>,
    id: ClientId,
}

impl Drop for Exit {
    fn drop(&mut self) {
        let _ = self.ended.send(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{duplex, flusher};
    use prometheus_client::metrics::counter::Counter;
    use std::io::Read;

    #[test]
    fn whoever_is_served_by_a_thread_that_panics_is_told_so() {
        let (roster, ended) = Roster::new();
        let (mut near, far) = duplex::pair();
        let (flusher, _watched) = flusher::handle_for_tests();
        let outbox = Outbox::new(far.clone(), flusher, 1000, Counter::default());
        roster.seat(1, far, |_| panic!("a fault that the test made")).unwrap();
        assert!(roster.open(1, &outbox, &AtomicBool::new(false)));
        assert_eq!(ended.recv().unwrap(), 1);
        assert!(!roster.join(1));
        let mut frame = [0; 4];
        near.read_exact(&mut frame).unwrap();
        assert_eq!((frame[0], u16::from_be_bytes([frame[2], frame[3]])), (0x88, close::FAULT));
        assert_eq!(roster.count(), 0);
    }
}
