//! Search in SQL: what the indexer puts into the index, and how it is asked. The index is SQLite's FTS5; all else would
//! do in any database.
//!
//! In the index a message is its words, and before them three that nobody can write: that its room is public, its room,
//! its author. So a search in few rooms, or for one author, walks along what is there and not along everything. The
//! rows of the index are numbered in the order in which the messages came, and read from the end: the newest are found
//! first, and a common word costs no more than a rare one. What is found is compared with the message as it now stands.

use super::super::database::{Database, on};
use super::super::schema::{messages, people, rooms, search_marks, search_places, search_words};
use super::super::search::{Cursor, Found, Hit, Search, Wanted, Within};
use super::super::{Kind, Rev, RoomId, Time};
use super::Sql;
use super::messages::place;
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use crate::words::{self, Term, words};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Begins the words that are not the message's own: no word of a text has it.
const MARK: char = '×';

/// Messages read at once over all rooms, where many were left behind; and of one room, at the least and at the most.
const PAGES: usize = 4096;
const PAGE: (usize, usize) = (8, 256);

/// How far apart messages may stand in the index from the order of their times: those of a batch are numbered as they
/// come.
const SLACK: i64 = 60_000;

/// A message as it goes into the index.
struct Row {
    id: i64,
    room: RoomId,
    seq: Rev,
    rev: Rev,
    author: i64,
    body: String,
    deleted: bool,
    at: i64,
    is_public: bool,
}

/// How far the index has come in a room, and how far it has to go.
struct Room {
    seq: Rev,
    rev: Rev,
    head: Rev,
    is_public: bool,
    /// Read and not yet indexed.
    rows: VecDeque<Row>,
    read_to: Rev,
}

/// The rooms that the index is behind in, and what comes next of each.
pub(super) struct Front {
    rooms: BTreeMap<RoomId, Room>,
    /// When the next message of each was said.
    order: BTreeSet<(i64, RoomId)>,
    page: usize,
}

impl Front {
    pub fn read(c: &mut Database) -> QueryResult<Front> {
        let (seq, rev) = (search_marks::seq.nullable(), search_marks::rev.nullable());
        let head = rooms::head.nullable();
        let behind = rev.is_null().or(rev.ne(head)).or(seq.ne(head));
        type Columns = (RoomId, Rev, String, Option<Rev>, Option<Rev>);
        let found: Vec<Columns> = rooms::table
            .left_join(search_marks::table)
            .filter(rooms::head.gt(0))
            .filter(behind)
            .select((rooms::id, rooms::head, rooms::kind, seq, rev))
            .load(c)?;
        let page = (PAGES / found.len().max(1)).clamp(PAGE.0, PAGE.1);
        let mut front = Front { rooms: BTreeMap::new(), order: BTreeSet::new(), page };
        for (id, head, kind, seq, rev) in found {
            // A mark of what is to come is that of another room, whose key this one took over.
            let mark = |mark: Option<Rev>| mark.filter(|mark| *mark <= head).unwrap_or(0);
            let (seq, rev, is_public) = (mark(seq), mark(rev), kind == Kind::Public.as_str());
            front.rooms.insert(id, Room { seq, rev, head, is_public, rows: VecDeque::new(), read_to: seq });
            front.fill(c, id)?;
        }
        Ok(front)
    }

    /// How many numbers were given that the index does not know of.
    pub fn missing(&self) -> i64 {
        self.rooms.values().map(|room| room.head - room.seq.min(room.rev)).sum()
    }

    /// Reads on in a room, if nothing of it is left.
    fn fill(&mut self, c: &mut Database, id: RoomId) -> QueryResult<()> {
        let Some(room) = self.rooms.get_mut(&id) else { return Ok(()) };
        if room.rows.is_empty() && room.read_to < room.head {
            room.rows = new_rows(c, id, room, self.page)?.into();
            room.read_to = room.rows.back().filter(|_| room.rows.len() == self.page).map_or(room.head, |row| row.seq);
        }
        self.order.extend(room.rows.front().map(|row| (row.at, id)));
        Ok(())
    }

