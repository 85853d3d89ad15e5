//! The listener: one accept loop, which turns away whoever does not fit before a thread is spent on him.

use crate::entrance;
use crate::error::Error;
use crate::line::Line;
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::trouble::Trouble;
use log::{debug, error, info, warn};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Connections that the kernel may hold ready for us.
const BACKLOG: i32 = 4096;

/// What the kernel may hold for a client that reads slowly, in bytes; Linux doubles it. Left alone it would grow to
/// megabytes for each, out of reach of the outbox's bound.
const SEND_BUFFER: usize = 128 * 1024;

/// After an error of the machine, such as no free descriptor, the loop rests so long.
const REST: Duration = Duration::from_millis(50);

/// One turned away is kept until it has read why, at most so long and so many at once.
const PARTING: Duration = Duration::from_secs(1);
const PARTING_AT_ONCE: usize = 64;

/// The listening socket and the thing that stops it.
pub(crate) struct Listener {
    socket: Arc<TcpListener>,
    bell: UnixStream,
    /// Dropped or rung, it ends the loop.
    pub stop: Option<UnixStream>,
}

impl Listener {
    /// Takes over a socket that listens.
    pub fn new(socket: Arc<TcpListener>) -> Result<Listener, Error> {
        let failed = |what| move |cause| Error::System(what, cause);
        socket.set_nonblocking(true).map_err(failed("cannot prepare the listening socket"))?;
        rustix::net::listen(&*socket, BACKLOG).map_err(|e| failed("cannot prepare the listening socket")(e.into()))?;
        let (bell, stop) = UnixStream::pair().map_err(failed("no socket pair for the listener"))?;
        Ok(Listener { socket, bell, stop: Some(stop) })
    }

    /// Accepts until it is stopped.
    pub fn run(self, line: &Arc<Line>) {
        let mut parting = Parting::default();
        // A flood of connections is no flood of lines in the log.
        let crowd = Trouble::default();
        while !line.is_stopping() {
            self.wait(parting.next());
            parting.let_go();
            match self.socket.accept() {
                Ok((socket, address)) => {
                    let peer = Peer { id: line.roster.next(), address: Some(address), secure: false };
                    let socket = Arc::new(socket);
                    if let Err(refusal) = self.admit(line, peer, &socket) {
                        if let Some(unsaid) = crowd.failed(Instant::now()) {
                            warn!("{peer} turned away: {}{unsaid}", refusal.message);
                        }
                        parting.say(socket, &refusal, line.keys.is_there());
                    } else {
                        crowd.worked();
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // The client gave up before we came to it.
                Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(e) => {
                    error!("cannot accept clients just now: {e}");
                    std::thread::sleep(REST);
                }
            }
        }
        info!("accepts no more clients");
    }

    fn wait(&self, until: Option<Instant>) {
        let mut fds = [PollFd::new(&*self.socket, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
        let left = until.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        // Interrupted or out of memory: the loop comes round and asks again.
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn admit(&self, line: &Arc<Line>, peer: Peer, socket: &Arc<TcpStream>) -> Result<(), Refusal> {
        // Blocking is the default, but on some systems an accepted socket inherits this from the listener.
        let prepared = socket
            .set_nonblocking(false)
            .and_then(|()| socket.set_nodelay(true))
            .and_then(|()| Ok(rustix::net::sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER)?));
        // One that is gone already is found to be by its thread.
        prepared.unwrap_or_else(|e| debug!("{peer} cannot be set up: {e}"));
        let stay = entrance::admit(line, peer)?;
        line.admit(peer, socket.clone(), move |line, socket| entrance::serve(line, peer, stay, socket))
    }
}

/// Those who were turned away and may still be sending: closed at once, they might never see the answer.
#[derive(Default)]
struct Parting {
    sockets: VecDeque<(Instant, Arc<TcpStream>)>,
}

impl Parting {
    /// Where TLS is spoken nobody would understand it, and to agree on TLS takes a thread.
    fn say(&mut self, socket: Arc<TcpStream>, refusal: &Refusal, speaks_tls: bool) {
        let _ = socket.set_nonblocking(true);
        if !speaks_tls {
            let _ = (&*socket).write(&refusal.response());
        }
        let _ = socket.shutdown(Shutdown::Write);
        if self.sockets.len() == PARTING_AT_ONCE {
            self.sockets.pop_front();
        }
        self.sockets.push_back((Instant::now() + PARTING, socket));
    }

    fn next(&self) -> Option<Instant> {
        self.sockets.front().map(|(until, _)| *until)
    }

    fn let_go(&mut self) {
        let now = Instant::now();
        while self.sockets.front().is_some_and(|(until, _)| *until <= now) {
            // What is read is not answered with a reset.
            let parted = self.sockets.pop_front().map(|(_, socket)| (&*socket).read(&mut [0; 16 * 1024]));
            drop(parted);
        }
    }
}
