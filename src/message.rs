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
    /// What it says.
    pub body: String,
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
        }
    }
}

mod rfc3339 {
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
