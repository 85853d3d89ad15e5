//! What may be done with a message that is there, and what it becomes. Pure: every store keeps to it.

use super::{Message, Reaction, Rev, Role, RoomId, Time};
use crate::name::PersonName;

/// Different signs that one message may have.
pub const MOST_SIGNS: usize = 20;

/// Reactions of one message in all. It is shown again, whole, with each of them.
pub const MOST_REACTIONS: usize = 200;

/// A change of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It says something else from now on.
    Edit(String),
    /// It is taken back.
    Delete,
    /// A person answers it with a sign, or takes that sign back.
    React {
        /// The sign.
        emoji: String,
        /// False: it is taken back.
        on: bool,
    },
}

/// Why a message was not changed, or a reply not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such message in the room.
    NoSuchMessage,
    /// What is replied to is not in the room.
    NothingToReplyTo,
    /// Another wrote it.
    NotOwn,
    /// It was deleted, and stays that way.
    Deleted,
    /// It has as many reactions as there may be.
    TooManyReactions,
}

impl Message {
    /// A new one.
    pub(crate) fn born(
        room: RoomId,
        seq: Rev,
        id: String,
        from: PersonName,
        at: Time,
        body: String,
        reply_to: Option<Rev>,
    ) -> Message {
        let reactions = Vec::new();
        Message { room, seq, rev: seq, id, from, at, body, reply_to, edited_at: None, deleted: false, reactions }
    }

    /// What a change by a person of that role makes of it, but for its number. None: it stands like that already.
    pub(super) fn after(
        &self,
        change: &Change,
        by: &PersonName,
        role: Role,
        at: Time,
    ) -> Result<Option<Message>, Fault> {
        let is_own = self.from.folded() == by.folded() || role >= Role::Moderator;
        match change {
            Change::Edit(_) | Change::Delete if !is_own => Err(Fault::NotOwn),
            Change::Delete if self.deleted => Ok(None),
            _ if self.deleted => Err(Fault::Deleted),
            Change::Edit(body) if *body == self.body => Ok(None),
            Change::Edit(body) => Ok(Some(Message { body: body.clone(), edited_at: Some(at), ..self.clone() })),
            Change::Delete => {
                let (body, reactions) = (String::new(), Vec::new());
                Ok(Some(Message { body, reactions, deleted: true, ..self.clone() }))
            }
            Change::React { emoji, on: true } => self.with_sign(emoji, by),
            Change::React { emoji, on: false } => Ok(self.without_sign(emoji, by)),
        }
    }

    fn with_sign(&self, emoji: &str, by: &PersonName) -> Result<Option<Message>, Fault> {
        let mut new = self.clone();
        let signs = new.reactions.len();
        let given: usize = new.reactions.iter().map(|reaction| reaction.people.len()).sum();
        match new.reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) if reaction.is_of(by) => return Ok(None),
            _ if given >= MOST_REACTIONS => return Err(Fault::TooManyReactions),
            Some(reaction) => reaction.people.push(by.clone()),
            None if signs >= MOST_SIGNS => return Err(Fault::TooManyReactions),
            None => new.reactions.push(Reaction { emoji: emoji.to_owned(), people: vec![by.clone()] }),
        }
        Ok(Some(new))
    }

    fn without_sign(&self, emoji: &str, by: &PersonName) -> Option<Message> {
        self.reactions.iter().find(|reaction| reaction.emoji == emoji && reaction.is_of(by))?;
        let mut new = self.clone();
        for reaction in new.reactions.iter_mut().filter(|reaction| reaction.emoji == emoji) {
            reaction.people.retain(|person| person.folded() != by.folded());
        }
        new.reactions.retain(|reaction| !reaction.people.is_empty());
        Some(new)
    }
}

impl Reaction {
    fn is_of(&self, person: &PersonName) -> bool {
        let folded = person.folded();
        self.people.iter().any(|other| other.folded() == folded)
    }
}