    /// Of all messages that were said since, the one that was said first.
    fn next(&mut self, c: &mut Database) -> QueryResult<Option<Row>> {
        let Some((_, id)) = self.order.pop_first() else { return Ok(None) };
        let row = self.rooms.get_mut(&id).and_then(|room| room.rows.pop_front());
        self.fill(c, id)?;
        Ok(row)
    }
}

/// What goes into the index in one transaction.
pub(super) struct Slice {
    rows: Vec<Row>,
    /// Room → how far the index has come then.
    marks: BTreeMap<RoomId, (Rev, Rev)>,
}

impl Slice {
    /// What comes next; None: all has been read. Messages come first, over all rooms as they were said; then, room by
    /// room, what became of those that were in the index before.
    pub fn read(c: &mut Database, front: &mut Front, most: usize) -> QueryResult<Option<Slice>> {
        let mut slice = Slice { rows: Vec::new(), marks: BTreeMap::new() };
        while slice.rows.len() < most
            && let Some(row) = front.next(c)?
        {
            if let Some(room) = front.rooms.get_mut(&row.room) {
                room.seq = row.seq;
                slice.marks.insert(row.room, (room.seq, room.rev));
            }
            slice.rows.push(row);
        }
        while front.order.is_empty()
            && slice.rows.len() < most
            && let Some((id, mut room)) = front.rooms.pop_first()
        {
            room.seq = room.head;
            let count = most - slice.rows.len();
            let changed = changed_rows(c, id, &room, count)?;
            let is_all = changed.len() < count;
            room.rev = changed.last().filter(|_| !is_all).map_or(room.head, |row| row.rev);
            slice.marks.insert(id, (room.seq, room.rev));
            slice.rows.extend(changed);
            if !is_all {
                front.rooms.insert(id, room);
            }
        }
        Ok((!slice.marks.is_empty()).then_some(slice))
    }

    pub fn write(&self, c: &mut Database) -> QueryResult<()> {
        let last: Option<i64> = search_places::table.select(diesel::dsl::max(search_places::n)).first(c)?;
        let mut last = last.unwrap_or(0);
        for row in &self.rows {
            put(c, row, &mut last)?;
        }
        for (room, (seq, rev)) in &self.marks {
            let new = (search_marks::seq.eq(seq), search_marks::rev.eq(rev));
            let mark = search_marks::table.filter(search_marks::room_id.eq(room));
            if on!(c, |c| diesel::update(mark).set(new).execute(c))? == 0 {
                let new = (search_marks::room_id.eq(room), new.0, new.1);
                diesel::insert_into(search_marks::table).values(new).execute(c)?;
            }
        }
        Ok(())
    }
}

/// Puts a message in, as it stands, in the place that it has or behind the last one.
fn put(c: &mut Database, row: &Row, last: &mut i64) -> QueryResult<()> {
    let found = search_places::table.filter(search_places::message_id.eq(row.id)).select(search_places::n);
    let found: Vec<i64> = on!(c, |c| found.load(c))?;
    let n = match found.first() {
        Some(n) => {
            diesel::delete(search_words::table.filter(search_words::rowid.eq(n))).execute(c)?;
            *n
        }
        None => *last + 1,
    };
    if row.deleted {
        return diesel::delete(search_places::table.filter(search_places::n.eq(n))).execute(c).map(drop);
    }
    if found.is_empty() {
        let new = (search_places::n.eq(n), search_places::message_id.eq(row.id));
        on!(c, |c| diesel::insert_into(search_places::table).values(new).execute(c))?;
        *last = n;
    }
    let new = (search_words::rowid.eq(n), search_words::words.eq(row.words()));
    on!(c, |c| diesel::insert_into(search_words::table).values(new).execute(c))?;
    Ok(())
}

