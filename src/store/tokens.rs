//! What a store does for programs: the tokens that they show, and the bots that they are.

use super::people::{Person, PersonId};
use super::{Time, TokenHash};
use crate::error::Error;
use crate::name::PersonName;

/// A bot's password, in the place of a hash: it is none, so no password is right.
pub(super) const NO_PASSWORD: &str = "!";

/// The longest label of a token, in characters.
#[cfg(feature = "http")]
pub const LONGEST_LABEL: usize = 64;

/// A token that is about to be kept.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its hash.
    pub token: TokenHash,
    /// What its person calls it.
    pub label: String,
    /// When it was made.
    pub at: Time,
}

/// A token as its person sees it in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenView {
    /// Its hash, the first half of which is its public id.
    pub token: TokenHash,
    /// What its person calls it.
    pub label: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was last shown, give or take a few minutes; None: never.
    pub used_at: Option<Time>,
}

/// Tokens and bots. Every method may block.
pub trait Tokens {
    /// Keeps a token of a person.
    fn make_token(&self, person: PersonId, token: &NewToken) -> Result<(), Error>;

    /// Whose token it is, if it is one. It counts as being used `now`.
    fn token(&self, token: &TokenHash, now: Time) -> Result<Option<Person>, Error>;

    /// A person's tokens, the newest first.
    fn tokens(&self, person: PersonId) -> Result<Vec<TokenView>, Error>;

    /// Ends a token. False: there was none.
    fn revoke(&self, token: &TokenHash) -> Result<bool, Error>;

    /// Makes a bot: a member whom no password lets in. None: the name is taken, be it by somebody who wrote under it once.
    fn make_bot(&self, name: &PersonName, at: Time) -> Result<Option<Person>, Error>;

    /// All bots, the oldest first.
    fn bots(&self) -> Result<Vec<Person>, Error>;
}
