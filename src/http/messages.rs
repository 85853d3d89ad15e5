//! `/api/rooms/ROOM/messages`: what was said, and saying it; changes, and reactions.

use super::asked::{bad_field, unavailable};
use super::visitor::{Visitor, decoded, fields, frame, kind, number, refused, text, unexpected};
use super::{Answer, done, field, header, json, problem};
use crate::actor::Actor;
use crate::line::Line;
use crate::name::RoomName;
use crate::protocol::{self, JSON_LAST, MOST, Problem, Request as Frame, Way};
use crate::store::{Change, Fault, Message, Outcome, Rev, Room, random_hex};
use serde_json::{Map, Value, json};
use tiny_http::{Method, Request};

/// The longest key of a message, in characters.
const LONGEST_KEY: usize = 64;

/// `rest` is what follows `/api/rooms/ROOM/messages`, by parts.
pub(super) fn answer(line: &Line, request: &mut Request, room: &RoomName, rest: &[&str]) -> Result<Answer, Answer> {
    match (request.method().clone(), rest) {
        (Method::Post, []) => post(line, request, room),
        (_, []) => history(line, request, room),
        (Method::Patch, [seq]) => edit(line, request, room, seq),
        (Method::Delete, [seq]) => delete(line, request, room, seq),
        (_, [seq]) => show(line, request, room, seq),
        (Method::Put, [seq, "reactions", emoji]) => react(line, request, room, seq, emoji, true),
        (_, [seq, "reactions", emoji]) => react(line, request, room, seq, emoji, false),
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

/// The last messages, those before a `seq`, or those changed since a `rev`.
fn history(line: &Line, request: &Request, room: &RoomName) -> Result<Answer, Answer> {
    let visitor = Visitor::of(line, request)?;
    let actor = visitor.actor(line);
    let room = actor.find(room).map_err(refused)?;
    let query = Query::of(request)?;
    let limit = query.number("limit")?.unwrap_or(JSON_LAST as i64).clamp(1, MOST as i64) as usize;
    let given = (query.number("before")?, query.number("since")?, query.number("last")?);
    let (messages, more) = match given {
        (Some(before), None, None) => actor.page(&room, Way::Before(before), limit).map_err(refused)?,
        (None, Some(since), None) => {
            let mut messages = line.store.since(room.id, since, limit + 1).map_err(|e| unavailable(&e))?;
            let fitting = actor.fitting(messages.iter(), limit);
            let more = messages.len() > fitting;
            messages.truncate(fitting);
            (messages, more)
        }
        (None, None, last) => {
            let count = last.map_or(limit, |last| last.clamp(1, MOST as i64) as usize);
            actor.page(&room, Way::Before(Rev::MAX), count).map_err(refused)?
        }
        _ => return Err(bad_field("before", "\"since\" and \"last\" exclude each other")),
    };
    // Whoever was removed meanwhile sees nothing more.
    actor.find(&room.name).map_err(refused)?;
    line.metrics.history_pages.inc();
    let messages: Value = messages.iter().map(|message| protocol::message_fields(&room.name, message)).collect();
    Ok(json(200, &json!({"messages": messages, "more": more})))
}

fn show(line: &Line, request: &Request, room: &RoomName, seq: &str) -> Result<Answer, Answer> {
    let visitor = Visitor::of(line, request)?;
    let actor = visitor.actor(line);
    let room = actor.find(room).map_err(refused)?;
    let message = stands(line, &room, number_in_path(seq)?)?;
    actor.find(&room.name).map_err(refused)?;
    Ok(shown(200, &room, &message))
}

/// A message, in JSON or as plain text. Its key makes that it is posted once, however often it is sent.
fn post(line: &Line, request: &mut Request, room: &RoomName) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    let room = actor.find(room).map_err(refused)?;
    let said = match kind(request).to_ascii_lowercase().as_str() {
        "application/json" => fields(request)?,
        "text/plain" => Map::from_iter([("body".into(), text(request)?.trim_end_matches(['\r', '\n']).into())]),
        _ => {
            let message = "send JSON, as application/json, or what you say, as text/plain";
            return Err(problem(415, "bad_content_type", message));
        }
    };
    let id = match header(request, "Idempotency-Key") {
        Some(key) if key.is_empty() || key.chars().count() > LONGEST_KEY => {
            return Err(bad_field("Idempotency-Key", "it has 1 to 64 characters"));
        }
        Some(key) => key.to_owned(),
        None => random_hex(12).map_err(|e| unavailable(&e))?,
    };
    let asked = frame(line, "post", said, &[("room", room.name.as_str().into()), ("id", id.into())])?;
    let Frame::Post { id, body, reply_to, .. } = asked else { return Err(unexpected()) };
    line.metrics.messages_in.inc();
    let record = actor.post(&room, id, body, reply_to).map_err(refused)?;
    match actor.ask(record).map_err(refused)? {
        Outcome::Posted(message) => {
            let place = format!("/api/rooms/{}/messages/{}", room.name, message.seq);
            Ok(shown(201, &room, &message).with_header(field("Location", &place)))
        }
        Outcome::Repeated(message) if message.room == room.id => Ok(shown(200, &room, &message)),
        Outcome::Repeated(_) => {
            Err(problem(409, "key_used", "you have used this Idempotency-Key in another room; choose a new one"))
        }
        Outcome::Refused(fault) => Err(refused(Problem::of(fault))),
        _ => Err(unexpected()),
    }
}

fn edit(line: &Line, request: &mut Request, room: &RoomName, seq: &str) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    let (room, seq) = (actor.find(room).map_err(refused)?, number_in_path(seq)?);
    let given = [("room", room.name.as_str().into()), ("seq", seq.into())];
    let Frame::Amend { change, .. } = frame(line, "edit", fields(request)?, &given)? else { return Err(unexpected()) };
    amend(line, &actor, &room, seq, change).map(|message| shown(200, &room, &message))
}