impl Row {
    /// Its words, one space between two.
    fn words(&self) -> String {
        let mut text = if self.is_public { format!("{MARK}p ") } else { String::new() };
        text += &format!("{} {}", in_room(self.room), by_author(self.author));
        for word in words(&self.body) {
            text.push(' ');
            text += &word.text;
        }
        text
    }
}

fn in_room(room: RoomId) -> String {
    format!("{MARK}r{room}")
}

fn by_author(author: i64) -> String {
    format!("{MARK}a{author}")
}

type Columns = (i64, Rev, Rev, i64, String, bool, i64);
#[allow(non_upper_case_globals, clippy::type_complexity)]
const columns: (
    messages::id,
    messages::seq,
    messages::rev,
    messages::author_id,
    messages::body,
    messages::deleted,
    messages::at,
) = (messages::id, messages::seq, messages::rev, messages::author_id, messages::body, messages::deleted, messages::at);

/// Messages that the index does not have, in the order of their birth.
fn new_rows(c: &mut Database, id: RoomId, room: &Room, count: usize) -> QueryResult<Vec<Row>> {
    let page = messages::table
        .filter(messages::id.gt(place(id, room.read_to)).and(messages::id.le(place(id, room.head))))
        .order(messages::id.asc())
        .limit(count as i64)
        .select(columns);
    let found: Vec<Columns> = on!(c, |c| page.load(c))?;
    Ok(found.into_iter().map(|found| Row::of(id, room, found)).collect())
}

/// Messages that were changed, in the order of their changes.
fn changed_rows(c: &mut Database, id: RoomId, room: &Room, count: usize) -> QueryResult<Vec<Row>> {
    let page = messages::table
        .filter(messages::room_id.eq(id).and(messages::rev.ne(messages::seq)))
        .filter(messages::rev.gt(room.rev).and(messages::rev.le(room.head)))
        .order(messages::rev.asc())
        .limit(count as i64)
        .select(columns);
    let found: Vec<Columns> = on!(c, |c| page.load(c))?;
    Ok(found.into_iter().map(|found| Row::of(id, room, found)).collect())
}

impl Row {
    fn of(id: RoomId, room: &Room, (key, seq, rev, author, body, deleted, at): Columns) -> Row {
        Row { id: key, room: id, seq, rev, author, body, deleted, at, is_public: room.is_public }
    }
}

impl Search for Sql {
    fn search(&self, wanted: &Wanted) -> Result<Found, Error> {
        let indexing = !self.indexer.wait();
        let wanted = wanted.clone();
        let found = self.searchers.read(move |c| search(c, &wanted))?;
        Ok(Found { indexing, ..found })
    }
}

fn search(c: &mut Database, wanted: &Wanted) -> QueryResult<Found> {
    let mut found = Found::default();
    let authors: Vec<i64> = people::table.filter(people::folded.eq_any(&wanted.from)).select(people::id).load(c)?;
    let Some(asked) = asked(wanted, &authors) else { return Ok(found) };
    let begin = wanted.after.map_or(Ok(0), |after| place_at(c, Time(after.0.saturating_sub(SLACK))))?;
    let mut end = wanted.before.map_or(Ok(i64::MAX), |before| place_at(c, Time(before.0.saturating_add(SLACK))))?;
    end = wanted.cursor.map_or(end, |cursor| end.min(cursor.0));
    loop {
        let count = wanted.limit + 1;
        let places = places(c, &asked, begin, end, count)?;
        let mut messages = messages(c, &places)?;
        for place in &places {
            let hit = messages.remove(&place.message_id).filter(|hit| is_hit(hit, wanted));
            if found.hits.len() == wanted.limit {
                return Ok(found);
            }
            if let Some(hit) = hit {
                found.hits.push(hit);
                found.next = Some(Cursor(place.n));
            }
        }
        match places.last() {
            Some(last) if places.len() == count => end = last.n,
            _ => return Ok(Found { next: None, ..found }),
        }
    }
}

