//! The wire, version 1: what a client may ask in `parlor.v1`, what the server says, and the plain-text mode.
//!
//! No I/O here: text in, a [`Request`] or a [`Problem`] out; facts in, frames out.

mod reply;
mod request;

use crate::name::LONGEST;
use serde::Serialize;
use serde_json::Value;

pub use reply::*;
pub use request::{Request, Start, body, parse, title};

/// The subprotocol that a client offers to speak JSON.
pub const SUBPROTOCOL: &str = "parlor.v1";

/// Messages that come first where a client does not say how many, and the most it may ask for at once.
pub const JSON_LAST: usize = 50;
/// The same for plain text.
pub const PLAIN_LAST: usize = 20;
/// The most messages one `last` or `history` brings.
pub const MOST: usize = 200;

/// The most rooms that `welcome` lists.
pub const MOST_ROOMS: usize = 200;

/// Close codes, of RFC 6455 section 7.4 and our own from 4000.
pub mod close {
    /// The server is going away.
    pub const AWAY: u16 = 1001;
    /// A frame that breaks RFC 6455.
    pub const PROTOCOL: u16 = 1002;
    /// A binary frame in the chat.
    pub const UNSUPPORTED: u16 = 1003;
    /// Text that is not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// A rule of the house was broken, or the operator does not want it here: the reason says which.
    pub const POLICY: u16 = 1008;
    /// A message past the limit.
    pub const TOO_BIG: u16 = 1009;
    /// A fault of the server.
    pub const FAULT: u16 = 1011;
    /// The client reads too slowly: come back with `since`.
    pub const TOO_SLOW: u16 = 4000;
}

/// Why a frame of the client was refused. The connection stays open.
#[derive(Debug, PartialEq, Serialize)]
pub struct Problem {
    /// What kind of refusal.
    pub code: Code,
    /// What happened and what to do, for people.
    pub message: String,
    /// The message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The request it is about.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Value>,
    /// The room it is about, as the client named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
}

/// The kinds of refusal.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    BadJson,
    UnknownType,
    BadField,
    NoSuchRoom,
    RoomExists,
    NotAMember,
    NotAllowed,
    TooLong,
    RateLimited,
    Unavailable,
}

impl Code {
    /// Each of them.
    pub const ALL: [Code; 10] = [
        Code::BadJson,
        Code::UnknownType,
        Code::BadField,
        Code::NoSuchRoom,
        Code::RoomExists,
        Code::NotAMember,
        Code::NotAllowed,
        Code::TooLong,
        Code::RateLimited,
        Code::Unavailable,
    ];

    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::BadJson => "bad_json",
            Code::UnknownType => "unknown_type",
            Code::BadField => "bad_field",
            Code::NoSuchRoom => "no_such_room",
            Code::RoomExists => "room_exists",
            Code::NotAMember => "not_a_member",
            Code::NotAllowed => "not_allowed",
            Code::TooLong => "too_long",
            Code::RateLimited => "rate_limited",
            Code::Unavailable => "unavailable",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl Problem {
    /// A refusal about nothing in particular.
    pub fn new(code: Code, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), id: None, reference: None, room: None }
    }

    /// Says which message it is about.
    pub fn id(self, id: impl Into<Option<String>>) -> Problem {
        Problem { id: id.into(), ..self }
    }

    /// Says which room it is about.
    pub fn room(self, room: impl Into<String>) -> Problem {
        Problem { room: Some(room.into()), ..self }
    }

    /// What was to be stored could not be.
    pub fn unavailable() -> Problem {
        Problem::new(Code::Unavailable, "the database does not answer just now; nothing was stored, try again")
    }
}

/// What the server allows, told in `welcome`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    /// The longest body, in bytes of UTF-8.
    pub body: usize,
    /// The longest frame or message on the wire, in bytes.
    pub message: usize,
    /// The longest name of a room, in characters.
    pub room_name: usize,
    /// The longest name of a person, in characters.
    pub name: usize,
}

impl Limits {
    /// The limits of a server with this limit of a body and this of a message.
    pub fn new(body: usize, message: usize) -> Limits {
        Limits { body, message, room_name: LONGEST, name: LONGEST }
    }
}
