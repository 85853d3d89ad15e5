//! `/api/webhooks`: where messages are sent to, for oneself, for a bot, or for a room that one looks after.

use super::asked::{Fields, at_least, bad_field, check_origin, unavailable};
use super::tokens::bot;
use super::visitor::{refused, room_in_path};
use super::{Answer, done, json, problem};
use crate::actor::Actor;
use crate::cluster::note::Note;
use crate::line::Line;
use crate::store::{Kind, NewWebhook, Person, Role, Room, Time, Webhook, random_hex};
use crate::webhooks::address::checked_url;
use crate::webhooks::board::Rooms;
use log::info;
use serde_json::{Value, json};
use tiny_http::{Method, Request};

/// Webhooks that there may be, and that one person may have.
const MOST: usize = 500;
const MOST_OF_ONE: usize = 20;

/// `rest` is what follows `/api/webhooks`.
pub(super) fn answer(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    let method = request.method().clone();
    let has_body = matches!(method, Method::Post | Method::Patch);
    let fields = if has_body { Some(Fields::of(request)?) } else { None };
    check_origin(request)?;
    let person = at_least(Role::Member, line, request)?.person;
    match (rest.strip_prefix('/'), fields) {
        (None, Some(fields)) => make(line, &person, &fields),
        (None, None) => list(line, &person),
        (Some(id), Some(fields)) => pause(line, &person, id, &fields),
        (Some(id), None) => remove(line, &person, id),
    }
}

fn list(line: &Line, person: &Person) -> Result<Answer, Answer> {
    Ok(json(200, &looked_after(line, person)?.iter().map(|webhook| shown(line, webhook)).collect::<Value>()))
}

/// The secret is told here alone.
fn make(line: &Line, person: &Person, fields: &Fields) -> Result<Answer, Answer> {
    let url = checked_url(fields.text("url")?, &line.networks).map_err(|why| bad_field("url", why))?;
    let of = match fields.has("bot") {
        true if person.role < Role::Owner => {
            return Err(problem(403, "not_allowed", "a bot's webhooks are for owners to make, or for the bot itself"));
        }
        true => bot(line, fields.text("bot")?)?,
        false => person.clone(),
    };
    let room = if fields.has("room") { Some(room(line, person, &of, fields.text("room")?)?) } else { None };
    let all = line.store.webhooks().map_err(|e| unavailable(&e))?;
    if all.len() >= MOST || all.iter().filter(|one| one.person.id == of.id).count() >= MOST_OF_ONE {
        return Err(problem(409, "too_many", "there are too many webhooks already; take some away"));
    }
    let random = |bytes| random_hex(bytes).map_err(|e| unavailable(&e));
    let (id, secret, room_id) = (random(8)?, random(24)?, room.map(|room| room.id));
    let new = NewWebhook { id, person: of.id, room: room_id, url, secret, at: Time::now() };
    line.store.make_webhook(&new).map_err(|e| unavailable(&e))?;
    let marks = line.store.webhook_marks(&new.id).map_err(|e| unavailable(&e))?;
    let marks: Rooms = marks.into_iter().collect();
    // What is said between the two lies behind the marks.
    let rooms = line.store.every_room().map_err(|e| unavailable(&e))?.into_iter().map(|all| all.room.id);
    let rooms = rooms.filter(|room| room_id.is_none_or(|own| own == *room));
    let touched = rooms.map(|room| (room, marks.get(&room).copied().unwrap_or(0))).collect();
    line.webhooks.add(new.id.clone(), room_id, marks, touched, false);
    line.cluster.tell(|| Note::Webhooks);
    info!("{} made the webhook {} of {}", person.name, new.id, of.name);
    let webhook = line.store.webhook(&new.id).map_err(|e| unavailable(&e))?;
    let mut answer = webhook.map(|webhook| shown(line, &webhook)).unwrap_or_default();
    answer["secret"] = new.secret.into();
    Ok(json(201, &answer))
}

/// A room whose messages this person may have sent elsewhere, in the name of `of`.
fn room(line: &Line, person: &Person, of: &Person, name: &str) -> Result<Room, Answer> {
    let room = Actor { line, name: &person.name, role: person.role }.find(&room_in_path(name)?).map_err(refused)?;
    if room.kind == Kind::Direct {
        return Err(problem(403, "not_allowed", "what is said in a direct room is not sent elsewhere"));
    }
    if !runs(line, person, &room) {
        return Err(problem(403, "not_allowed", "only who made this room, and the moderators, may do that"));
    }
    if line.doors.ticket(room.id, &of.name).is_none() {
        return Err(bad_field("bot", "it is no member of this room"));
    }
    Ok(room)
}

/// Whether this person looks after a room.
fn runs(line: &Line, person: &Person, room: &Room) -> bool {
    let maker = line.doors.standing(room.id).maker;
    person.role >= Role::Moderator || maker.is_some_and(|maker| maker.folded() == person.name.folded())
}

fn pause(line: &Line, person: &Person, id: &str, fields: &Fields) -> Result<Answer, Answer> {
    let paused = fields.truth("paused")?;
    let webhook = find(line, person, id)?;
    let error = webhook.error.as_deref().filter(|_| paused);
    line.store.judge_webhook(&webhook.id, 0, paused, error).map_err(|e| unavailable(&e))?;
    line.webhooks.pause(&webhook.id, paused);
    line.cluster.tell(|| Note::Webhooks);
    let webhook = line.store.webhook(&webhook.id).map_err(|e| unavailable(&e))?.ok_or_else(none)?;
    Ok(json(200, &shown(line, &webhook)))
}

fn remove(line: &Line, person: &Person, id: &str) -> Result<Answer, Answer> {
    let webhook = find(line, person, id)?;
    line.store.remove_webhook(&webhook.id).map_err(|e| unavailable(&e))?;
    line.webhooks.remove(&webhook.id);
    line.cluster.tell(|| Note::Webhooks);
    info!("{} took the webhook {} of {} away", person.name, webhook.id, webhook.person.name);
    Ok(done())
}

fn find(line: &Line, person: &Person, id: &str) -> Result<Webhook, Answer> {
    looked_after(line, person)?.into_iter().find(|webhook| webhook.id == id).ok_or_else(none)
}

/// One's own, those of rooms that one looks after, and, for owners, those of bots.
fn looked_after(line: &Line, person: &Person) -> Result<Vec<Webhook>, Answer> {
    let all = line.store.webhooks().map_err(|e| unavailable(&e))?;
    let bots = if person.role == Role::Owner { line.store.bots().map_err(|e| unavailable(&e))? } else { Vec::new() };
    let mut own = Vec::new();
    for webhook in all {
        let of_room = match webhook.room.and_then(|room| line.doors.name(room)) {
            Some(name) => line.store.room(&name).map_err(|e| unavailable(&e))?,
            None => None,
        };
        let sees = |room: &Room| line.doors.ticket(room.id, &person.name).is_some();
        let runs = of_room.is_some_and(|room| sees(&room) && runs(line, person, &room));
        if runs || webhook.person.id == person.id || bots.iter().any(|bot| bot.id == webhook.person.id) {
            own.push(webhook);
        }
    }
    Ok(own)
}

fn shown(line: &Line, webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "of": webhook.person.name,
        "room": webhook.room.and_then(|room| line.doors.name(room)),
        "url": webhook.url,
        "created_at": webhook.created_at,
        "delivered_at": webhook.delivered_at,
        "attempts": webhook.attempts,
        "paused": webhook.paused,
        "error": webhook.error,
    })
}

fn none() -> Answer {
    problem(404, "no_such_webhook", "there is no such webhook, or it is not yours to look after")
}
