//! A note: what one node tells the others. A hint in every case: what it is about stands in the store, or will be told again.

use super::crowd::Crowd;
use crate::name::PersonName;
use crate::store::{Message, PersonId, Reaction, Rev, RoomId, Time, TokenHash};
use serde::{Deserialize, Serialize};

/// What is told.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub enum Note {
    /// Messages that were stored, as they then stood.
    Said(Vec<Said>),
    /// How far rooms have come, without the messages.
    Heads(Vec<(RoomId, Rev)>),
    /// A room was made or changed, or who is in it: look again.
    Rooms,
    /// Something was lost: look again at everything.
    Everything,
    /// Somebody is called otherwise: account, name before, name now.
    Renamed(PersonId, String, String),
    /// A person is writing in a room.
    Typing(RoomId, String),
    /// A person has read a room up to a number.
    Read(String, String, Rev),
    /// Who is in a room at this node.
    Here(RoomId, Crowd),
    /// Nobody is at this node but in these rooms; who, follows.
    Nowhere(Vec<RoomId>),
    /// A guest has this name here.
    Guest(Guest),
    /// No guest has it here any more.
    NoGuest(String),
    /// The guests that are here, and no others.
    Guests(Vec<Guest>),
    /// Sessions have ended, and why.
    SignedOut(Vec<TokenHash>, String),
    /// A guest's name has become an account's.
    Taken(String),
    /// A person has another name or role, and comes back as that.
    CalledBack(String),
    /// A person has another picture, or none any more.
    Pictured(String, bool),
    /// A person was shown the door, and why.
    Kicked(String, String),
    /// Somebody was muted or banned, or is so no longer: look again.
    Sanctions,
    /// What people have spent of their rate, by folded name.
    Spent(Vec<(String, u32)>),
    /// Something was tried that may not be tried too often; what was tried was right, or was none.
    Tried(String, Counted),
    Forgiven(String),
    GivenBack(String),
    /// A webhook was made, changed or taken away: look again.
    Webhooks,
    /// This node knows nothing of who is where: tell.
    Hello,
    /// This node is about to stop.
    Bye,
}

/// A guest's name in use.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Guest {
    /// As it is written.
    pub name: String,
    /// What shows that two connections are one guest's, if anything does.
    pub key: Option<TokenHash>,
    /// Since when, in milliseconds: of two who have it, the first keeps it.
    pub since: i64,
}

/// What is counted of tries.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
pub enum Counted {
    /// A password.
    Login,
    /// A new account or name.
    Name,
}

#[cfg(feature = "cluster")]
impl Note {
    /// Whether it is to be told later if it could not be told now.
    pub fn is_worth_keeping(&self) -> bool {
        use Note::*;
        !matches!(self, Said(_) | Heads(_) | Typing(..) | Here(..) | Nowhere(_) | Guest(_) | NoGuest(_) | Guests(_))
    }
}

/// What one node sends at once.
#[cfg(feature = "cluster")]
#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub struct Letter {
    /// Who sends it.
    pub node: String,
    /// Counted from 1: one that is missing was lost.
    pub number: u64,
    /// What it says, in order.
    pub notes: Vec<Note>,
}

/// A message on its way to the other nodes.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Said {
    room: RoomId,
    seq: Rev,
    rev: Rev,
    id: String,
    from: String,
    at: i64,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reply_to: Option<Rev>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    edited_at: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    deleted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    reactions: Vec<(String, Vec<String>)>,
}

#[cfg(feature = "cluster")]
impl Said {
    /// How far its room has come with it.
    pub fn head(&self) -> (RoomId, Rev) {
        (self.room, self.rev)
    }

    /// About how many bytes it is on its way.
    pub fn weight(&self) -> usize {
        let signs = self.reactions.iter().map(|(sign, people)| sign.len() + 24 * people.len());
        160 + self.id.len() + self.body.len() + signs.sum::<usize>()
    }
}

impl From<&Message> for Said {
    fn from(message: &Message) -> Said {
        let names = |people: &[PersonName]| people.iter().map(|name| name.as_str().to_owned()).collect();
        Said {
            room: message.room,
            seq: message.seq,
            rev: message.rev,
            id: message.id.clone(),
            from: message.from.as_str().to_owned(),
            at: message.at.0,
            body: message.body.clone(),
            reply_to: message.reply_to,
            edited_at: message.edited_at.map(|at| at.0),
            deleted: message.deleted,
            reactions: message.reactions.iter().map(|sign| (sign.emoji.clone(), names(&sign.people))).collect(),
        }
    }
}

impl From<Said> for Message {
    fn from(said: Said) -> Message {
        let sign = |(emoji, people): (String, Vec<String>)| {
            let people = people.iter().map(|name| PersonName::trusted(name)).collect();
            Reaction { emoji, people }
        };
        Message {
            room: said.room,
            seq: said.seq,
            rev: said.rev,
            id: said.id,
            from: PersonName::trusted(&said.from),
            at: Time(said.at),
            body: said.body,
            reply_to: said.reply_to,
            edited_at: said.edited_at.map(Time),
            deleted: said.deleted,
            reactions: said.reactions.into_iter().map(sign).collect(),
        }
    }
}
