//! The wire, version 1: what a client may ask in `parlor.v1`, what the server says, and the plain-text mode.
//!
//! No I/O here: text in, a [`Request`] or a [`Problem`] out; facts in, frames out.

mod found;
mod reply;
mod request;

use crate::name::{LONGEST, RoomName};
use crate::store::{Fault, Time};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

pub use found::FoundFields;
pub use reply::*;
pub use request::{Request, Start, Way, body, parse, title};
#[cfg(all(feature = "http", feature = "sqlite"))]
pub use request::{message_id, sign, topic};

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

/// The most people that a direct room is for, besides who makes it.
pub const MOST_PEOPLE: usize = 8;

/// The most members that a room is made with; the others are invited.
pub const MOST_MEMBERS: usize = 100;

/// Close codes, of RFC 6455 section 7.4 and our own from 4000.
pub mod close {
    /// The server is going away.
    pub const AWAY: u16 = 1001;
    /// The reason of that where others go on behind the same address.
    pub const ELSEWHERE: &str = "come back at once, with since: other servers go on";
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
    /// The session ended: do not come back by yourself.
    pub const SIGNED_OUT: u16 = 4001;
    /// The person has another name or role: come back with `since`.
    pub const CHANGED: u16 = 4002;
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
    /// When it may be asked again, of the few refusals that pass.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Box<Hint>>,
}

/// When something that was refused would not be.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Hint {
    /// After how many milliseconds it may be sent again, as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Until when it will be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// That a person may not speak, as that person is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Muted {
    /// Until when. None: until a moderator lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Why; empty where nobody has said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
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
    Muted,
    Unavailable,
}

impl Code {
    /// Each of them.
    pub const ALL: [Code; 11] = [
        Code::BadJson,
        Code::UnknownType,
        Code::BadField,
        Code::NoSuchRoom,
        Code::RoomExists,
        Code::NotAMember,
        Code::NotAllowed,
        Code::TooLong,
        Code::RateLimited,
        Code::Muted,
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
            Code::Muted => "muted",
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
        let (id, reference, room, hint) = Default::default();
        Problem { code, message: message.into(), id, reference, room, hint }
    }

    /// It came too soon, and may come again after `wait`.
    pub fn rate_limited(why: impl Into<String>, wait: Duration) -> Problem {
        // A millisecond more than less: who comes too early waits twice.
        let hint = Hint { retry_after: Some(wait.as_millis() as u64 + 1), until: None };
        Problem { hint: Some(Box::new(hint)), ..Problem::new(Code::RateLimited, why) }
    }

    /// After how long it may come again; at once, if that was not said.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.hint.as_ref().and_then(|hint| hint.retry_after).unwrap_or_default())
    }

    /// A person may not speak.
    pub fn muted(why: String, until: Option<Time>) -> Problem {
        let hint = until.map(|until| Box::new(Hint { until: Some(until), retry_after: None }));
        Problem { hint, ..Problem::new(Code::Muted, why) }
    }

    /// Says which message it is about.
    pub fn id(self, id: impl Into<Option<String>>) -> Problem {
        Problem { id: id.into(), ..self }
    }

    /// Says which room it is about.
    pub fn room(self, room: impl Into<String>) -> Problem {
        Problem { room: Some(room.into()), ..self }
    }

    /// There is no such room, or none for who asks: the two are not to be told apart.
    pub fn no_such_room(name: &RoomName) -> Problem {
        Problem::new(Code::NoSuchRoom, format!("there is no room \"{name}\"")).room(name.as_str())
    }

    /// Gives back the `ref` of the frame that it answers, whatever the frame was.
    pub fn answering(self, frame: &str) -> Problem {
        /// Of the frame, this field.
        #[derive(serde::Deserialize)]
        struct Asked {
            #[serde(rename = "ref")]
            reference: Option<Value>,
        }
        if self.reference.is_some() {
            return self;
        }
        let asked = serde_json::from_str::<Asked>(frame).ok().and_then(|asked| asked.reference);
        let reference = asked.filter(|asked| request::scalar("ref", Some(asked)).is_ok());
        Problem { reference, ..self }
    }

    /// A message that was not changed, or a reply that was not stored.
    pub fn of(fault: Fault) -> Problem {
        let (code, message) = match fault {
            Fault::NoSuchMessage => (Code::BadField, "\"seq\" is the number of no message in this room"),
            Fault::NothingToReplyTo => (Code::BadField, "\"reply_to\" is the number of no message in this room"),
            Fault::NotOwn => {
                (Code::NotAllowed, "somebody else wrote this message; only a moderator may change it, too")
            }
            Fault::Deleted => (Code::NotAllowed, "this message was deleted, and nothing of it can be changed any more"),
            Fault::TooManyReactions => (
                Code::NotAllowed,
                "this message has as many reactions as it can; add to one that it has, or take one back",
            ),
        };
        Problem::new(code, message)
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
