//! The flusher: one thread that writes for the outboxes whose sockets were full, and shuts those whose time is up.

use crate::error::Error;
use crate::outbox::{Outbox, Watch};
use crossbeam_channel::{Receiver, Sender, unbounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Instant;

/// A handle to the flusher. It is told of an outbox once, until it lets go of it.
#[derive(Clone)]
pub struct Flusher {
    outboxes: Sender<Arc<Outbox>>,
    bell: Arc<Bell>,
}

/// Wakes a thread that polls.
struct Bell {
    socket: UnixStream,
    rung: AtomicBool,
    stop: AtomicBool,
    /// How many sockets are full.
    full: AtomicUsize,
}

impl Flusher {
    /// Starts the thread.
    pub(crate) fn start() -> Result<(Flusher, JoinHandle<()>), Error> {
        let (near, far) = UnixStream::pair().map_err(|e| Error::System("no socket pair for the flusher", e))?;
        for end in [&near, &far] {
            end.set_nonblocking(true).map_err(|e| Error::System("no socket pair for the flusher", e))?;
        }
        let bell = Arc::new(Bell::new(near));
        let (outboxes, new) = unbounded();
        let flusher = Flusher { outboxes, bell: bell.clone() };
        let thread = std::thread::Builder::new()
            .name("flusher".into())
            .spawn(move || run(&new, &bell, &far))
            .map_err(|e| Error::System("cannot start the flusher's thread", e))?;
        Ok((flusher, thread))
    }

    /// Asks it to write for `outbox` until its queue is empty, and to shut it when its time is up.
    pub(crate) fn watch(&self, outbox: &Arc<Outbox>) {
        if self.outboxes.send(outbox.clone()).is_ok() {
            self.bell.ring();
        }
    }

    /// Makes it look again at what it watches.
    pub(crate) fn wake(&self) {
        self.bell.ring();
    }

    /// How many outboxes wait for it, or with it for their sockets.
    pub(crate) fn behind(&self) -> usize {
        self.outboxes.len() + self.bell.full.load(Relaxed)
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.bell.stop.store(true, SeqCst);
        self.bell.ring();
    }
}

impl Bell {
    fn new(socket: UnixStream) -> Bell {
        Bell { socket, rung: AtomicBool::new(false), stop: AtomicBool::new(false), full: AtomicUsize::new(0) }
    }

    fn ring(&self) {
        if !self.rung.swap(true, SeqCst) {
            // Full means that it rings already.
            let _ = (&self.socket).write(&[1]);
        }
    }
}

fn run(new: &Receiver<Arc<Outbox>>, bell: &Bell, ringing: &UnixStream) {
    let mut watched: Vec<Arc<Outbox>> = Vec::new();
    while !bell.stop.load(SeqCst) {
        // In this order: whoever rings after the store is heard by poll, and what came before it is taken up below.
        let _ = (&mut &*ringing).read(&mut [0; 16]);
        bell.rung.store(false, SeqCst);
        watched.extend(new.try_iter());

        let mut writable = Vec::new();
        let mut next: Option<Instant> = None;
        let now = Instant::now();
        watched.retain(|outbox| {
            let (waits, until) = match outbox.left_to_do() {
                Watch::Done => return false,
                Watch::Writable(until) => (true, until),
                Watch::Until(until) => (false, Some(until)),
            };
            if until.is_some_and(|until| until <= now) {
                outbox.hang_up();
                return outbox.left_to_do() != Watch::Done;
            }
            next = [next, until].into_iter().flatten().min();
            // One without a descriptor is flushed by whoever makes room there.
            if waits && outbox.as_fd().is_some() {
                writable.push(outbox.clone());
            }
            true
        });
        bell.full.store(writable.len(), Relaxed);

        let mut polled = vec![PollFd::new(ringing, PollFlags::IN)];
        let fds = writable.iter().filter_map(|outbox| outbox.as_fd());
        polled.extend(fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::OUT)));
        let timeout = next.map(|at| Timespec::try_from(at.saturating_duration_since(now)).unwrap_or_default());
        // An error here is EINTR or a passing want of memory; the next round polls again.
        let _ = poll(&mut polled, timeout.as_ref());
        let ready: Vec<bool> = polled[1..].iter().map(|fd| !fd.revents().is_empty()).collect();
        for (outbox, _) in writable.iter().zip(ready).filter(|(_, ready)| *ready) {
            outbox.flush();
        }
    }
}

/// A handle whose other end is a test.
#[cfg(test)]
pub(crate) fn handle_for_tests() -> (Flusher, Receiver<Arc<Outbox>>) {
    let (outboxes, watched) = unbounded();
    let (socket, _) = UnixStream::pair().unwrap();
    let bell = Bell::new(socket);
    bell.rung.store(true, SeqCst);
    (Flusher { outboxes, bell: Arc::new(bell) }, watched)
}
