//! What a store does for people: accounts, their sessions, and the invitations that lead to them.

use super::{Time, TokenHash};
use crate::error::Error;
use crate::name::PersonName;
use serde::{Serialize, Serializer};

/// A person's key in the store. The name may change; this never does.
pub type PersonId = i64;

/// A person behind a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The key in the store.
    pub id: PersonId,
    /// The name as it is shown.
    pub name: PersonName,
    /// What this person may do.
    pub role: Role,
}

/// What a person may do: whoever has a later role may do all that an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Came by name alone. All others have an account.
    Guest,
    /// Has an account.
    Member,
    /// Keeps order.
    Moderator,
    /// Whose server it is.
    Owner,
}

impl Role {
    const ALL: [Role; 4] = [Role::Guest, Role::Member, Role::Moderator, Role::Owner];

    /// As it stands on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Guest => "guest",
            Role::Member => "member",
            Role::Moderator => "moderator",
            Role::Owner => "owner",
        }
    }

    /// The role of that word.
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// A role that this program has stored; of one that it does not know the least is thought.
    pub(super) fn stored(word: &str) -> Role {
        Role::parse(word).unwrap_or(Role::Guest)
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// An account, as it is looked at when somebody signs in.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Whose.
    pub person: Person,
    /// The password's hash, as a PHC string.
    pub password: String,
}

/// A session that is about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of the token that the browser keeps.
    pub token: TokenHash,
    /// What the browser calls itself.
    pub agent: String,
    /// When.
    pub at: Time,
}

/// An account that is about to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name.
    pub name: PersonName,
    /// The password's hash, as a PHC string.
    pub password: String,
    /// What lets this person in: an invitation, which says the role too, or without one a role.
    pub by: Result<TokenHash, Role>,
}

/// What became of a [`NewAccount`].
#[derive(Clone, Debug, PartialEq)]
pub enum Registered {
    /// It is there, and signed in.
    Done(Person),
    /// The name has an account already.
    NameTaken,
    /// The invitation is used up, expired, or was never made.
    NotInvited,
}

/// A session as its person sees it in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionView {
    /// The hash of its token. Its first half is its public id.
    pub token: TokenHash,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, give or take a few minutes.
    pub seen_at: Time,
    /// What the browser calls itself.
    pub agent: String,
}

/// Leave to make an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// The hash of its token. Its first half is its public id.
    pub token: TokenHash,
    /// What whoever takes it will be.
    pub role: Role,
    /// Who made it. None: the server itself.
    pub by: Option<PersonId>,
    /// When it was made.
    pub created_at: Time,
    /// From when on it is worth nothing.
    pub expires_at: Time,
    /// How many accounts can still be made with it.
    pub uses_left: i64,
}

impl Invitation {
    /// Whether it still lets somebody in.
    pub fn is_good(&self, now: Time) -> bool {
        self.uses_left > 0 && self.expires_at > now
    }
}

/// Somebody who has an account, as others see it.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonView {
    /// The name.
    pub name: PersonName,
    /// What this person may do.
    pub role: Role,
    /// Whether there is a picture.
    pub avatar: bool,
}

/// How fresh `seen_at` is kept: not every request is worth a write.
pub const SEEN_EVERY: i64 = 5 * 60 * 1000;

/// The public id of a session or an invitation: the first 16 hexadecimal digits of its token's hash.
pub fn public_id(token: &TokenHash) -> String {
    token[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// People, their accounts and sessions. Every method may block.
pub trait People {
    /// The account of that name, whatever of its letters are large.
    fn account(&self, name: &PersonName) -> Result<Option<Account>, Error>;

    /// All accounts, the oldest first.
    fn people(&self) -> Result<Vec<PersonView>, Error>;

    /// Whether somebody owns this server.
    fn has_owner(&self) -> Result<bool, Error>;

    /// Makes an account and signs its person in, all or nothing. What was written by a guest of that name becomes the
    /// account's; that guest's sessions end.
    fn register(&self, account: &NewAccount, session: &NewSession) -> Result<Registered, Error>;

    /// Signs a person in.
    fn sign_in(&self, person: PersonId, session: &NewSession) -> Result<(), Error>;

    /// Opens a session for a guest of that name. None: it has an account.
    fn open_session(&self, session: &NewSession, name: &PersonName) -> Result<Option<Person>, Error>;

    /// Whose session it is, if it is one. It counts as being seen `now`.
    fn session(&self, token: &TokenHash, now: Time) -> Result<Option<Person>, Error>;

    /// A person's sessions, the one used last first.
    fn sessions(&self, person: PersonId) -> Result<Vec<SessionView>, Error>;

    /// Ends a session; it is no error if there was none.
    fn end_session(&self, token: &TokenHash) -> Result<(), Error>;

    /// Ends all other sessions of a person, and gives those that ended.
    fn end_others(&self, person: PersonId, but: &TokenHash) -> Result<Vec<TokenHash>, Error>;

    /// Gives a person another name. False: it is taken, be it by somebody who wrote under it once.
    fn rename(&self, person: PersonId, name: &PersonName) -> Result<bool, Error>;

    /// Gives a person another password, as a PHC string.
    fn set_password(&self, person: PersonId, password: &str) -> Result<(), Error>;

    /// Gives a person another role. False: nobody would own the server then.
    fn set_role(&self, person: PersonId, role: Role) -> Result<bool, Error>;

    /// Gives a person a picture, or takes it away.
    fn set_avatar(&self, person: PersonId, picture: Option<&[u8]>) -> Result<(), Error>;

    /// The picture of the person of that name.
    fn avatar(&self, name: &PersonName) -> Result<Option<Vec<u8>>, Error>;

    /// Keeps an invitation. One of the server itself takes the place of those that it made before.
    fn invite(&self, invitation: &Invitation) -> Result<(), Error>;

    /// The invitations that are still good, the newest first.
    fn invitations(&self, now: Time) -> Result<Vec<Invitation>, Error>;

    /// Takes an invitation back; it is no error if there was none.
    fn withdraw(&self, token: &TokenHash) -> Result<(), Error>;
}