/// The question as FTS5 reads it; None: nothing can answer it.
fn asked(wanted: &Wanted, authors: &[i64]) -> Option<String> {
    let any = |words: Vec<String>| (!words.is_empty()).then(|| format!("(\"{}\")", words.join("\" OR \"")));
    let rooms = |rooms: &[RoomId]| rooms.iter().map(|room| in_room(*room)).collect::<Vec<_>>();
    let within = match &wanted.within {
        Within::PublicAnd(others) => any([vec![format!("{MARK}p")], rooms(others)].concat()),
        Within::Only(only) => any(rooms(only)),
    };
    let mut parts: Vec<String> = wanted.terms.iter().map(phrase).collect();
    if !wanted.from.is_empty() {
        parts.push(any(authors.iter().map(|author| by_author(*author)).collect())?);
    }
    parts.push(within?);
    Some(parts.join(" AND "))
}

fn phrase(term: &Term) -> String {
    format!("\"{}\"{}", term.words.join(" "), if term.begun { " *" } else { "" })
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = BigInt)]
    message_id: i64,
}

/// From the end on, so that SQLite stops as soon as it has enough.
fn places(c: &mut Database, asked: &str, begin: i64, end: i64, count: usize) -> QueryResult<Vec<Place>> {
    let query = diesel::sql_query(
        "SELECT n, message_id FROM search_words CROSS JOIN search_places ON n = search_words.rowid \
         WHERE search_words MATCH ? AND search_words.rowid >= ? AND search_words.rowid < ? \
         ORDER BY search_words.rowid DESC LIMIT ?",
    );
    let query = query.bind::<Text, _>(asked).bind::<BigInt, _>(begin).bind::<BigInt, _>(end);
    let query = query.bind::<BigInt, _>(count as i64);
    on!(c, |c| query.load(c))
}

/// The place of the first message that was said at that time or later, or the one behind the last: halving what is
/// between.
fn place_at(c: &mut Database, at: Time) -> QueryResult<i64> {
    let last: Option<i64> = search_places::table.select(diesel::dsl::max(search_places::n)).first(c)?;
    let (mut begin, mut end) = (0, last.unwrap_or(0) + 1);
    while begin < end {
        let middle = begin + (end - begin) / 2;
        let nearest = search_places::table
            .inner_join(messages::table.on(messages::id.eq(search_places::message_id)))
            .filter(search_places::n.ge(middle).and(search_places::n.lt(end)))
            .order(search_places::n.asc())
            .limit(1)
            .select((search_places::n, messages::at));
        let nearest: Vec<(i64, i64)> = on!(c, |c| nearest.load(c))?;
        match nearest.first() {
            Some((n, said)) if *said < at.0 => begin = n + 1,
            _ => end = middle,
        }
    }
    Ok(begin)
}

/// The messages of these places, as they now stand, by their keys.
fn messages(c: &mut Database, places: &[Place]) -> QueryResult<HashMap<i64, Hit>> {
    type Columns = (i64, RoomId, String, Rev, String, i64, String);
    let found: Vec<Columns> = messages::table
        .inner_join(people::table)
        .inner_join(rooms::table)
        .filter(messages::id.eq_any(places.iter().map(|place| place.message_id)))
        .filter(messages::deleted.eq(false))
        .select((messages::id, rooms::id, rooms::name, messages::seq, people::name, messages::at, messages::body))
        .load(c)?;
    let hit = |(id, room, room_name, seq, from, at, body): Columns| {
        let (room_name, from) = (RoomName::trusted(&room_name), PersonName::trusted(&from));
        (id, Hit { room, room_name, seq, from, at: Time(at), body })
    };
    Ok(found.into_iter().map(hit).collect())
}

/// Whether what was found is still so, and in the time that is wanted.
fn is_hit(hit: &Hit, wanted: &Wanted) -> bool {
    wanted.before.is_none_or(|before| hit.at < before)
        && wanted.after.is_none_or(|after| hit.at >= after)
        && words::find(&hit.body, &wanted.terms).is_some()
}
