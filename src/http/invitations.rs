//! `/api/invitations`: links that let somebody make an account.

use super::asked::{Fields, at_least, bad_field, check_origin, unavailable};
use super::{Answer, done, header, json, problem};
use crate::config::Join;
use crate::identity::hash;
use crate::line::Line;
use crate::order;
use crate::store::{Deed, Invitation, Role, Time, public_id, random_hex};
use log::info;
use qrcode::{Color, QrCode};
use serde_json::{Value, json};
use tiny_http::{Method, Request};

/// How long an invitation is good for, in days, and for how many accounts.
const DAYS: i64 = 7;
const MOST_DAYS: i64 = 365;
const USES: i64 = 1;
const MOST_USES: i64 = 1000;

/// Invitations at the same time.
const MOST: usize = 1000;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// `rest` is what follows `/api/invitations`.
pub(super) fn answer(line: &Line, request: &mut Request, rest: &str) -> Result<Answer, Answer> {
    match (request.method(), rest) {
        (Method::Get | Method::Head, "") => list(line, request),
        (Method::Post, "") => invite(line, request),
        (Method::Delete, rest) if rest.starts_with('/') => withdraw(line, request, &rest[1..]),
        _ => Err(problem(405, "method_not_allowed", "GET or POST invitations, DELETE one")),
    }
}

fn list(line: &Line, request: &Request) -> Result<Answer, Answer> {
    at_least(Role::Moderator, line, request)?;
    Ok(json(200, &given(line)?.iter().map(shown).collect::<Value>()))
}

/// The token is told here once, as a link and as what a QR code of it looks like, and kept nowhere.
fn invite(line: &Line, request: &mut Request) -> Result<Answer, Answer> {
    let fields = Fields::of(request)?;
    let caller = at_least(Role::Moderator, line, request)?;
    if line.settings.join == Join::Closed {
        return Err(problem(403, "not_allowed", "this server takes no new accounts, invited or not"));
    }
    let role = if fields.has("role") { fields.role("role")? } else { Role::Member };
    if role == Role::Guest || role >= caller.person.role {
        return Err(bad_field("role", "one invites members, or an owner moderators"));
    }
    let days = fields.number("days", MOST_DAYS, DAYS)?;
    let uses_left = fields.number("uses", MOST_USES, USES)?;
    if given(line)?.len() >= MOST {
        return Err(problem(409, "too_many", "there are 1000 invitations already; take some back"));
    }
    let (token, now) = (random_hex(16).map_err(|e| unavailable(&e))?, Time::now());
    let invitation = Invitation {
        token: hash(&token),
        role,
        by: Some(caller.person.id),
        created_at: now,
        expires_at: Time(now.0 + days * DAY),
        uses_left,
    };
    line.store.invite(&invitation).map_err(|e| unavailable(&e))?;
    info!("{} made the invitation {} ({})", caller.person.name, public_id(&invitation.token), role.as_str());
    let detail = format!("{} for {uses_left}, until {}", role.as_str(), invitation.expires_at);
    order::note(&*line.store, &Deed::new(&caller.person.name, "invite").detail(detail));
    let link = format!("{}/#invite={token}", origin(request));
    let mut answer = shown(&invitation);
    answer["token"] = token.into();
    answer["qr"] = drawn(&link);
    answer["link"] = link.into();
    Ok(json(200, &answer))
}

fn withdraw(line: &Line, request: &Request, id: &str) -> Result<Answer, Answer> {
    check_origin(request)?;
    let caller = at_least(Role::Moderator, line, request)?;
    let Some(invitation) = given(line)?.into_iter().find(|invitation| public_id(&invitation.token) == id) else {
        return Err(problem(404, "no_such_invitation", "there is no such invitation; perhaps it is used up"));
    };
    line.store.withdraw(&invitation.token).map_err(|e| unavailable(&e))?;
    let detail = format!("{} for {}", invitation.role.as_str(), invitation.uses_left);
    order::note(&*line.store, &Deed::new(&caller.person.name, "withdraw").detail(detail));
    Ok(done())
}

/// Those that somebody made; the owner's own is the operator's affair.
fn given(line: &Line) -> Result<Vec<Invitation>, Answer> {
    let all = line.store.invitations(Time::now()).map_err(|e| unavailable(&e))?;
    Ok(all.into_iter().filter(|invitation| invitation.by.is_some()).collect())
}

fn shown(invitation: &Invitation) -> Value {
    json!({
        "id": public_id(&invitation.token),
        "role": invitation.role,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "uses_left": invitation.uses_left,
    })
}

/// Where the page that asks was loaded from: where others will find it, too.
fn origin(request: &Request) -> String {
    match (header(request, "Origin"), header(request, "Host")) {
        (Some(origin), _) => origin.to_owned(),
        (None, Some(host)) => format!("http://{host}"),
        (None, None) => String::new(),
    }
}

/// A QR code as its rows, `1` for what is dark. A link too long for one has none.
fn drawn(link: &str) -> Value {
    let Ok(code) = QrCode::new(link) else { return Value::Null };
    let sign = |color: &Color| if *color == Color::Dark { '1' } else { '0' };
    code.to_colors().chunks(code.width()).map(|row| row.iter().map(sign).collect::<String>()).collect()
}
