//! `/api/rooms` and `/api/direct`: rooms, made and changed, and who is in them.

use super::asked::unavailable;
use super::visitor::{Visitor, decoded, fields, frame, refused, room_in_path, unexpected};
use super::{Answer, done, field, json, messages, problem};
use crate::line::Line;
use crate::name::{PersonName, RoomName};
use crate::protocol::{self, Request as Frame};
use crate::store::{Outcome, Record, Room};
use log::info;
use serde_json::{Value, json};
use tiny_http::{Method, Request};

/// `rest` is what follows `/api/rooms`. What is asked for with another method has been refused by now.
pub(super) fn answer(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    let method = request.method().clone();
    let parts: Vec<&str> = rest.split('/').skip(1).collect();
    match (method, &parts[..]) {
        (Method::Post, []) => create(line, request),
        (_, []) => list(line, request),
        (Method::Patch, [room]) => change(line, request, &room_in_path(room)?),
        (_, [room]) => show(line, request, &room_in_path(room)?),
        (_, [room, "members"]) => members(line, request, &room_in_path(room)?),
        (Method::Put, [room, "members", name]) => invite(line, request, &room_in_path(room)?, name),
        (Method::Delete, [room, "members", name]) => remove(line, request, &room_in_path(room)?, name),
        (_, [room, "members", name]) => member(line, request, &room_in_path(room)?, name),
        (_, [room, "read"]) => read(line, request, &room_in_path(room)?),
        (_, [room, "messages", rest @ ..]) => messages::answer(line, request, &room_in_path(room)?, rest),
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

/// The direct room with these people.
pub(super) fn direct(line: &Line, request: &mut Request) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let Frame::Direct { people, .. } = frame(line, "direct", fields(request)?, &[])? else { return Err(unexpected()) };
    let (room, is_new) = visitor.actor(line).direct(&people).map_err(refused)?;
    Ok(described(if is_new { 201 } else { 200 }, line, &visitor, &room))
}

fn list(line: &Line, request: &Request) -> Result<Answer, Answer> {
    let visitor = Visitor::of(line, request)?;
    let actor = visitor.actor(line);
    let (views, more) = line.store.rooms(actor.name, protocol::MOST_ROOMS).map_err(|e| unavailable(&e))?;
    let seen = views.iter().filter(|view| actor.ticket(&view.room).is_some());
    let rooms = seen.map(|view| {
        let mut room = shown(line, &visitor, &view.room);
        room["unread"] = view.unread.into();
        room["mentions"] = view.mentions.into();
        room
    });
    Ok(json(200, &json!({"rooms": rooms.collect::<Value>(), "more": more})))
}

fn create(line: &Line, request: &mut Request) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let Frame::Create { room, title, kind, topic, members } = frame(line, "create", fields(request)?, &[])? else {
        return Err(unexpected());
    };
    let room = visitor.actor(line).create(&room, title, kind, topic, &members).map_err(refused)?;
    info!("{} made the room {}", visitor.person.name, room.name);
    Ok(described(201, line, &visitor, &room).with_header(field("Location", &format!("/api/rooms/{}", room.name))))
}

fn show(line: &Line, request: &Request, room: &RoomName) -> Result<Answer, Answer> {
    let visitor = Visitor::of(line, request)?;
    let room = visitor.actor(line).find(room).map_err(refused)?;
    Ok(described(200, line, &visitor, &room))
}

fn change(line: &Line, request: &mut Request, room: &RoomName) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    // Before the body is: for a stranger there is nothing that could be wrong with it.
    visitor.actor(line).find(room).map_err(refused)?;
    let asked = frame(line, "change", fields(request)?, &[("room", room.as_str().into())])?;
    let Frame::Change { room, title, topic, archived, slow, read_only } = asked else { return Err(unexpected()) };
    match visitor.actor(line).change(&room, title, topic, archived, slow, read_only).map_err(refused)? {
        Outcome::Changed(room) => Ok(described(200, line, &visitor, &room)),
        _ => Err(unexpected()),
    }
}

fn members(line: &Line, request: &Request, room: &RoomName) -> Result<Answer, Answer> {
    let visitor = Visitor::of(line, request)?;
    Ok(json(200, &json!({"people": visitor.actor(line).members(room).map_err(refused)?})))
}

fn member(line: &Line, request: &Request, room: &RoomName, name: &str) -> Result<Answer, Answer> {
    let visitor = Visitor::of(line, request)?;
    let people = visitor.actor(line).members(room).map_err(refused)?;
    let found = person_in_path(name).and_then(|name| people.into_iter().find(|one| one.folded() == name.folded()));
    Ok(json(200, &json!({"name": found.ok_or_else(no_such_member)?})))
}

fn invite(line: &Line, request: &Request, room: &RoomName, name: &str) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    actor.find(room).map_err(refused)?;
    actor.invite(room, &person_in_path(name).ok_or_else(no_such_member)?).map_err(refused)?;
    Ok(done())
}

fn remove(line: &Line, request: &Request, room: &RoomName, name: &str) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    actor.find(room).map_err(refused)?;
    actor.remove(room, &person_in_path(name).ok_or_else(no_such_member)?).map_err(refused)?;
    Ok(done())
}

/// Moves the person's mark, and tells that person's connections.
fn read(line: &Line, request: &mut Request, room: &RoomName) -> Result<Answer, Answer> {
    let visitor = Visitor::with_intent(line, request)?;
    let actor = visitor.actor(line);
    let room = actor.find(room).map_err(refused)?;
    let asked = frame(line, "read", fields(request)?, &[("room", room.name.as_str().into())])?;
    let Frame::Read { rev, .. } = asked else { return Err(unexpected()) };
    actor.ask(Record::Read { person: actor.name.clone(), room: room.id, rev }).map_err(refused)?;
    let (folded, told) = (actor.name.folded(), protocol::read(&room.name, rev));
    line.tell(move |registry| {
        let own = registry.person(&folded);
        let own = own.iter().filter(|party| party.tongue == crate::peer::Tongue::Json);
        own.for_each(|party| _ = party.outbox.send(std::slice::from_ref(&told)));
    });
    Ok(done())
}

fn described(status: u16, line: &Line, visitor: &Visitor, room: &Room) -> Answer {
    json(status, &shown(line, visitor, room))
}

fn shown(line: &Line, visitor: &Visitor, room: &Room) -> Value {
    protocol::room_fields(room, &line.doors.standing(room.id), &visitor.person.name)
}

fn person_in_path(part: &str) -> Option<PersonName> {
    PersonName::parse(&decoded(part)?).ok()
}

fn no_such_member() -> Answer {
    problem(404, "no_such_member", "nobody of that name is a member of this room")
}
