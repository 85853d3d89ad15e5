//! `/api/session`: who this browser is. A guest picks a name and gets a cookie for it.

use super::{Answer, field, header, json, problem};
use crate::identity::{COOKIE, hash};
use crate::line::Line;
use crate::name::PersonName;
use crate::store::{Person, Time, TokenHash, random_hex};
use serde::Deserialize;
use serde_json::Value;
use std::io::Read;
use tiny_http::{Method, Request};

/// How long a browser keeps the cookie.
const YEAR: u32 = 365 * 24 * 60 * 60;

/// The largest body that makes sense here.
const LARGEST: u64 = 4096;

pub(super) fn answer(line: &Line, request: &mut Request) -> Answer {
    let answered = match request.method() {
        Method::Get | Method::Head => who(line, request),
        Method::Post => open(line, request),
        Method::Delete => end(line, request),
        _ => Err(problem(405, "method_not_allowed", "GET, POST or DELETE a session")),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

/// The person, or `null`: a browser that comes for the first time has done nothing wrong. A guest whose name another
/// guest has taken meanwhile is told so here, for a page cannot see why its WebSocket was refused.
fn who(line: &Line, request: &Request) -> Result<Answer, Answer> {
    let Some(token) = token(request) else { return Ok(json(200, &Value::Null)) };
    match line.store.session(&token).map_err(|e| unavailable(&e))? {
        Some(person) if line.guests.is_taken(&person.name, Some(&token)) => Err(taken()),
        Some(person) => Ok(shown(&person)),
        None => Ok(json(200, &Value::Null)),
    }
}

fn open(line: &Line, request: &mut Request) -> Result<Answer, Answer> {
    #[derive(Deserialize)]
    struct Wanted {
        name: String,
    }
    check_origin(request)?;
    if header(request, "Content-Type").is_none_or(|kind| !kind.starts_with("application/json")) {
        return Err(problem(415, "bad_content_type", "send JSON, as application/json"));
    }
    let mut body = String::new();
    let read = request.as_reader().take(LARGEST).read_to_string(&mut body);
    let wanted = read.ok().and_then(|_| serde_json::from_str::<Wanted>(&body).ok());
    let wanted = wanted.ok_or_else(|| problem(400, "bad_json", "send {\"name\": \"…\"}"))?;
    let name = PersonName::parse(&wanted.name).map_err(|why| problem(400, "bad_field", why))?;
    if line.guests.is_taken(&name, token(request).as_ref()) {
        return Err(taken());
    }
    let token = random_hex(32).map_err(|e| unavailable(&e))?;
    line.store.open_session(&hash(&token), &name, Time::now()).map_err(|e| unavailable(&e))?;
    Ok(shown(&Person { name, role: crate::store::Role::Guest }).with_header(cookie(&token, YEAR)))
}

fn end(line: &Line, request: &Request) -> Result<Answer, Answer> {
    check_origin(request)?;
    if let Some(token) = token(request) {
        line.store.end_session(&token).map_err(|e| unavailable(&e))?;
    }
    Ok(json(204, &Value::Null).with_data(std::io::Cursor::new(Vec::new()), Some(0)).with_header(cookie("", 0)))
}

fn shown(person: &Person) -> Answer {
    json(200, &serde_json::json!({"name": person.name, "role": person.role}))
}

/// Another site's page can send a request here with this browser's cookie, but it cannot hide where it comes from.
fn check_origin(request: &Request) -> Result<(), Answer> {
    let Some(origin) = header(request, "Origin") else { return Ok(()) };
    let place = origin.split_once("://").map(|(_, place)| place);
    if place.is_some() && place == header(request, "Host") {
        return Ok(());
    }
    Err(problem(403, "origin_not_allowed", "only this server's own page may ask for this"))
}

fn token(request: &Request) -> Option<TokenHash> {
    let pairs = header(request, "Cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == COOKIE).map(|(_, token)| hash(token))
}

fn cookie(token: &str, age: u32) -> tiny_http::Header {
    field("Set-Cookie", &format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}"))
}

fn taken() -> Answer {
    problem(409, "name_taken", "somebody of that name is here; choose another")
}

fn unavailable(cause: &crate::Error) -> Answer {
    log::error!("cannot keep a session: {cause}");
    problem(503, "unavailable", "the database does not answer just now; try again")
}
