//! Events as JSON objects, and lines of input that are some: for programs.

use super::harmless::is_harmless;
use parlor::{Event, Message, Room};
use serde::Serialize;
use serde_json::Value;

/// An event as it is printed; its fields are those of the wire.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Connected { name: &'a str, server: &'a str, epoch: &'a str, rooms: Vec<Place<'a>> },
    Lost { message: String, retry_in: f64 },
    Message(&'a Message),
    Joined { room: &'a str, head: i64, count: usize, members: &'a Option<Vec<String>> },
    History { room: &'a str, messages: &'a [Message], more: bool },
    Presence { room: &'a str, count: usize, joined: &'a [String], left: &'a [String] },
    Typing { room: &'a str, from: &'a str },
    Read { room: &'a str, rev: i64 },
    Room(Place<'a>),
    Error { code: &'a str, message: &'a str, id: &'a Option<String>, room: &'a Option<String> },
    Ended { message: String },
}

#[derive(Serialize)]
struct Place<'a> {
    room: &'a str,
    title: &'a str,
    head: i64,
    unread: i64,
    mentions: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

fn place(room: &Room) -> Place<'_> {
    let Room { room, title, head, unread, mentions, gone, .. } = room;
    Place { room, title, head: *head, unread: *unread, mentions: *mentions, gone: *gone }
}

/// An event as an object on a line. None: a kind that this version does not know.
pub fn event(event: &Event) -> Option<String> {
    let line = match event {
        Event::Connected { name, server, epoch, rooms } => {
            Line::Connected { name, server, epoch, rooms: rooms.iter().map(place).collect() }
        }
        Event::Lost { cause, retry_in } => Line::Lost { message: cause.to_string(), retry_in: retry_in.as_secs_f64() },
        Event::Message(message) => Line::Message(message),
        Event::Joined { room, head, count, members } => Line::Joined { room, head: *head, count: *count, members },
        Event::History { room, messages, more } => Line::History { room, messages, more: *more },
        Event::Presence { room, count, joined, left } => Line::Presence { room, count: *count, joined, left },
        Event::Typing { room, from } => Line::Typing { room, from },
        Event::Read { room, rev } => Line::Read { room, rev: *rev },
        Event::Room(room) => Line::Room(place(room)),
        Event::Refused(problem) => {
            Line::Error { code: &problem.code, message: &problem.message, id: &problem.id, room: &problem.room }
        }
        Event::Ended(cause) => Line::Ended { message: cause.to_string() },
        _ => return None,
    };
    serde_json::to_string(&line).ok().map(|line| harmless(&line))
}

/// JSON writes out only the control characters below the space; a terminal acts on others too.
fn harmless(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        // All of them are of the Basic Multilingual Plane, and stand in strings alone.
        if is_harmless(c) { line.push(c) } else { line.push_str(&format!("\\u{:04x}", u32::from(c))) }
    }
    line
}

/// A line of input: where to, and what. `{"room", "body"}` says both; any other text goes to `room`.
pub fn input(line: &str, room: &str) -> Result<(String, String), String> {
    if !line.trim_start().starts_with('{') {
        return Ok((room.to_owned(), line.to_owned()));
    }
    let object: Value = serde_json::from_str(line).map_err(|e| format!("a line of input is no JSON: {e}"))?;
    let text = |field: &str| object.get(field).and_then(Value::as_str).map(str::to_owned);
    let body = text("body").ok_or("a line of input is an object without \"body\"")?;
    Ok((text("room").unwrap_or_else(|| room.to_owned()), body))
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::message;
    use super::*;

    #[test]
    fn an_event_has_the_fields_of_the_wire() {
        let line = event(&Event::Message(message("lobby", 3, "ann", "hi\u{1b}\n\u{9b}"))).unwrap();
        let wire = r#"{"type":"message","room":"lobby","seq":3,"rev":3,"id":"ann-3","from":"ann","at":"2023-11-14T22:13:20.007Z","body":"hi\u001b\n\u009b"}"#;
        assert_eq!(line, wire);
        let line = event(&Event::Joined { room: "a".into(), head: 1, count: 2, members: None }).unwrap();
        assert_eq!(line, r#"{"type":"joined","room":"a","head":1,"count":2,"members":null}"#);
    }

    #[test]
    fn a_line_of_input_is_text_or_an_object() {
        let to = |room: &str, body: &str| Ok((room.to_owned(), body.to_owned()));
        assert_eq!(input("hello", "lobby"), to("lobby", "hello"));
        assert_eq!(input(r#"{"body": "two\nlines"}"#, "lobby"), to("lobby", "two\nlines"));
        assert_eq!(input(r#"{"body": "x", "room": "ops"}"#, "lobby"), to("ops", "x"));
        assert!(input(r#"{"room": "ops"}"#, "lobby").unwrap_err().contains("without \"body\""));
        assert!(input("{oops", "lobby").unwrap_err().contains("no JSON"));
    }
}
