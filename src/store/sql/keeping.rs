//! Looking after a store in SQL: rooms taken in and given out, and accounts that are closed.

use super::super::keeping::{Export, Exported, Import, Imported, Keeping};
use super::super::people::{Person, PersonId, Role};
use super::super::schema::{members, people, rooms, sessions};
use super::super::{Kind, Message, Rev, Room, RoomId, Time, TokenHash, random_hex};
use super::{People, Sql, messages, of_people, of_rooms, person, refused};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use crate::store::database::Database;
use diesel::prelude::*;
use diesel::result::Error::{NotFound, RollbackTransaction};
use std::collections::HashMap;

/// Sessions looked up in one query, and messages written or read between two looks at what is there.
const AT_ONCE: usize = 500;

/// What ends a transaction: the database, or whoever takes what it brings.
enum Stopped {
    Query(diesel::result::Error),
    Other(Error),
}

impl From<diesel::result::Error> for Stopped {
    fn from(error: diesel::result::Error) -> Stopped {
        Stopped::Query(error)
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Error {
        match stopped {
            Stopped::Query(error) => refused(&error),
            Stopped::Other(error) => error,
        }
    }
}

impl Keeping for Sql {
    fn whose(&self, tokens: &[TokenHash]) -> Result<Vec<Option<Person>>, Error> {
        let mut found: HashMap<Vec<u8>, Person> = HashMap::new();
        for tokens in tokens.chunks(AT_ONCE) {
            let tokens: Vec<Vec<u8>> = tokens.iter().map(|token| token.to_vec()).collect();
            let rows = self.readers.read(move |c| {
                let these = sessions::table.inner_join(people::table).filter(sessions::token_hash.eq_any(tokens));
                let columns = (sessions::token_hash, people::id, people::name, people::role);
                these.select(columns).load::<(Vec<u8>, i64, String, String)>(c)
            })?;
            let person = |(token, id, name, role): (Vec<u8>, i64, String, String)| {
                (token, Person { id, name: PersonName::trusted(&name), role: Role::stored(&role) })
            };
            found.extend(rows.into_iter().map(person));
        }
        Ok(tokens.iter().map(|token| found.get(&token[..]).cloned()).collect())
    }

    fn forget(&self) {
        self.pen.forget();
    }

    fn import(&self, import: &Import) -> Result<Imported, Error> {
        let mut outcome = Err(Error::Stopped);
        let stored = self.pen.transaction(|c, known| {
            outcome = match take_in(c, known, import) {
                Ok(imported) => Ok(imported),
                // Perhaps it can be, the next time.
                Err(Stopped::Query(error)) => return Err(error),
                Err(Stopped::Other(error)) => Err(error),
            };
            // What is not done is undone.
            match &outcome {
                Ok(Imported::Done(_)) => Ok(()),
                _ => Err(RollbackTransaction),
            }
        });
        match stored {
            Ok(()) | Err(RollbackTransaction) => outcome,
            Err(error) => Err(refused(&error)),
        }
    }

    fn export(&self, room: &RoomName, to: &mut Export) -> Result<Option<Rev>, Error> {
        Ok(self.pen.look(|c| give_out(c, room, to))?)
    }

