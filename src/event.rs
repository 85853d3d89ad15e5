//! What happens, as the dispatcher hears of it; and what is to be stored, as the recorder does.

use crate::cluster::crowd::Crowd;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::name::{PersonName, RoomName};
use crate::outbox::Outbox;
use crate::peer::{ClientId, Tongue};
use crate::protocol::{self, Problem};
use crate::registry::Registry;
use crate::store::{Message, Outcome, Person, PersonId, Record, Rev, Role, Room, RoomId, TokenHash};
use bytes::Bytes;
use crossbeam_channel::Sender;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// What the dispatcher handles, one after the other.
pub enum Event {
    /// A client is connected and can be written to.
    Open(Arc<Party>),
    /// It is gone. Comes exactly once for each `Open`, and ends what joins are left.
    Closed(ClientId),
    /// It wants to stand on a room's line, having been sent everything up to `since`.
    Join {
        /// Who.
        client: ClientId,
        /// Where.
        room: Room,
        /// The number up to which it has everything.
        since: Rev,
        /// Hears what came of it.
        answer: oneshot::Sender<Step>,
    },
    /// It leaves a room.
    Leave {
        /// Who.
        client: ClientId,
        /// Which.
        room: Room,
        /// Hears that nothing of the room is sent any more.
        done: oneshot::Sender<()>,
    },
    /// Its person is writing.
    Typing {
        /// Who.
        client: ClientId,
        /// Where.
        room: Room,
    },
    /// The program wants to be woken when a room has more.
    Subscribe {
        /// Which.
        room: RoomId,
        /// Rung; never waited for.
        wake: Sender<()>,
    },
    /// The program wants to know who is here, or to reach them.
    Look(Look),
    /// A batch was stored: only now may it be seen.
    Recorded(Vec<Recorded>),
    /// Something happened at another node.
    #[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "there is no other node"))]
    Elsewhere(Elsewhere),
    /// Everything is said; the dispatcher ends.
    Stop,
}

/// What happened at another node and is not stored, or what that node wants to know.
#[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "there is no other node"))]
pub enum Elsewhere {
    /// A person is writing in a room.
    Typing(RoomId, PersonName),
    /// A person has read a room up to a number.
    Read(PersonName, RoomName, Rev),
    /// Who is in a room there.
    Here(String, RoomId, Crowd),
    /// It has nobody but in these rooms.
    Nowhere(String, Vec<RoomId>),
    /// Others are to be told who is here.
    Ask,
}

/// A look at the registry. It must not wait for anything.
pub type Look = Box<dyn FnOnce(&Registry<Arc<Party>>) + Send>;

/// What was stored and concerns others.
pub enum Recorded {
    /// A message, new or changed, for all in its room.
    Posted(Message),
    /// A new room, for all who may see it.
    Created(Room),
    /// A room as it is now, for them, too.
    Changed(Room),
    /// A new member of a room.
    Invited(Room, PersonName),
    /// A member less: from here on nothing of the room is for them.
    Removed(RoomId, PersonName),
    /// A message that was posted again: its receipt, for that sender alone.
    Repeated(ClientId, Message),
    /// A person has read up to a number: for that person's other connections.
    Read(ClientId, RoomName, Rev),
}

/// What came of a join.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// It stands on the line; `joined` is on its way.
    Joined,
    /// The line has moved on further than the registry remembers: read up to this number and try again.
    Behind(Rev),
    /// It may not be there.
    Shut,
}

/// What the recorder stores.
pub enum Entry {
    /// A record, and who wants to know what came of it.
    Record(Record, Asker),
    /// A person is called otherwise from here on.
    Rename(Renaming),
    /// Others have written to the database: it looks at all rooms anew, and says when that is done.
    Refresh(oneshot::Sender<Result<(), Error>>),
    /// Everything is said; the recorder ends.
    Stop,
}

/// Another name for a person with an account.
pub struct Renaming {
    /// Who, under the name so far.
    pub person: Person,
    /// The name to be.
    pub name: PersonName,
    /// Hears whether it was free.
    pub answer: oneshot::Sender<Result<bool, Error>>,
}

/// Who hears of a record's outcome.
pub enum Asker {
    /// A client that hears through the room, or, if it is refused, by an error.
    Client(Arc<Party>),
    /// A client that changes a message and hears through the room, or, if it is refused, by an error with this reference.
    Changer(Arc<Party>, RoomName, Option<Value>),
    /// A client that has read a room, for its person's other connections.
    Reader(Arc<Party>, RoomName),
    /// A thread that waits for the outcome.
    Thread(oneshot::Sender<Result<Outcome, Problem>>),
}

/// A connected client, as everyone but its own thread sees it.
pub struct Party {
    /// Its number.
    pub id: ClientId,
    /// The person.
    pub name: PersonName,
    /// What the person may do.
    pub role: Role,
    /// Where it comes from. None: through memory.
    pub address: Option<IpAddr>,
    /// The account, where there is one.
    pub account: Option<PersonId>,
    /// The session that it came with: it ends when that does.
    pub session: Option<TokenHash>,
    /// The program that embeds the server says who it is.
    pub is_vouched_for: bool,
    /// How it speaks.
    pub tongue: Tongue,
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// Where it is counted what it was refused.
    pub(crate) metrics: Arc<Metrics>,
}

impl Asker {
    /// The account of the client that asks.
    pub fn account(&self) -> Option<PersonId> {
        match self {
            Asker::Client(party) | Asker::Changer(party, ..) | Asker::Reader(party, _) => party.account,
            Asker::Thread(_) => None,
        }
    }
}

impl Party {
    /// A message in its tongue; nothing, if that tongue has no word for it.
    pub fn message(&self, room: &RoomName, message: &Message) -> Bytes {
        match self.tongue {
            Tongue::Json => protocol::message(room, message),
            Tongue::Plain => protocol::plain_message(message),
        }
    }

    /// The end of a replay; in plain text it needs no word.
    pub fn joined(&self, room: &RoomName, head: Rev, count: usize, members: Option<&[PersonName]>) -> Option<Bytes> {
        (self.tongue == Tongue::Json).then(|| protocol::joined(room, head, count, members))
    }

    /// Tells it that something was refused.
    pub fn refuse(&self, problem: &Problem) {
        let frame = match self.tongue {
            Tongue::Json => protocol::error(problem),
            Tongue::Plain => protocol::plain_error(problem),
        };
        self.metrics.error(problem.code);
        self.outbox.send(&[frame]);
    }
}
