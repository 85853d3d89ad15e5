//! A connection through memory: what a TCP connection is to a server, without a network, a port or a descriptor.

use crate::dialer::Link;
use crate::transport::{Transport, WRITING};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What one direction holds, in bytes: as much as the kernel does for a TCP connection of ours.
const HOLDS: usize = 256 * 1024;

/// The client's end of a connection through memory, made by [`Handle::attach`](crate::Handle::attach): what is written
/// to it the server reads, and the other way round. Reading waits. Dropping it hangs up.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// use std::io::{Read, Write};
///
/// let mut browser = server.attach()?;
/// browser.write_all(b"GET /nowhere HTTP/1.1\r\nHost: memory\r\n\r\n")?;
/// let mut answer = String::new();
/// browser.read_to_string(&mut answer)?;
/// assert!(answer.starts_with("HTTP/1.1 404"));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Duplex {
    ends: Arc<Ends>,
}

/// The server's end.
pub(crate) struct FarEnd {
    ends: Arc<Ends>,
    patience: Mutex<Option<Duration>>,
}

struct Ends {
    to_server: Pipe,
    to_client: Pipe,
    /// Whom to tell that there is room again on the way to the client.
    when_writable: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// One direction.
#[derive(Default)]
struct Pipe {
    state: Mutex<Flow>,
    moved: Condvar,
}

#[derive(Default)]
struct Flow {
    bytes: VecDeque<u8>,
    /// Nothing more comes in; what is there can be read.
    ended: bool,
    /// Somebody found no room.
    was_full: bool,
}

/// Makes both ends.
pub(crate) fn pair() -> (Duplex, Arc<FarEnd>) {
    let ends =
        Arc::new(Ends { to_server: Pipe::default(), to_client: Pipe::default(), when_writable: OnceLock::new() });
    (Duplex { ends: ends.clone() }, Arc::new(FarEnd { ends, patience: Mutex::new(None) }))
}

impl Pipe {
    /// Reads what is there, or waits for it; and whether somebody had waited for the room.
    fn read(&self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<(usize, bool)> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut flow = self.state.lock();
        while flow.bytes.is_empty() && !flow.ended {
            let timed_out = match until {
                Some(until) => self.moved.wait_until(&mut flow, until).timed_out(),
                None => {
                    self.moved.wait(&mut flow);
                    false
                }
            };
            if timed_out {
                return Err(ErrorKind::TimedOut.into());
            }
        }
        let count = flow.bytes.read(buffer)?;
        self.moved.notify_all();
        Ok((count, std::mem::take(&mut flow.was_full)))
    }

    /// Writes as much as there is room for.
    fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize> {
        let mut flow = self.state.lock();
        if flow.ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let before = flow.bytes.len();
        for frame in frames {
            let room = HOLDS.saturating_sub(flow.bytes.len());
            flow.bytes.extend(&frame[..frame.len().min(room)]);
            flow.was_full |= frame.len() > room;
        }
        self.moved.notify_all();
        let count = flow.bytes.len() - before;
        if count == 0 && flow.was_full { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }

    /// Writes all of it, and waits for room.
    fn write_all(&self, mut bytes: &[u8], patience: Option<Duration>) -> io::Result<()> {
        let until = patience.map(|patience| Instant::now() + patience);
        while !bytes.is_empty() {
            match self.write_now(&[IoSlice::new(bytes)]) {
                Ok(count) => bytes = &bytes[count..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    let mut flow = self.state.lock();
                    if flow.bytes.len() >= HOLDS && !flow.ended {
                        match until {
                            None => self.moved.wait(&mut flow),
                            Some(until) if self.moved.wait_until(&mut flow, until).timed_out() => {
                                return Err(ErrorKind::TimedOut.into());
                            }
                            Some(_) => {}
                        }
                    }
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn end(&self) {
        self.state.lock().ended = true;
        self.moved.notify_all();
    }

    /// What is there is let fall, too.
    fn cut(&self) {
        self.state.lock().bytes.clear();
        self.end();
    }
}

impl Duplex {
    fn receive(&self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<usize> {
        let (count, was_full) = self.ends.to_client.read(buffer, patience)?;
        if was_full && let Some(tell) = self.ends.when_writable.get() {
            tell();
        }
        Ok(count)
    }
}

impl Read for Duplex {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.receive(buffer, None)
    }
}

impl Write for Duplex {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ends.to_server.write_all(bytes, None).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Link for Duplex {
    fn read(&self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<usize> {
        self.receive(buffer, patience)
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.ends.to_server.write_all(bytes, None)
    }

    fn hang_up(&self) {
        self.ends.to_server.end();
        self.ends.to_client.cut();
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        Link::hang_up(self);
    }
}

impl std::fmt::Debug for Duplex {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Duplex")
    }
}

impl Transport for FarEnd {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let patience = *self.patience.lock();
        self.ends.to_server.read(buffer, patience).map(|(count, _)| count)
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        *self.patience.lock() = Some(patience);
        Ok(())
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.ends.to_client.write_all(bytes, Some(WRITING))
    }

    fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize> {
        self.ends.to_client.write_now(frames)
    }

    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn when_writable(&self, tell: Box<dyn Fn() + Send + Sync>) {
        // A transport has one outbox, and so this is the only one.
        let _ = self.ends.when_writable.set(tell);
    }

    fn end_writing(&self) {
        self.ends.to_client.end();
    }

    fn end_reading(&self) {
        self.ends.to_server.end();
    }

    fn hang_up(&self) {
        self.ends.to_server.cut();
        // As with TCP, what was written before can still be read.
        self.ends.to_client.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_at_one_end_is_read_at_the_other_and_no_more_than_it_holds() {
        let (mut near, far) = pair();
        Write::write_all(&mut near, b"hello").unwrap();
        let mut buffer = vec![0; 2 * HOLDS];
        assert_eq!(Transport::read(&*far, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..5], b"hello");

        let much = vec![7; HOLDS + 10];
        assert_eq!(far.write_now(&[IoSlice::new(&much)]).unwrap(), HOLDS);
        assert_eq!(far.write_now(&[IoSlice::new(b"x")]).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(Read::read(&mut near, &mut buffer).unwrap(), HOLDS);
        assert_eq!(far.write_now(&[IoSlice::new(b"x")]).unwrap(), 1);
    }

    #[test]
    fn an_end_is_found_by_the_other_after_what_came_before_it() {
        let (mut near, far) = pair();
        Transport::write_all(&*far, b"bye").unwrap();
        far.hang_up();
        let mut read = Vec::new();
        near.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"bye");
        assert!(Write::write_all(&mut near, b"?").is_err());
    }

    #[test]
    fn reading_gives_up_when_it_is_told_to() {
        let (near, far) = pair();
        far.set_patience(Duration::from_millis(1)).unwrap();
        assert_eq!(Transport::read(&*far, &mut [0]).unwrap_err().kind(), ErrorKind::TimedOut);
        drop(near);
        assert_eq!(Transport::read(&*far, &mut [0]).unwrap(), 0);
    }
}
