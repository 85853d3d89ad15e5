//! Looking after a store in memory: rooms taken in and given out, and accounts that are closed.

use super::super::keeping::{Export, Exported, Import, Imported, Keeping};
use super::super::people::{Person, PersonId};
use super::super::{Kind, Membership, Message, Rev, Room, TokenHash, direct_name, random_hex};
use super::{Kept, Memory, State};
use crate::error::Error;
use crate::name::{PersonName, RoomName};

impl Keeping for Memory {
    fn whose(&self, sessions: &[TokenHash]) -> Result<Vec<Option<Person>>, Error> {
        let state = self.state.read();
        Ok(sessions.iter().map(|token| state.everyone.whose(token)).collect())
    }

    fn forget(&self) {}

    fn import(&self, import: &Import) -> Result<Imported, Error> {
        let mut state = self.state.write();
        let imported = state.import(import)?;
        while state.bytes > self.budget && state.arrivals.len() > 1 {
            state.forget_oldest();
        }
        Ok(imported)
    }

    fn export(&self, room: &RoomName, to: &mut Export) -> Result<Option<Rev>, Error> {
        let state = self.state.read();
        let Some(kept) = state.names.get(room).map(|id| state.kept(*id)) else { return Ok(None) };
        let (room, maker, members) = (kept.room.clone(), kept.maker.clone(), kept.members.clone());
        let head = room.head;
        to(Exported::Room(Membership { room, maker, members }, kept.messages.len() as u64))?;
        kept.messages.iter().try_for_each(|message| to(Exported::Message(message.clone())))?;
        Ok(Some(head))
    }

    fn close_account(&self, person: PersonId) -> Result<bool, Error> {
        let mut state = self.state.write();
        let Some(name) = state.everyone.close(person) else { return Ok(false) };
        let folded = name.folded();
        let within: Vec<_> = state.rooms.iter().filter(|kept| kept.has(&folded)).map(|kept| kept.room.id).collect();
        within.into_iter().for_each(|room| drop(state.remove(room, &name)));
        state.marks.retain(|(person, _), _| *person != folded);
        Ok(true)
    }
}

impl State {
    fn import(&mut self, import: &Import) -> Result<Imported, Error> {
        let Room { title, topic, kind, .. } = &import.room;
        let mut name = import.room.name.clone();
        if *kind == Kind::Direct {
            let members: Vec<PersonName> = import.members.iter().map(|member| self.know_as_is(member)).collect();
            let mut numbers: Vec<PersonId> = members.iter().map(|member| self.know(member)).collect();
            name = direct_name(&mut numbers);
        }
        let room = match self.names.get(&name) {
            Some(id) if self.kept(*id).room.head > 0 => return Ok(Imported::NotEmpty),
            Some(id) if self.kept(*id).room.kind != *kind => {
                return Ok(Imported::OtherKind(self.kept(*id).room.clone()));
            }
            Some(id) => *id,
            None => {
                let room = self.create(name, title, topic, *kind, &[]).id;
                self.kept_mut(room).maker.clone_from(&import.maker);
                room
            }
        };
        let (title, topic) = (title.clone(), topic.clone());
        let kept = self.kept_mut(room);
        kept.room = Room { title, topic, archived: import.room.archived, head: import.room.head, ..kept.room.clone() };
        for member in &import.members {
            let member = self.know_as_is(member);
            self.admit(room, &member);
        }
        // All first: a message may speak to one who wrote only later.
        for message in &import.messages {
            self.know_as_is(&message.from);
        }
        for message in &import.messages {
            let mut message = Message { room, from: self.know_as_is(&message.from), ..message.clone() };
            for person in message.reactions.iter_mut().flat_map(|reaction| &mut reaction.people) {
                *person = self.know_as_is(person);
            }
            if self.ids.contains_key(&(message.from.folded(), message.id.clone())) {
                message.id = random_hex(12)?;
            }
            self.take_in(message);
        }
        Ok(Imported::Done(self.kept(room).room.clone()))
    }

    /// The name of a person as it is written here already, or from now on.
    fn know_as_is(&mut self, name: &PersonName) -> PersonName {
        let known = self.everyone.shown(name);
        known.unwrap_or_else(|| {
            self.know(name);
            name.clone()
        })
    }

    fn take_in(&mut self, message: Message) {
        let room = message.room;
        self.ids.insert((message.from.folded(), message.id.clone()), (room, message.seq));
        self.arrivals.push_back((room, message.seq));
        self.bytes += super::messages::weight(&message);
        if !message.deleted {
            self.mention(&message);
        }
        let Kept { messages, changed, .. } = self.kept_mut(room);
        if message.rev != message.seq {
            changed.insert(message.rev, message.seq);
        }
        messages.push_back(message);
    }
}
