//! People in memory: accounts, sessions, invitations.

use super::super::people::{
    Account, Invitation, NewAccount, NewSession, People, Person, PersonId, PersonView, Registered, Role, SessionView,
};
use super::super::{Time, TokenHash};
use super::{Memory, State};
use crate::error::Error;
use crate::name::PersonName;
use std::collections::HashMap;

/// Everyone who has posted, read or signed in, with an account or as a guest.
#[derive(Default)]
pub(super) struct Everyone {
    /// A person's id is its place here, counted from 1.
    people: Vec<Kept>,
    /// Folded name → id.
    names: HashMap<String, PersonId>,
    sessions: HashMap<TokenHash, (PersonId, SessionView)>,
    invitations: Vec<Invitation>,
}

pub(super) struct Kept {
    pub person: Person,
    pub password: Option<String>,
    avatar: Option<Vec<u8>>,
}

impl Everyone {
    fn find(&self, name: &PersonName) -> Option<&Kept> {
        self.names.get(&name.folded()).map(|id| &self.people[*id as usize - 1])
    }

    /// Whether somebody has that name, given as names are compared.
    pub(super) fn knows(&self, folded: &str) -> bool {
        self.names.contains_key(folded)
    }

    /// The name as its person writes it.
    pub(super) fn shown(&self, name: &PersonName) -> Option<PersonName> {
        self.find(name).map(|kept| kept.person.name.clone())
    }

    /// The number of a person, who is known from now on.
    pub(super) fn know(&mut self, name: &PersonName) -> PersonId {
        self.person(name).person.id
    }

    /// Whose session that is.
    pub(super) fn whose(&self, token: &TokenHash) -> Option<Person> {
        self.sessions.get(token).map(|(id, _)| self.people[*id as usize - 1].person.clone())
    }

    /// Takes a person's account away, and gives the name. None: nobody would own the server then.
    pub(super) fn close(&mut self, id: PersonId) -> Option<PersonName> {
        let other_owner = |kept: &Kept| kept.person.role == Role::Owner && kept.person.id != id;
        if self.of(id).person.role == Role::Owner && !self.people.iter().any(other_owner) {
            return None;
        }
        self.sessions.retain(|_, (person, _)| *person != id);
        let kept = self.of(id);
        (kept.password, kept.avatar, kept.person.role) = (None, None, Role::Guest);
        Some(kept.person.name.clone())
    }

    fn find_account(&self, name: &PersonName) -> Option<Account> {
        let kept = self.find(name)?;
        Some(Account { person: kept.person.clone(), password: kept.password.clone()? })
    }

    pub(super) fn of(&mut self, id: PersonId) -> &mut Kept {
        &mut self.people[id as usize - 1]
    }

    /// The person of that name, made where there is none.
    fn person(&mut self, name: &PersonName) -> &mut Kept {
        let id = match self.names.get(&name.folded()) {
            Some(id) => *id,
            None => {
                let id = self.people.len() as PersonId + 1;
                let person = Person { id, name: name.clone(), role: Role::Guest };
                self.people.push(Kept { person, password: None, avatar: None });
                self.names.insert(name.folded(), id);
                id
            }
        };
        let kept = self.of(id);
        kept.person.name = name.clone();
        kept
    }

    fn begin(&mut self, person: PersonId, session: &NewSession) {
        let NewSession { token, agent, at } = session.clone();
        self.sessions.insert(token, (person, SessionView { token, created_at: at, seen_at: at, agent }));
    }

    fn register(&mut self, account: &NewAccount, session: &NewSession) -> Registered {
        if self.find_account(&account.name).is_some() {
            return Registered::NameTaken;
        }
        let role = match &account.by {
            Err(role) => *role,
            Ok(token) => {
                let good = |one: &&mut Invitation| one.token == *token && one.is_good(session.at);
                let Some(invitation) = self.invitations.iter_mut().find(good) else { return Registered::NotInvited };
                invitation.uses_left -= 1;
                invitation.role
            }
        };
        let kept = self.person(&account.name);
        kept.password = Some(account.password.clone());
        kept.person.role = role;
        let person = kept.person.clone();
        self.sessions.retain(|_, (id, _)| *id != person.id);
        self.begin(person.id, session);
        Registered::Done(person)
    }
}

impl State {
    /// What was done under the old name stands under the new one.
    fn rename(&mut self, old: &PersonName, new: &PersonName) {
        let (from, to) = (old.folded(), new.folded());
        self.book.rename(old, new);
        let is_old = |name: &PersonName| name.folded() == from;
        let call = |name: &mut PersonName| {
            if is_old(name) {
                *name = new.clone();
            }
        };
        for kept in &mut self.rooms {
            kept.members.iter_mut().chain(&mut kept.maker).for_each(call);
            for message in &mut kept.messages {
                call(&mut message.from);
                message.reactions.iter_mut().flat_map(|reaction| &mut reaction.people).for_each(call);
            }
            let spoken_to = kept.mentioned.values_mut().flatten();
            spoken_to.filter(|name| **name == from).for_each(|name| name.clone_from(&to));
        }
        let moved = |folded: String| if folded == from { to.clone() } else { folded };
        let ids = std::mem::take(&mut self.ids).into_iter();
        self.ids = ids.map(|((name, id), place)| ((moved(name), id), place)).collect();
        let marks = std::mem::take(&mut self.marks).into_iter();
        self.marks = marks.map(|((name, room), rev)| ((moved(name), room), rev)).collect();
    }
}