fn delete(line: &Line, request: &Request, room: &RoomName, seq: &str) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    let room = actor.find(room).map_err(refused)?;
    amend(line, &actor, &room, number_in_path(seq)?, Change::Delete).map(|_| done())
}

fn react(line: &Line, request: &Request, room: &RoomName, seq: &str, emoji: &str, on: bool) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    let (room, seq) = (actor.find(room).map_err(refused)?, number_in_path(seq)?);
    let emoji = decoded(emoji).ok_or_else(|| problem(400, "bad_encoding", "the path is not UTF-8"))?;
    let given = [("room", room.name.as_str().into()), ("seq", seq.into()), ("emoji", emoji.into()), ("on", on.into())];
    let Frame::Amend { change, .. } = frame(line, "react", Map::new(), &given)? else { return Err(unexpected()) };
    amend(line, &actor, &room, seq, change).map(|message| shown(200, &room, &message))
}

/// Changes a message, and gives it as it then stands.
fn amend(line: &Line, actor: &Actor, room: &Room, seq: Rev, change: Change) -> Result<Message, Answer> {
    let record = actor.amend(room, seq, change).map_err(refused)?;
    match actor.ask(record).map_err(refused)? {
        Outcome::Posted(message) => Ok(message),
        Outcome::Unchanged => stands(line, room, seq),
        Outcome::Refused(Fault::NoSuchMessage) => Err(no_such_message()),
        Outcome::Refused(fault) => Err(refused(Problem::of(fault))),
        _ => Err(unexpected()),
    }
}

/// A message as it now stands.
fn stands(line: &Line, room: &Room, seq: Rev) -> Result<Message, Answer> {
    let found = line.store.before(room.id, seq.saturating_add(1), 1).map_err(|e| unavailable(&e))?;
    found.into_iter().find(|message| message.seq == seq).ok_or_else(no_such_message)
}

fn shown(status: u16, room: &Room, message: &Message) -> Answer {
    json(status, &protocol::message_fields(&room.name, message))
}

/// A number that stands in the path. What is no number is no message's.
fn number_in_path(part: &str) -> Result<Rev, Answer> {
    number("seq", part).map_err(|_| no_such_message())
}

fn no_such_message() -> Answer {
    problem(404, "no_such_message", "there is no message of that number in this room")
}

/// What stands behind the path.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request) -> Result<Query, Answer> {
        let query = request.url().split_once('?').map_or("", |(_, query)| query);
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let known = ["before", "since", "last", "limit"];
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(bad_field(name, "there are before, since, last and limit")),
            None => Ok(Query(pairs)),
        }
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Answer> {
        let mut given = self.0.iter().filter(|(other, _)| other == name);
        match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some((_, text)), None) => number(name, text).map(Some),
            _ => Err(bad_field(name, "it stands there twice")),
        }
    }
}
