//! Transcripts: a room with all its messages as text, a line of JSON for each, carried from one server to another.

use super::rooms::{RoomDetails, no_room};
use super::{Admin, person_name, room_name};
use crate::error::Error;
use crate::message::Message;
use crate::name::{PersonName, RoomName};
use crate::protocol;
use crate::store::{self, Exported, Import, Imported, Keeping, Kind, MOST_REACTIONS, MOST_SIGNS, Rev, Room, Store};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::BufRead;

/// The only version that there was.
const VERSION: u32 = 1;

/// Numbers end here, in every store.
const LAST_NUMBER: Rev = (1 << 40) - 1;

/// A line of a transcript: first the room, then each of its messages, by `seq`. Reads and writes as JSON.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let admin = parlor::Admin::make(folder.path())?;
/// let mut lines = Vec::new();
/// admin.export("lobby", &mut |line| Ok(lines.push(line)))?;
/// assert!(matches!(&lines[..], [parlor::TranscriptLine::Room { messages: 0, .. }]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum TranscriptLine {
    /// The room.
    Room {
        /// Of this form: 1.
        version: u32,
        /// How many messages follow. With fewer it is torn.
        messages: u64,
        /// The room itself.
        #[serde(flatten)]
        room: RoomDetails,
    },
    /// A message as it stands.
    Message(Message),
}

impl Admin {
    /// Gives a room and all its messages, as they stand at one moment, a line at a time.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist; [`Error::Store`]; what `to` returns.
    pub fn export(&self, room: &str, to: &mut dyn FnMut(TranscriptLine) -> Result<(), Error>) -> Result<(), Error> {
        let name = room_name(room)?;
        let done = self.store.export(&name, &mut |exported| {
            to(match exported {
                Exported::Room(found, messages) => {
                    TranscriptLine::Room { version: VERSION, messages, room: RoomDetails::of(&found) }
                }
                Exported::Message(message) => TranscriptLine::Message(Message::of(&name, message)),
            })
        })?;
        done.map(drop).ok_or_else(|| no_room(room))
    }

    /// Takes in a transcript as it was written, a line each, under the room's own name or another: numbers, times, authors, edits,
    /// reactions and replies stay. The room must be new or empty. A person is who has that name here, and nobody is called
    /// otherwise. All of it is taken in, or nothing. Gives the room.
    ///
    /// # Errors
    /// [`Error::Refused`] for a line that cannot be, which is named, and a room in which something was said;
    /// [`Error::Store`]; [`Error::System`] when it cannot be read.
    pub fn import(&self, from: &mut dyn BufRead, name: Option<&str>) -> Result<RoomDetails, Error> {
        let name = name.map(room_name).transpose()?;
        let mut import = Reading::default().read(from, name.clone())?;
        // Under another name, a room that is there is called and described as it is.
        if let Some(there) = name.and_then(|name| self.store.room(&name).transpose()) {
            let there = there?;
            (import.room.title, import.room.topic) = (there.title, there.topic);
        }
        match self.store.import(&import)? {
            Imported::Done(room) => self.room(room.name.as_str()),
            Imported::NotEmpty => Err(Error::Refused(format!(
                "something was said in \"{}\" already, and its numbers are taken; choose another room with --room",
                import.room.name
            ))),
            Imported::OtherKind(room) => Err(Error::Refused(format!(
                "\"{}\" is a {} room here, and a {} one in the transcript; choose another with --room",
                room.name,
                room.kind.as_str(),
                import.room.kind.as_str()
            ))),
        }
    }
}

/// What was read of a transcript so far.
#[derive(Default)]
struct Reading {
    import: Option<Import>,
    expected: u64,
    numbers: HashSet<Rev>,
    born: HashSet<Rev>,
    ids: HashSet<(String, String)>,
}

impl Reading {
    fn read(mut self, from: &mut dyn BufRead, name: Option<RoomName>) -> Result<Import, Error> {
        let mut count = 0;
        for line in from.split(b'\n') {
            count += 1;
            let line = line.map_err(|cause| Error::System("the transcript cannot be read", cause))?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let said = |why: String| Error::Refused(format!("line {count}: {why}"));
            let line = serde_json::from_slice(&line).map_err(|cause| said(unreadable(&cause)))?;
            self.take(line, name.as_ref()).map_err(|why| match why {
                Error::Refused(why) => said(why),
                other => other,
            })?;
        }
        let Some(import) = self.import else { return Err(Error::Refused("line 1: there is no line".into())) };
        let messages = import.messages.len() as u64;
        if messages != self.expected {
            let expected = self.expected;
            let why = format!("line {count}: it ends after {messages} messages, and there should be {expected}");
            return Err(Error::Refused(why));
        }
        Ok(import)
    }

    fn take(&mut self, line: TranscriptLine, name: Option<&RoomName>) -> Result<(), Error> {
        match (line, &mut self.import) {
            (TranscriptLine::Room { version, messages, room }, None) => {
                need(version == VERSION, || format!("this is version {version} of a transcript; {VERSION} is known"))?;
                self.expected = messages;
                self.import = Some(furnished(room, name)?);
                Ok(())
            }
            (TranscriptLine::Message(message), Some(_)) => {
                let message = self.checked(message)?;
                self.import.iter_mut().for_each(|import| import.messages.push(message.clone()));
                Ok(())
            }
            (TranscriptLine::Room { .. }, Some(_)) => Err(Error::Refused("a second room; each has a file".into())),
            (TranscriptLine::Message(_), None) => Err(Error::Refused("the room comes first, and is missing".into())),
        }
    }

