//! The wire, version 1: what a client may ask in `parlor.v1`, what the server says, and the plain-text mode.
//!
//! No I/O here: text in, a [`Request`] or a [`Problem`] out; facts in, frames out.

use crate::frame;
use crate::name::{LONGEST, PersonName, RoomName};
use crate::store::{Message, Rev, Role, Room, RoomView, Time};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// The subprotocol that a client offers to speak JSON.
pub const SUBPROTOCOL: &str = "parlor.v1";

/// Messages that come first where a client does not say how many, and the most it may ask for at once.
pub const JSON_LAST: usize = 50;
/// The same for plain text.
pub const PLAIN_LAST: usize = 20;
/// The most messages one `last` or `history` brings.
pub const MOST: usize = 200;

/// What a message weighs on the wire besides its body: field names, numbers, id and name.
pub const MESSAGE_OVERHEAD: usize = 512;

/// The longest id of a message or a request, in characters.
const LONGEST_ID: usize = 64;
/// The longest title of a room, in characters.
const LONGEST_TITLE: usize = 80;

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
    /// A message past the limit.
    pub const TOO_BIG: u16 = 1009;
    /// A fault of the server.
    pub const FAULT: u16 = 1011;
    /// The client reads too slowly: come back with `since`.
    pub const TOO_SLOW: u16 = 4000;
}

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// Enter a room.
    Join {
        /// Which.
        room: RoomName,
        /// Where to begin.
        start: Start,
    },
    /// Leave a room.
    Leave {
        /// Which.
        room: RoomName,
    },
    /// Make a room and be in it.
    Create {
        /// Its name.
        room: RoomName,
        /// Its title; the name, if none was given.
        title: String,
    },
    /// Say something.
    Post {
        /// Where.
        room: RoomName,
        /// The client's id for it.
        id: String,
        /// What.
        body: String,
    },
    /// The person is writing.
    Typing {
        /// Where.
        room: RoomName,
    },
    /// The person has read up to a number.
    Read {
        /// Where.
        room: RoomName,
        /// Up to which number.
        rev: Rev,
    },
    /// Older messages.
    History {
        /// Of which room.
        room: RoomName,
        /// Before which seq.
        before: Rev,
        /// How many at most.
        limit: usize,
        /// Given back with the answer.
        reference: Option<Value>,
    },
    /// Are you there?
    Ping {
        /// Given back with the answer.
        t: Option<Value>,
    },
}

/// Where a join begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// With everything changed after this number.
    Since(Rev),
    /// With the last so many messages.
    Last(usize),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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

// ── what clients send ──────────────────────────────────────────────────────────────────────────────────────────────

/// Every field that any request has, each of its type.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    room: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    since: Option<i64>,
    last: Option<i64>,
    before: Option<i64>,
    limit: Option<i64>,
    rev: Option<i64>,
    t: Option<Value>,
    #[serde(rename = "ref")]
    reference: Option<Value>,
}

/// Reads one text frame of a `parlor.v1` client.
pub fn parse(text: &str, limits: &Limits) -> Result<Request, Problem> {
    let fields: Fields = serde_json::from_str(text).map_err(|e| diagnose(text, &e))?;
    let (id, reference, room) =
        (fields.id.as_deref().map(short), fields.reference.clone(), fields.room.as_deref().map(short));
    fields.request(limits).map_err(|problem| {
        let reference = reference.filter(|r| scalar("ref", Some(r)).is_ok());
        Problem { id, reference, room, ..problem }
    })
}

/// Finds what the fast path stumbled over.
fn diagnose(text: &str, error: &serde_json::Error) -> Problem {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Problem::new(Code::BadJson, format!("this is not JSON: {error}"));
    };
    let Value::Object(fields) = value else {
        return Problem::new(Code::BadJson, "a frame is a JSON object with a \"type\"");
    };
    let id = fields.get("id").and_then(Value::as_str).map(short);
    for (name, value) in &fields {
        let (right, form) = match name.as_str() {
            "type" | "room" | "id" | "body" | "title" => (value.is_string() || value.is_null(), "a string"),
            "since" | "last" | "before" | "limit" | "rev" => (value.is_i64() || value.is_null(), "an integer"),
            _ => continue,
        };
        if !right {
            return bad_field(name, &format!("must be {form}")).id(id);
        }
    }
    Problem::new(Code::BadJson, format!("this frame cannot be read: {error}")).id(id)
}

