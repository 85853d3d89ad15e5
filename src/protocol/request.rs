//! What clients send: one JSON object a frame, read strictly, refused with the name of the field.

use super::{Code, JSON_LAST, Limits, MOST, MOST_MEMBERS, MOST_PEOPLE, Problem};
use crate::look;
use crate::name::{PersonName, RoomName};
use crate::query::{MOST_HITS, Question, USUAL_HITS};
use crate::store::{Change, Kind, Rev, SLOWEST};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;

/// The longest id of a message or a request, in characters.
const LONGEST_ID: usize = 64;
/// The longest sign of a reaction, in bytes: most families of four fit.
const LONGEST_SIGN: usize = 32;
/// The longest title of a room, in characters.
const LONGEST_TITLE: usize = 80;
/// The longest topic of a room, in characters.
const LONGEST_TOPIC: usize = 200;

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
        /// Public or private.
        kind: Kind,
        /// What it is about; empty, if nothing was said.
        topic: String,
        /// Who is in it from the start, if it is private.
        members: Vec<PersonName>,
    },
    /// Find or make the direct room with these people, and be in it.
    Direct {
        /// Whom it is with.
        people: Vec<PersonName>,
        /// Given back with the answer.
        reference: Option<Value>,
    },
    /// Say something else of a room.
    Change {
        /// Which.
        room: RoomName,
        /// Its new title.
        title: Option<String>,
        /// Its new topic.
        topic: Option<String>,
        /// Whether it can only be read.
        archived: Option<bool>,
        /// Seconds between two posts of one person; 0: none.
        slow: Option<u32>,
        /// Whether only those who look after it may post.
        read_only: Option<bool>,
    },
    /// Make somebody a member of a private room.
    Invite {
        /// Which.
        room: RoomName,
        /// Whom.
        name: PersonName,
    },
    /// End somebody's membership of a private room.
    Remove {
        /// Which.
        room: RoomName,
        /// Whose.
        name: PersonName,
    },
    /// End one's own.
    Quit {
        /// Which.
        room: RoomName,
    },
    /// Who is a member of a room?
    Members {
        /// Which.
        room: RoomName,
        /// Given back with the answer.
        reference: Option<Value>,
    },
    /// Say something.
    Post {
        /// Where.
        room: RoomName,
        /// The client's id for it.
        id: String,
        /// What.
        body: String,
        /// The message that it answers.
        reply_to: Option<Rev>,
    },
    /// Change what was said, or take it back.
    Amend {
        /// Where.
        room: RoomName,
        /// Which message.
        seq: Rev,
        /// How.
        change: Change,
        /// Given back if it is refused.
        reference: Option<Value>,
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
    /// What was said of something, in all rooms?
    Search {
        /// What.
        question: Question,
        /// Given back with the answer.
        reference: Option<Value>,
    },
    /// A page of messages.
    History {
        /// Of which room.
        room: RoomName,
        /// From where on.
        way: Way,
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

/// Which way a page of history goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// The messages before this `seq`.
    Before(Rev),
    /// Those after it.
    After(Rev),
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
    #[serde(rename = "kind", borrow)]
    room_kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    topic: Option<Cow<'a, str>>,
    archived: Option<bool>,
    slow: Option<i64>,
    read_only: Option<bool>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    members: Option<Vec<String>>,
    people: Option<Vec<String>>,
    since: Option<i64>,
    last: Option<i64>,
    before: Option<i64>,
    after: Option<i64>,
    #[serde(borrow)]
    query: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cursor: Option<Cow<'a, str>>,
    limit: Option<i64>,
    rev: Option<i64>,
    seq: Option<i64>,
    reply_to: Option<i64>,
    #[serde(borrow)]
    emoji: Option<Cow<'a, str>>,
    on: Option<bool>,
    t: Option<Value>,
    #[serde(rename = "ref")]
    reference: Option<Value>,
}

/// Reads one text frame of a `parlor.v1` client.
pub fn parse(text: &str, limits: &Limits) -> Result<Request, Problem> {
    read(text)?.checked(limits)
}

/// What a client has once had on its stack it keeps: so this much stands nowhere but here.
#[inline(never)]
fn read(text: &str) -> Result<Box<Fields<'_>>, Problem> {
    serde_json::from_str(text).map_err(|e| diagnose(text, &e))
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
            "type" | "room" | "id" | "body" | "title" | "kind" | "topic" | "name" | "emoji" | "query" | "cursor" => {
                (value.is_string() || value.is_null(), "a string")
            }
            "since" | "last" | "before" | "after" | "limit" | "rev" | "seq" | "reply_to" | "slow" => {
                (value.is_i64() || value.is_null(), "an integer")
            }
            "archived" | "on" | "read_only" => (value.is_boolean() || value.is_null(), "true or false"),
            "members" | "people" => (is_list_of_texts(value) || value.is_null(), "a list of strings"),
            _ => continue,
        };
        if !right {
            return bad_field(name, &format!("must be {form}")).id(id);
        }
    }
    Problem::new(Code::BadJson, format!("this frame cannot be read: {error}")).id(id)
}

