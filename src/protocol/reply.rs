//! What the server says: facts in, frames out.

use super::{Limits, Problem};
use crate::frame;
use crate::name::{PersonName, RoomName};
use crate::store::{Message, Rev, Role, Room, RoomView, Time};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

/// What a message weighs on the wire besides its body: field names, numbers, id and name.
pub const MESSAGE_OVERHEAD: usize = 512;

/// Bytes of most frames, so that their buffer need not grow.
const USUAL: usize = 256;

/// A frame of the server: its type, and its fields beside it.
#[derive(Serialize)]
struct Said<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(flatten)]
    fields: T,
}

fn say(kind: &str, fields: impl Serialize) -> Bytes {
    frame::text(json(&Said { kind, fields }))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(USUAL);
    // Our own types into memory: a failure would be a fault of this file, and its tests would show it.
    let _ = serde_json::to_writer(&mut text, value);
    text
}

/// The first frame. `more`: there are other rooms than these.
pub fn welcome(name: &PersonName, role: Role, epoch: &str, rooms: &[RoomView], more: bool, limits: &Limits) -> Bytes {
    #[derive(Serialize)]
    struct You<'a> {
        name: &'a PersonName,
        role: Role,
    }
    #[derive(Serialize)]
    struct Welcome<'a> {
        you: You<'a>,
        epoch: &'a str,
        rooms: Vec<RoomFields<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        more: bool,
        limits: &'a Limits,
        server: &'a str,
    }
    let rooms = rooms.iter().map(|view| RoomFields::of(&view.room, Some(view.unread))).collect();
    let server = concat!("parlor/", env!("CARGO_PKG_VERSION"));
    say("welcome", Welcome { you: You { name, role }, epoch, rooms, more, limits, server })
}

#[derive(Serialize)]
struct RoomFields<'a> {
    room: &'a RoomName,
    title: &'a str,
    kind: &'a str,
    head: Rev,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<i64>,
}

impl<'a> RoomFields<'a> {
    fn of(room: &'a Room, unread: Option<i64>) -> RoomFields<'a> {
        RoomFields { room: &room.name, title: &room.title, kind: &room.kind, head: room.head, unread }
    }
}

/// A room that was made.
pub fn room(room: &Room) -> Bytes {
    say("room", RoomFields::of(room, None))
}

#[derive(Serialize)]
struct MessageFields<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    room: &'a RoomName,
    seq: Rev,
    rev: Rev,
    id: &'a str,
    from: &'a PersonName,
    at: Time,
    body: &'a str,
}

impl<'a> MessageFields<'a> {
    fn of(kind: Option<&'a str>, room: &'a RoomName, m: &'a Message) -> MessageFields<'a> {
        MessageFields { kind, room, seq: m.seq, rev: m.rev, id: &m.id, from: &m.from, at: m.at, body: &m.body }
    }
}

/// A message as it now stands.
pub fn message(room: &RoomName, message: &Message) -> Bytes {
    frame::text(json(&MessageFields::of(Some("message"), room, message)))
}

/// A message as a plain-text client sees it.
pub fn plain_message(message: &Message) -> Bytes {
    frame::text(format!("{}: {}", message.from, message.body))
}

/// The replay is done; what follows is live.
pub fn joined(room: &RoomName, head: Rev, count: usize, members: Option<&[PersonName]>) -> Bytes {
    #[derive(Serialize)]
    struct Joined<'a> {
        room: &'a RoomName,
        head: Rev,
        count: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        members: Option<&'a [PersonName]>,
    }
    say("joined", Joined { room, head, count, members })
}

/// Older messages.
pub fn history(room: &RoomName, messages: &[Message], more: bool, reference: Option<&Value>) -> Bytes {
    #[derive(Serialize)]
    struct History<'a> {
        room: &'a RoomName,
        messages: Vec<MessageFields<'a>>,
        more: bool,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Value>,
    }
    let messages = messages.iter().map(|m| MessageFields::of(None, room, m)).collect();
    say("history", History { room, messages, more, reference })
}

/// Who came and went; the names only where the room is small.
pub fn presence(room: &RoomName, count: usize, names: Option<(&[PersonName], &[PersonName])>) -> Bytes {
    #[derive(Serialize)]
    struct Presence<'a> {
        room: &'a RoomName,
        count: usize,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        joined: &'a [PersonName],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        left: &'a [PersonName],
    }
    let (joined, left) = names.unwrap_or_default();
    say("presence", Presence { room, count, joined, left })
}

/// Somebody is writing.
pub fn typing(room: &RoomName, from: &PersonName) -> Bytes {
    #[derive(Serialize)]
    struct Typing<'a> {
        room: &'a RoomName,
        from: &'a PersonName,
    }
    say("typing", Typing { room, from })
}

/// The same person has read up to here, somewhere else.
pub fn read(room: &RoomName, rev: Rev) -> Bytes {
    #[derive(Serialize)]
    struct Read<'a> {
        room: &'a RoomName,
        rev: Rev,
    }
    say("read", Read { room, rev })
}

/// The answer to a `ping`.
pub fn pong(t: Option<&Value>) -> Bytes {
    #[derive(Serialize)]
    struct Pong<'a> {
        t: Option<&'a Value>,
    }
    say("pong", Pong { t })
}

/// A refusal.
pub fn error(problem: &Problem) -> Bytes {
    say("error", problem)
}

/// A refusal, as a plain-text client sees it.
pub fn plain_error(problem: &Problem) -> Bytes {
    frame::text(format!("! {}", problem.message))
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    fn lobby() -> RoomName {
        RoomName::lobby()
    }

    fn payload(frame: Bytes) -> Value {
        serde_json::from_slice(&frame[if frame[1] == 126 { 4 } else { 2 }..]).unwrap()
    }

    #[test]
    fn frames_read_as_the_protocol_says() {
        let from = PersonName::parse("ann").unwrap();
        let m = Message {
            room: 1,
            seq: 4,
            rev: 4,
            id: "x".into(),
            from: from.clone(),
            at: Time(1_700_000_000_007),
            body: "hi".into(),
        };
        let expected = serde_json::json!({"type": "message", "room": "lobby", "seq": 4, "rev": 4, "id": "x", "from": "ann",
            "at": "2023-11-14T22:13:20.007Z", "body": "hi"});
        assert_eq!(payload(message(&lobby(), &m)), expected);
        assert_eq!(&plain_message(&m)[2..], b"ann: hi");
        assert_eq!(
            payload(joined(&lobby(), 4, 1, Some(std::slice::from_ref(&from)))),
            serde_json::json!({"type": "joined", "room": "lobby", "head": 4, "count": 1, "members": ["ann"]})
        );
        assert_eq!(
            payload(presence(&lobby(), 200, None)),
            serde_json::json!({"type": "presence", "room": "lobby", "count": 200})
        );
        let problem = Problem::new(Code::NoSuchRoom, "none").room("x");
        assert_eq!(
            payload(error(&problem)),
            serde_json::json!({"type": "error", "code": "no_such_room", "message": "none", "room": "x"})
        );
        assert_eq!(payload(pong(Some(&5.into()))), serde_json::json!({"type": "pong", "t": 5}));
    }
}
