//! A link: bytes to a server and back, over TCP, over TLS or through memory.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// What a connection is made of. One thread reads while another writes.
pub(crate) trait Link: Send + Sync {
    /// Reads what is there, and waits for it at most so long; 0 bytes are the end.
    /// [`ErrorKind::TimedOut`] when nothing came.
    fn read(&self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<usize>;

    /// Writes all of it. Writers take turns by themselves.
    fn write_all(&self, bytes: &[u8]) -> io::Result<()>;

    /// Ends both directions, so that a thread that waits in either wakes up.
    fn hang_up(&self);
}

impl Link for TcpStream {
    fn read(&self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<usize> {
        self.set_read_timeout(patience.map(|time| time.max(Duration::from_millis(1))))?;
        let mut socket = self;
        Read::read(&mut socket, buffer)
            .map_err(|e| if e.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { e })
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut socket = self;
        Write::write_all(&mut socket, bytes)
    }

    fn hang_up(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}
