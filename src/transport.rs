//! A transport: the bytes between a client and the server, over TCP, within TLS or through memory.
//!
//! Only the client's own thread reads it. After the handshake only the outbox writes it, and never waits.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// How long a write of the handshake may take.
pub(crate) const WRITING: Duration = Duration::from_secs(5);

pub(crate) trait Transport: Send + Sync {
    /// Reads what is there, or waits for it as long as was set; 0 bytes are the end.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// How long [`Transport::read`] waits from now on.
    fn set_patience(&self, patience: Duration) -> io::Result<()>;

    /// Writes all of it, and waits for that, [`WRITING`] at a time. For the handshake.
    fn write_all(&self, bytes: &[u8]) -> io::Result<()>;

    /// Writes as much as goes at once; [`WouldBlock`](io::ErrorKind::WouldBlock) when nothing does.
    fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize>;

    /// Whether bytes that were taken still wait for room. [`Transport::write_now`] sends them first, also without frames.
    fn owes(&self) -> bool {
        false
    }

    /// What can be polled for room. None: the transport itself tells when it was full and is no more.
    fn as_fd(&self) -> Option<BorrowedFd<'_>>;

    /// Takes whom to tell.
    fn when_writable(&self, _: Box<dyn Fn() + Send + Sync>) {}

    /// Nothing more is written; what was is still read.
    fn end_writing(&self);

    /// Wakes the thread that reads, which finds the end.
    fn end_reading(&self);

    /// Ends both directions, so that a thread that waits in either wakes up.
    fn hang_up(&self);
}

impl Transport for TcpStream {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut socket = self;
        Read::read(&mut socket, buffer)
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        // Less would be rounded to none, which means for ever.
        self.set_read_timeout(Some(patience.max(Duration::from_micros(1))))
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.set_write_timeout(Some(WRITING))?;
        let mut socket = self;
        Write::write_all(&mut socket, bytes)
    }

    fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize> {
        use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::DONTWAIT;
        Ok(rustix::io::retry_on_intr(|| match frames {
            // The kernel has less to copy and to check.
            [frame] => send(self, frame, flags),
            frames => sendmsg(self, frames, &mut SendAncillaryBuffer::default(), flags),
        })?)
    }

    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(AsFd::as_fd(self))
    }

    fn end_writing(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }

    fn end_reading(&self) {
        let _ = self.shutdown(Shutdown::Read);
    }

    fn hang_up(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}
