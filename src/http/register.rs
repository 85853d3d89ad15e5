//! `/api/register`: makes an account; and `/api/door`: how one comes in here.

use super::asked::{Fields, count_address, let_in, token, unavailable};
use super::passwords::{hash, later};
use super::session::{begun, fresh};
use super::{Answer, Reply, json, problem};
use crate::config::Join;
use crate::identity::Identity;
use crate::line::Line;
use crate::store::{NewAccount, Registered, Role, Time, TokenHash};
use log::info;
use tiny_http::{Method, Request};

/// What a page must know before it asks anybody in.
pub(super) fn door(line: &Line, request: &Request) -> Result<Answer, Answer> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(problem(405, "method_not_allowed", "this is only for reading"));
    }
    Ok(json(200, &serde_json::json!({"join": line.settings.join.as_str(), "guests": line.settings.guests})))
}

pub(super) fn answer(line: &Line, request: &mut Request) -> Result<Reply, Answer> {
    if *request.method() != Method::Post {
        return Err(problem(405, "method_not_allowed", "POST a name and a password"));
    }
    let fields = Fields::of(request)?;
    let (name, password) = (fields.name("name")?, fields.new_password("password")?);
    let by = by(line, fields.secret("invite")?)?;
    count_address(line, request)?;
    let_in(line, request, &name, Role::Member)?;
    // A guest's name goes to that guest alone, who shows the cookie or the key for it.
    let keys = [token(request), fields.secret("claim")?];
    let own = keys.into_iter().find(|key| !line.guests.is_taken(&name, key.as_ref()));
    let Some(own) = own else { return Err(name_taken()) };
    let (token, session) = fresh(request)?;
    Ok(later(move |line| {
        // Nobody else comes in under the name while the account is made.
        let key = own.or(Some(session.token));
        let holder = Identity { name: name.clone(), person: None, role: Role::Guest, key, session: None };
        let Some(_claim) = line.guests.claim(&holder) else { return Err(name_taken()) };
        if line.store.account(&name).map_err(|e| unavailable(&e))?.is_some() {
            return Err(name_taken());
        }
        let password = hash(&password).map_err(|e| unavailable(&e))?;
        let account = NewAccount { name: name.clone(), password, by };
        match line.store.register(&account, &session).map_err(|e| unavailable(&e))? {
            Registered::Done(person) => {
                info!("{} has an account now ({})", person.name, person.role.as_str());
                line.sign_out_guest(&name);
                Ok(begun(&person, &token))
            }
            Registered::NameTaken => Err(name_taken()),
            Registered::NotInvited => Err(not_invited()),
        }
    }))
}

/// What lets somebody make an account: an invitation, or that everyone may.
fn by(line: &Line, invitation: Option<TokenHash>) -> Result<Result<TokenHash, Role>, Answer> {
    match (line.settings.join, invitation) {
        (Join::Open, None) => Ok(Err(Role::Member)),
        (Join::Open | Join::Invite, Some(token)) => Ok(Ok(token)),
        (Join::Invite, None) => {
            Err(problem(403, "not_allowed", "accounts are by invitation here; ask somebody who has one for a link"))
        }
        (Join::Closed, token) => {
            let good = line.store.invitations(Time::now()).map_err(|e| unavailable(&e))?;
            // The owner's, which the server itself gave out.
            let owners = token.filter(|token| good.iter().any(|one| one.by.is_none() && one.token == *token));
            owners.map(Ok).ok_or_else(|| problem(403, "not_allowed", "this server takes no new accounts"))
        }
    }
}

fn name_taken() -> Answer {
    problem(409, "name_taken", "this name, or one that looks like it, is taken; choose another")
}

fn not_invited() -> Answer {
    problem(403, "not_invited", "this invitation is used up, expired or taken back; ask for another")
}
