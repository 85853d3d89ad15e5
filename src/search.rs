//! Looking for what was said: from what somebody wrote to a page of what that person may read. The chat and the API ask
//! here.

use crate::line::Line;
use crate::name::PersonName;
use crate::protocol::{Code, Problem};
use crate::query::{Answer, Fault, Named, Query, Question};
use crate::store::{Cursor, Wanted, Within};
use log::error;

/// What `person` may read of it, newest first. Where a room is closed to that person, it is as if there were none.
pub fn answer(line: &Line, person: &PersonName, question: &Question) -> Result<Answer, Problem> {
    let query = Query::parse(&question.query).map_err(|fault| misread(&fault))?;
    let cursor = question.cursor.as_deref().map(cursor).transpose()?;
    let from = query.from.iter().map(|from| known(line, from)).collect::<Result<Vec<String>, Problem>>()?;
    let within = within(line, person, &query)?;
    let (before, after, limit) = (query.before, query.after, question.limit);
    let wanted = Wanted { terms: query.terms, from, within, before, after, cursor, limit };
    let mut found = line.store.search(&wanted).map_err(|cause| unreadable(&cause))?;
    // Somebody may have been removed from a room meanwhile.
    found.hits.retain(|hit| line.doors.ticket(hit.room, person).is_some());
    Ok(Answer { found, terms: wanted.terms })
}

fn within(line: &Line, person: &PersonName, query: &Query) -> Result<Within, Problem> {
    if query.rooms.is_empty() {
        return Ok(Within::PublicAnd(line.doors.closed_rooms_of(person)));
    }
    let mut only = Vec::with_capacity(query.rooms.len());
    for Named { name, at } in &query.rooms {
        let room = line.store.room(name).map_err(|cause| unreadable(&cause))?;
        let room = room.filter(|room| line.doors.ticket(room.id, person).is_some());
        let none = || Problem {
            message: format!("{}: there is no room \"{name}\"", place(*at)),
            ..Problem::no_such_room(name)
        };
        only.push(room.ok_or_else(none)?.id);
    }
    Ok(Within::Only(only))
}

/// A name as names are compared, if it is somebody's.
fn known(line: &Line, Named { name, at }: &Named<PersonName>) -> Result<String, Problem> {
    let known = line.store.known(name).map_err(|cause| unreadable(&cause))?;
    if known.is_none() && line.guests.shown(name).is_none() {
        let why = format!("nobody called {name} has been here; expected a name as it stands beside a message");
        return Err(misread(&Fault { at: *at, why }));
    }
    Ok(name.folded())
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    let none = || Problem::new(Code::BadField, "\"cursor\" must be one that an answer to this query brought");
    text.parse().map(Cursor).map_err(|_| none())
}

fn misread(Fault { at, why }: &Fault) -> Problem {
    Problem::new(Code::BadField, format!("{}: {why}", place(*at)))
}

fn place(at: usize) -> String {
    format!("\"query\", character {at}")
}

fn unreadable(cause: &crate::error::Error) -> Problem {
    error!("cannot search: {cause}");
    Problem::unavailable()
}
