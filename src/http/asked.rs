//! What every route of the API checks of a request: where it comes from, whose it is, and the fields of its body.

use super::{Answer, field, header, problem};
use crate::cluster::note::{Counted, Note};
use crate::identity::{COOKIE, bearer, hash};
use crate::line::Line;
use crate::name::PersonName;
use crate::passwords;
use crate::store::{NewSession, Person, Role, Time, TokenHash};
use crate::tries::{Allowance, FROM_AN_ADDRESS, LOGINS, place};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::io::Read;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tiny_http::Request;

/// The largest body of JSON that makes sense here.
const LARGEST: u64 = 4096;

/// What is kept of what a browser calls itself, in characters.
const AGENT: usize = 120;

/// The longest token or key that anybody was ever given, in characters.
const LONGEST_TOKEN: usize = 128;

/// Somebody with a session.
pub(super) struct Caller {
    pub person: Person,
    pub token: TokenHash,
}

/// Whose request it is, if it is anybody's.
pub(super) fn caller(line: &Line, request: &Request) -> Result<Option<Caller>, Answer> {
    if let Some(shown) = header(request, "Authorization") {
        return with_token(line, request, shown).map(Some);
    }
    let Some(token) = token(request) else { return Ok(None) };
    let person = line.store.session(&token, Time::now()).map_err(|e| unavailable(&e))?;
    if let Some(person) = &person {
        let_in(line, request, &person.name, person.role)?;
    }
    Ok(person.map(|person| Caller { person, token }))
}

/// Whose the token is that a program shows. It counts before any cookie.
fn with_token(line: &Line, request: &Request, shown: &str) -> Result<Caller, Answer> {
    let unknown = || {
        problem(401, "unknown_credentials", "this server knows no such token; it may have been revoked")
            .with_header(field("WWW-Authenticate", "Bearer"))
    };
    let token = bearer(shown).ok_or_else(unknown)?;
    let person = line.store.token(&token, Time::now()).map_err(|e| unavailable(&e))?;
    let person = person.ok_or_else(unknown)?;
    let_in(line, request, &person.name, person.role)?;
    Ok(Caller { person, token })
}

/// Whether a program asks, with a token. Some things only people do.
pub(super) fn is_by_token(request: &Request) -> bool {
    header(request, "Authorization").is_some()
}

/// Whose request it is, who must have that role or a higher one.
pub(super) fn at_least(role: Role, line: &Line, request: &Request) -> Result<Caller, Answer> {
    let nobody = || problem(401, "unknown_credentials", "sign in first");
    let caller = caller(line, request)?.ok_or_else(nobody)?;
    if caller.person.role >= role {
        return Ok(caller);
    }
    let message = match role {
        Role::Guest | Role::Member => "this is for people with an account; register first",
        Role::Moderator => "this is for moderators and owners",
        Role::Owner => "this is for owners",
    };
    Err(problem(403, "not_allowed", message))
}

/// Whether that person may come in, from there.
pub(super) fn let_in(line: &Line, request: &Request, name: &PersonName, role: Role) -> Result<(), Answer> {
    let barred = line.doors.sanctions.bars(name, role, address(request));
    barred.map_or(Ok(()), |why| Err(problem(403, "banned", &why)))
}

/// From where it is asked. The front says it, and nobody else can.
pub(super) fn address(request: &Request) -> Option<IpAddr> {
    header(request, "X-Real-IP").and_then(|address| address.parse().ok())
}

