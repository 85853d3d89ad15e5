//! A peer: a connection by its number and address, and how it speaks.

use std::fmt;
use std::net::SocketAddr;

/// A connection's number, counted from 1 since the start of the server.
pub type ClientId = u64;

/// A connection as the log names it.
#[derive(Clone, Copy)]
pub struct Peer {
    /// Its number.
    pub id: ClientId,
    /// Where it comes from. None: through memory.
    pub address: Option<SocketAddr>,
    /// It came over TLS, to this server or to a proxy that says so.
    pub secure: bool,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.address {
            // Of who came through a proxy the port is not known.
            Some(address) if address.port() == 0 => write!(f, "client {} {}", self.id, address.ip()),
            Some(address) => write!(f, "client {} {address}", self.id),
            None => write!(f, "client {} in memory", self.id),
        }
    }
}

/// How a client of the chat speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// `parlor.v1`.
    Json,
    /// Plain text.
    Plain,
}
