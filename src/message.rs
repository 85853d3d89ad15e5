//! A message as a program sees it, on either end of the line.

use crate::name::RoomName;
use crate::store::{self, Rev};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// A message as it now stands.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let message = server.post("lobby", "Weather", "21 °C")?;
/// assert_eq!((message.seq, message.rev), (1, 1));
/// println!("{} in {}: {}", message.from, message.room, message.body);
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// The room it is in.
    pub room: String,
    /// The number it was born with; in a room these rise.
    pub seq: Rev,
    /// The number of its last change. Who comes back with the highest they saw misses nothing.
    pub rev: Rev,
    /// Its sender's own id for it.
    pub id: String,
    /// Who wrote it.
    pub from: String,
    /// When the server received it, to the millisecond. Written as RFC 3339, UTC.
    #[serde(with = "rfc3339")]
    pub at: SystemTime,
    /// What it says; nothing, if it was deleted.
    pub body: String,
    /// The `seq` of the message in the same room that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Rev>,
    /// When it was given other words last, if it was.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<SystemTime>,
    /// It was taken back: its numbers are all that is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// How people have answered it with a sign, in the order of first use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

/// A sign under a message, and who has put it there.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let ann = server.client("ann")?;
/// ann.join("lobby", parlor::Start::Last(0))?;
/// let hello = ann.post("lobby", "hello")?;
/// ann.react("lobby", hello.seq, "👋", true)?;
/// let now = ann.messages().find(|message| message.rev == 2).ok_or("it ended")?;
/// assert_eq!((now.seq, now.reactions[0].emoji.as_str(), now.reactions[0].people[0].as_str()), (1, "👋", "ann"));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reaction {
    /// The sign, an emoji.
    pub emoji: String,
    /// The names of those who gave it, the first first.
    pub people: Vec<String>,
}

impl Message {
    pub(crate) fn of(room: &RoomName, message: store::Message) -> Message {
        Message {
            room: room.as_str().to_owned(),
            seq: message.seq,
            rev: message.rev,
            id: message.id,
            from: message.from.as_str().to_owned(),
            at: message.at.into(),
            body: message.body,
            reply_to: message.reply_to,
            edited_at: message.edited_at.map(SystemTime::from),
            deleted: message.deleted,
            reactions: message.reactions.into_iter().map(Reaction::of).collect(),
        }
    }
}

impl Reaction {
    fn of(reaction: store::Reaction) -> Reaction {
        let people = reaction.people.iter().map(|person| person.as_str().to_owned()).collect();
        Reaction { emoji: reaction.emoji, people }
    }
}

pub(crate) mod rfc3339 {
    use crate::store::Time;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use std::time::SystemTime;
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    pub fn serialize<S: Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        Time::from(*at).serialize(to)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<SystemTime, D::Error> {
        let text = String::deserialize(from)?;
        OffsetDateTime::parse(&text, &Rfc3339).map(SystemTime::from).map_err(D::Error::custom)
    }

    /// The same for a time that may be missing.
    pub mod optional {
        use super::*;

        pub fn serialize<S: Serializer>(at: &Option<SystemTime>, to: S) -> Result<S::Ok, S::Error> {
            at.map(Time::from).serialize(to)
        }

        pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<SystemTime>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            let parse = |text: String| OffsetDateTime::parse(&text, &Rfc3339).map(SystemTime::from);
            text.map(parse).transpose().map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_it_was_written() {
        let wire =
            r#"{"room":"lobby","seq":4,"rev":5,"id":"x","from":"ann","at":"2023-11-14T22:13:20.007Z","body":"hi"}"#;
        let message: Message = serde_json::from_str(wire).unwrap();
        assert_eq!(message.at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis(), 1_700_000_000_007);
        assert_eq!(serde_json::to_string(&message).unwrap(), wire);
    }
}