fn is_list_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

impl Fields<'_> {
    /// What the fields ask for; a problem says which request has it.
    #[inline(never)]
    fn checked(&self, limits: &Limits) -> Result<Request, Problem> {
        self.request(limits).map_err(|problem| Problem {
            id: self.id.as_deref().map(short),
            reference: self.reference.clone().filter(|r| scalar("ref", Some(r)).is_ok()),
            room: self.room.as_deref().map(short),
            ..problem
        })
    }

    fn request(&self, limits: &Limits) -> Result<Request, Problem> {
        let kind = self.kind.as_deref().ok_or_else(|| bad_field("type", "is missing"))?;
        Ok(match kind {
            "post" => Request::Post {
                room: self.room()?,
                id: message_id(required("id", self.id.as_deref())?)?,
                body: body(required("body", self.body.as_deref())?, limits.body)?,
                reply_to: self.reply_to.map(|seq| number("reply_to", seq)).transpose()?,
            },
            "edit" => {
                let text = body(required("body", self.body.as_deref())?, limits.body)?;
                self.amend(Change::Edit(text))?
            }
            "delete" => self.amend(Change::Delete)?,
            "react" => {
                let emoji = sign(required("emoji", self.emoji.as_deref())?)?;
                let on = required("on", self.on)?;
                self.amend(Change::React { emoji, on })?
            }
            "join" => Request::Join { room: self.room()?, start: self.start()? },
            "leave" => Request::Leave { room: self.room()? },
            "create" => self.create()?,
            "direct" => Request::Direct {
                people: names("people", required("people", self.people.as_deref())?, 1, MOST_PEOPLE)?,
                reference: scalar("ref", self.reference.as_ref())?,
            },
            "change" => self.change()?,
            "invite" => Request::Invite { room: self.room()?, name: self.name()? },
            "remove" => Request::Remove { room: self.room()?, name: self.name()? },
            "quit" => Request::Quit { room: self.room()? },
            "members" => Request::Members { room: self.room()?, reference: scalar("ref", self.reference.as_ref())? },
            "typing" => Request::Typing { room: self.room()? },
            "read" => Request::Read { room: self.room()?, rev: number("rev", required("rev", self.rev)?)? },
            "history" => Request::History {
                room: self.room()?,
                way: self.way()?,
                limit: number("limit", self.limit.unwrap_or(JSON_LAST as i64))?.clamp(1, MOST as i64) as usize,
                reference: scalar("ref", self.reference.as_ref())?,
            },
            "search" => Request::Search {
                question: Question {
                    query: required("query", self.query.as_deref())?.to_owned(),
                    cursor: self.cursor.as_deref().map(str::to_owned),
                    limit: number("limit", self.limit.unwrap_or(USUAL_HITS as i64))?.clamp(1, MOST_HITS as i64)
                        as usize,
                },
                reference: scalar("ref", self.reference.as_ref())?,
            },
            "ping" => Request::Ping { t: scalar("t", self.t.as_ref())? },
            other => {
                return Err(Problem::new(Code::UnknownType, format!("there is no frame of type \"{}\"", short(other))));
            }
        })
    }

    fn amend(&self, change: Change) -> Result<Request, Problem> {
        Ok(Request::Amend {
            room: self.room()?,
            seq: number("seq", required("seq", self.seq)?)?,
            change,
            reference: scalar("ref", self.reference.as_ref())?,
        })
    }

    fn room(&self) -> Result<RoomName, Problem> {
        RoomName::parse(required("room", self.room.as_deref())?).map_err(|why| bad_field("room", why))
    }

    fn name(&self) -> Result<PersonName, Problem> {
        name("name", required("name", self.name.as_deref())?)
    }

    fn create(&self) -> Result<Request, Problem> {
        let room = self.room()?;
        if room.is_of_direct_rooms() {
            return Err(bad_field("room", "is of a form that is kept for direct rooms; choose another"));
        }
        let kind = match self.room_kind.as_deref() {
            None | Some("public") => Kind::Public,
            Some("private") => Kind::Private,
            Some(_) => return Err(bad_field("kind", "must be \"public\" or \"private\"")),
        };
        let members = names("members", self.members.as_deref().unwrap_or_default(), 0, MOST_MEMBERS)?;
        if kind == Kind::Public && !members.is_empty() {
            return Err(bad_field("members", "are those of a private room; everyone may join a public one"));
        }
        let title = title(self.title.as_deref().unwrap_or(room.as_str()))?;
        Ok(Request::Create { title, kind, topic: topic(self.topic.as_deref().unwrap_or_default())?, members, room })
    }

    fn change(&self) -> Result<Request, Problem> {
        let said = [self.title.is_some(), self.topic.is_some(), self.archived.is_some()];
        if !said.contains(&true) && self.slow.is_none() && self.read_only.is_none() {
            return Err(bad_field(
                "title",
                "is missing, as are \"topic\", \"archived\", \"slow\" and \"read_only\": there is nothing to change",
            ));
        }
        let seconds = |slow: i64| u32::try_from(slow).ok().filter(|slow| *slow <= SLOWEST);
        let slow = |slow| seconds(slow).ok_or_else(|| bad_field("slow", "must be 0 to 3600 seconds"));
        Ok(Request::Change {
            room: self.room()?,
            title: self.title.as_deref().map(title).transpose()?,
            topic: self.topic.as_deref().map(topic).transpose()?,
            archived: self.archived,
            slow: self.slow.map(slow).transpose()?,
            read_only: self.read_only,
        })
    }

    fn way(&self) -> Result<Way, Problem> {
        match (self.before, self.after) {
            (Some(_), Some(_)) => Err(bad_field("before", "and \"after\" exclude each other")),
            (None, Some(seq)) => Ok(Way::After(number("after", seq)?)),
            (before, None) => Ok(Way::Before(number("before", required("before", before)?)?)),
        }
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

/// Checks the sign of a reaction: one character as people see them, and such a one as stands for more than itself.
pub fn sign(text: &str) -> Result<String, Problem> {
    let is_one = text.len() <= LONGEST_SIGN && text.graphemes(true).count() == 1;
    let is_seen = !text.chars().all(look::unseen_alone) && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    // A digit is one under a keycap, and of what counts as a letter some are drawn as signs.
    let is_sign = text.chars().next().is_some_and(|c| !c.is_alphanumeric() || c >= '\u{1f000}' || "ℹⓂ".contains(c));
    if !is_one || !is_seen || !(is_sign || text.ends_with('\u{20e3}')) {
        return Err(bad_field("emoji", "must be a single emoji, of 32 bytes at most"));
    }
    Ok(text.to_owned())
}

/// Checks a client's id for a message.
pub fn message_id(text: &str) -> Result<String, Problem> {
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

/// Checks the topic of a room; it may be empty.
pub fn topic(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > LONGEST_TOPIC || text.chars().any(char::is_control) {
        return Err(bad_field("topic", "must have 200 characters at most, all in one line"));
    }
    Ok(text.to_owned())
}

fn name(field: &str, text: &str) -> Result<PersonName, Problem> {
    PersonName::parse(text).map_err(|why| bad_field(field, &format!("is no name: {why}")))
}

fn names(field: &str, texts: &[String], least: usize, most: usize) -> Result<Vec<PersonName>, Problem> {
    if texts.len() < least || texts.len() > most {
        return Err(bad_field(field, &format!("must be {least} to {most} names")));
    }
    texts.iter().map(|text| name(field, text)).collect()
}

fn number(name: &str, value: i64) -> Result<i64, Problem> {
    if value < 0 { Err(bad_field(name, "must not be negative")) } else { Ok(value) }
}

/// A value that is given back as it came: a number or a short text.
pub fn scalar(name: &str, value: Option<&Value>) -> Result<Option<Value>, Problem> {
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
            Request::Create {
                room: lobby(),
                title: "lobby".into(),
                kind: Kind::Public,
                topic: String::new(),
                members: Vec::new()
            }
        );
        let ann = || PersonName::parse("ann").unwrap();
        assert_eq!(
            read(r#"{"type":"create","room":"den","title":"T","kind":"private","topic":" on t ","members":["ann"]}"#),
            Request::Create {
                room: RoomName::parse("den").unwrap(),
                title: "T".into(),
                kind: Kind::Private,
                topic: "on t".into(),
                members: vec![ann()]
            }
        );
        assert_eq!(
            read(r#"{"type":"direct","people":["ann"],"ref":1}"#),
            Request::Direct { people: vec![ann()], reference: Some(1.into()) }
        );
        assert_eq!(
            read(r#"{"type":"change","room":"lobby","topic":"","archived":false}"#),
            Request::Change {
                room: lobby(),
                title: None,
                topic: Some(String::new()),
                archived: Some(false),
                slow: None,
                read_only: None,
            }
        );
        assert_eq!(
            read(r#"{"type":"invite","room":"lobby","name":"ann"}"#),
            Request::Invite { room: lobby(), name: ann() }
        );
        assert_eq!(
            read(r#"{"type":"remove","room":"lobby","name":"ann"}"#),
            Request::Remove { room: lobby(), name: ann() }
        );
        assert_eq!(read(r#"{"type":"quit","room":"lobby"}"#), Request::Quit { room: lobby() });
        assert_eq!(
            read(r#"{"type":"members","room":"lobby","ref":"r"}"#),
            Request::Members { room: lobby(), reference: Some("r".into()) }
        );
        assert_eq!(
            read(r#"{"type":"post","room":"lobby","id":"1","body":"a\nb","new_field":[1]}"#),
            Request::Post { room: lobby(), id: "1".into(), body: "a\nb".into(), reply_to: None }
        );
        let change = |change, reference| Request::Amend { room: lobby(), seq: 4, change, reference };
        assert_eq!(
            read(r#"{"type":"edit","room":"lobby","seq":4,"body":"b","ref":7}"#),
            change(Change::Edit("b".into()), Some(7.into()))
        );
        assert_eq!(read(r#"{"type":"delete","room":"lobby","seq":4}"#), change(Change::Delete, None));
        for emoji in ["👍", "❤️", "1️⃣", "🇩🇪", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🅰️", "ℹ️", "+"]
        {
            let text = serde_json::json!({"type": "react", "room": "lobby", "seq": 4, "emoji": emoji, "on": true});
            let react = Change::React { emoji: emoji.into(), on: true };
            assert_eq!(parse(&text.to_string(), &LIMITS).unwrap(), change(react, None), "{emoji}");
        }
        assert_eq!(read(r#"{"type":"typing","room":"lobby"}"#), Request::Typing { room: lobby() });
        assert_eq!(read(r#"{"type":"read","room":"lobby","rev":3}"#), Request::Read { room: lobby(), rev: 3 });
        assert_eq!(
            read(r#"{"type":"history","room":"lobby","before":9,"limit":500,"ref":"r"}"#),
            Request::History { room: lobby(), way: Way::Before(9), limit: 200, reference: Some("r".into()) }
        );
        assert_eq!(
            read(r#"{"type":"history","room":"lobby","after":0}"#),
            Request::History { room: lobby(), way: Way::After(0), limit: 50, reference: None }
        );
        let question = |cursor, limit| Question { query: "tea in:den".into(), cursor, limit };
        assert_eq!(
            read(r#"{"type":"search","query":"tea in:den","ref":7}"#),
            Request::Search { question: question(None, 20), reference: Some(7.into()) }
        );
        assert_eq!(
            read(r#"{"type":"search","query":"tea in:den","cursor":"12","limit":999}"#),
            Request::Search { question: question(Some("12".into()), 50), reference: None }
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
            (
                r#"{"type":"post","room":"a","id":"1","body":"x","reply_to":"4"}"#,
                Code::BadField,
                "\"reply_to\" must be an",
            ),
            (r#"{"type":"edit","room":"a","seq":4}"#, Code::BadField, "\"body\" is missing"),
            (r#"{"type":"edit","room":"a","seq":4,"body":" "}"#, Code::BadField, "\"body\" is empty"),
            (r#"{"type":"delete","room":"a"}"#, Code::BadField, "\"seq\" is missing"),
            (r#"{"type":"delete","room":"a","seq":-4}"#, Code::BadField, "\"seq\" must not be negative"),
            (r#"{"type":"react","room":"a","seq":4,"emoji":"👍"}"#, Code::BadField, "\"on\" is missing"),
            (r#"{"type":"react","room":"a","seq":4,"emoji":"👍","on":1}"#, Code::BadField, "\"on\" must be true"),
            (r#"{"type":"create","room":"a","title":"x\ny"}"#, Code::BadField, "\"title\""),
            (r#"{"type":"create","room":"a","kind":"direct"}"#, Code::BadField, "\"kind\""),
            (
                r#"{"type":"create","room":"a","kind":"private","members":"ann"}"#,
                Code::BadField,
                "\"members\" must be a list",
            ),
            (r#"{"type":"create","room":"a","members":["ann"]}"#, Code::BadField, "\"members\""),
            (r#"{"type":"create","room":"a","topic":"x\ny"}"#, Code::BadField, "\"topic\""),
            (r#"{"type":"create","room":"d-0123456789abcdef0123"}"#, Code::BadField, "direct rooms"),
            (r#"{"type":"direct"}"#, Code::BadField, "\"people\" is missing"),
            (r#"{"type":"direct","people":[]}"#, Code::BadField, "\"people\" must be 1 to 8 names"),
            (r#"{"type":"direct","people":["a:b"]}"#, Code::BadField, "\"people\" is no name"),
            (r#"{"type":"change","room":"a"}"#, Code::BadField, "nothing to change"),
            (r#"{"type":"change","room":"a","archived":1}"#, Code::BadField, "\"archived\" must be true or false"),
            (r#"{"type":"invite","room":"a"}"#, Code::BadField, "\"name\" is missing"),
            (r#"{"type":"remove","room":"a","name":""}"#, Code::BadField, "\"name\" is no name"),
            (r#"{"type":"history","room":"a","before":5,"ref":{}}"#, Code::BadField, "\"ref\""),
            (r#"{"type":"history","room":"a"}"#, Code::BadField, "\"before\" is missing"),
            (r#"{"type":"history","room":"a","before":5,"after":5}"#, Code::BadField, "exclude"),
            (r#"{"type":"history","room":"a","after":-5}"#, Code::BadField, "\"after\" must not be negative"),
            (r#"{"type":"search"}"#, Code::BadField, "\"query\" is missing"),
            (r#"{"type":"search","query":["a"]}"#, Code::BadField, "\"query\" must be a string"),
            (r#"{"type":"search","query":"a","cursor":7}"#, Code::BadField, "\"cursor\" must be a string"),
            (r#"{"type":"read","room":"a","rev":1.5}"#, Code::BadField, "\"rev\" must be an integer"),
        ] {
            let problem = refused(text);
            assert_eq!(problem.code, code, "{text}: {problem:?}");
            assert!(problem.message.contains(word), "{text}: {}", problem.message);
        }
        for emoji in ["", "a", "é", "e\u{301}", "7", " ", "\u{200d}", "\u{fe0f}", "\n", "👍👍", "字", &"👩‍".repeat(9)]
        {
            let text = serde_json::json!({"type": "react", "room": "a", "seq": 4, "emoji": emoji, "on": true});
            assert!(refused(&text.to_string()).message.contains("\"emoji\""), "{emoji}");
        }
        let long = format!(r#"{{"type":"post","room":"a","id":"7","body":"{}"}}"#, "é".repeat(51));
        let problem = refused(&long);
        assert_eq!((problem.code, problem.id.as_deref()), (Code::TooLong, Some("7")));
        assert!(problem.message.contains("102 bytes; 100"), "{}", problem.message);
    }

    /// The type of a request. Whoever adds one finds this here: name it in README.md, from whose table the walk of a
    /// stranger through all of them is made, in tests/wire/strangers.rs.
    fn kind(request: &Request) -> &'static str {
        match request {
            Request::Join { .. } => "join",
            Request::Leave { .. } => "leave",
            Request::Create { .. } => "create",
            Request::Direct { .. } => "direct",
            Request::Change { .. } => "change",
            Request::Amend { change: Change::Edit(_), .. } => "edit",
            Request::Amend { change: Change::Delete, .. } => "delete",
            Request::Amend { change: Change::React { .. }, .. } => "react",
            Request::Invite { .. } => "invite",
            Request::Remove { .. } => "remove",
            Request::Quit { .. } => "quit",
            Request::Members { .. } => "members",
            Request::Post { .. } => "post",
            Request::Typing { .. } => "typing",
            Request::Read { .. } => "read",
            Request::Search { .. } => "search",
            Request::History { .. } => "history",
            Request::Ping { .. } => "ping",
        }
    }

    #[test]
    fn every_type_that_is_read_is_in_the_table() {
        let source = include_str!("request.rs");
        let readme = include_str!("README.md");
        let listed = |kind: &str| readme.lines().any(|row| row.starts_with('|') && row.contains(&format!("`{kind}`")));
        let arms = source.split("match request {").nth(1).unwrap().split("\n        }").next().unwrap();
        let kinds: Vec<&str> = arms.split('"').skip(1).step_by(2).collect();
        assert!(kinds.len() >= 14, "{kinds:?}");
        for name in kinds {
            assert!(listed(name), "README.md does not tell of {name}");
            let every = format!(
                r#"{{"type":"{name}","room":"a","id":"1","body":"b","name":"n","people":["n"],"title":"t","before":1,"rev":1,"seq":1,"emoji":"👍","on":true,"query":"q"}}"#
            );
            assert_eq!(kind(&parse(&every, &LIMITS).unwrap()), name);
        }
    }
}
