//! `/api/me`: one's own account: name, password, picture, and the sessions that are signed in to it.

use super::asked::{
    Caller, Fields, address, at_least, check_origin, count_address, count_login, forgive_login, unavailable,
};
use super::passwords::{hash, is_right, later};
use super::{Answer, Reply, done, json, picture, problem};
use crate::identity::Identity;
use crate::line::Line;
use crate::store::{Role, SessionView, public_id};
use log::info;
use serde_json::{Value, json};
use tiny_http::{Method, Request};

/// `rest` is what follows `/api/me`.
pub(super) fn answer(line: &Line, request: &mut Request, rest: &str) -> Result<Reply, Answer> {
    let read = matches!(request.method(), Method::Get | Method::Head);
    match (request.method().clone(), rest) {
        (_, "") if read => show(line, request).map(Reply::Now),
        (Method::Patch, "") => rename(line, request).map(Reply::Now),
        (Method::Post, "/password") => set_password(line, request),
        (Method::Put, "/avatar") => set_avatar(line, request).map(Reply::Now),
        (Method::Delete, "/avatar") => clear_avatar(line, request).map(Reply::Now),
        (_, "/sessions") if read => sessions(line, request).map(Reply::Now),
        (Method::Delete, "/sessions") => end_others(line, request).map(Reply::Now),
        (Method::Delete, rest) if rest.starts_with("/sessions/") => {
            end_one(line, request, rest.trim_start_matches("/sessions/")).map(Reply::Now)
        }
        (_, "" | "/password" | "/avatar" | "/sessions") => {
            Err(problem(405, "method_not_allowed", "this is done with another method"))
        }
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

fn show(line: &Line, request: &Request) -> Result<Answer, Answer> {
    let Caller { person, .. } = at_least(Role::Guest, line, request)?;
    let avatar = match person.role {
        Role::Guest => false,
        _ => line.store.avatar(&person.name).map_err(|e| unavailable(&e))?.is_some(),
    };
    Ok(json(200, &json!({"name": person.name, "role": person.role, "avatar": avatar})))
}

/// The person's connections are closed with 4002, and come back under the new name.
fn rename(line: &Line, request: &mut Request) -> Result<Answer, Answer> {
    let fields = Fields::of(request)?;
    let Caller { mut person, token } = at_least(Role::Member, line, request)?;
    if fields.has("name") {
        let name = fields.name("name")?;
        count_address(line, request)?;
        let taken = || problem(409, "name_taken", "this name, or one that looks like it, is taken; choose another");
        // Nobody else comes in under the new name meanwhile.
        let key = line.guests.account(&person, token).key;
        let holder = Identity { name: name.clone(), person: None, role: Role::Guest, key, session: None };
        let Some(_claim) = line.guests.claim(&holder) else { return Err(taken()) };
        if !line.rename(&person, &name).map_err(|e| unavailable(&e))? {
            return Err(taken());
        }
        info!("{} is called {name} now", person.name);
        line.call_back(&person.name);
        person.name = name;
    }
    Ok(json(200, &json!({"name": person.name, "role": person.role})))
}

fn set_password(line: &Line, request: &mut Request) -> Result<Reply, Answer> {
    let fields = Fields::of(request)?;
    let Caller { person, token } = at_least(Role::Member, line, request)?;
    let (old, new) = (fields.password("old")?, fields.new_password("new")?);
    count_login(line, request, &person.name)?;
    let address = address(request);
    Ok(later(move |line| {
        let account = line.store.account(&person.name).map_err(|e| unavailable(&e))?;
        if !is_right(&old, account.as_ref().map(|account| account.password.as_str())) {
            return Err(problem(403, "wrong_password", "\"old\": this is not your password"));
        }
        forgive_login(line, address, &person.name);
        let new = hash(&new).map_err(|e| unavailable(&e))?;
        line.store.set_password(person.id, &new).map_err(|e| unavailable(&e))?;
        let ended = line.store.end_others(person.id, &token).map_err(|e| unavailable(&e))?;
        info!("{} has another password; {} other sessions ended", person.name, ended.len());
        line.sign_out(ended, "the password was changed; sign in with the new one");
        Ok(done())
    }))
}

fn set_avatar(line: &Line, request: &mut Request) -> Result<Answer, Answer> {
    check_origin(request)?;
    let Caller { person, .. } = at_least(Role::Member, line, request)?;
    let picture = picture::read(request)?;
    // Others are told of each.
    count_address(line, request)?;
    line.store.set_avatar(person.id, Some(&picture)).map_err(|e| unavailable(&e))?;
    line.pictured(&person.name, true);
    Ok(done())
}

fn clear_avatar(line: &Line, request: &Request) -> Result<Answer, Answer> {
    check_origin(request)?;
    let Caller { person, .. } = at_least(Role::Member, line, request)?;
    line.store.set_avatar(person.id, None).map_err(|e| unavailable(&e))?;
    line.pictured(&person.name, false);
    Ok(done())
}

fn sessions(line: &Line, request: &Request) -> Result<Answer, Answer> {
    let Caller { person, token } = at_least(Role::Member, line, request)?;
    let own = line.store.sessions(person.id).map_err(|e| unavailable(&e))?;
    let shown = |session: &SessionView| {
        json!({
            "id": public_id(&session.token),
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "agent": session.agent,
            "current": session.token == token,
        })
    };
    Ok(json(200, &own.iter().map(shown).collect::<Value>()))
}

fn end_one(line: &Line, request: &Request, id: &str) -> Result<Answer, Answer> {
    check_origin(request)?;
    let Caller { person, .. } = at_least(Role::Member, line, request)?;
    let own = line.store.sessions(person.id).map_err(|e| unavailable(&e))?;
    let Some(session) = own.iter().find(|session| public_id(&session.token) == id) else {
        return Err(problem(404, "no_such_session", "you have no such session; perhaps it has ended"));
    };
    line.store.end_session(&session.token).map_err(|e| unavailable(&e))?;
    line.sign_out(vec![session.token], "this session was ended from another device");
    Ok(done())
}

fn end_others(line: &Line, request: &Request) -> Result<Answer, Answer> {
    check_origin(request)?;
    let Caller { person, token } = at_least(Role::Member, line, request)?;
    let ended = line.store.end_others(person.id, &token).map_err(|e| unavailable(&e))?;
    line.sign_out(ended, "this session was ended from another device");
    Ok(done())
}