impl Fields<'_> {
    fn request(self, limits: &Limits) -> Result<Request, Problem> {
        let kind = self.kind.as_deref().ok_or_else(|| bad_field("type", "is missing"))?;
        Ok(match kind {
            "post" => Request::Post {
                room: self.room()?,
                id: message_id(required("id", self.id.as_deref())?)?,
                body: body(required("body", self.body.as_deref())?, limits.body)?,
            },
            "join" => Request::Join { room: self.room()?, start: self.start()? },
            "leave" => Request::Leave { room: self.room()? },
            "create" => {
                let room = self.room()?;
                Request::Create { title: title(self.title.as_deref().unwrap_or(room.as_str()))?, room }
            }
            "typing" => Request::Typing { room: self.room()? },
            "read" => Request::Read { room: self.room()?, rev: number("rev", required("rev", self.rev)?)? },
            "history" => Request::History {
                room: self.room()?,
                before: number("before", required("before", self.before)?)?,
                limit: number("limit", self.limit.unwrap_or(JSON_LAST as i64))?.clamp(1, MOST as i64) as usize,
                reference: scalar("ref", self.reference.as_ref())?,
            },
            "ping" => Request::Ping { t: scalar("t", self.t.as_ref())? },
            other => {
                return Err(Problem::new(Code::UnknownType, format!("there is no frame of type \"{}\"", short(other))));
            }
        })
    }

    fn room(&self) -> Result<RoomName, Problem> {
        RoomName::parse(required("room", self.room.as_deref())?).map_err(|why| bad_field("room", why))
    }

    fn start(&self) -> Result<Start, Problem> {
        match (self.since, self.last) {
            (Some(_), Some(_)) => Err(bad_field("since", "and \"last\" exclude each other")),
            (Some(rev), None) => Ok(Start::Since(number("since", rev)?)),
            (None, last) => {
                Ok(Start::Last(number("last", last.unwrap_or(JSON_LAST as i64))?.min(MOST as i64) as usize))
            }
        }
    }
}

/// Checks what a person says: not empty, not too long, nothing that a database cannot hold.
pub fn body(text: &str, limit: usize) -> Result<String, Problem> {
    if text.len() > limit {
        let message = format!("this message has {} bytes; {limit} is the most", text.len());
        return Err(Problem::new(Code::TooLong, message));
    }
    if text.trim().is_empty() {
        return Err(bad_field("body", "is empty"));
    }
    if text.contains('\0') {
        return Err(bad_field("body", "contains the character U+0000"));
    }
    Ok(text.to_owned())
}

fn message_id(text: &str) -> Result<String, Problem> {
    let count = text.chars().count();
    if count == 0 || count > LONGEST_ID || text.contains('\0') {
        return Err(bad_field("id", "must have 1 to 64 characters"));
    }
    Ok(text.to_owned())
}

fn title(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_TITLE || text.chars().any(char::is_control) {
        return Err(bad_field("title", "must have 1 to 80 characters, all in one line"));
    }
    Ok(text.to_owned())
}

fn number(name: &str, value: i64) -> Result<i64, Problem> {
    if value < 0 { Err(bad_field(name, "must not be negative")) } else { Ok(value) }
}

/// A value that is given back as it came: a number or a short text.
fn scalar(name: &str, value: Option<&Value>) -> Result<Option<Value>, Problem> {
    match value {
        Some(Value::String(text)) if text.chars().count() > LONGEST_ID => {
            Err(bad_field(name, "has 64 characters at most"))
        }
        Some(Value::Array(_) | Value::Object(_)) => Err(bad_field(name, "must be a number or a string")),
        other => Ok(other.cloned()),
    }
}

fn required<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| bad_field(name, "is missing"))
}

fn bad_field(name: &str, why: &str) -> Problem {
    Problem::new(Code::BadField, format!("\"{name}\" {why}"))
}

/// So much of a client's text as an answer may repeat.
fn short(text: &str) -> String {
    text.chars().take(LONGEST_ID).collect()
}

// ── what the server says ───────────────────────────────────────────────────────────────────────────────────────────

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
    // Our own types into memory: a failure would be a fault of this file, and its tests would show it.
    serde_json::to_vec(value).unwrap_or_default()
}

