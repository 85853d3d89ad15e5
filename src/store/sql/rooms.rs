//! Rooms: made, found, changed, and who is in those that are not open to all.

use super::{People, mark, person};
use crate::name::{PersonName, RoomName};
use crate::store::database::{Database, on};
use crate::store::schema::{marks, members, people, rooms};
use crate::store::{Kind, Membership, Outcome, Record, Rev, Room, RoomId, RoomView, Time, direct_name};
use diesel::prelude::*;
use diesel::result::Error::NotFound;
use std::collections::{HashMap, HashSet};

/// A room that is to be.
struct New<'a> {
    name: &'a RoomName,
    title: &'a str,
    topic: &'a str,
    kind: Kind,
    maker: Option<&'a PersonName>,
    members: &'a [PersonName],
    at: Time,
}

/// Stores what is about a room itself.
pub(super) fn record(c: &mut Database, known: &mut People, record: &Record, limit: usize) -> QueryResult<Outcome> {
    match record {
        Record::Create { name, title, topic, kind, maker, members, at } => {
            let (maker, kind, at) = (maker.as_ref(), *kind, *at);
            if find(c, name)?.is_some() {
                return Ok(Outcome::RoomExists);
            }
            make(c, known, &New { name, title, topic, kind, maker, members, at }, limit)
        }
        Record::Direct { people, at } => direct(c, known, people, *at, limit),
        Record::Change { room, title, topic, archived, slow, read_only, .. } => {
            set_rules(c, *room, *slow, *read_only)?;
            change(c, *room, title.as_deref(), topic.as_deref(), *archived)
        }
        Record::Invite { room, person, at, .. } => {
            let room = by_id(c, *room)?;
            admit(c, known, &room, person, *at)?;
            Ok(Outcome::Invited(room))
        }
        Record::Remove { room, person, .. } => remove(c, known, *room, person),
        Record::Post { .. } | Record::Amend { .. } | Record::Purge { .. } | Record::Read { .. } => Err(NotFound),
    }
}

/// The room that is there from the start.
pub(super) fn furnish(c: &mut Database, at: Time) -> QueryResult<()> {
    let (name, kind) = (&RoomName::lobby(), Kind::Public);
    insert(c, None, &New { name, title: "Lobby", topic: "", kind, maker: None, members: &[], at })
}

fn make(c: &mut Database, known: &mut People, new: &New, limit: usize) -> QueryResult<Outcome> {
    if usize::try_from(rooms::table.count().get_result::<i64>(c)?).unwrap_or(usize::MAX) >= limit {
        return Ok(Outcome::RoomsFull);
    }
    let maker = new.maker.map(|maker| person(c, known, maker, new.at)).transpose()?;
    insert(c, maker.map(|(id, _)| id), new)?;
    let room = find(c, new.name)?.ok_or(NotFound)?;
    for member in new.members {
        admit(c, known, &room, member, new.at)?;
    }
    Ok(Outcome::Created(room))
}

fn insert(c: &mut Database, maker: Option<i64>, new: &New) -> QueryResult<()> {
    let row = (
        rooms::name.eq(new.name.as_str()),
        rooms::title.eq(new.title),
        rooms::topic.eq(new.topic),
        rooms::kind.eq(new.kind.as_str()),
        rooms::archived.eq(false),
        rooms::maker_id.eq(maker),
        rooms::head.eq(0),
        rooms::created_at.eq(new.at.0),
    );
    diesel::insert_into(rooms::table).values(row).execute(c).map(drop)
}

fn direct(c: &mut Database, known: &mut People, people: &[PersonName], at: Time, limit: usize) -> QueryResult<Outcome> {
    let name = name_of_direct(c, known, people, at)?;
    if let Some(room) = find(c, &name)? {
        return Ok(Outcome::Found(room));
    }
    let title = people.iter().map(PersonName::as_str).collect::<Vec<_>>().join(", ");
    let new =
        New { name: &name, title: &title, topic: "", kind: Kind::Direct, maker: people.first(), members: people, at };
    make(c, known, &new, limit)
}

/// What the direct room of exactly these people is called.
pub(super) fn name_of_direct(
    c: &mut Database,
    known: &mut People,
    people: &[PersonName],
    at: Time,
) -> QueryResult<RoomName> {
    let ids: QueryResult<Vec<i64>> = people.iter().map(|name| Ok(person(c, known, name, at)?.0)).collect();
    Ok(direct_name(&mut ids?))
}

