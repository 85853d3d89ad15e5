//! `/api/session`: who this browser is. A guest picks a name, whoever has an account gives the password too; each gets a
//! cookie for it.

use super::asked::{
    Caller, Fields, address, caller, check_origin, count_login, forgive_login, let_in, new_session, token, unavailable,
};
use super::passwords::{is_right, later};
use super::{Answer, Reply, done, field, header, json, problem};
use crate::identity::COOKIE;
use crate::line::Line;
use crate::store::{NewSession, Person, Role, TokenHash, random_hex};
use log::info;
use serde_json::Value;
use tiny_http::{Method, Request};

/// How long a browser keeps the cookie.
const YEAR: u32 = 365 * 24 * 60 * 60;

pub(super) fn answer(line: &Line, request: &mut Request) -> Result<Reply, Answer> {
    match request.method() {
        Method::Get | Method::Head => who(line, request).map(Reply::Now),
        Method::Post => open(line, request),
        Method::Delete => end(line, request).map(Reply::Now),
        _ => Err(problem(405, "method_not_allowed", "GET, POST or DELETE a session")),
    }
}

/// The person, or `null`: a browser that comes for the first time has done nothing wrong. A guest whose name another
/// guest has taken meanwhile is told so here, for a page cannot see why its WebSocket was refused.
fn who(line: &Line, request: &Request) -> Result<Answer, Answer> {
    match caller(line, request)? {
        Some(Caller { person, .. }) if person.role == Role::Guest && !line.settings.guests => Err(no_guests()),
        Some(Caller { person, token }) if person.role == Role::Guest => {
            let taken = line.guests.is_taken(&person.name, Some(&token));
            if taken { Err(in_use()) } else { Ok(shown(&person)) }
        }
        Some(Caller { person, .. }) => Ok(shown(&person)),
        None => Ok(json(200, &Value::Null)),
    }
}

fn open(line: &Line, request: &mut Request) -> Result<Reply, Answer> {
    let fields = Fields::of(request)?;
    let name = fields.name("name")?;
    let (before, (token, session)) = (self::token(request), fresh(request)?);
    if fields.has("password") {
        let password = fields.password("password")?;
        count_login(line, request, &name)?;
        let address = address(request);
        return Ok(later(move |line| {
            let account = line.store.account(&name).map_err(|e| unavailable(&e))?;
            let stored = account.as_ref().map(|account| account.password.as_str());
            // Of a name that nobody has, too: how long it takes tells nobody which there are.
            let right = is_right(&password, stored);
            let Some(account) = account.as_ref().filter(|_| right) else {
                return Err(problem(401, "unknown_credentials", "this name and this password do not belong together"));
            };
            forgive_login(line, address, &name);
            let Person { name, role, .. } = &account.person;
            if let Some(why) = line.doors.sanctions.bars(name, *role, address) {
                return Err(problem(403, "banned", &why));
            }
            line.store.sign_in(account.person.id, &session).map_err(|e| unavailable(&e))?;
            info!("{} signed in", account.person.name);
            leave(line, before)?;
            Ok(begun(&account.person, &token))
        }));
    }
    if !line.settings.guests {
        return Err(no_guests());
    }
    let_in(line, request, &name, Role::Guest)?;
    if line.guests.is_taken(&name, before.as_ref()) {
        return Err(in_use());
    }
    let opened = line.store.open_session(&session, &name).map_err(|e| unavailable(&e))?;
    let person = opened.ok_or_else(|| {
        problem(409, "name_taken", "this name belongs to somebody with an account; sign in, or choose another")
    })?;
    Ok(Reply::Now(begun(&person, &token)))
}

fn end(line: &Line, request: &Request) -> Result<Answer, Answer> {
    check_origin(request)?;
    leave(line, token(request))?;
    Ok(done().with_header(cookie("", 0, over_tls(request))))
}

/// Ends the session that a browser had until now, and with it its connections.
fn leave(line: &Line, before: Option<TokenHash>) -> Result<(), Answer> {
    let Some(before) = before else { return Ok(()) };
    line.store.end_session(&before).map_err(|e| unavailable(&e))?;
    line.sign_out(vec![before], "signed out");
    Ok(())
}

/// Whoever has just signed in is told who that is, and gets the cookie of the session.
pub(super) fn begun(person: &Person, token: &Token) -> Answer {
    shown(person).with_header(cookie(&token.text, YEAR, token.secure))
}

/// A session's secret on its way to a browser.
pub(super) struct Token {
    text: String,
    /// The browser came over TLS, and keeps it for that.
    secure: bool,
}

/// A token that nobody has yet, and its session.
pub(super) fn fresh(request: &Request) -> Result<(Token, NewSession), Answer> {
    let text = random_hex(32).map_err(|e| unavailable(&e))?;
    let session = new_session(request, &text);
    Ok((Token { text, secure: over_tls(request) }, session))
}

fn shown(person: &Person) -> Answer {
    json(200, &serde_json::json!({"name": person.name, "role": person.role}))
}

/// The one place where a cookie is made.
fn cookie(token: &str, age: u32, secure: bool) -> tiny_http::Header {
    let secure = if secure { "; Secure" } else { "" };
    field("Set-Cookie", &format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"))
}

/// The front says so, of TLS here or at a proxy that is trusted; what a client says of itself does not come through it.
fn over_tls(request: &Request) -> bool {
    header(request, "X-Forwarded-Proto") == Some("https")
}

fn in_use() -> Answer {
    problem(409, "name_taken", "somebody of that name is here; choose another")
}

fn no_guests() -> Answer {
    problem(403, "not_allowed", "only people with an account come in here; sign in")
}
