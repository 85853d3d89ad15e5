//! `/api/people`: who has an account, their pictures, and the roles that the owner gives.

use super::asked::{Fields, at_least, name_in_path, unavailable};
use super::{Answer, field, header, json, picture, problem};
use crate::line::Line;
use crate::order;
use crate::store::{Deed, PersonView, Role};
use log::info;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tiny_http::{Method, Request, Response};

/// `rest` is what follows `/api/people`.
pub(super) fn answer(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    let reads = matches!(request.method(), Method::Get | Method::Head);
    let patches = *request.method() == Method::Patch;
    match rest.split('/').collect::<Vec<_>>()[..] {
        [""] if reads => list(line, request),
        ["", name, "avatar"] if reads => avatar(line, request, name),
        ["", name] if patches => set_role(line, request, name),
        [""] | ["", _] | ["", _, "avatar"] => {
            Err(problem(405, "method_not_allowed", "this is done with another method"))
        }
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

fn list(line: &Line, request: &Request) -> Result<Answer, Answer> {
    at_least(Role::Guest, line, request)?;
    let people = line.store.people().map_err(|e| unavailable(&e))?;
    let bots = line.store.bots().map_err(|e| unavailable(&e))?;
    let shown = |view: &PersonView| {
        let mut shown = json!({"name": view.name, "role": view.role, "avatar": view.avatar});
        if bots.iter().any(|bot| bot.name == view.name) {
            shown["bot"] = true.into();
        }
        shown
    };
    Ok(json(200, &people.iter().map(shown).collect::<Value>()))
}

fn avatar(line: &Line, request: &Request, name: &str) -> Result<Answer, Answer> {
    at_least(Role::Guest, line, request)?;
    let name = name_in_path(name)?;
    let found = line.store.avatar(&name).map_err(|e| unavailable(&e))?;
    let Some((picture, kind)) = found.and_then(|picture| picture::kind(&picture).map(|kind| (picture, kind))) else {
        return Err(problem(404, "no_avatar", "there is no picture of that name"));
    };
    let digest = Sha256::digest(&picture);
    let etag = format!("\"{}\"", digest[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let known = header(request, "If-None-Match").is_some_and(|known| known.contains(&etag));
    let (status, body) = if known { (304, Vec::new()) } else { (200, picture) };
    let mut answer = Response::from_data(body)
        .with_status_code(status)
        .with_header(field("ETag", &etag))
        // Whoever may not come in any more does not see it either.
        .with_header(field("Cache-Control", "private, no-cache"))
        .with_header(field("X-Content-Type-Options", "nosniff"))
        .with_header(field("Content-Security-Policy", "default-src 'none'; sandbox"));
    answer.add_header(field("Content-Type", kind));
    Ok(answer)
}

/// The person's connections are closed with 4002, and come back in the new role.
fn set_role(line: &Line, request: &mut Request, name: &str) -> Result<Answer, Answer> {
    let fields = Fields::of(request)?;
    let owner = at_least(Role::Owner, line, request)?;
    let role = fields.role("role")?;
    if role == Role::Guest {
        return Err(super::asked::bad_field("role", "whoever has an account is a member at least"));
    }
    let account = line.store.account(&name_in_path(name)?).map_err(|e| unavailable(&e))?;
    let Some(account) = account else {
        return Err(problem(404, "no_such_person", "nobody here has that name and an account"));
    };
    if role == Role::Owner && line.store.bots().map_err(|e| unavailable(&e))?.contains(&account.person) {
        return Err(super::asked::bad_field("role", "a bot owns no server"));
    }
    if !line.store.set_role(account.person.id, role).map_err(|e| unavailable(&e))? {
        return Err(problem(409, "last_owner", "somebody must own this server; make another owner first"));
    }
    let name = account.person.name;
    info!("{} made {name} {}", owner.person.name, role.as_str());
    order::note(&*line.store, &Deed::new(&owner.person.name, "role").to(&name).detail(role.as_str()));
    line.call_back(&name);
    Ok(json(200, &json!({"name": name, "role": role})))
}
