//! A connection: tungstenite reads frames from the socket, and everything that is written goes through the outbox.

use crate::deflate::{Early, Fault, Unpacker};
use crate::frame;
use crate::line::Line;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::protocol::close;
use crate::transport::Transport;
use bytes::Bytes;
use log::info;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

/// How long the last frame has to leave.
const PARTING: Duration = Duration::from_secs(3);

/// tungstenite allocates this at once for each client, and fills it with zeros at each read. A chat message is smaller.
const READ_BUFFER: usize = 1024;

/// A client's connection after the handshake.
pub(crate) struct Connection<'a> {
    line: &'a Line,
    peer: Peer,
    socket: WebSocket<Stream>,
    /// Where everything for the client goes.
    pub outbox: Arc<Outbox>,
}

/// What tungstenite reads and writes: the socket, and the outbox.
struct Stream {
    socket: Arc<dyn Transport>,
    outbox: Arc<Outbox>,
    /// Something was read since this was last asked.
    heard: bool,
    packed: Option<Box<Unpacking>>,
}

/// What stands between the two where messages may be packed.
struct Unpacking {
    unpacker: Unpacker,
    /// Unpacked, and up to where it was read.
    ready: Vec<u8>,
    read: usize,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(packed) = &mut self.packed else {
            let count = self.socket.read(buffer)?;
            self.heard = true;
            return Ok(count);
        };
        while packed.read == packed.ready.len() {
            // Nothing of a long message is kept.
            (packed.ready, packed.read) = (Vec::new(), 0);
            let count = self.socket.read(buffer)?;
            self.heard = true;
            if count == 0 {
                return Ok(0);
            }
            packed.unpacker.push(&buffer[..count], &mut packed.ready).map_err(io::Error::other)?;
        }
        let count = Read::read(&mut &packed.ready[packed.read..], buffer)?;
        packed.read += count;
        Ok(count)
    }
}

impl Write for Stream {
    /// Pongs and answers to a close; tungstenite writes each frame whole.
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        let bytes = Bytes::copy_from_slice(frame);
        // After an answer to a close nothing may follow, so it is the outbox's last. If the server closed first, its own
        // close frame was the last, and this is dropped.
        if frame.first() == Some(&0x88) {
            self.outbox.close_with(bytes);
        } else {
            self.outbox.send(&[bytes]);
        }
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> Connection<'a> {
    /// None: the server is stopping, and the client was told so.
    #[inline(never)]
    pub fn open(line: &'a Line, peer: Peer, socket: &Arc<dyn Transport>, early: Early) -> Option<Connection<'a>> {
        let (limit, evictions) = (line.settings.outbox_limit, line.metrics.evictions.clone());
        let packer = early.packed.then(|| line.packer.clone());
        let outbox = Outbox::packing(socket.clone(), line.flusher.clone(), limit, evictions, packer.clone());
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(line.settings.message_limit))
            .max_frame_size(Some(line.settings.message_limit));
        let mut early = early.bytes;
        let mut fault = None;
        let packed = packer.map(|packer| {
            let mut unpacker = Unpacker::new(packer, line.settings.message_limit);
            let mut ready = Vec::new();
            fault = unpacker.push(&std::mem::take(&mut early), &mut ready).err();
            Box::new(Unpacking { unpacker, ready, read: 0 })
        });
        let stream = Stream { socket: socket.clone(), outbox: outbox.clone(), heard: false, packed };
        let websocket = WebSocket::from_partially_read(stream, early, Role::Server, Some(config));
        let connection = Connection { line, peer, socket: websocket, outbox: outbox.clone() };
        if let Some(fault) = fault {
            connection.fail(&Error::Io(io::Error::other(fault)));
        }
        if line.roster.open(peer.id, &outbox, &line.stopping) {
            return Some(connection);
        }
        outbox.close(close::AWAY, "the server is going away; come back soon");
        connection.part();
        None
    }

    /// Reads until the connection ends, and gives each message to `hear`. What comes after our own close is let fall.
    pub fn read(&mut self, mut hear: impl FnMut(Message)) {
        let timeout = self.line.settings.keepalive;
        if self.stream().set_patience(timeout).is_err() {
            return;
        }
        let mut pinged = false;
        loop {
            match self.socket.read() {
                Ok(Message::Close(_)) => {}
                Ok(message @ (Message::Text(_) | Message::Binary(_))) if self.outbox.is_open() => hear(message),
                Ok(_) => {}
                Err(Error::Io(e)) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    let heard = std::mem::take(&mut self.socket.get_mut().heard);
                    if pinged && !heard {
                        info!("{} does not answer", self.peer);
                        return self.outbox.hang_up();
                    }
                    pinged = self.outbox.send(&[frame::ping()]);
                }
                Err(Error::Io(e)) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return self.fail(&e),
            }
            if self.socket.get_ref().heard {
                pinged = false;
            }
        }
    }

    /// Answers what cannot be read any further with the close code that says why (RFC 6455 section 7.4.1).
    fn fail(&self, error: &Error) {
        let limit = self.line.settings.message_limit;
        let fault = |e: &io::Error| e.get_ref().and_then(|cause| cause.downcast_ref::<Fault>()).copied();
        match error {
            Error::Io(e) => match fault(e) {
                None => return,
                Some(Fault::TooBig) => {
                    self.outbox.close(close::TOO_BIG, &format!("a message has {limit} bytes at most"))
                }
                Some(Fault::Garbled) => self.outbox.close(close::NOT_UTF8, &Fault::Garbled.to_string()),
                Some(fault @ Fault::Mixed) => self.outbox.close(close::PROTOCOL, &fault.to_string()),
            },
            Error::ConnectionClosed | Error::AlreadyClosed => return,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return,
            Error::Capacity(_) => self.outbox.close(close::TOO_BIG, &format!("a message has {limit} bytes at most")),
            Error::Utf8(_) => self.outbox.close(close::NOT_UTF8, "text must be UTF-8"),
            Error::Protocol(e) => self.outbox.close(close::PROTOCOL, &e.to_string()),
            e => self.outbox.close(close::FAULT, &e.to_string()),
        }
        // Unread bytes would turn the end of the connection into a reset, and the close frame might be lost in it. The
        // flusher hangs up if this takes too long.
        let mut unread = [0; 4096];
        while self.stream().read(&mut unread).is_ok_and(|count| count > 0) {}
    }

    /// Waits until the last frame has left, and lets go.
    #[inline(never)]
    pub fn part(self) {
        if self.outbox.evicted() {
            info!("{} was too slow and is sent away", self.peer);
        }
        self.outbox.finish(PARTING);
        self.outbox.hang_up();
        info!("{} is gone", self.peer);
    }

    fn stream(&self) -> &dyn Transport {
        &*self.socket.get_ref().socket
    }
}