    /// A message that can stand behind those before it.
    fn checked(&mut self, message: Message) -> Result<store::Message, Error> {
        let Message { seq, rev, .. } = message;
        let head = self.import.as_ref().map_or(0, |import| import.room.head);
        let before = self.import.as_ref().and_then(|import| import.messages.last()).map_or(0, |last| last.seq);
        need(seq > before, || format!("\"seq\" is {seq}, after {before}: it must rise"))?;
        need((seq..=head).contains(&rev), || {
            format!("\"rev\" is {rev}: it must be from {seq}, its \"seq\", to {head}")
        })?;
        let is_free = self.numbers.insert(seq) && (rev == seq || self.numbers.insert(rev));
        need(is_free, || format!("another message has the number {seq} or {rev}"))?;
        let was_changed = message.deleted || message.edited_at.is_some() || !message.reactions.is_empty();
        need(rev > seq || !was_changed, || "it was changed, and its \"rev\" is its \"seq\"".into())?;
        let replies = message.reply_to.is_none_or(|reply_to| self.born.contains(&reply_to));
        need(replies, || "\"reply_to\" is the number of no message before it".into())?;
        self.born.insert(seq);
        let from = named("from", &message.from)?;
        let id = protocol::message_id(&message.id).map_err(super::rooms::refused)?;
        need(self.ids.insert((from.folded(), id.clone())), || format!("{from} has used the id \"{id}\" before"))?;
        if message.deleted {
            let is_bare = message.body.is_empty() && message.reactions.is_empty();
            need(is_bare, || "it was deleted, and has a body or reactions".into())?;
        } else {
            protocol::body(&message.body, usize::MAX).map_err(super::rooms::refused)?;
        }
        Ok(store::Message {
            room: 0,
            seq,
            rev,
            id,
            from,
            at: message.at.into(),
            reactions: reactions(&message)?,
            body: message.body,
            reply_to: message.reply_to,
            edited_at: message.edited_at.map(store::Time::from),
            deleted: message.deleted,
        })
    }
}

fn reactions(message: &Message) -> Result<Vec<store::Reaction>, Error> {
    let mut given = HashSet::new();
    let mut all = Vec::new();
    for reaction in &message.reactions {
        let emoji = protocol::sign(&reaction.emoji).map_err(super::rooms::refused)?;
        let people = reaction.people.iter().map(|person| named("people", person));
        let people = people.collect::<Result<Vec<PersonName>, Error>>()?;
        for person in &people {
            let is_first = given.insert((emoji.clone(), person.folded()));
            need(is_first, || format!("{person} has answered with {emoji} twice"))?;
        }
        need(!people.is_empty(), || format!("nobody has answered with {emoji}"))?;
        all.push(store::Reaction { emoji, people });
    }
    let few = all.len() <= MOST_SIGNS && given.len() <= MOST_REACTIONS;
    need(few, || format!("a message has {MOST_SIGNS} different reactions at most, and {MOST_REACTIONS} in all"))?;
    Ok(all)
}

/// The room as it is to be, with no message yet.
fn furnished(details: RoomDetails, name: Option<&RoomName>) -> Result<Import, Error> {
    let kind = Kind::parse(&details.kind);
    let kind = kind.ok_or_else(|| Error::Refused("\"kind\" must be public, private or direct".into()))?;
    let own = room_name(&details.room)?;
    let name = name.unwrap_or(&own).clone();
    need(kind == Kind::Direct || !name.is_of_direct_rooms(), || {
        format!("\"{name}\" is of a form that is kept for direct rooms")
    })?;
    need((0..=LAST_NUMBER).contains(&details.head), || "\"head\" is no number of a room".into())?;
    let members = details.members.iter().map(|member| named("members", member)).collect::<Result<Vec<_>, _>>()?;
    let folded: HashSet<String> = members.iter().map(PersonName::folded).collect();
    need(folded.len() == members.len(), || "\"members\" names somebody twice".into())?;
    match kind {
        Kind::Public => need(members.is_empty(), || "\"members\": a public room has none".into())?,
        Kind::Private => {}
        Kind::Direct => need((2..=protocol::MOST_PEOPLE + 1).contains(&members.len()), || {
            format!("\"members\": a direct room is for 2 to {} people", protocol::MOST_PEOPLE + 1)
        })?,
    }
    let title = match kind {
        // Its title is made of the names of its people, and may be long.
        Kind::Direct => details.title,
        _ => protocol::title(&details.title).map_err(super::rooms::refused)?,
    };
    let topic = protocol::topic(&details.topic).map_err(super::rooms::refused)?;
    let maker = details.maker.map(|maker| person_name(&maker)).transpose()?;
    // Everybody arrives in the lobby.
    let archived = details.archived && name != RoomName::lobby();
    let room = Room { id: 0, name, title, topic, kind, archived, slow: 0, read_only: false, head: details.head };
    Ok(Import { room, maker, members, messages: Vec::new() })
}

fn named(field: &str, name: &str) -> Result<PersonName, Error> {
    PersonName::parse(name).map_err(|why| Error::Refused(format!("\"{field}\": \"{name}\": {why}")))
}

fn need(right: bool, why: impl FnOnce() -> String) -> Result<(), Error> {
    if right { Ok(()) } else { Err(Error::Refused(why())) }
}

/// Why a line cannot be read. Each is a line of its own, so where it stands in that is all that is left to say.
fn unreadable(cause: &serde_json::Error) -> String {
    let why = cause.to_string();
    let why = why.split(" at line ").next().unwrap_or(&why);
    if cause.is_eof() { format!("it is torn: {why}, after {} bytes", cause.column()) } else { why.to_owned() }
}