impl People for Memory {
    fn account(&self, name: &PersonName) -> Result<Option<Account>, Error> {
        Ok(self.state.read().everyone.find_account(name))
    }

    fn people(&self) -> Result<Vec<PersonView>, Error> {
        let state = self.state.read();
        let accounts = state.everyone.people.iter().filter(|kept| kept.password.is_some());
        let view = |kept: &Kept| PersonView {
            name: kept.person.name.clone(),
            role: kept.person.role,
            avatar: kept.avatar.is_some(),
        };
        Ok(accounts.map(view).collect())
    }

    fn has_owner(&self) -> Result<bool, Error> {
        Ok(self.state.read().everyone.people.iter().any(|kept| kept.person.role == Role::Owner))
    }

    fn register(&self, account: &NewAccount, session: &NewSession) -> Result<Registered, Error> {
        Ok(self.state.write().everyone.register(account, session))
    }

    fn sign_in(&self, person: PersonId, session: &NewSession) -> Result<(), Error> {
        self.state.write().everyone.begin(person, session);
        Ok(())
    }

    fn open_session(&self, session: &NewSession, name: &PersonName) -> Result<Option<Person>, Error> {
        let everyone = &mut self.state.write().everyone;
        if everyone.find_account(name).is_some() {
            return Ok(None);
        }
        let person = everyone.person(name).person.clone();
        everyone.begin(person.id, session);
        Ok(Some(person))
    }

    fn session(&self, token: &TokenHash, now: Time) -> Result<Option<Person>, Error> {
        let everyone = &mut self.state.write().everyone;
        let Some((id, session)) = everyone.sessions.get_mut(token) else { return Ok(None) };
        session.seen_at = now;
        let id = *id;
        Ok(Some(everyone.of(id).person.clone()))
    }

    fn sessions(&self, person: PersonId) -> Result<Vec<SessionView>, Error> {
        let state = self.state.read();
        let own = state.everyone.sessions.values().filter(|(id, _)| *id == person);
        let mut own: Vec<SessionView> = own.map(|(_, session)| session.clone()).collect();
        own.sort_by_key(|session| std::cmp::Reverse(session.seen_at));
        Ok(own)
    }

    fn end_session(&self, token: &TokenHash) -> Result<(), Error> {
        self.state.write().everyone.sessions.remove(token);
        Ok(())
    }

    fn end_others(&self, person: PersonId, but: &TokenHash) -> Result<Vec<TokenHash>, Error> {
        let sessions = &mut self.state.write().everyone.sessions;
        let others = sessions.iter().filter(|(token, (id, _))| *id == person && *token != but);
        let ended: Vec<TokenHash> = others.map(|(token, _)| *token).collect();
        ended.iter().for_each(|token| drop(sessions.remove(token)));
        Ok(ended)
    }

    fn rename(&self, person: PersonId, name: &PersonName) -> Result<bool, Error> {
        let mut state = self.state.write();
        let old = state.everyone.people[person as usize - 1].person.name.clone();
        if old.folded() != name.folded() {
            if state.everyone.find(name).is_some() {
                return Ok(false);
            }
            state.everyone.names.remove(&old.folded());
            state.everyone.names.insert(name.folded(), person);
        }
        state.everyone.of(person).person.name = name.clone();
        state.rename(&old, name);
        Ok(true)
    }

    fn set_password(&self, person: PersonId, password: &str) -> Result<(), Error> {
        self.state.write().everyone.of(person).password = Some(password.into());
        Ok(())
    }

    fn set_role(&self, person: PersonId, role: Role) -> Result<bool, Error> {
        let everyone = &mut self.state.write().everyone;
        let other_owner = |kept: &Kept| kept.person.role == Role::Owner && kept.person.id != person;
        let owns = everyone.of(person).person.role == Role::Owner;
        if role != Role::Owner && owns && !everyone.people.iter().any(other_owner) {
            return Ok(false);
        }
        everyone.of(person).person.role = role;
        Ok(true)
    }

    fn set_avatar(&self, person: PersonId, picture: Option<&[u8]>) -> Result<(), Error> {
        self.state.write().everyone.of(person).avatar = picture.map(Into::into);
        Ok(())
    }

    fn avatar(&self, name: &PersonName) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.state.read().everyone.find(name).and_then(|kept| kept.avatar.clone()))
    }

    fn invite(&self, invitation: &Invitation) -> Result<(), Error> {
        let invitations = &mut self.state.write().everyone.invitations;
        if invitation.by.is_none() {
            invitations.retain(|before| before.by.is_some());
        }
        invitations.push(invitation.clone());
        Ok(())
    }

    fn invitations(&self, now: Time) -> Result<Vec<Invitation>, Error> {
        let invitations = &mut self.state.write().everyone.invitations;
        invitations.retain(|invitation| invitation.is_good(now));
        Ok(invitations.iter().rev().cloned().collect())
    }

    fn withdraw(&self, token: &TokenHash) -> Result<(), Error> {
        self.state.write().everyone.invitations.retain(|invitation| invitation.token != *token);
        Ok(())
    }
}
