//! What the server says: facts in, frames out.

use super::{FoundFields, Limits, Muted, Problem};
use crate::deflate::Spared;
use crate::doors::Standing;
use crate::frame;
use crate::name::{PersonName, RoomName};
use crate::query::Answer;
use crate::store::{Kind, Message, Reaction, Rev, Role, Room, RoomView, Time};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// What a message weighs on the wire besides its body: field names, numbers, id and name.
pub const MESSAGE_OVERHEAD: usize = 512;

/// Bytes of most frames, so that their buffer need not grow.
const USUAL: usize = 256;
/// What a message weighs on the wire, at the most.
pub fn weight(message: &Message) -> usize {
    let reactions = message.reactions.iter().flat_map(|reaction| &reaction.people);
    let reactions: usize = reactions.map(|person| person.as_str().len() + A_REACTION).sum();
    message.body.len() + MESSAGE_OVERHEAD + reactions
}

/// What a reaction weighs besides the person's name: quotes, and the sign if it is the first of its kind.
const A_REACTION: usize = 64;

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
pub fn welcome(
    name: &PersonName,
    role: Role,
    epoch: &str,
    rooms: &[(Standing, RoomView)],
    more: bool,
    limits: &Limits,
    muted: Option<&Muted>,
) -> Bytes {
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
    let rooms = rooms.iter().map(|(standing, view)| {
        let (unread, mentions) = (Some(view.unread), Some(view.mentions));
        RoomFields { unread, mentions, ..RoomFields::of(&view.room, standing, name) }
    });
    let rooms = rooms.collect();
    let server = concat!("parlor/", env!("CARGO_PKG_VERSION"));
    say("welcome", Welcome { you: You { name, role, muted }, epoch, rooms, more, limits, server })
}

/// A person, as they now stand here.
#[derive(Serialize)]
struct You<'a> {
    name: &'a PersonName,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<&'a Muted>,
}

/// Tells a person how they stand from now on.
pub fn you(name: &PersonName, role: Role, muted: Option<&Muted>) -> Bytes {
    say("you", You { name, role, muted })
}

#[derive(Serialize)]
struct RoomFields<'a> {
    room: &'a RoomName,
    title: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    topic: &'a str,
    kind: Kind,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
    #[serde(skip_serializing_if = "is_none")]
    slow: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    maker: Option<&'a PersonName>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    people: &'a [PersonName],
    head: Rev,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<i64>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a Value>,
}

impl<'a> RoomFields<'a> {
    fn of(room: &'a Room, standing: &'a Standing, reader: &PersonName) -> RoomFields<'a> {
        let title = match room.kind {
            Kind::Direct => Cow::Owned(others(&standing.people, reader)),
            Kind::Public | Kind::Private => Cow::Borrowed(room.title.as_str()),
        };
        RoomFields {
            room: &room.name,
            title,
            topic: &room.topic,
            kind: room.kind,
            archived: room.archived,
            slow: room.slow,
            read_only: room.read_only,
            maker: standing.maker.as_ref(),
            people: &standing.people,
            head: room.head,
            unread: None,
            mentions: None,
            reference: None,
        }
    }
}

fn is_none(seconds: &u32) -> bool {
    *seconds == 0
}

/// What a direct room is called for one of its people: the others' names.
fn others(people: &[PersonName], reader: &PersonName) -> String {
    let own = reader.folded();
    let others: Vec<&str> = people.iter().filter(|name| name.folded() != own).map(PersonName::as_str).collect();
    others.join(", ")
}

/// A room as it now stands, for `reader`; with `reference`, it answers a request.
pub fn room(room: &Room, standing: &Standing, reader: &PersonName, reference: Option<&Value>) -> Bytes {
    say("room", RoomFields { reference, ..RoomFields::of(room, standing, reader) })
}

/// A room that is not there any more, for who is told.
pub fn gone(room: &RoomName) -> Bytes {
    #[derive(Serialize)]
    struct Gone<'a> {
        room: &'a RoomName,
        gone: bool,
    }
    say("room", Gone { room, gone: true })
}

/// All members of a room.
pub fn members(room: &RoomName, people: &[PersonName], reference: Option<&Value>) -> Bytes {
    #[derive(Serialize)]
    struct Members<'a> {
        room: &'a RoomName,
        people: &'a [PersonName],
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a Value>,
    }
    say("members", Members { room, people, reference })
}

