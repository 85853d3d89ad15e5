//! The flusher: one thread that writes for the outboxes whose sockets were full, and shuts those whose time is up.

use crate::error::Error;
use crate::fault::Fault;
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

/// The flusher's thread. It ends when this is dropped, unless somebody has taken it to end it later.
pub(crate) struct FlusherThread {
    flusher: Flusher,
    thread: Option<JoinHandle<()>>,
}

impl FlusherThread {
    pub fn take(mut self) -> Option<JoinHandle<()>> {
        self.thread.take()
    }
}

impl Drop for FlusherThread {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.flusher.stop();
            let _ = thread.join();
        }
    }
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
    pub(crate) fn start(fault: Fault) -> Result<(Flusher, FlusherThread), Error> {
        let (near, far) = UnixStream::pair().map_err(|e| Error::System("no socket pair for the flusher", e))?;
        for end in [&near, &far] {
            end.set_nonblocking(true).map_err(|e| Error::System("no socket pair for the flusher", e))?;
        }
        let bell = Arc::new(Bell::new(near));
        let (outboxes, new) = unbounded();
        let flusher = Flusher { outboxes, bell: bell.clone() };
        let thread = std::thread::Builder::new()
            .name("flusher".into())
            .spawn(move || {
                let _fault = fault;
                run(&new, &bell, &far);
            })
            .map_err(|e| Error::System("cannot start the flusher's thread", e))?;
        let thread = FlusherThread { flusher: flusher.clone(), thread: Some(thread) };
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

    /// Lays it down, so that it can be rung again. True: this is the end.
    ///
    /// In this order: whoever rings after the store is heard by poll, and what came before it, the end too, is looked
    /// at after it.
    fn lay_down(&self, mut ringing: impl Read) -> bool {
        let _ = ringing.read(&mut [0; 16]);
        self.rung.store(false, SeqCst);
        self.stop.load(SeqCst)
    }
}

fn run(new: &Receiver<Arc<Outbox>>, bell: &Bell, ringing: &UnixStream) {
    let mut watched: Vec<Arc<Outbox>> = Vec::new();
    while !bell.lay_down(ringing) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the bell said was heard, and it is not laid down yet: just then it is rung for the end.
    struct Interrupted<'a>(&'a UnixStream, &'a Bell);

    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.read(buffer)?;
            self.1.stop.store(true, SeqCst);
            self.1.ring();
            Ok(count)
        }
    }

    #[test]
    fn an_end_that_is_rung_for_while_the_bell_is_laid_down_is_heard() {
        let (near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let bell = Bell::new(near);
        bell.ring();
        let heard = bell.lay_down(Interrupted(&far, &bell));
        let rings_on = (&far).read(&mut [0]).is_ok();
        assert!(heard || rings_on, "it would sleep for ever");
    }

    #[test]
    fn it_ends_though_it_is_rung_at_the_same_time() {
        for _ in 0..200 {
            let (flusher, thread) = Flusher::start(Fault::for_tests()).unwrap();
            let ringing = flusher.clone();
            let ringer = std::thread::spawn(move || ringing.wake());
            flusher.stop();
            ringer.join().unwrap();
            thread.take().unwrap().join().unwrap();
        }
    }
}
