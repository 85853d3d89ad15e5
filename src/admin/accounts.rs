//! Accounts: made, given other passwords and roles, closed.

use super::{Admin, person_name};
use crate::error::Error;
use crate::identity::hash;
use crate::passwords;
use crate::store::Keeping;
use crate::store::{NewAccount, NewSession, People, Person, Registered, Role, Time, random_hex};
use serde::Serialize;
use std::time::SystemTime;

/// Whose account it is, and how it is used.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let admin = parlor::Admin::make(folder.path())?;
/// admin.add_account("ann", "correct horse", parlor::Role::Member)?;
/// let ann = &admin.accounts()?[0];
/// assert_eq!((ann.name.as_str(), ann.role, ann.sessions), ("ann", parlor::Role::Member, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Account {
    /// The name.
    pub name: String,
    /// What its person may do.
    pub role: Role,
    /// Where it is signed in: a browser each.
    pub sessions: usize,
    /// When one of these was last used, give or take a few minutes.
    #[serde(with = "crate::message::rfc3339::optional")]
    pub seen_at: Option<SystemTime>,
}

impl Admin {
    /// All accounts, the oldest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.store.people()?.iter().filter_map(|person| self.account(person.name.as_str()).transpose()).collect()
    }

    /// The account of that name, however its letters are written.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is none; [`Error::Store`].
    pub fn account(&self, name: &str) -> Result<Option<Account>, Error> {
        let Some(account) = self.store.account(&person_name(name)?)? else { return Ok(None) };
        let Person { id, name, role } = account.person;
        let sessions = self.store.sessions(id)?;
        let seen_at = sessions.iter().map(|session| session.seen_at).max().map(SystemTime::from);
        Ok(Some(Account { name: name.as_str().to_owned(), role, sessions: sessions.len(), seen_at }))
    }

    /// Makes an account. What a guest of that name has written becomes its own, and that guest is signed out.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name or a password that is none, a name that has an account, or the role of a guest;
    /// [`Error::Store`]; [`Error::System`] when the system has no randomness.
    pub fn add_account(&self, name: &str, password: &str, role: Role) -> Result<(), Error> {
        let (name, password) = (person_name(name)?, hashed(password)?);
        let role = account_role(role)?;
        let account = NewAccount { name: name.clone(), password, by: Err(role) };
        // Nobody learns the token of this session.
        let session = NewSession { token: hash(&random_hex(16)?), agent: String::new(), at: Time::now() };
        match self.store.register(&account, &session)? {
            Registered::Done(_) => self.store.end_session(&session.token),
            _ => Err(Error::Refused(format!("{name}, or a name that looks like it, has an account already"))),
        }
    }

    /// Gives an account another password, and ends all its sessions. Gives how many there were.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that has no account, or a password that is none; [`Error::Store`]; [`Error::System`].
    pub fn set_password(&self, name: &str, password: &str) -> Result<usize, Error> {
        let person = self.person(name)?;
        self.store.set_password(person.id, &hashed(password)?)?;
        // There is no session with this token.
        self.store.end_others(person.id, &[0; 32]).map(|ended| ended.len())
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that has no account, the role of a guest, or if nobody would own the server then;
    /// [`Error::Store`].
    pub fn set_role(&self, name: &str, role: Role) -> Result<(), Error> {
        let person = self.person(name)?;
        let set = self.store.set_role(person.id, account_role(role)?)?;
        if set { Ok(()) } else { Err(last_owner(&person)) }
    }

    /// Closes an account: its sessions end, and its memberships of private and direct rooms. What was said under the name stays,
    /// and the name is anybody's.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that has no account, or if nobody would own the server then; [`Error::Store`].
    pub fn close_account(&self, name: &str) -> Result<(), Error> {
        let person = self.person(name)?;
        if self.store.close_account(person.id)? { Ok(()) } else { Err(last_owner(&person)) }
    }

    pub(super) fn person(&self, name: &str) -> Result<Person, Error> {
        let name = person_name(name)?;
        let account = self.store.account(&name)?;
        account.map(|account| account.person).ok_or_else(|| nobody(name.as_str()))
    }
}

fn nobody(name: &str) -> Error {
    Error::Refused(format!("nobody called {name} has an account here; \"parlor user list\" shows who has"))
}

fn hashed(password: &str) -> Result<String, Error> {
    passwords::check_new(password).map_err(|why| Error::Refused(why.into()))?;
    passwords::hash(password)
}

fn account_role(role: Role) -> Result<Role, Error> {
    let guest = || Error::Refused("whoever has an account is a member at least".into());
    if role == Role::Guest { Err(guest()) } else { Ok(role) }
}

fn last_owner(person: &Person) -> Error {
    Error::Refused(format!("somebody must own this server, and {} alone does; make another owner first", person.name))
}