/// The first frame.
pub fn welcome(name: &PersonName, role: Role, epoch: &str, rooms: &[RoomView], limits: &Limits) -> Bytes {
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
        limits: &'a Limits,
        server: &'a str,
    }
    let rooms = rooms.iter().map(|view| RoomFields::of(&view.room, Some(view.unread))).collect();
    let server = concat!("parlor/", env!("CARGO_PKG_VERSION"));
    say("welcome", Welcome { you: You { name, role }, epoch, rooms, limits, server })
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
    use super::*;

    const LIMITS: Limits = Limits { body: 100, message: 1000, room_name: 32, name: 32 };

    fn refused(text: &str) -> Problem {
        parse(text, &LIMITS).expect_err(text)
    }

    fn lobby() -> RoomName {
        RoomName::lobby()
    }

    fn payload(frame: Bytes) -> Value {
        serde_json::from_slice(&frame[if frame[1] == 126 { 4 } else { 2 }..]).unwrap()
    }

    #[test]
    fn every_request_is_read() {
        let read = |text| parse(text, &LIMITS).unwrap();
        assert_eq!(read(r#"{"type":"join","room":"lobby"}"#), Request::Join { room: lobby(), start: Start::Last(50) });
        assert_eq!(
            read(r#"{"type":"join","room":"lobby","since":7}"#),
            Request::Join { room: lobby(), start: Start::Since(7) }
        );
        assert_eq!(
            read(r#"{"type":"join","room":"lobby","last":9999}"#),
            Request::Join { room: lobby(), start: Start::Last(200) }
        );
        assert_eq!(read(r#"{"type":"leave","room":"lobby"}"#), Request::Leave { room: lobby() });
        assert_eq!(
            read(r#"{"type":"create","room":"lobby"}"#),
            Request::Create { room: lobby(), title: "lobby".into() }
        );
        assert_eq!(
            read(r#"{"type":"post","room":"lobby","id":"1","body":"a\nb","new_field":[1]}"#),
            Request::Post { room: lobby(), id: "1".into(), body: "a\nb".into() }
        );
        assert_eq!(read(r#"{"type":"typing","room":"lobby"}"#), Request::Typing { room: lobby() });
        assert_eq!(read(r#"{"type":"read","room":"lobby","rev":3}"#), Request::Read { room: lobby(), rev: 3 });
        assert_eq!(
            read(r#"{"type":"history","room":"lobby","before":9,"limit":500,"ref":"r"}"#),
            Request::History { room: lobby(), before: 9, limit: 200, reference: Some("r".into()) }
        );
        assert_eq!(read(r#"{"type":"ping","t":1.5}"#), Request::Ping { t: Some(1.5.into()) });
    }

    #[test]
    fn a_refusal_names_the_kind_and_the_field() {
        for (text, code, word) in [
            ("hello", Code::BadJson, "not JSON"),
            ("[1]", Code::BadJson, "object"),
            ("{}", Code::BadField, "\"type\" is missing"),
            (r#"{"type":1}"#, Code::BadField, "\"type\" must be a string"),
            (r#"{"type":"dance"}"#, Code::UnknownType, "dance"),
            (r#"{"type":"join"}"#, Code::BadField, "\"room\" is missing"),
            (r#"{"type":"join","room":"A B"}"#, Code::BadField, "\"room\""),
            (r#"{"type":"join","room":"a","since":"x"}"#, Code::BadField, "\"since\" must be an integer"),
            (r#"{"type":"join","room":"a","since":-1}"#, Code::BadField, "\"since\" must not be negative"),
            (r#"{"type":"join","room":"a","since":1,"last":1}"#, Code::BadField, "exclude"),
            (r#"{"type":"post","room":"a","id":"","body":"x"}"#, Code::BadField, "\"id\""),
            (r#"{"type":"post","room":"a","id":"1","body":" \n "}"#, Code::BadField, "\"body\" is empty"),
            (r#"{"type":"post","room":"a","id":"1","body":"\u0000"}"#, Code::BadField, "U+0000"),
            (r#"{"type":"create","room":"a","title":"x\ny"}"#, Code::BadField, "\"title\""),
            (r#"{"type":"history","room":"a","before":5,"ref":{}}"#, Code::BadField, "\"ref\""),
            (r#"{"type":"read","room":"a","rev":1.5}"#, Code::BadField, "\"rev\" must be an integer"),
        ] {
            let problem = refused(text);
            assert_eq!(problem.code, code, "{text}: {problem:?}");
            assert!(problem.message.contains(word), "{text}: {}", problem.message);
        }
        let long = format!(r#"{{"type":"post","room":"a","id":"7","body":"{}"}}"#, "é".repeat(51));
        let problem = refused(&long);
        assert_eq!((problem.code, problem.id.as_deref()), (Code::TooLong, Some("7")));
        assert!(problem.message.contains("102 bytes; 100"), "{}", problem.message);
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
