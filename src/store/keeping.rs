//! What a store does for whoever looks after it from outside: it is looked at anew, and rooms are carried out of it and in.

use super::people::{Person, PersonId};
use super::{Membership, Message, Rev, Room, TokenHash};
use crate::error::Error;
use crate::name::{PersonName, RoomName};

/// A room that is to be taken in, with the numbers that its messages have.
#[derive(Clone, Debug)]
pub struct Import {
    /// The room as it is to be; its id means nothing. A direct one is found by its members.
    pub room: Room,
    /// Who may change it.
    pub maker: Option<PersonName>,
    /// Who is in it, where it is not open to all.
    pub members: Vec<PersonName>,
    /// What was said in it, in rising `seq`.
    pub messages: Vec<Message>,
}

/// What became of an [`Import`].
#[derive(Clone, Debug, PartialEq)]
pub enum Imported {
    /// The room is there, with its messages.
    Done(Room),
    /// Something was said in the room of that name already: the numbers are taken.
    NotEmpty,
    /// A room of that name is there, for other people than this one: public and private are not the same.
    OtherKind(Room),
}

/// How far an export has come.
#[derive(Debug)]
pub enum Exported {
    /// The room, with its last number, and how many messages there are.
    Room(Membership, u64),
    /// One of them, in rising `seq`.
    Message(Message),
}

/// Takes what an export brings.
pub type Export<'a> = dyn FnMut(Exported) -> Result<(), Error> + 'a;

/// Looking after a store. Every method may block.
pub trait Keeping {
    /// Whose sessions these are, in their order, and None where one has ended. None of them counts as used.
    fn whose(&self, sessions: &[TokenHash]) -> Result<Vec<Option<Person>>, Error>;

    /// Others have written: what is remembered, and not looked up each time, is forgotten.
    fn forget(&self);

    /// Takes in a room with all its messages, or nothing. The room must be new or empty. A person is who has that name here,
    /// and a message whose id its author has used here already is given another id.
    fn import(&self, import: &Import) -> Result<Imported, Error>;

    /// Gives a room and all its messages as they stand at one moment. None: there is no such room. Nothing is written
    /// meanwhile through this store.
    fn export(&self, room: &RoomName, to: &mut Export) -> Result<Option<Rev>, Error>;

    /// Ends an account with its sessions and memberships; what was said under the name stays. A room that this person may change
    /// goes to its oldest member. False: nobody would own the server then.
    fn close_account(&self, person: PersonId) -> Result<bool, Error>;
}
