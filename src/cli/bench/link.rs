//! One client: a socket that never waits.

use super::frames::{self, Frame};
use super::target::Target;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A client, and how far it has come.
pub struct Link {
    pub socket: TcpStream,
    pub stage: Stage,
    /// The beginning of something that is not whole yet.
    rest: Vec<u8>,
    /// What the socket did not take yet; and whether it is watched until it does.
    unsent: Vec<u8>,
    pub waits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// The handshake is on its way.
    Knocking,
    /// Inside, and not in its room yet.
    Inside,
    Ready,
    /// The server has closed, or the connection broke.
    Gone,
}

/// What the kernel holds for a client that never reads, in bytes: little, so that it is the server's to hold soon.
const STUCK_BUFFER: usize = 4096;

/// What a client has heard.
pub enum Heard<'a> {
    /// The handshake is done.
    Welcome,
    Frame(Frame<'a>),
}

impl Link {
    /// Connects, and asks for a WebSocket.
    pub fn open(target: &Target, name: &str, plain: bool) -> io::Result<Link> {
        let address = target.address;
        let socket = TcpStream::connect(address).map_err(|why| {
            io::Error::new(why.kind(), format!("cannot connect to {address}: {why}; is the server running there?"))
        })?;
        Link::ask(socket, target, name, plain)
    }

    /// The same, for a client that will not read.
    pub fn open_narrow(target: &Target, name: &str, plain: bool) -> io::Result<Link> {
        Link::ask(narrow(target.address)?, target, name, plain)
    }

    fn ask(mut socket: TcpStream, target: &Target, name: &str, plain: bool) -> io::Result<Link> {
        socket.set_nodelay(true)?;
        let path = target.path.replace("{}", name);
        let protocol = if plain { "" } else { "Sec-WebSocket-Protocol: parlor.v1\r\n" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{protocol}\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            target.host
        );
        socket.write_all(request.as_bytes())?;
        socket.set_nonblocking(true)?;
        Ok(Link { socket, stage: Stage::Knocking, rest: Vec::new(), unsent: Vec::new(), waits: false })
    }

    /// Sends a text message, now or when the socket takes it.
    pub fn send(&mut self, text: &str) {
        frames::write(frames::TEXT, text.as_bytes(), &mut self.unsent);
        self.flush();
    }

    /// Writes what waits, as far as it goes. True: something still waits.
    pub fn flush(&mut self) -> bool {
        while !self.unsent.is_empty() && self.stage != Stage::Gone {
            match self.socket.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => self.stage = Stage::Gone,
            }
        }
        false
    }

    /// Reads what is there, once, and gives what it means. `buffer` is anybody's.
    pub fn read(&mut self, buffer: &mut [u8], mut hear: impl FnMut(&mut Stage, Heard)) -> io::Result<()> {
        let kept = self.rest.len();
        if kept == buffer.len() {
            return Err(io::Error::other(format!("a message has more than {kept} bytes")));
        }
        buffer[..kept].copy_from_slice(&self.rest);
        let count = match self.socket.read(&mut buffer[kept..]) {
            Ok(0) => {
                self.stage = Stage::Gone;
                return Ok(());
            }
            Ok(count) => count,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(_) => {
                self.stage = Stage::Gone;
                return Ok(());
            }
        };
        let mut bytes = &buffer[..kept + count];
        if self.stage == Stage::Knocking {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                self.rest = bytes.to_vec();
                return Ok(());
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                return Err(io::Error::other(refusal(bytes)));
            }
            bytes = &bytes[end + 4..];
            hear(&mut self.stage, Heard::Welcome);
        }
        let (stage, unsent) = (&mut self.stage, &mut self.unsent);
        let used = frames::each(bytes, |frame| match frame.opcode {
            frames::PING => frames::write(frames::PONG, frame.payload, unsent),
            frames::CLOSE => *stage = Stage::Gone,
            _ => hear(stage, Heard::Frame(frame)),
        });
        self.rest.clear();
        self.rest.extend_from_slice(&bytes[used..]);
        self.flush();
        Ok(())
    }
}

/// A connection with a small buffer, which only counts if it is set before.
fn narrow(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_recv_buffer_size(&socket, STUCK_BUFFER)?;
    connect(&socket, &address)?;
    Ok(socket.into())
}

/// What an HTTP answer says, in one line.
fn refusal(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let status = text.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ").to_owned();
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim());
    format!("the server refused a client: {status} {body}")
}
