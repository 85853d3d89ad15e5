//! Rooms: made, changed, and who is in those that are not open to all.

use super::{Admin, person_name, room_name};
use crate::error::Error;
use crate::name::PersonName;
use crate::protocol::{self, Problem};
use crate::store::{Kind, Membership, Outcome, Record, Rev, RoomId, Store, Time};
use serde::{Deserialize, Serialize};

/// A room, and who is in it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let admin = parlor::Admin::make(folder.path())?;
/// admin.create_private_room("den", "The den", &["ann", "bob"])?;
/// let den = admin.room("den")?;
/// assert_eq!((den.kind.as_str(), den.members), ("private", vec!["ann".to_owned(), "bob".to_owned()]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoomDetails {
    /// Its name in addresses.
    pub room: String,
    /// Its title for people.
    pub title: String,
    /// What it is about.
    #[serde(default)]
    pub topic: String,
    /// `public`, `private`, or `direct` for one between people.
    pub kind: String,
    /// It can be read, and not posted to.
    #[serde(default)]
    pub archived: bool,
    /// The number given last.
    pub head: Rev,
    /// Who made it and may change it; nobody made the lobby.
    #[serde(default)]
    pub maker: Option<String>,
    /// Its members, in the order in which they came; none where everybody may come in.
    #[serde(default)]
    pub members: Vec<String>,
}

impl RoomDetails {
    pub(super) fn of(found: &Membership) -> RoomDetails {
        let Membership { room, maker, members } = found;
        let text = |name: &PersonName| name.as_str().to_owned();
        RoomDetails {
            room: room.name.as_str().to_owned(),
            title: room.title.clone(),
            topic: room.topic.clone(),
            kind: room.kind.as_str().to_owned(),
            archived: room.archived,
            head: room.head,
            maker: maker.as_ref().map(text),
            members: members.iter().map(text).collect(),
        }
    }
}

impl Admin {
    /// All rooms, the oldest first, private and direct ones too.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn rooms(&self) -> Result<Vec<RoomDetails>, Error> {
        Ok(self.store.every_room()?.iter().map(RoomDetails::of).collect())
    }

    /// The room of that name.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is none; [`Error::Store`].
    pub fn room(&self, name: &str) -> Result<RoomDetails, Error> {
        let found = self.rooms()?.into_iter().find(|details| details.room == name);
        found.ok_or_else(|| no_room(name))
    }

    /// Makes a room that is open to all. Without a title it is called by its name.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name or a title that is none, and where there is such a room; [`Error::Store`].
    pub fn create_room(&self, name: &str, title: &str) -> Result<(), Error> {
        self.make_room(name, title, Kind::Public, &[])
    }

    /// Makes a room for these people.
    ///
    /// # Errors
    /// As [`Admin::create_room`]; and [`Error::Refused`] for a member's name that is none.
    pub fn create_private_room(&self, name: &str, title: &str, members: &[&str]) -> Result<(), Error> {
        self.make_room(name, title, Kind::Private, members)
    }

    fn make_room(&self, name: &str, title: &str, kind: Kind, members: &[&str]) -> Result<(), Error> {
        let name = room_name(name)?;
        if name.is_of_direct_rooms() {
            return Err(Error::Refused(format!("\"{name}\" is of a form that is kept for direct rooms")));
        }
        let title = protocol::title(if title.is_empty() { name.as_str() } else { title }).map_err(refused)?;
        let members = members.iter().map(|member| person_name(member)).collect::<Result<Vec<_>, _>>()?;
        let (maker, topic, at) = (None, String::new(), Time::now());
        match self.record(Record::Create { name: name.clone(), title, topic, kind, maker, members, at })? {
            Outcome::Created(_) => Ok(()),
            _ => Err(Error::Refused(format!("there is a room \"{name}\" already"))),
        }
    }

    /// Gives a room another title, another topic, or both.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist or is direct, or a text that is not allowed; [`Error::Store`].
    pub fn describe_room(&self, name: &str, title: Option<&str>, topic: Option<&str>) -> Result<(), Error> {
        let room = self.room_id(name)?;
        let title = title.map(protocol::title).transpose().map_err(refused)?;
        let topic = topic.map(protocol::topic).transpose().map_err(refused)?;
        self.record(Record::Change { room, title, topic, archived: None, slow: None, read_only: None, by: None })
            .map(drop)
    }

    /// Closes a room to posts, or opens it again; it can be read all the time.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist, the lobby and a direct room; [`Error::Store`].
    pub fn archive_room(&self, name: &str, archived: bool) -> Result<(), Error> {
        let room = self.room_id(name)?;
        let (title, topic, slow, read_only) = Default::default();
        let archived = Some(archived);
        self.record(Record::Change { room, title, topic, archived, slow, read_only, by: None }).map(drop)
    }

    /// Makes a person a member of a private room, by a name that need not have been here yet.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist or is not private, or a name that is none; [`Error::Store`].
    pub fn add_member(&self, room: &str, name: &str) -> Result<(), Error> {
        let (room, person) = (self.room_id(room)?, person_name(name)?);
        // Whoever is known is written as ever.
        let person = self.store.known(&person)?.unwrap_or(person);
        self.record(Record::Invite { room, person, by: None, at: Time::now() }).map(drop)
    }

    /// Ends a person's membership of a private room.
    ///
    /// # Errors
    /// As [`Admin::add_member`]; and [`Error::Refused`] for one who is no member.
    pub fn remove_member(&self, room: &str, name: &str) -> Result<(), Error> {
        let (id, person) = (self.room_id(room)?, person_name(name)?);
        let details = self.room(room)?;
        let member = details
            .members
            .iter()
            .find(|member| PersonName::parse(member).is_ok_and(|member| member.folded() == person.folded()));
        if details.kind == Kind::Private.as_str() && member.is_none() {
            return Err(Error::Refused(format!("{person} is no member of \"{room}\"")));
        }
        let person = member.map_or(person, |member| PersonName::trusted(member));
        self.record(Record::Remove { room: id, person, by: None }).map(drop)
    }

    fn room_id(&self, name: &str) -> Result<RoomId, Error> {
        let found = self.store.room(&room_name(name)?)?;
        found.map(|room| room.id).ok_or_else(|| no_room(name))
    }
}

pub(super) fn no_room(name: &str) -> Error {
    Error::Refused(format!("there is no room \"{name}\"; \"parlor room list\" shows those that there are"))
}

pub(super) fn refused(problem: Problem) -> Error {
    Error::Refused(problem.message)
}
