//! Tokens and bots in memory.

use super::super::people::{Person, PersonId, Role};
use super::super::tokens::{NO_PASSWORD, NewToken, TokenView, Tokens};
use super::super::{Time, TokenHash};
use super::Memory;
use crate::error::Error;
use crate::name::PersonName;

/// In the order in which they were made.
#[derive(Default)]
pub(super) struct Keys {
    tokens: Vec<(PersonId, TokenView)>,
    bots: Vec<PersonId>,
}

impl Tokens for Memory {
    fn make_token(&self, person: PersonId, token: &NewToken) -> Result<(), Error> {
        let NewToken { token, label, at } = token.clone();
        self.state.write().keys.tokens.push((person, TokenView { token, label, created_at: at, used_at: None }));
        Ok(())
    }

    fn token(&self, token: &TokenHash, now: Time) -> Result<Option<Person>, Error> {
        let state = &mut *self.state.write();
        let Some((person, view)) = state.keys.tokens.iter_mut().find(|(_, view)| view.token == *token) else {
            return Ok(None);
        };
        view.used_at = Some(now);
        Ok(Some(state.everyone.of(*person).person.clone()))
    }

    fn tokens(&self, person: PersonId) -> Result<Vec<TokenView>, Error> {
        let state = self.state.read();
        let own = state.keys.tokens.iter().rev().filter(|(id, _)| *id == person);
        Ok(own.map(|(_, view)| view.clone()).collect())
    }

    fn revoke(&self, token: &TokenHash) -> Result<bool, Error> {
        let tokens = &mut self.state.write().keys.tokens;
        let before = tokens.len();
        tokens.retain(|(_, view)| view.token != *token);
        Ok(tokens.len() < before)
    }

    fn make_bot(&self, name: &PersonName, _: Time) -> Result<Option<Person>, Error> {
        let state = &mut *self.state.write();
        if state.everyone.knows(&name.folded()) {
            return Ok(None);
        }
        let id = state.everyone.know(name);
        let kept = state.everyone.of(id);
        kept.password = Some(NO_PASSWORD.into());
        kept.person.role = Role::Member;
        state.keys.bots.push(id);
        Ok(Some(kept.person.clone()))
    }

    fn bots(&self) -> Result<Vec<Person>, Error> {
        let state = &mut *self.state.write();
        Ok(state.keys.bots.iter().map(|id| state.everyone.of(*id).person.clone()).collect())
    }
}
