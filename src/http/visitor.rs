//! A visitor: who asks something of rooms and messages over HTTP. It is read, judged and stored as the frame that asks the same.

use super::asked::{Caller, at_least, check_origin};
use super::{Answer, field, header, problem};
use crate::actor::Actor;
use crate::identity::{Claim, Identity};
use crate::line::Line;
use crate::name::RoomName;
use crate::protocol::{self, Code, Problem};
use crate::rate::too_fast;
use crate::store::{Person, Role};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::time::Instant;
use tiny_http::Request;

/// Whoever asks; of a guest nobody else has the name meanwhile.
pub(super) struct Visitor {
    pub person: Person,
    _claim: Option<Claim>,
}

impl Visitor {
    /// Who asks: a guest, or somebody with an account.
    pub fn of(line: &Line, request: &Request) -> Result<Visitor, Answer> {
        let Caller { person, token } = at_least(Role::Guest, line, request)?;
        if person.role > Role::Guest {
            return Ok(Visitor { person, _claim: None });
        }
        if !line.settings.guests {
            return Err(problem(403, "not_allowed", "only people with an account come in here; sign in"));
        }
        let name = person.name.clone();
        let who = Identity { name, person: None, role: Role::Guest, key: Some(token), session: Some(token) };
        let claim = line.guests.claim(&who);
        let taken = || problem(409, "name_taken", "somebody of that name is here; choose another");
        Ok(Visitor { person, _claim: Some(claim.ok_or_else(taken)?) })
    }

    /// The same, who changes something: that must not come from another site's page, nor too fast.
    pub fn with_intent(line: &Line, request: &Request) -> Result<Visitor, Answer> {
        check_origin(request)?;
        let visitor = Visitor::of(line, request)?;
        let bucket = line.rates.of(&visitor.person.name, Instant::now());
        bucket.take(Instant::now()).map_err(|wait| refused(too_fast(wait)))?;
        line.cluster.spent(&visitor.person.name);
        Ok(visitor)
    }

    /// What this person may do.
    pub fn actor<'a>(&'a self, line: &'a Line) -> Actor<'a> {
        Actor { line, name: &self.person.name, role: self.person.role }
    }
}

/// A body of text, of that kind or with none.
pub(super) fn text(request: &mut Request) -> Result<String, Answer> {
    if header(request, "Content-Encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(problem(415, "bad_content_encoding", "send the body as it is, not packed"));
    }
    let mut body = Vec::new();
    // The front lets no more through than it has received.
    if request.as_reader().read_to_end(&mut body).is_err() {
        return Err(problem(400, "bad_request", "the body ended too early"));
    }
    String::from_utf8(body).map_err(|_| problem(400, "bad_encoding", "the body is not UTF-8"))
}

/// What kind of body it is, without what stands behind.
pub(super) fn kind(request: &Request) -> &str {
    header(request, "Content-Type").and_then(|kind| kind.split(';').next()).unwrap_or_default().trim()
}

/// The fields of a body that is a JSON object.
pub(super) fn fields(request: &mut Request) -> Result<Map<String, Value>, Answer> {
    if !kind(request).eq_ignore_ascii_case("application/json") {
        return Err(problem(415, "bad_content_type", "send JSON, as application/json"));
    }
    match serde_json::from_str(&text(request)?) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(problem(400, "bad_json", "send a JSON object")),
        Err(cause) => Err(problem(400, "bad_json", &format!("this is not JSON: {cause}"))),
    }
}

/// The frame of that type with these fields, `given` before those of the body.
pub(super) fn frame(
    line: &Line,
    kind: &str,
    mut fields: Map<String, Value>,
    given: &[(&str, Value)],
) -> Result<protocol::Request, Answer> {
    fields.insert("type".into(), kind.into());
    for (name, value) in given {
        fields.insert((*name).into(), value.clone());
    }
    protocol::parse(&Value::Object(fields).to_string(), &line.limits).map_err(refused)
}

/// What a frame would be answered with, as an answer to a request.
pub(super) fn refused(problem: Problem) -> Answer {
    let status = match problem.code {
        Code::BadJson | Code::UnknownType | Code::BadField => 400,
        Code::NotAMember | Code::NotAllowed | Code::Muted => 403,
        Code::NoSuchRoom => 404,
        Code::RoomExists => 409,
        Code::TooLong => 413,
        Code::RateLimited => 429,
        Code::Unavailable => 503,
    };
    let answer = super::problem(status, problem.code.as_str(), &problem.message);
    match problem.wait().as_secs() + u64::from(problem.wait().subsec_nanos() > 0) {
        0 if matches!(status, 429 | 503) => answer.with_header(field("Retry-After", "5")),
        0 => answer,
        seconds => answer.with_header(field("Retry-After", &seconds.to_string())),
    }
}

/// What should not be: a store that gives the outcome of something else.
pub(super) fn unexpected() -> Answer {
    refused(Problem::unavailable())
}

/// A part of the path as it was before it was written there.
pub(super) fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(Into::into)
}

/// The name of a room that stands in the path. What cannot be a room's name is no room's.
pub(super) fn room_in_path(part: &str) -> Result<RoomName, Answer> {
    let name = decoded(part).and_then(|name| RoomName::parse(&name).ok());
    name.ok_or_else(|| problem(404, "no_such_room", "there is no room of that name"))
}

/// A number from the path or the query.
pub(super) fn number(name: &str, text: &str) -> Result<i64, Answer> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number.ok_or_else(|| super::asked::bad_field(name, "it must be a whole number, and not negative"))
}