/// The hash of the token in the cookie.
pub(super) fn token(request: &Request) -> Option<TokenHash> {
    let pairs = header(request, "Cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == COOKIE).map(|(_, token)| hash(token))
}

/// A session about to begin for whoever asks, under a token that nobody else has.
pub(super) fn new_session(request: &Request, token: &str) -> NewSession {
    let agent = header(request, "User-Agent").unwrap_or_default();
    let agent = agent.chars().filter(|c| !c.is_control()).take(AGENT).collect();
    NewSession { token: hash(token), agent, at: Time::now() }
}

/// Another site's page can send a request here with this browser's cookie, but it cannot hide where it comes from.
pub(super) fn check_origin(request: &Request) -> Result<(), Answer> {
    let Some(origin) = header(request, "Origin") else { return Ok(()) };
    let place = origin.split_once("://").map(|(_, place)| place);
    if place.is_some() && place == header(request, "Host") {
        return Ok(());
    }
    Err(problem(403, "origin_not_allowed", "only this server's own page may ask for this"))
}

/// Counts that something is made which not everybody behind one address should make without end.
pub(super) fn count_address(line: &Line, request: &Request) -> Result<(), Answer> {
    count(line, format!("from {}", place_of(address(request))), FROM_AN_ADDRESS)
}

/// Counts a try of a name's password.
pub(super) fn count_login(line: &Line, request: &Request, name: &PersonName) -> Result<(), Answer> {
    count(line, login_from(address(request)), LOGINS)?;
    count(line, login_of(name), LOGINS)
}

/// The password was right: it was no guess, neither at this name nor from there.
pub(super) fn forgive_login(line: &Line, address: Option<IpAddr>, name: &PersonName) {
    line.tries.forgive(&login_of(name));
    line.tries.give_back(&login_from(address));
    line.cluster.tell(|| Note::Forgiven(login_of(name)));
    line.cluster.tell(|| Note::GivenBack(login_from(address)));
}

fn count(line: &Line, key: String, allowance: Allowance) -> Result<(), Answer> {
    if !line.settings.logins {
        return Ok(());
    }
    line.tries.take(key.clone(), allowance, Instant::now()).map_err(too_many)?;
    line.cluster.tell(|| Note::Tried(key, if allowance == LOGINS { Counted::Login } else { Counted::Name }));
    Ok(())
}

fn login_of(name: &PersonName) -> String {
    format!("name {}", name.folded())
}

fn login_from(address: Option<IpAddr>) -> String {
    format!("login {}", place_of(address))
}

fn place_of(address: Option<IpAddr>) -> String {
    address.map(place).unwrap_or_default()
}

fn too_many(wait: Duration) -> Answer {
    let seconds = wait.as_secs() + 1;
    problem(429, "too_many_tries", &format!("too many tries; wait {seconds} s"))
        .with_header(field("Retry-After", &seconds.to_string()))
}

/// A name that stands in the path.
pub(super) fn name_in_path(text: &str) -> Result<PersonName, Answer> {
    let none = || problem(404, "no_such_person", "nobody here has that name and an account");
    let text = percent_decode_str(text).decode_utf8().map_err(|_| none())?;
    PersonName::parse(&text).map_err(|_| none())
}

/// The fields of a body.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads them, of a request that comes from here.
    pub fn of(request: &mut Request) -> Result<Fields, Answer> {
        check_origin(request)?;
        if header(request, "Content-Type").is_none_or(|kind| !kind.starts_with("application/json")) {
            return Err(problem(415, "bad_content_type", "send JSON, as application/json"));
        }
        let mut body = String::new();
        let read = request.as_reader().take(LARGEST).read_to_string(&mut body);
        match read.ok().and_then(|_| serde_json::from_str(&body).ok()) {
            Some(Value::Object(fields)) => Ok(Fields(fields)),
            _ => Err(problem(400, "bad_json", "send a JSON object of 4096 bytes at most")),
        }
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// A person's name.
    pub fn name(&self, name: &str) -> Result<PersonName, Answer> {
        PersonName::parse(self.text(name)?).map_err(|why| bad_field(name, why))
    }

    /// A password that is to be kept.
    pub fn new_password(&self, name: &str) -> Result<String, Answer> {
        let password = self.password(name)?;
        passwords::check_new(&password).map_err(|why| bad_field(name, why))?;
        Ok(password)
    }

    /// A password that somebody claims to know.
    pub fn password(&self, name: &str) -> Result<String, Answer> {
        let password = self.text(name)?;
        passwords::check(password).map_err(|why| bad_field(name, why))?;
        Ok(password.to_owned())
    }

    /// A token or key, as it is compared.
    pub fn secret(&self, name: &str) -> Result<Option<TokenHash>, Answer> {
        if !self.has(name) {
            return Ok(None);
        }
        let text = self.text(name)?;
        if text.is_empty() || text.chars().count() > LONGEST_TOKEN {
            return Err(bad_field(name, "it has 1 to 128 characters"));
        }
        Ok(Some(hash(text)))
    }

    /// A role.
    pub fn role(&self, name: &str) -> Result<Role, Answer> {
        Role::parse(self.text(name)?).ok_or_else(|| bad_field(name, "say member, moderator or owner"))
    }

    /// A whole number from 1 to `most`.
    pub fn number(&self, name: &str, most: i64, otherwise: i64) -> Result<i64, Answer> {
        if !self.has(name) {
            return Ok(otherwise);
        }
        let number = self.0.get(name).and_then(Value::as_i64).filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| bad_field(name, &format!("give a whole number from 1 to {most}")))
    }

    /// Yes or no; no, if nothing is said.
    pub fn flag(&self, name: &str) -> Result<bool, Answer> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(bad_field(name, "it must be true or false")),
        }
    }

    /// Yes or no.
    pub fn truth(&self, name: &str) -> Result<bool, Answer> {
        self.0.get(name).and_then(Value::as_bool).ok_or_else(|| bad_field(name, "say true or false"))
    }

    /// Text.
    pub fn text(&self, name: &str) -> Result<&str, Answer> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(bad_field(name, "it must be text")),
            None => Err(bad_field(name, "it is missing")),
        }
    }
}

pub(super) fn bad_field(name: &str, why: &str) -> Answer {
    problem(400, "bad_field", &format!("\"{name}\": {why}"))
}

pub(super) fn unavailable(cause: &crate::Error) -> Answer {
    log::debug!("cannot read or write people: {cause}");
    problem(503, "unavailable", "the database does not answer just now; try again")
        .with_header(field("Retry-After", "5"))
}