/// One member more, or one less.
pub fn member(room: &RoomName, person: &PersonName, is_in: bool) -> Bytes {
    #[derive(Serialize)]
    struct Member<'a> {
        room: &'a RoomName,
        #[serde(skip_serializing_if = "Option::is_none")]
        added: Option<&'a PersonName>,
        #[serde(skip_serializing_if = "Option::is_none")]
        removed: Option<&'a PersonName>,
    }
    let (added, removed) = if is_in { (Some(person), None) } else { (None, Some(person)) };
    say("members", Member { room, added, removed })
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
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Rev>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Time>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reactions: &'a [Reaction],
}

impl<'a> MessageFields<'a> {
    fn of(kind: Option<&'a str>, room: &'a RoomName, m: &'a Message) -> MessageFields<'a> {
        MessageFields {
            kind,
            room,
            seq: m.seq,
            rev: m.rev,
            id: &m.id,
            from: &m.from,
            at: m.at,
            body: &m.body,
            reply_to: m.reply_to,
            edited_at: m.edited_at,
            deleted: m.deleted,
            reactions: &m.reactions,
        }
    }
}

/// A message as it now stands.
pub fn message(room: &RoomName, message: &Message) -> Bytes {
    frame::text(json(&MessageFields::of(Some("message"), room, message)))
}

/// A message as it now stands, where it is no frame of its own.
#[cfg(feature = "http")]
pub fn message_fields(room: &RoomName, message: &Message) -> Value {
    serde_json::to_value(MessageFields::of(None, room, message)).unwrap_or_default()
}

/// A room as it now stands, for `reader`, where it is no frame of its own.
#[cfg(feature = "http")]
pub fn room_fields(room: &Room, standing: &Standing, reader: &PersonName) -> Value {
    serde_json::to_value(RoomFields::of(room, standing, reader)).unwrap_or_default()
}

/// A message as a plain-text client sees it: nothing, if it was deleted.
pub fn plain_message(message: &Message) -> Bytes {
    if message.deleted {
        return Bytes::new();
    }
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

/// What a search has found.
pub fn found(answer: &Answer, reference: Option<&Value>) -> Bytes {
    say("found", FoundFields::of(answer, reference))
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

/// Somebody with an account has another picture, or none any more.
pub fn person(name: &PersonName, avatar: bool) -> Bytes {
    #[derive(Serialize)]
    struct Person<'a> {
        name: &'a PersonName,
        avatar: bool,
    }
    say("person", Person { name, avatar })
}

/// The answer to a `ping`, with what packing has spared this connection, if it was agreed on.
pub fn pong(t: Option<&Value>, packed: Option<Spared>) -> Bytes {
    #[derive(Serialize)]
    struct Pong<'a> {
        t: Option<&'a Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        packed: Option<Spared>,
    }
    say("pong", Pong { t, packed })
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
        let m = Message::born(1, 4, "x".into(), from.clone(), Time(1_700_000_000_007), "hi".into(), None);
        let expected = serde_json::json!({"type": "message", "room": "lobby", "seq": 4, "rev": 4, "id": "x", "from": "ann",
            "at": "2023-11-14T22:13:20.007Z", "body": "hi"});
        assert_eq!(payload(message(&lobby(), &m)), expected);
        assert_eq!(&plain_message(&m)[2..], b"ann: hi");
        let reactions = vec![Reaction { emoji: "🎉".into(), people: vec![from.clone()] }];
        let m = Message { rev: 9, reply_to: Some(2), edited_at: Some(m.at), reactions, ..m };
        let expected = serde_json::json!({"type": "message", "room": "lobby", "seq": 4, "rev": 9, "id": "x", "from": "ann",
            "at": "2023-11-14T22:13:20.007Z", "body": "hi", "reply_to": 2, "edited_at": "2023-11-14T22:13:20.007Z",
            "reactions": [{"emoji": "🎉", "people": ["ann"]}]});
        assert_eq!(payload(message(&lobby(), &m)), expected);
        assert!(message(&lobby(), &m).len() < weight(&m));
        assert!(plain_message(&Message { deleted: true, ..m }).is_empty());
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
        assert_eq!(payload(pong(Some(&5.into()), None)), serde_json::json!({"type": "pong", "t": 5}));
    }
}
