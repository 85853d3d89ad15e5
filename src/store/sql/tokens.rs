//! Tokens and bots in SQL.

use super::super::database::{Database, on};
use super::super::people::{Person, PersonId, Role, SEEN_EVERY};
use super::super::schema::{bots, people, tokens};
use super::super::tokens::{NO_PASSWORD, NewToken, TokenView, Tokens};
use super::super::{Time, TokenHash};
use super::{Sql, refused};
use crate::error::Error;
use crate::name::PersonName;
use diesel::dsl::exists;
use diesel::prelude::*;

impl Tokens for Sql {
    fn make_token(&self, person: PersonId, token: &NewToken) -> Result<(), Error> {
        let row = (
            tokens::token_hash.eq(&token.token[..]),
            tokens::person_id.eq(person),
            tokens::label.eq(&token.label),
            tokens::created_at.eq(token.at.0),
        );
        self.pen
            .transaction(|c, _| diesel::insert_into(tokens::table).values(row).execute(c))
            .map_err(|e| refused(&e))?;
        Ok(())
    }

    fn token(&self, token: &TokenHash, now: Time) -> Result<Option<Person>, Error> {
        let hash = *token;
        let found: Option<(i64, String, String, Option<i64>)> = self.readers.read(move |c| {
            let row = tokens::table.inner_join(people::table).filter(tokens::token_hash.eq(&hash[..]));
            on!(c, |c| row.select((people::id, people::name, people::role, tokens::used_at)).first(c)).optional()
        })?;
        let Some((id, name, role, used_at)) = found else { return Ok(None) };
        if used_at.is_none_or(|before| now.0 - before > SEEN_EVERY) {
            let row = tokens::table.filter(tokens::token_hash.eq(&token[..]));
            let used = self.pen.transaction(|c, _| diesel::update(row).set(tokens::used_at.eq(now.0)).execute(c));
            used.map_err(|e| refused(&e))?;
        }
        Ok(Some(stored(id, &name, &role)))
    }

    fn tokens(&self, person: PersonId) -> Result<Vec<TokenView>, Error> {
        let own = tokens::table.filter(tokens::person_id.eq(person)).order(tokens::created_at.desc());
        let columns = (tokens::token_hash, tokens::label, tokens::created_at, tokens::used_at);
        let rows = self.readers.read(move |c| own.select(columns).load::<(Vec<u8>, String, i64, Option<i64>)>(c))?;
        let view = |(token, label, created, used): (Vec<u8>, String, i64, Option<i64>)| TokenView {
            token: token.try_into().unwrap_or_default(),
            label,
            created_at: Time(created),
            used_at: used.map(Time),
        };
        Ok(rows.into_iter().map(view).collect())
    }

    fn revoke(&self, token: &TokenHash) -> Result<bool, Error> {
        let row = tokens::table.filter(tokens::token_hash.eq(&token[..]));
        let ended = self.pen.transaction(|c, _| diesel::delete(row).execute(c)).map_err(|e| refused(&e))?;
        Ok(ended > 0)
    }

    fn make_bot(&self, name: &PersonName, at: Time) -> Result<Option<Person>, Error> {
        let made = self.pen.transaction(|c, _| {
            let row = people::table.filter(people::folded.eq(name.folded()));
            if diesel::select(exists(row.clone())).get_result(c)? {
                return Ok(None);
            }
            let role = Role::Member;
            let new = (
                people::name.eq(name.as_str()),
                people::folded.eq(name.folded()),
                people::role.eq(role.as_str()),
                people::password.eq(NO_PASSWORD),
                people::created_at.eq(at.0),
            );
            diesel::insert_into(people::table).values(new).execute(c)?;
            let id: PersonId = row.select(people::id).first(c)?;
            let bot = (bots::person_id.eq(id), bots::created_at.eq(at.0));
            diesel::insert_into(bots::table).values(bot).execute(c)?;
            Ok(Some(Person { id, name: name.clone(), role }))
        });
        made.map_err(|e| refused(&e))
    }

    fn bots(&self) -> Result<Vec<Person>, Error> {
        let all = bots::table.inner_join(people::table).order(people::id);
        let columns = (people::id, people::name, people::role);
        let rows = self.readers.read(move |c| all.select(columns).load::<(i64, String, String)>(c))?;
        Ok(rows.iter().map(|(id, name, role)| stored(*id, name, role)).collect())
    }
}

pub(super) fn stored(id: PersonId, name: &str, role: &str) -> Person {
    Person { id, name: PersonName::trusted(name), role: Role::stored(role) }
}
