//! TLS on the server's side: the [`Certificate`] that it shows, and a transport that encrypts what another carries.
//!
//! One thread reads while another writes, and neither waits for the other: the transport below is read and written outside
//! of the lock, which is held to feed the session, and to have it encrypt into a buffer. What the session has to say for
//! itself goes the way of all that is said: the reader has the outbox flushed, and whoever holds the pen takes it along.

mod certificate;

pub use certificate::Certificate;
pub(crate) use certificate::Keys;

use crate::transport::Transport;
use parking_lot::{Mutex, MutexGuard};
use rustls::{ServerConfig, ServerConnection};
use smallvec::SmallVec;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The first byte of a TLS connection: a handshake record (RFC 8446 section 5.1).
pub(crate) const FIRST_BYTE: u8 = 0x16;

/// What is read from the transport below at once. It stands on the stack of a thread that waits in it.
const CHUNK: usize = 2048;

/// What is encrypted ahead of a socket that is full, in bytes.
const AHEAD: usize = 128 * 1024;

/// A transport within TLS.
pub(crate) struct Secure {
    under: Arc<dyn Transport>,
    session: Mutex<ServerConnection>,
    /// Encrypted, and not taken by the transport below. In the handshake it is the client's thread's, later the pen's.
    out: Mutex<Encrypted>,
    /// There is something in `out`, or something for it in the session.
    owes: AtomicBool,
    patience: Mutex<Duration>,
    /// What was received while the session was full of what nobody had read. The reader's.
    unfed: Mutex<Vec<u8>>,
    /// Has the outbox flushed.
    tell: OnceLock<Arc<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Encrypted {
    bytes: Vec<u8>,
    sent: usize,
}

impl Secure {
    /// Shakes hands. `early` is what was read already.
    pub fn accept(
        under: Arc<dyn Transport>,
        config: Arc<ServerConfig>,
        early: &[u8],
        deadline: Instant,
    ) -> io::Result<Arc<dyn Transport>> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.set_buffer_limit(Some(AHEAD));
        let secure = Secure {
            under,
            session: Mutex::new(session),
            out: Mutex::default(),
            owes: AtomicBool::new(false),
            patience: Mutex::new(deadline.saturating_duration_since(Instant::now())),
            unfed: Mutex::default(),
            tell: OnceLock::new(),
        };
        let fed = secure.shake_hands(early, deadline);
        // An alert says why it came to nothing.
        let said = secure.send_all();
        fed.and(said).map(|()| Arc::new(secure) as Arc<dyn Transport>)
    }