    fn close_account(&self, id: PersonId) -> Result<bool, Error> {
        let closed = self.pen.transaction(|c, known| {
            if of_people::is_last_owner(c, id)? {
                return Ok(false);
            }
            let row = people::table.filter(people::id.eq(id));
            let name: String = row.select(people::name).first(c)?;
            let none = (
                people::password.eq(None::<String>),
                people::avatar.eq(None::<Vec<u8>>),
                people::role.eq(Role::Guest.as_str()),
            );
            diesel::update(row).set(none).execute(c)?;
            diesel::delete(sessions::table.filter(sessions::person_id.eq(id))).execute(c)?;
            let within: Vec<RoomId> =
                members::table.filter(members::person_id.eq(id)).select(members::room_id).load(c)?;
            for room in within {
                of_rooms::remove(c, known, room, &PersonName::trusted(&name))?;
            }
            Ok(true)
        });
        closed.map_err(|e| refused(&e))
    }
}

fn give_out(c: &mut Database, name: &RoomName, to: &mut Export) -> Result<Option<Rev>, Stopped> {
    let Some(found) = of_rooms::every(c)?.into_iter().find(|found| found.room.name == *name) else { return Ok(None) };
    let (room, head) = (found.room.id, found.room.head);
    let count = messages::count(c, room)?;
    to(Exported::Room(found, count as u64)).map_err(Stopped::Other)?;
    let mut after = 0;
    loop {
        let page = messages::after(c, room, after, AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(Some(head)) };
        after = last.seq;
        page.into_iter().try_for_each(|message| to(Exported::Message(message))).map_err(Stopped::Other)?;
    }
}

fn take_in(c: &mut Database, known: &mut People, import: &Import) -> Result<Imported, Stopped> {
    let now = Time::now();
    let mut known = Known { known, as_is: HashMap::new(), now };
    let room = match room(c, &mut known, import)? {
        Imported::Done(room) => room,
        refused => return Ok(refused),
    };
    for (after, member) in import.members.iter().enumerate() {
        let member = known.person(c, member)?.1;
        // One after the other: so they are listed.
        of_rooms::admit(c, known.known, &room, &member, Time(now.0 + after as i64))?;
    }
    // All first: a message may speak to one who wrote only later.
    for message in &import.messages {
        known.person(c, &message.from)?;
    }
    for messages in import.messages.chunks(AT_ONCE) {
        let taken = messages::used_ids(c, messages.iter().map(|message| message.id.as_str()))?;
        for message in messages {
            let (author, from) = known.person(c, &message.from)?;
            let mut message = Message { room: room.id, from, ..message.clone() };
            if taken.contains(&(author, message.id.clone())) {
                message.id = random_hex(12).map_err(Stopped::Other)?;
            }
            messages::restore(c, author, &message)?;
            let mut rev = message.rev - message.reactions.iter().map(|sign| sign.people.len() as Rev).sum::<Rev>();
            for reaction in &message.reactions {
                for person in &reaction.people {
                    rev += 1;
                    let (person, _) = known.person(c, person)?;
                    messages::sign(c, &message, &reaction.emoji, person, rev)?;
                }
            }
        }
    }
    of_rooms::find(c, &room.name)?.map(Imported::Done).ok_or(Stopped::Query(NotFound))
}

/// The room that messages are taken into: made, or furnished as it was elsewhere.
fn room(c: &mut Database, known: &mut Known, import: &Import) -> QueryResult<Imported> {
    let Import { room, maker, members, .. } = import;
    let members = members.iter().map(|member| known.person(c, member).map(|(_, name)| name));
    let members: Vec<PersonName> = members.collect::<QueryResult<_>>()?;
    let maker = maker.as_ref().map(|maker| known.person(c, maker).map(|(_, name)| name)).transpose()?;
    let name = match room.kind {
        Kind::Direct => of_rooms::name_of_direct(c, known.known, &members, known.now)?,
        _ => room.name.clone(),
    };
    match of_rooms::find(c, &name)? {
        Some(found) if found.head > 0 => return Ok(Imported::NotEmpty),
        Some(found) if found.kind != room.kind => return Ok(Imported::OtherKind(found)),
        Some(_) => {}
        None => {
            of_rooms::found(c, known.known, &Room { name: name.clone(), ..room.clone() }, maker.as_ref(), known.now)?
        }
    }
    let row = rooms::table.filter(rooms::name.eq(name.as_str()));
    let as_it_was = (
        rooms::title.eq(&room.title),
        rooms::topic.eq(&room.topic),
        rooms::archived.eq(room.archived),
        rooms::head.eq(room.head),
    );
    diesel::update(row).set(as_it_was).execute(c)?;
    of_rooms::find(c, &name)?.map(Imported::Done).ok_or(NotFound)
}

/// People by name, each as the name is written here already: what is taken in renames nobody.
struct Known<'a> {
    known: &'a mut People,
    as_is: HashMap<String, (i64, PersonName)>,
    now: Time,
}

impl Known<'_> {
    fn person(&mut self, c: &mut Database, name: &PersonName) -> QueryResult<(i64, PersonName)> {
        let folded = name.folded();
        if let Some((id, name)) = self.as_is.get(&folded) {
            return Ok((*id, name.clone()));
        }
        let row = people::table.filter(people::folded.eq(&folded)).select((people::id, people::name));
        let found = match row.first::<(i64, String)>(c).optional()? {
            Some((id, name)) => (id, PersonName::trusted(&name)),
            None => person(c, self.known, name, self.now)?,
        };
        self.as_is.insert(folded, found.clone());
        Ok(found)
    }
}
