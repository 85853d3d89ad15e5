//! `/api/people/NAME/mute|ban|kick|purge`: what those who keep order do to people; `/api/sanctions`: what is in force.

use super::asked::{Caller, Fields, address, at_least, bad_field, check_origin, name_in_path, unavailable};
use super::{Answer, done, field, json, problem};
use crate::line::Line;
use crate::order::{self, Keeper, LONGEST, Terms, Wrong};
use crate::store::{Penalty, Role, Sanction, Time};
use serde_json::{Map, Value, json};
use tiny_http::{Method, Request};

/// Whether the route is one of these: what stands behind `/api/people`.
pub(super) fn is_about(rest: &str) -> bool {
    matches!(rest.split('/').collect::<Vec<_>>()[..], ["", _, "mute" | "ban" | "kick" | "purge"])
}

pub(super) fn answer(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    let parts: Vec<&str> = rest.split('/').collect();
    let ["", name, act] = parts[..] else { return Err(problem(404, "not_found", "there is no such route")) };
    match (request.method(), act) {
        (Method::Post, "mute") => lay(line, request, name, Penalty::Mute),
        (Method::Post, "ban") => lay(line, request, name, Penalty::Ban),
        (Method::Post, "kick") => kick(line, request, name),
        (Method::Post, "purge") => purge(line, request, name),
        (Method::Delete, "mute") => lift(line, request, name, Penalty::Mute),
        (Method::Delete, "ban") => lift(line, request, name, Penalty::Ban),
        _ => {
            let allowed = if matches!(act, "mute" | "ban") { "POST, DELETE" } else { "POST" };
            let refused = problem(405, "method_not_allowed", &format!("this is done with {allowed}"));
            Err(refused.with_header(field("Allow", allowed)))
        }
    }
}

/// What is in force, for those who keep order.
pub(super) fn list(line: &Line, request: &Request) -> Result<Answer, Answer> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        let refused = problem(405, "method_not_allowed", "this is only for reading");
        return Err(refused.with_header(field("Allow", "GET, HEAD")));
    }
    at_least(Role::Moderator, line, request)?;
    let all = order::sanctions(line).map_err(|e| unavailable(&e))?;
    Ok(json(200, &all.iter().map(shown).collect::<Value>()))
}

fn lay(line: &Line, request: &mut Request, name: &str, penalty: Penalty) -> Result<Answer, Answer> {
    let fields = Fields::of(request)?;
    let keeper = keeper(line, request)?;
    let name = name_in_path(name)?;
    let seconds = fields.has("seconds").then(|| fields.number("seconds", LONGEST, 1)).transpose()?;
    let until = seconds.map(|seconds| Time(Time::now().0 + seconds * 1000));
    let terms = Terms { until, reason: reason(&fields)? };
    let laid = match penalty {
        Penalty::Mute => order::mute(line, &keeper, &name, terms),
        Penalty::Ban => order::ban(line, &keeper, &name, terms, fields.flag("addresses")?),
    };
    Ok(json(200, &shown(&laid.map_err(refused)?)))
}

fn lift(line: &Line, request: &Request, name: &str, penalty: Penalty) -> Result<Answer, Answer> {
    check_origin(request)?;
    let keeper = keeper(line, request)?;
    let lifted = order::lift(line, &keeper, &name_in_path(name)?, penalty, "").map_err(refused)?;
    if lifted { Ok(done()) } else { Err(problem(404, "no_such_sanction", "there was nothing to lift")) }
}

fn kick(line: &Line, request: &mut Request, name: &str) -> Result<Answer, Answer> {
    let fields = Fields::of(request)?;
    let keeper = keeper(line, request)?;
    let count = order::kick(line, &keeper, &name_in_path(name)?, &reason(&fields)?).map_err(refused)?;
    Ok(json(200, &json!({"connections": count})))
}

fn purge(line: &Line, request: &mut Request, name: &str) -> Result<Answer, Answer> {
    let fields = Fields::of(request)?;
    let keeper = keeper(line, request)?;
    let purged = order::purge(line, &keeper, &name_in_path(name)?, &reason(&fields)?).map_err(refused)?;
    Ok(json(200, &json!({"deleted": purged.deleted, "more": purged.more})))
}

fn keeper(line: &Line, request: &Request) -> Result<Keeper, Answer> {
    let Caller { person, .. } = at_least(Role::Moderator, line, request)?;
    Ok(Keeper { name: person.name, role: person.role, address: address(request) })
}

fn reason(fields: &Fields) -> Result<String, Answer> {
    if !fields.has("reason") {
        return Ok(String::new());
    }
    order::reason(fields.text("reason")?).map_err(|why| bad_field("reason", why))
}

fn shown(sanction: &Sanction) -> Value {
    let Sanction { name, penalty, until, reason, by, at, networks } = sanction;
    let mut shown = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("penalty".to_owned(), json!(penalty)),
        ("by".to_owned(), json!(by)),
        ("at".to_owned(), json!(at)),
    ]);
    if let Some(until) = until {
        shown.insert("until".into(), json!(until));
    }
    if !reason.is_empty() {
        shown.insert("reason".into(), json!(reason));
    }
    if !networks.is_empty() {
        shown.insert("addresses".into(), json!(networks));
    }
    shown.into()
}

fn refused(wrong: Wrong) -> Answer {
    match wrong {
        Wrong::NoSuchPerson => problem(404, "no_such_person", "nobody of that name has been here"),
        Wrong::NotAllowed(why) => problem(403, "not_allowed", why),
        Wrong::Store(cause) => unavailable(&cause),
    }
}
