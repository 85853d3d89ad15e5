//! What clients send: one JSON object a frame, read strictly, refused with the name of the field.

use super::{Code, JSON_LAST, Limits, MOST, Problem};
use crate::name::RoomName;
use crate::store::Rev;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// The longest id of a message or a request, in characters.
const LONGEST_ID: usize = 64;
/// The longest title of a room, in characters.
const LONGEST_TITLE: usize = 80;

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
#[cold]
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

/// Checks the title of a room.
pub fn title(text: &str) -> Result<String, Problem> {
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
}