    #[inline(never)]
    fn shake_hands(&self, early: &[u8], deadline: Instant) -> io::Result<()> {
        // Nothing would be taken for the end.
        if !early.is_empty() {
            self.feed(early)?;
        }
        let mut fresh = [0; CHUNK];
        while self.session.lock().is_handshaking() {
            self.send_all()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.under.set_patience(left)?;
            match self.under.read(&mut fresh)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.feed(&fresh[..count])?,
            }
        }
        Ok(())
    }

    /// Gives the session what was received; nothing is the end. It may have an answer of its own to that.
    fn feed(&self, mut received: &[u8]) -> io::Result<()> {
        let mut session = self.session.lock();
        let processed = loop {
            let taken = session.read_tls(&mut received)?;
            let processed = session.process_new_packets();
            let to_read = processed.as_ref().map_or(0, |state| state.plaintext_bytes_to_read());
            if processed.is_err() || received.is_empty() || taken == 0 || to_read > 0 {
                break processed;
            }
        };
        *self.unfed.lock() = received.to_vec();
        let answers = session.wants_write();
        if answers {
            self.owes.store(true, SeqCst);
        }
        drop(session);
        if answers && let Some(tell) = self.tell.get() {
            tell();
        }
        processed.map(drop).map_err(|e| io::Error::new(ErrorKind::InvalidData, e))
    }

    /// What the session has ready to be sent, after what is left from before.
    fn collect(&self, mut session: MutexGuard<ServerConnection>, out: &mut Encrypted) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut out.bytes)?;
        }
        // With the session locked: what a reader adds from here on it says anew.
        self.owes.store(false, SeqCst);
        Ok(())
    }

    /// Sends what the transport below takes at once. True: it took everything.
    fn send_now(&self, out: &mut Encrypted) -> io::Result<bool> {
        while out.sent < out.bytes.len() {
            match self.under.write_now(&[IoSlice::new(&out.bytes[out.sent..])]) {
                Ok(count) => out.sent += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.owes.store(true, SeqCst);
                    return Ok(false);
                }
                Err(e) => return Err(e),
            }
        }
        // An idle client keeps no buffer.
        *out = Encrypted::default();
        Ok(true)
    }

    /// Sends everything, and waits for that.
    fn send_all(&self) -> io::Result<()> {
        let mut out = self.out.lock();
        self.collect(self.session.lock(), &mut out)?;
        let unsent = std::mem::take(&mut *out);
        if unsent.bytes.is_empty() { Ok(()) } else { self.under.write_all(&unsent.bytes[unsent.sent..]) }
    }

    /// Reads until `until`; and whether the patience of the transport below was shortened for that.
    fn read_on(&self, buffer: &mut [u8], until: Instant) -> (io::Result<usize>, bool) {
        let mut fresh = [0; CHUNK];
        let (mut waited, mut shortened) = (false, false);
        let read = loop {
            match self.session.lock().reader().read(buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                // The client went without saying so in TLS; that is for those to mind who cannot tell a message's end.
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => break Ok(0),
                done => break done,
            }
            let unfed = std::mem::take(&mut *self.unfed.lock());
            if !unfed.is_empty() {
                if let Err(e) = self.feed(&unfed) {
                    break Err(e);
                }
                continue;
            }
            // A record that comes byte by byte gets no more time than one that does not.
            if waited {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break Err(ErrorKind::TimedOut.into());
                }
                shortened = true;
                if let Err(e) = self.under.set_patience(left) {
                    break Err(e);
                }
            }
            waited = true;
            let received = self.under.read(&mut fresh);
            if let Err(e) = received.and_then(|count| self.feed(&fresh[..count])) {
                break Err(e);
            }
        };
        (read, shortened)
    }
}

impl Transport for Secure {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let patience = *self.patience.lock();
        let (read, shortened) = self.read_on(buffer, Instant::now() + patience);
        // As it was set: that costs a system call only where a record did not come whole.
        if shortened {
            self.under.set_patience(patience)?;
        }
        read
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        *self.patience.lock() = patience;
        self.under.set_patience(patience)
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut left = bytes;
        while !left.is_empty() {
            let count = self.session.lock().writer().write(left)?;
            left = &left[count..];
            self.send_all()?;
        }
        Ok(())
    }

    fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize> {
        let mut out = self.out.lock();
        let mut left = SmallVec::<[IoSlice; 64]>::from_slice(frames);
        let mut left = left.as_mut_slice();
        let mut taken = 0;
        // What is left from before goes first. It ends where the transport below is full, or nothing is left to say.
        while self.send_now(&mut out)? {
            let mut session = self.session.lock();
            let more = if left.is_empty() { 0 } else { session.writer().write_vectored(left)? };
            self.collect(session, &mut out)?;
            IoSlice::advance_slices(&mut left, more);
            taken += more;
            if out.bytes.is_empty() {
                return Ok(taken);
            }
        }
        if taken == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn owes(&self) -> bool {
        self.owes.load(SeqCst)
    }

    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.under.as_fd()
    }

    fn when_writable(&self, tell: Box<dyn Fn() + Send + Sync>) {
        let tell: Arc<dyn Fn() + Send + Sync> = tell.into();
        let own = tell.clone();
        self.under.when_writable(Box::new(move || own()));
        // A transport has one outbox, and so this is the only one.
        let _ = self.tell.set(tell);
    }

    fn end_writing(&self) {
        self.session.lock().send_close_notify();
        let _ = self.send_all();
        self.under.end_writing();
    }

    fn end_reading(&self) {
        self.under.end_reading();
    }

    fn hang_up(&self) {
        // Not while somebody writes: it is just that one who may be stuck.
        if let Some(mut out) = self.out.try_lock() {
            let mut session = self.session.lock();
            session.send_close_notify();
            let _ = self.collect(session, &mut out).and_then(|()| self.send_now(&mut out));
        }
        self.under.hang_up();
    }
}

#[cfg(test)]
mod tests;