/// Makes a room of that name and kind, in which nobody is yet.
pub(super) fn found(
    c: &mut Database,
    known: &mut People,
    room: &Room,
    maker: Option<&PersonName>,
    at: Time,
) -> QueryResult<()> {
    let Room { name, title, topic, kind, .. } = room;
    make(c, known, &New { name, title, topic, kind: *kind, maker, members: &[], at }, usize::MAX).map(drop)
}

fn change(
    c: &mut Database,
    room: RoomId,
    title: Option<&str>,
    topic: Option<&str>,
    archived: Option<bool>,
) -> QueryResult<Outcome> {
    let row = rooms::table.filter(rooms::id.eq(room));
    if let Some(title) = title {
        diesel::update(row).set(rooms::title.eq(title)).execute(c)?;
    }
    if let Some(topic) = topic {
        diesel::update(row).set(rooms::topic.eq(topic)).execute(c)?;
    }
    if let Some(archived) = archived {
        diesel::update(row).set(rooms::archived.eq(archived)).execute(c)?;
    }
    by_id(c, room).map(Outcome::Changed)
}

fn set_rules(c: &mut Database, room: RoomId, slow: Option<u32>, read_only: Option<bool>) -> QueryResult<()> {
    let row = rooms::table.filter(rooms::id.eq(room));
    if let Some(slow) = slow {
        diesel::update(row).set(rooms::slow.eq(i64::from(slow))).execute(c)?;
    }
    if let Some(read_only) = read_only {
        diesel::update(row).set(rooms::read_only.eq(read_only)).execute(c)?;
    }
    Ok(())
}

/// Makes a person a member, for whom everything so far is read.
pub(super) fn admit(c: &mut Database, known: &mut People, room: &Room, name: &PersonName, at: Time) -> QueryResult<()> {
    let (person, _) = person(c, known, name, at)?;
    let row = members::table.filter(members::room_id.eq(room.id).and(members::person_id.eq(person)));
    if row.count().get_result::<i64>(c)? > 0 {
        return Ok(());
    }
    let new = (members::room_id.eq(room.id), members::person_id.eq(person), members::since.eq(at.0));
    diesel::insert_into(members::table).values(new).execute(c)?;
    mark(c, person, room.id, room.head)
}

/// Ends a membership, and what was read with it. If the maker goes, the room is the oldest member's.
pub(super) fn remove(c: &mut Database, known: &mut People, room: RoomId, name: &PersonName) -> QueryResult<Outcome> {
    let (person, _) = person(c, known, name, Time::now())?;
    let membership = members::table.filter(members::room_id.eq(room).and(members::person_id.eq(person)));
    diesel::delete(membership).execute(c)?;
    diesel::delete(marks::table.filter(marks::room_id.eq(room).and(marks::person_id.eq(person)))).execute(c)?;
    let row = rooms::table.filter(rooms::id.eq(room));
    let mut maker: Option<i64> = row.select(rooms::maker_id).first(c)?;
    if maker == Some(person) {
        let oldest = members::table.filter(members::room_id.eq(room)).order((members::since, members::person_id));
        maker = oldest.select(members::person_id).first(c).optional()?;
        diesel::update(row).set(rooms::maker_id.eq(maker)).execute(c)?;
    }
    let Some(maker) = maker else { return Ok(Outcome::Removed(None)) };
    let name: String = people::table.filter(people::id.eq(maker)).select(people::name).first(c)?;
    Ok(Outcome::Removed(Some(PersonName::trusted(&name))))
}

/// All rooms with their makers and members.
pub(super) fn every(c: &mut Database) -> QueryResult<Vec<Membership>> {
    let rows: Vec<(RoomRow, Option<String>)> = rooms::table
        .left_join(people::table.on(rooms::maker_id.eq(people::id.nullable())))
        .order(rooms::id)
        .select((room_columns, people::name.nullable()))
        .load(c)?;
    let within: Vec<(RoomId, String)> = members::table
        .inner_join(people::table)
        .order((members::since, members::person_id))
        .select((members::room_id, people::name))
        .load(c)?;
    let mut members: HashMap<RoomId, Vec<PersonName>> = HashMap::new();
    for (room, name) in within {
        members.entry(room).or_default().push(PersonName::trusted(&name));
    }
    let furnished = |(row, maker): (RoomRow, Option<String>)| {
        let room = Room::from(row);
        let members = members.remove(&room.id).unwrap_or_default();
        Membership { room, maker: maker.map(|name| PersonName::trusted(&name)), members }
    };
    Ok(rows.into_iter().map(furnished).collect())
}

