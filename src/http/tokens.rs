//! `/api/me/tokens` and `/api/bots`: what programs come in with, and the programs that are people of their own.

use super::asked::{Caller, Fields, at_least, bad_field, check_origin, count_address, is_by_token, unavailable};
use super::visitor::decoded;
use super::{Answer, done, json, problem};
use crate::identity::{Identity, hash, new_token};
use crate::line::Line;
use crate::name::PersonName;
use crate::store::{LONGEST_LABEL, NewToken, Person, Role, Time, TokenView, public_id};
use log::info;
use serde_json::{Value, json};
use tiny_http::{Method, Request};

/// Tokens that one person may have.
const MOST: usize = 50;

/// Bots that there may be.
const MOST_BOTS: usize = 200;

/// `rest` is what follows `/api/me/tokens`.
pub(super) fn own(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    let fields = if *request.method() == Method::Post { Some(Fields::of(request)?) } else { None };
    check_origin(request)?;
    let Caller { person, .. } = at_least(Role::Member, line, request)?;
    of_one(line, request, &person, rest, fields.as_ref())
}

/// `rest` is what follows `/api/bots`.
pub(super) fn bots(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    let makes = *request.method() == Method::Post;
    let fields = if makes { Some(Fields::of(request)?) } else { None };
    check_origin(request)?;
    let reads = rest.is_empty() && !makes;
    let caller = at_least(if reads { Role::Guest } else { Role::Owner }, line, request)?;
    match (rest.split('/').collect::<Vec<_>>()[..].as_ref(), &fields) {
        ([""], Some(fields)) => make_bot(line, request, &caller, fields),
        ([""], None) => list_bots(line),
        (["", name, "tokens", ..], fields) => {
            let bot = bot(line, &decoded(name).unwrap_or_default())?;
            let rest = rest.splitn(3, '/').nth(2).and_then(|rest| rest.strip_prefix("tokens")).unwrap_or_default();
            of_one(line, request, &bot, rest, fields.as_ref())
        }
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

/// The bot of that name.
pub(super) fn bot(line: &Line, name: &str) -> Result<Person, Answer> {
    let none = || problem(404, "no_such_bot", "there is no bot of that name");
    let name = PersonName::parse(name).map_err(|_| none())?;
    let bots = line.store.bots().map_err(|e| unavailable(&e))?;
    bots.into_iter().find(|bot| bot.name.folded() == name.folded()).ok_or_else(none)
}

/// What is asked of one person's tokens.
fn of_one(
    line: &Line,
    request: &Request,
    person: &Person,
    rest: &str,
    fields: Option<&Fields>,
) -> Result<Answer, Answer> {
    match (fields, rest.strip_prefix('/')) {
        (Some(fields), None) => make(line, request, person, fields),
        (None, None) => list(line, person),
        (None, Some(id)) => revoke(line, person, id),
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

fn list(line: &Line, person: &Person) -> Result<Answer, Answer> {
    let tokens = line.store.tokens(person.id).map_err(|e| unavailable(&e))?;
    Ok(json(200, &tokens.iter().map(shown).collect::<Value>()))
}

/// The token is told here alone, and kept nowhere.
fn make(line: &Line, request: &Request, person: &Person, fields: &Fields) -> Result<Answer, Answer> {
    only_people(request)?;
    let label = fields.line("label", LONGEST_LABEL)?;
    if line.store.tokens(person.id).map_err(|e| unavailable(&e))?.len() >= MOST {
        return Err(problem(409, "too_many", "there are 50 tokens already; revoke some"));
    }
    let token = new_token().map_err(|e| unavailable(&e))?;
    let new = NewToken { token: hash(&token), label, at: Time::now() };
    line.store.make_token(person.id, &new).map_err(|e| unavailable(&e))?;
    info!("{} has the new token {}", person.name, public_id(&new.token));
    let view = TokenView { token: new.token, label: new.label, created_at: new.at, used_at: None };
    let mut answer = shown(&view);
    answer["token"] = token.into();
    Ok(json(201, &answer))
}

/// Its connections are closed with 4001 at once.
fn revoke(line: &Line, person: &Person, id: &str) -> Result<Answer, Answer> {
    let tokens = line.store.tokens(person.id).map_err(|e| unavailable(&e))?;
    let Some(view) = tokens.iter().find(|view| public_id(&view.token) == id) else {
        return Err(problem(404, "no_such_token", "there is no such token; perhaps it was revoked"));
    };
    line.store.revoke(&view.token).map_err(|e| unavailable(&e))?;
    line.sign_out(vec![view.token], "this token was revoked");
    info!("the token {id} of {} was revoked", person.name);
    Ok(done())
}

fn list_bots(line: &Line) -> Result<Answer, Answer> {
    let bots = line.store.bots().map_err(|e| unavailable(&e))?;
    Ok(json(200, &bots.iter().map(bot_shown).collect::<Value>()))
}

fn make_bot(line: &Line, request: &Request, caller: &Caller, fields: &Fields) -> Result<Answer, Answer> {
    only_people(request)?;
    let name = fields.name("name")?;
    count_address(line, request)?;
    if line.store.bots().map_err(|e| unavailable(&e))?.len() >= MOST_BOTS {
        return Err(problem(409, "too_many", "there are 200 bots already"));
    }
    let taken = || problem(409, "name_taken", "this name, or one that looks like it, is taken; choose another");
    // Nobody else comes in under the name while the bot is made.
    let holder =
        Identity { name: name.clone(), person: None, role: Role::Guest, key: Some(caller.token), session: None };
    let Some(_claim) = line.guests.claim(&holder) else { return Err(taken()) };
    let made = line.store.make_bot(&name, Time::now()).map_err(|e| unavailable(&e))?;
    let bot = made.ok_or_else(taken)?;
    info!("{} made the bot {}", caller.person.name, bot.name);
    Ok(json(201, &bot_shown(&bot)))
}

/// Whoever finds a token must not make more of it: revoking it would not be the end of that.
fn only_people(request: &Request) -> Result<(), Answer> {
    if is_by_token(request) {
        return Err(problem(403, "not_allowed", "a token makes no tokens and no bots; sign in to do that"));
    }
    Ok(())
}

fn shown(view: &TokenView) -> Value {
    json!({
        "id": public_id(&view.token),
        "label": view.label,
        "created_at": view.created_at,
        "used_at": view.used_at,
    })
}

fn bot_shown(bot: &Person) -> Value {
    json!({"name": bot.name, "role": bot.role})
}

impl Fields {
    /// A line of text, of 1 to so many characters.
    fn line(&self, name: &str, longest: usize) -> Result<String, Answer> {
        let text = self.text(name)?.trim();
        if text.is_empty() || text.chars().count() > longest || text.chars().any(char::is_control) {
            return Err(bad_field(name, &format!("it has 1 to {longest} characters, all in one line")));
        }
        Ok(text.to_owned())
    }
}
