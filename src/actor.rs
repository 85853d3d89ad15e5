//! An actor: a person who does something to rooms and messages. It is the same whether a frame asks for it or a request does.

use crate::doors::Ticket;
use crate::error::Error;
use crate::event::{Asker, Entry};
use crate::line::Line;
use crate::name::{PersonName, RoomName};
use crate::protocol::{self, Code, Problem, Way};
use crate::store::{Change, Kind, Message, Outcome, Record, Rev, Role, Room, Time};
use log::debug;

/// Why no room is made.
const FULL: &str = "there are as many rooms as this server allows";

/// Somebody, and what that person may do.
pub(crate) struct Actor<'a> {
    pub line: &'a Line,
    pub name: &'a PersonName,
    pub role: Role,
}

impl Actor<'_> {
    /// The room of that name, if there is one for this person.
    pub fn find(&self, name: &RoomName) -> Result<Room, Problem> {
        match self.line.store.room(name) {
            Ok(Some(room)) if self.ticket(&room).is_some() || self.is_new_to(&room) => Ok(room),
            Ok(_) => Err(Problem::no_such_room(name)),
            Err(cause) => Err(unreadable(&cause, name)),
        }
    }

    /// Whether it is a room that another node has just made, and open to this person, who may come from there.
    fn is_new_to(&self, room: &Room) -> bool {
        let is_new = self.line.cluster.is_there() && !self.line.doors.knows(room.id);
        is_new && self.line.look_at_rooms().is_ok() && self.ticket(room).is_some()
    }

    /// What lets this person into a room.
    pub fn ticket(&self, room: &Room) -> Option<Ticket> {
        self.line.doors.ticket(room.id, self.name)
    }

    /// A new message, ready to be stored.
    pub fn post(&self, room: &Room, id: String, body: String, reply_to: Option<Rev>) -> Result<Record, Problem> {
        let body = self.checked(room, body)?;
        let (author, role, at) = (self.name.clone(), Some(self.role), Time::now());
        Ok(Record::Post { room: room.id, author, role, id, body, reply_to, at })
    }

    /// A change of a message, ready to be stored.
    pub fn amend(&self, room: &Room, seq: Rev, change: Change) -> Result<Record, Problem> {
        let change = match change {
            Change::Edit(body) => Change::Edit(self.checked(room, body)?),
            other => other,
        };
        Ok(Record::Amend { room: room.id, seq, by: self.name.clone(), role: self.role, change, at: Time::now() })
    }

    /// What the program that embeds the server lets through of a text.
    fn checked(&self, room: &Room, body: String) -> Result<String, Problem> {
        let hooked = self.line.settings.hooks.message(room.name.as_str(), self.name.as_str(), body);
        let checked = hooked.and_then(|body| protocol::body(&body, self.line.limits.body));
        checked.map_err(|problem| problem.room(room.name.as_str()))
    }

    /// Makes a room.
    pub fn create(
        &self,
        name: &RoomName,
        title: String,
        kind: Kind,
        topic: String,
        members: &[PersonName],
    ) -> Result<Room, Problem> {
        let members = if kind == Kind::Private { self.together_with(members, "members")? } else { Vec::new() };
        let maker = Some(self.name.clone());
        let record = Record::Create { name: name.clone(), title, topic, kind, maker, members, at: Time::now() };
        let refuse = |code, message: &str| Err(Problem::new(code, message).room(name.as_str()));
        match self.ask_about(record, name)? {
            Outcome::Created(room) => Ok(room),
            // In the same words whether or not this person may know of the room.
            Outcome::RoomExists => {
                refuse(Code::RoomExists, "that name is taken; join the room, if you know it, or choose another name")
            }
            _ => refuse(Code::NotAllowed, FULL),
        }
    }

    /// Finds or makes the direct room with these people. True: it is new.
    pub fn direct(&self, people: &[PersonName]) -> Result<(Room, bool), Problem> {
        let people = self.together_with(people, "people")?;
        if people.len() < 2 {
            return Err(Problem::new(Code::BadField, "\"people\" must name somebody besides yourself"));
        }
        match self.ask(Record::Direct { people, at: Time::now() })? {
            Outcome::Created(room) => Ok((room, true)),
            Outcome::Found(room) => Ok((room, false)),
            _ => Err(Problem::new(Code::NotAllowed, FULL)),
        }
    }

    /// Says something else of a room.
    pub fn change(
        &self,
        room: &RoomName,
        title: Option<String>,
        topic: Option<String>,
        archived: Option<bool>,
        slow: Option<u32>,
        read_only: Option<bool>,
    ) -> Result<Outcome, Problem> {
        let room = self.find(room)?;
        let (id, by) = (room.id, self.by());
        self.ask_about(Record::Change { room: id, title, topic, archived, slow, read_only, by }, &room.name)
    }

    /// Makes somebody a member of a private room. False: that person is one already.
    pub fn invite(&self, room: &RoomName, name: &PersonName) -> Result<bool, Problem> {
        let room = self.find(room)?;
        let person = self.known(name, "name").map_err(|problem| problem.room(room.name.as_str()))?;
        if room.kind == Kind::Private && self.line.doors.ticket(room.id, &person).is_some() {
            return Ok(false);
        }
        let record = Record::Invite { room: room.id, person, by: self.by(), at: Time::now() };
        self.ask_about(record, &room.name).map(|_| true)
    }

    /// Ends somebody's membership of a private room, or the own.
    pub fn remove(&self, room: &RoomName, name: &PersonName) -> Result<(), Problem> {
        let room = self.find(room)?;
        let is_member = room.kind == Kind::Public || self.line.doors.ticket(room.id, name).is_some();
        if !is_member {
            let message = format!("\"name\" must be a member of the room, which {name} is not");
            return Err(Problem::new(Code::BadField, message).room(room.name.as_str()));
        }
        self.ask_about(Record::Remove { room: room.id, person: name.clone(), by: self.by() }, &room.name).map(drop)
    }

    /// Who is a member of a room, where that means something.
    pub fn members(&self, room: &RoomName) -> Result<Vec<PersonName>, Problem> {
        let room = self.find(room)?;
        if room.kind == Kind::Public {
            let message = "a public room has no members: everyone may join it and leave it";
            return Err(Problem::new(Code::NotAllowed, message).room(room.name.as_str()));
        }
        Ok(self.line.doors.members(room.id))
    }

    /// Messages before or after a number, rising, as many as one answer holds; and whether there are others beyond them.
    pub fn page(&self, room: &Room, way: Way, limit: usize) -> Result<(Vec<Message>, bool), Problem> {
        // The nearest first, until it is known how many of them fit.
        let read = match way {
            Way::Before(seq) => self.line.store.before(room.id, seq, limit + 1).map(|mut messages| {
                messages.reverse();
                messages
            }),
            Way::After(seq) => self.line.store.after(room.id, seq, limit + 1),
        };
        let mut messages = read.map_err(|e| unreadable(&e, &room.name))?;
        let fitting = self.fitting(messages.iter(), limit);
        let more = messages.len() > fitting;
        messages.truncate(fitting);
        messages.sort_by_key(|message| message.seq);
        Ok((messages, more))
    }

    /// How many of these go into one answer. One always does, or nobody would ever get past it.
    pub fn fitting<'m>(&self, messages: impl Iterator<Item = &'m Message>, limit: usize) -> usize {
        let mut room_left = self.line.settings.portion();
        let mut seen = 0;
        let fits = messages.inspect(|_| seen += 1).take(limit).take_while(|message| {
            let weight = protocol::weight(message);
            let fits = weight <= room_left;
            room_left = room_left.saturating_sub(weight);
            fits
        });
        fits.count().max(seen.min(1))
    }

    /// This person and these, each once.
    fn together_with(&self, others: &[PersonName], field: &str) -> Result<Vec<PersonName>, Problem> {
        let mut all = vec![self.name.clone()];
        for other in others {
            let other = self.known(other, field)?;
            if all.iter().all(|name| name.folded() != other.folded()) {
                all.push(other);
            }
        }
        Ok(all)
    }

    /// The name as its person writes it. It must be somebody's already: else a slip of the pen would let in whoever comes
    /// by that name later.
    fn known(&self, name: &PersonName, field: &str) -> Result<PersonName, Problem> {
        if let Some(shown) = self.line.guests.shown(name) {
            return Ok(shown);
        }
        let known = self.line.store.known(name).map_err(|cause| {
            debug!("cannot read who is known: {cause}");
            Problem::unavailable()
        })?;
        let message = || format!("\"{field}\" must be of people who have been here, and nobody is called {name}");
        known.ok_or_else(|| Problem::new(Code::BadField, message()))
    }

    /// Who asks, with what they may do.
    fn by(&self) -> Option<(PersonName, Role)> {
        Some((self.name.clone(), self.role))
    }

    /// Stores what is about a room, and waits for what becomes of it.
    fn ask_about(&self, record: Record, room: &RoomName) -> Result<Outcome, Problem> {
        self.ask(record).map_err(|problem| problem.room(room.as_str()))
    }

    /// Has something stored, and waits for what becomes of it.
    pub fn ask(&self, record: Record) -> Result<Outcome, Problem> {
        let (asker, answer) = oneshot::channel();
        let entry = Entry::Record(record, Asker::Thread(asker));
        self.line.entries.send(entry).map_err(|_| Problem::unavailable())?;
        answer.recv().unwrap_or_else(|_| Err(Problem::unavailable()))
    }
}

fn unreadable(cause: &Error, room: &RoomName) -> Problem {
    debug!("cannot read {room}: {cause}");
    Problem::unavailable().room(room.as_str())
}
