//! Tokens, which programs come in with, and the bots that some of them are.

use super::{Admin, person_name};
use crate::error::Error;
use crate::identity::{hash, new_token};
use crate::store::{LONGEST_LABEL, NewToken, People, Person, Time, TokenHash, TokenView, Tokens, public_id};
use serde::Serialize;
use std::time::SystemTime;

/// A token, without what is secret of it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let admin = parlor::Admin::make(folder.path())?;
/// let (token, secret) = admin.make_bot("oven", "the kitchen's")?;
/// assert!(secret.starts_with("parlor_") && token.bot);
/// assert_eq!(admin.tokens(Some("oven"))?, [token.clone()]);
/// admin.revoke_token(&token.id)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Token {
    /// What it is called when it is revoked. With it nobody comes in.
    pub id: String,
    /// Who comes in with it.
    pub name: String,
    /// Whether that is a bot.
    pub bot: bool,
    /// What it is for.
    pub label: String,
    /// When it was made.
    #[serde(with = "crate::message::rfc3339")]
    pub created_at: SystemTime,
    /// When it was last shown, give or take a few minutes; None: never.
    #[serde(with = "crate::message::rfc3339::optional")]
    pub used_at: Option<SystemTime>,
}

impl Admin {
    /// All tokens, or one person's: for each account, the oldest first, those that it has, the newest first.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that has no account; [`Error::Store`].
    pub fn tokens(&self, name: Option<&str>) -> Result<Vec<Token>, Error> {
        Ok(self.held(name)?.into_iter().map(|(_, token)| token).collect())
    }

    /// Makes a token with which a program comes in as whoever has that account, and gives it with its
    /// secret, which is kept nowhere.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that has no account, and a label that is empty, has more than 64 characters or more
    /// than one line; [`Error::Store`]; [`Error::System`] when the system has no randomness.
    pub fn make_token(&self, name: &str, label: &str) -> Result<(Token, String), Error> {
        let label = self::label(label)?;
        self.give_token(&self.person(name)?, label)
    }

    /// Makes a token for a bot: a member whom no password lets in. It is made, too, where there is none of that name.
    ///
    /// # Errors
    /// As [`Admin::make_token`], and [`Error::Refused`] for a name that is none or somebody else's.
    pub fn make_bot(&self, name: &str, label: &str) -> Result<(Token, String), Error> {
        let (name, label) = (person_name(name)?, self::label(label)?);
        let bot = match self.store.make_bot(&name, Time::now())? {
            Some(made) => Some(made),
            None => self.store.bots()?.into_iter().find(|bot| bot.name.folded() == name.folded()),
        };
        let taken = || {
            let why = "is taken, if only by somebody who wrote under it once; choose another for the bot";
            Error::Refused(format!("the name {name}, or one that looks like it, {why}"))
        };
        self.give_token(&bot.ok_or_else(taken)?, label)
    }

    /// Ends a token, and gives what it was.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is none of that id; [`Error::Store`].
    pub fn revoke_token(&self, id: &str) -> Result<Token, Error> {
        let none =
            || Error::Refused(format!("there is no token {id}; \"parlor token list\" shows those that there are"));
        let (hash, token) = self.held(None)?.into_iter().find(|(_, token)| token.id == id).ok_or_else(none)?;
        if self.store.revoke(&hash)? { Ok(token) } else { Err(none()) }
    }

    fn give_token(&self, person: &Person, label: String) -> Result<(Token, String), Error> {
        let secret = new_token()?;
        let new = NewToken { token: hash(&secret), label, at: Time::now() };
        self.store.make_token(person.id, &new)?;
        let NewToken { token, label, at } = new;
        let view = TokenView { token, label, created_at: at, used_at: None };
        Ok((Token::of(person, self.is_bot(person)?, view), secret))
    }

    /// The tokens with their hashes.
    fn held(&self, name: Option<&str>) -> Result<Vec<(TokenHash, Token)>, Error> {
        let people = match name {
            Some(name) => vec![self.person(name)?],
            None => {
                let all = self.store.people()?;
                all.iter().map(|view| self.person(view.name.as_str())).collect::<Result<Vec<_>, _>>()?
            }
        };
        let mut held = Vec::new();
        for person in people {
            let is_bot = self.is_bot(&person)?;
            let tokens = self.store.tokens(person.id)?;
            held.extend(tokens.into_iter().map(|view| (view.token, Token::of(&person, is_bot, view))));
        }
        Ok(held)
    }

    fn is_bot(&self, person: &Person) -> Result<bool, Error> {
        Ok(self.store.bots()?.iter().any(|bot| bot.id == person.id))
    }
}

impl Token {
    fn of(person: &Person, bot: bool, view: TokenView) -> Token {
        Token {
            id: public_id(&view.token),
            name: person.name.as_str().to_owned(),
            bot,
            label: view.label,
            created_at: view.created_at.into(),
            used_at: view.used_at.map(SystemTime::from),
        }
    }
}

fn label(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_LABEL || text.chars().any(char::is_control) {
        return Err(Error::Refused(format!("the label has 1 to {LONGEST_LABEL} characters, all in one line")));
    }
    Ok(text.to_owned())
}