/// Rooms as `person` finds them, and whether there are more.
pub(super) fn views(c: &mut Database, person: &PersonName, most: usize) -> QueryResult<(Vec<RoomView>, bool)> {
    let limit = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
    let is_public = rooms::kind.eq(Kind::Public.as_str());
    let own = members::table
        .inner_join(people::table)
        .inner_join(rooms::table)
        .filter(people::folded.eq(person.folded()))
        .order(rooms::id.desc())
        .limit(limit)
        .select(room_columns);
    let own: Vec<RoomRow> = on!(c, |c| own.load(c))?;
    let marked = marks::table
        .inner_join(people::table)
        .inner_join(rooms::table)
        .filter(people::folded.eq(person.folded()).and(is_public))
        .limit(limit)
        .select((room_columns, marks::rev));
    let marked: Vec<(RoomRow, Rev)> = on!(c, |c| marked.load(c))?;
    let oldest = rooms::table.filter(is_public).order(rooms::id).limit(limit).select(room_columns);
    let oldest: Vec<RoomRow> = on!(c, |c| oldest.load(c))?;
    let mut read_up_to: HashMap<RoomId, Rev> = own_marks(c, person, &own)?;
    read_up_to.extend(marked.iter().map(|(row, rev)| (row.0, *rev)));
    let mut seen = HashSet::new();
    let rows = own.into_iter().chain(marked.into_iter().map(|(row, _)| row)).chain(oldest);
    let mut all: Vec<RoomRow> = rows.filter(|row| seen.insert(row.0)).collect();
    let more = all.len() > most;
    all.truncate(most);
    all.sort_by_key(|row| row.0);
    let view = |row| {
        let room = Room::from(row);
        let (unread, mentions) = match read_up_to.get(&room.id) {
            Some(mark) if *mark < room.head => super::messages::count_after(c, person, room.id, *mark)?,
            _ => (0, 0),
        };
        Ok(RoomView { room, unread, mentions })
    };
    let views: QueryResult<_> = all.into_iter().map(view).collect();
    Ok((views?, more))
}

/// How far a person has read in these rooms.
fn own_marks(c: &mut Database, person: &PersonName, own: &[RoomRow]) -> QueryResult<HashMap<RoomId, Rev>> {
    let ids: Vec<RoomId> = own.iter().map(|row| row.0).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(RoomId, Rev)> = marks::table
        .inner_join(people::table)
        .filter(people::folded.eq(person.folded()).and(marks::room_id.eq_any(ids)))
        .select((marks::room_id, marks::rev))
        .load(c)?;
    Ok(rows.into_iter().collect())
}

/// The room of that name.
pub(super) fn find(c: &mut Database, name: &RoomName) -> QueryResult<Option<Room>> {
    let row = rooms::table.filter(rooms::name.eq(name.as_str())).select(room_columns);
    Ok(on!(c, |c| row.first::<RoomRow>(c)).optional()?.map(Room::from))
}

fn by_id(c: &mut Database, room: RoomId) -> QueryResult<Room> {
    rooms::table.filter(rooms::id.eq(room)).select(room_columns).first::<RoomRow>(c).map(Room::from)
}

type RoomRow = (i64, String, String, String, String, bool, i64, bool, i64);
#[allow(non_upper_case_globals, clippy::type_complexity)]
const room_columns: (
    rooms::id,
    rooms::name,
    rooms::title,
    rooms::topic,
    rooms::kind,
    rooms::archived,
    rooms::slow,
    rooms::read_only,
    rooms::head,
) = (
    rooms::id,
    rooms::name,
    rooms::title,
    rooms::topic,
    rooms::kind,
    rooms::archived,
    rooms::slow,
    rooms::read_only,
    rooms::head,
);

impl From<RoomRow> for Room {
    fn from((id, name, title, topic, kind, archived, slow, read_only, head): RoomRow) -> Room {
        // What nobody knows how to open, stays shut.
        let kind = Kind::parse(&kind).unwrap_or(Kind::Private);
        let (name, slow) = (RoomName::trusted(&name), u32::try_from(slow).unwrap_or(0));
        Room { id, name, title, topic, kind, archived, slow, read_only, head }
    }
}
