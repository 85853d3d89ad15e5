//! Looking again: somebody else has written to the database, and what this server remembers of it may be old.
//!
//! The rooms and their messages are the recorder's to look at, between two batches; who is signed in, and as what, anybody's.

use crate::error::Error;
use crate::event::{Entry, Party};
use crate::handle::look;
use crate::identity;
use crate::line::Line;
use crate::order;
use crate::protocol::close;
use crate::store::{Person, Role, Time, TokenHash};
use std::collections::HashSet;
use std::sync::Arc;

/// Why a connection is to end.
type Farewell = (u16, &'static str);

impl Line {
    /// Takes in what others have written: shows rooms and messages that are new to those who may see them, tells people
    /// whether they may speak, and closes connections of those who are signed out, banned, or somebody else now.
    pub fn refresh(self: &Arc<Line>) -> Result<(), Error> {
        self.store.forget();
        self.look_at_rooms()?;
        self.look_at_sanctions()?;
        self.look_at_people()
    }

    /// Of that, who may speak and who may come in.
    pub fn look_at_sanctions(&self) -> Result<(), Error> {
        let acting = self.doors.sanctions.acting();
        let others = self.doors.sanctions.fill(self.store.sanctions(Time::now())?);
        drop(acting);
        others.iter().for_each(|name| order::tell_standing(self, name));
        Ok(())
    }

    /// Of that, rooms and what was said in them.
    pub fn look_at_rooms(&self) -> Result<(), Error> {
        let (done, looked) = oneshot::channel();
        self.entries.send(Entry::Refresh(done)).map_err(|_| Error::Stopped)?;
        looked.recv().map_err(|_| Error::Stopped)?
    }

    fn look_at_people(self: &Arc<Line>) -> Result<(), Error> {
        let here: Vec<Arc<Party>> = look(self.clone(), |registry| registry.all().cloned().collect())?;
        let sessions: Vec<TokenHash> = here.iter().filter_map(|party| party.session).collect();
        let mut whose = self.store.whose(&sessions)?.into_iter();
        let accounts: HashSet<String> = self.store.people()?.iter().map(|view| view.name.folded()).collect();
        for party in here {
            let farewell = match party.session {
                // A token is no session; there are few.
                Some(token) => match whose.next().flatten() {
                    Some(person) => of_session(&party, Some(&person)),
                    None => of_session(&party, identity::person(&*self.store, &token)?.as_ref()),
                },
                None => of_guest(&party, &accounts),
            };
            if let Some((code, why)) = farewell {
                party.outbox.close(code, why);
            } else if let Some(why) = self.doors.sanctions.bars(&party.name, party.role, party.address) {
                party.outbox.close(close::POLICY, &why);
            }
        }
        Ok(())
    }
}

fn of_session(party: &Party, now: Option<&Person>) -> Option<Farewell> {
    match now {
        None => Some((close::SIGNED_OUT, "signed out; sign in again")),
        Some(person) if is_same(party, person) => None,
        Some(_) => Some((close::CHANGED, "you have another name or role now; come back with since")),
    }
}

/// A guest may be written as the first of their connections was.
fn is_same(party: &Party, person: &Person) -> bool {
    let is_written_so = person.role == Role::Guest || party.name == person.name;
    party.role == person.role && party.name.folded() == person.name.folded() && is_written_so
}

/// For whom the program vouches, comes with neither a session nor an account, and stays.
fn of_guest(party: &Party, accounts: &HashSet<String>) -> Option<Farewell> {
    let lost = !party.is_vouched_for && accounts.contains(&party.name.folded());
    lost.then_some((close::SIGNED_OUT, "this name has an account now; sign in"))
}
