//! People in SQL: accounts, sessions, invitations.

use super::super::people::{
    Account, Invitation, NewAccount, NewSession, People, Person, PersonId, PersonView, Registered, Role, SEEN_EVERY,
    SessionView,
};
use super::super::schema::{facts, invitations, people, sessions};
use super::super::{Time, TokenHash};
use super::{Sql, person};
use crate::error::Error;
use crate::name::PersonName;
use crate::store::database::{Database, on};
use diesel::dsl::exists;
use diesel::prelude::*;

/// Sessions older than this are swept away at start.
const SESSION_LIFE: i64 = 400 * 24 * 60 * 60 * 1000;

impl Sql {
    /// Does something to people in a transaction.
    fn write<T>(&self, mut work: impl FnMut(&mut Database) -> QueryResult<T>) -> Result<T, Error> {
        self.written(self.pen.transaction(|c, _| work(c)))
    }
}

impl People for Sql {
    fn account(&self, name: &PersonName) -> Result<Option<Account>, Error> {
        let name = name.clone();
        self.readers.read(move |c| account(c, &name))
    }

    fn people(&self) -> Result<Vec<PersonView>, Error> {
        let accounts = people::table.filter(people::password.is_not_null()).order(people::id);
        let columns = (people::name, people::role, people::avatar.is_not_null());
        let rows = self.readers.read(move |c| accounts.select(columns).load::<(String, String, bool)>(c))?;
        let view = |(name, role, avatar): (String, String, bool)| PersonView {
            name: PersonName::trusted(&name),
            role: Role::stored(&role),
            avatar,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    fn has_owner(&self) -> Result<bool, Error> {
        self.readers.read(move |c| diesel::select(exists(owners())).get_result(c))
    }

    fn register(&self, account: &NewAccount, session: &NewSession) -> Result<Registered, Error> {
        let registered = self.pen.transaction(|c, known| {
            alone(c)?;
            if self::account(c, &account.name)?.is_some() {
                return Ok(Registered::NameTaken);
            }
            let role = match &account.by {
                Err(role) => *role,
                Ok(token) => match take(c, token, session.at)? {
                    Some(role) => role,
                    None => return Ok(Registered::NotInvited),
                },
            };
            // A guest of that name left a row, and may have written it in another way.
            known.remove(&account.name.folded());
            let (id, name) = person(c, known, &account.name, session.at)?;
            let row = people::table.filter(people::id.eq(id));
            let made = (
                people::password.eq(&account.password),
                people::role.eq(role.as_str()),
                people::created_at.eq(session.at.0),
            );
            diesel::update(row).set(made).execute(c)?;
            diesel::delete(sessions::table.filter(sessions::person_id.eq(id))).execute(c)?;
            insert_session(c, id, session)?;
            Ok(Registered::Done(Person { id, name, role }))
        });
        self.written(registered)
    }

    fn sign_in(&self, person: PersonId, session: &NewSession) -> Result<(), Error> {
        self.write(|c| insert_session(c, person, session)).map(drop)
    }

    fn open_session(&self, session: &NewSession, name: &PersonName) -> Result<Option<Person>, Error> {
        let opened = self.pen.transaction(|c, known| {
            alone(c)?;
            if account(c, name)?.is_some() {
                return Ok(None);
            }
            let (id, name) = person(c, known, name, session.at)?;
            insert_session(c, id, session)?;
            Ok(Some(Person { id, name, role: Role::Guest }))
        });
        self.written(opened)
    }

    fn session(&self, token: &TokenHash, now: Time) -> Result<Option<Person>, Error> {
        let token = *token;
        let found = self.readers.read(move |c| session(c, &token))?;
        let Some((person, seen_at)) = found else { return Ok(None) };
        if now.0 - seen_at > SEEN_EVERY {
            let row = sessions::table.filter(sessions::token_hash.eq(&token[..]));
            self.write(|c| diesel::update(row).set(sessions::seen_at.eq(now.0)).execute(c))?;
        }
        Ok(Some(person))
    }

    fn sessions(&self, person: PersonId) -> Result<Vec<SessionView>, Error> {
        let own = sessions::table.filter(sessions::person_id.eq(person)).order(sessions::seen_at.desc());
        let columns = (sessions::token_hash, sessions::created_at, sessions::seen_at, sessions::agent);
        let rows = self.readers.read(move |c| own.select(columns).load::<(Vec<u8>, i64, i64, String)>(c))?;
        let view = |(token, created, seen, agent): (Vec<u8>, i64, i64, String)| SessionView {
            token: hash_of(&token),
            created_at: Time(created),
            seen_at: Time(seen),
            agent,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    fn end_session(&self, token: &TokenHash) -> Result<(), Error> {
        let row = sessions::table.filter(sessions::token_hash.eq(&token[..]));
        self.write(|c| diesel::delete(row).execute(c)).map(drop)
    }

    fn end_others(&self, person: PersonId, but: &TokenHash) -> Result<Vec<TokenHash>, Error> {
        let others = sessions::table.filter(sessions::person_id.eq(person).and(sessions::token_hash.ne(&but[..])));
        let ended = self.write(|c| {
            let ended: Vec<Vec<u8>> = others.select(sessions::token_hash).load(c)?;
            diesel::delete(others).execute(c)?;
            Ok(ended)
        })?;
        Ok(ended.iter().map(|token| hash_of(token)).collect())
    }

    fn rename(&self, id: PersonId, name: &PersonName) -> Result<bool, Error> {
        let renamed = self.pen.transaction(|c, known| {
            alone(c)?;
            let namesake = people::table.filter(people::folded.eq(name.folded()).and(people::id.ne(id)));
            if diesel::select(exists(namesake)).get_result(c)? {
                return Ok(false);
            }
            let named = (people::name.eq(name.as_str()), people::folded.eq(name.folded()));
            diesel::update(people::table.filter(people::id.eq(id))).set(named).execute(c)?;
            known.retain(|_, (other, _)| *other != id);
            Ok(true)
        });
        self.written(renamed)
    }

    fn set_password(&self, id: PersonId, password: &str) -> Result<(), Error> {
        let row = people::table.filter(people::id.eq(id));
        self.write(|c| diesel::update(row).set(people::password.eq(password)).execute(c)).map(drop)
    }

    fn set_role(&self, id: PersonId, role: Role) -> Result<bool, Error> {
        self.write(|c| {
            alone(c)?;
            if role != Role::Owner && is_last_owner(c, id)? {
                return Ok(false);
            }
            let row = people::table.filter(people::id.eq(id));
            diesel::update(row).set(people::role.eq(role.as_str())).execute(c).map(|_| true)
        })
    }

    fn set_avatar(&self, id: PersonId, picture: Option<&[u8]>) -> Result<(), Error> {
        let row = people::table.filter(people::id.eq(id));
        self.write(|c| diesel::update(row).set(people::avatar.eq(picture)).execute(c)).map(drop)
    }

    fn avatar(&self, name: &PersonName) -> Result<Option<Vec<u8>>, Error> {
        let row = people::table.filter(people::folded.eq(name.folded())).select(people::avatar);
        Ok(self.readers.read(move |c| row.first::<Option<Vec<u8>>>(c).optional())?.flatten())
    }

    fn invite(&self, invitation: &Invitation) -> Result<(), Error> {
        let row = (
            invitations::token_hash.eq(&invitation.token[..]),
            invitations::role.eq(invitation.role.as_str()),
            invitations::created_by.eq(invitation.by),
            invitations::created_at.eq(invitation.created_at.0),
            invitations::expires_at.eq(invitation.expires_at.0),
            invitations::uses_left.eq(invitation.uses_left),
        );
        let written = self.write(|c| {
            if invitation.by.is_none() {
                diesel::delete(invitations::table.filter(invitations::created_by.is_null())).execute(c)?;
            }
            diesel::insert_into(invitations::table).values(row).execute(c)
        });
        written.map(drop)
    }

    fn invitations(&self, now: Time) -> Result<Vec<Invitation>, Error> {
        self.readers.read(move |c| {
            let good = invitations::expires_at.gt(now.0).and(invitations::uses_left.gt(0));
            let newest_first = invitations::table.filter(good).order(invitations::created_at.desc());
            let rows: Vec<InvitationRow> = newest_first.load(c)?;
            Ok(rows.into_iter().map(Invitation::from).collect())
        })
    }

    fn withdraw(&self, token: &TokenHash) -> Result<(), Error> {
        let row = invitations::table.filter(invitations::token_hash.eq(&token[..]));
        self.write(|c| diesel::delete(row).execute(c)).map(drop)
    }
}

/// Waits until no other server changes people, and keeps them waiting until this transaction ends: what is looked at first and
/// written then, must not change in between. It happens seldom enough for one row to be the lock of it all.
pub(super) fn alone(c: &mut Database) -> QueryResult<()> {
    if !c.is_shared() {
        return Ok(());
    }
    diesel::update(facts::table.filter(facts::name.eq("epoch"))).set(facts::value.eq(facts::value)).execute(c).map(drop)
}

/// Sweeps out sessions that nobody can have a cookie of any more, and invitations that let nobody in.
pub(super) fn sweep(c: &mut Database, now: Time) -> QueryResult<()> {
    diesel::delete(sessions::table.filter(sessions::created_at.lt(now.0 - SESSION_LIFE))).execute(c)?;
    let stale = invitations::expires_at.le(now.0).or(invitations::uses_left.le(0));
    diesel::delete(invitations::table.filter(stale)).execute(c)?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn owners() -> _ {
    let role: &'static str = "owner";
    people::table.filter(people::role.eq(role).and(people::password.is_not_null()))
}

/// Whether nobody but that person owns this server.
pub(super) fn is_last_owner(c: &mut Database, id: PersonId) -> QueryResult<bool> {
    let owns: bool = diesel::select(exists(owners().filter(people::id.eq(id)))).get_result(c)?;
    let others: bool = diesel::select(exists(owners().filter(people::id.ne(id)))).get_result(c)?;
    Ok(owns && !others)
}

fn account(c: &mut Database, name: &PersonName) -> QueryResult<Option<Account>> {
    let row = people::table.filter(people::folded.eq(name.folded()).and(people::password.is_not_null()));
    let columns = (people::id, people::name, people::role, people::password.assume_not_null());
    let found: Option<(i64, String, String, String)> = on!(c, |c| row.select(columns).first(c)).optional()?;
    Ok(found.map(|(id, name, role, password)| Account { person: stored(id, &name, &role), password }))
}

fn stored(id: PersonId, name: &str, role: &str) -> Person {
    Person { id, name: PersonName::trusted(name), role: Role::stored(role) }
}

/// Takes one use of an invitation, and gives the role that it brings.
fn take(c: &mut Database, token: &TokenHash, now: Time) -> QueryResult<Option<Role>> {
    let row = invitations::table.filter(invitations::token_hash.eq(&token[..]));
    let Some(invitation) = row.first::<InvitationRow>(c).optional()?.map(Invitation::from) else { return Ok(None) };
    if !invitation.is_good(now) {
        return Ok(None);
    }
    diesel::update(row).set(invitations::uses_left.eq(invitation.uses_left - 1)).execute(c)?;
    Ok(Some(invitation.role))
}

fn insert_session(c: &mut Database, person: PersonId, session: &NewSession) -> QueryResult<usize> {
    let row = (
        sessions::token_hash.eq(&session.token[..]),
        sessions::person_id.eq(person),
        sessions::created_at.eq(session.at.0),
        sessions::seen_at.eq(session.at.0),
        sessions::agent.eq(&session.agent),
    );
    diesel::insert_into(sessions::table).values(row).execute(c)
}

fn session(c: &mut Database, token: &TokenHash) -> QueryResult<Option<(Person, i64)>> {
    let row = sessions::table.inner_join(people::table).filter(sessions::token_hash.eq(&token[..]));
    let columns = (people::id, people::name, people::role, sessions::seen_at);
    let found: Option<(i64, String, String, i64)> = on!(c, |c| row.select(columns).first(c)).optional()?;
    Ok(found.map(|(id, name, role, seen_at)| (stored(id, &name, &role), seen_at)))
}

/// What was stored as a hash is one.
fn hash_of(bytes: &[u8]) -> TokenHash {
    bytes.try_into().unwrap_or_default()
}

type InvitationRow = (Vec<u8>, String, Option<i64>, i64, i64, i64);

impl From<InvitationRow> for Invitation {
    fn from((token, role, by, created, expires, uses_left): InvitationRow) -> Invitation {
        Invitation {
            token: hash_of(&token),
            role: Role::stored(&role),
            by,
            created_at: Time(created),
            expires_at: Time(expires),
            uses_left,
        }
    }
}
