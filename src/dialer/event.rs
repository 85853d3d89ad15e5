//! What a [`Client`](super::Client) tells of.

use super::DialError;
use crate::message::Message;
use serde::Deserialize;
use std::time::Duration;

/// Something that happened on the line of a [`Client`](super::Client).
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// use parlor::{Event, Start};
///
/// let ann = server.client("ann")?;
/// ann.join("lobby", Start::Last(10))?;
/// for event in ann.events() {
///     match event {
///         Event::Connected { rooms, .. } => println!("{} rooms", rooms.len()),
///         Event::Message(message) => println!("{}: {}", message.from, message.body),
///         Event::Lost { cause, retry_in } => eprintln!("{cause}; again in {retry_in:?}"),
///         Event::Joined { .. } => break,
///         _ => {}
///     }
/// }
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The server has said welcome: at the start, and after each break.
    Connected {
        /// The name by which the server knows this person.
        name: String,
        /// The server and its version, such as `parlor/0.1.0`.
        server: String,
        /// A random id of the server's database. With another one the numbers of before mean nothing, and rooms begin
        /// anew with their last messages.
        epoch: String,
        /// All rooms there are.
        rooms: Vec<Room>,
    },
    /// The connection broke; it will be tried again. What is sent meanwhile is kept.
    Lost {
        /// Why.
        cause: DialError,
        /// When.
        retry_in: Duration,
    },
    /// A message as it now stands. In a room each comes once, in rising `rev`, whatever breaks in between; and once more for
    /// each time that it is edited, deleted or answered with a reaction: then its `rev` is above its `seq`.
    Message(Message),
    /// The room's past has been told; what follows is live.
    Joined {
        /// Which room.
        room: String,
        /// The room's number now.
        head: i64,
        /// How many people are there.
        count: usize,
        /// Who, where there are 100 or fewer.
        members: Option<Vec<String>>,
    },
    /// Older messages that were asked for.
    History {
        /// Of which room.
        room: String,
        /// In rising `seq`.
        messages: Vec<Message>,
        /// Whether there are older ones still.
        more: bool,
    },
    /// People came or went.
    Presence {
        /// Where.
        room: String,
        /// How many are there now.
        count: usize,
        /// Who came, where there are 100 or fewer.
        joined: Vec<String>,
        /// Who went.
        left: Vec<String>,
    },
    /// Somebody is writing.
    Typing {
        /// Where.
        room: String,
        /// Who.
        from: String,
    },
    /// The same person has read so far, on another connection.
    Read {
        /// Where.
        room: String,
        /// Up to which number.
        rev: i64,
    },
    /// A room was made or changed, or is gone for this person.
    Room(Room),
    /// The server did not take something.
    Refused(Problem),
    /// The connection is over for good; nothing comes after this.
    Ended(DialError),
}

/// A room, as the server lists it.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// server.create_room("news", "The news")?;
/// let rooms = server.rooms()?;
/// assert_eq!((rooms[1].room.as_str(), rooms[1].title.as_str()), ("news", "The news"));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Room {
    /// Its name in addresses.
    pub room: String,
    /// Its title for people. That of a direct room is the others' names.
    #[serde(default)]
    pub title: String,
    /// What it is about.
    #[serde(default)]
    pub topic: String,
    /// `public`, `private`, or `direct` for one between people.
    #[serde(default)]
    pub kind: String,
    /// It can be read, and not posted to.
    #[serde(default)]
    pub archived: bool,
    /// Seconds between two posts of one person; 0: none.
    #[serde(default)]
    pub slow: u32,
    /// Only those who look after it may post.
    #[serde(default)]
    pub read_only: bool,
    /// The number given last.
    #[serde(default)]
    pub head: i64,
    /// Messages since this person last read there, counted to 100; 0 for one who never has.
    #[serde(default)]
    pub unread: i64,
    /// How many of them mention this person, counted to 100.
    #[serde(default)]
    pub mentions: i64,
    /// There is no such room any more for this person, who was removed from it or left it for good. Nothing else is
    /// told then.
    #[serde(default)]
    pub gone: bool,
}

impl Room {
    pub(crate) fn of(room: crate::store::Room) -> Room {
        Room {
            room: room.name.as_str().to_owned(),
            title: room.title,
            topic: room.topic,
            kind: room.kind.as_str().to_owned(),
            archived: room.archived,
            slow: room.slow,
            read_only: room.read_only,
            head: room.head,
            unread: 0,
            mentions: 0,
            gone: false,
        }
    }
}

/// Why the server did not take something.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// use parlor::DialError;
///
/// let ann = server.client("ann")?;
/// let Err(DialError::Problem(problem)) = ann.post("attic", "anybody?") else { panic!() };
/// assert_eq!(problem.code, "no_such_room");
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The kind, such as `no_such_room`: the error codes of the wire.
    pub code: String,
    /// What happened and what to do, for people.
    pub message: String,
    /// The message it is about.
    pub id: Option<String>,
    /// The room it is about.
    pub room: Option<String>,
}

/// Where a room begins.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// use parlor::Start;
///
/// let ann = server.client("ann")?;
/// ann.join("lobby", Start::Last(50))?; // a newcomer: the last messages
/// ann.join("lobby", Start::Since(4711))?; // who comes back: what came after the last number seen
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With everything changed after this number, of the same epoch.
    Since(i64),
    /// With the last so many messages, 200 at most.
    Last(usize),
}
