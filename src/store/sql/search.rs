//! Search in SQL: what the indexer puts into the index, and how it is asked. The index itself is each database's own, in
//! `index`.
//!
//! The rows of the index are numbered in the order in which the messages came, and read from the end: the newest are found
//! first. What is found is compared with the message as it now stands, so an index may find too much.

use super::super::database::{Database, on};
use super::super::schema::{changes, messages, people, rooms, search_marks, search_places};
use super::super::search::{Cursor, Found, Hit, Search, Wanted, Within};
use super::super::{Kind, Rev, RoomId, Time};
use super::Sql;
use super::index::{self, Asked, Entry, Place};
use super::messages::place;
use super::of_people::alone;
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use crate::words;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Messages read at once over all rooms, where many were left behind; and of one room, at the least and at the most.
const PAGES: usize = 4096;
const PAGE: (usize, usize) = (8, 256);

/// How far apart messages may stand in the index from the order of their times: those of a batch are numbered as they
/// come.
const SLACK: i64 = 60_000;

/// Places looked up at once, at the most: each time four times as many, where most are none.
const MOST_PLACES: usize = 1024;

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
    /// Its mark as it stands in the database.
    stored: (Rev, Rev),
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
            let stored = (seq.unwrap_or(0), rev.unwrap_or(0));
            // A mark of what is to come is that of another room, whose key this one took over.
            let mark = |mark: Option<Rev>| mark.filter(|mark| *mark <= head).unwrap_or(0);
            let (seq, rev, is_public) = (mark(seq), mark(rev), kind == Kind::Public.as_str());
            front.rooms.insert(id, Room { seq, rev, stored, head, is_public, rows: VecDeque::new(), read_to: seq });
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
    /// Room → how far it had come before.
    before: BTreeMap<RoomId, (Rev, Rev)>,
}

impl Slice {
    /// What comes next; None: all has been read. Messages come first, over all rooms as they were said; then, room by
    /// room, what became of those that were in the index before.
    pub fn read(c: &mut Database, front: &mut Front, most: usize) -> QueryResult<Option<Slice>> {
        let mut slice = Slice { rows: Vec::new(), marks: BTreeMap::new(), before: BTreeMap::new() };
        while slice.rows.len() < most
            && let Some(row) = front.next(c)?
        {
            if let Some(room) = front.rooms.get_mut(&row.room) {
                room.seq = row.seq;
                slice.mark(row.room, room);
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
            slice.mark(id, &mut room);
            slice.rows.extend(changed);
            if !is_all {
                front.rooms.insert(id, room);
            }
        }
        Ok((!slice.marks.is_empty()).then_some(slice))
    }

    /// Notes how far the index has come in a room with what is in this slice.
    fn mark(&mut self, id: RoomId, room: &mut Room) {
        let now = (room.seq, room.rev);
        self.marks.insert(id, now);
        self.before.entry(id).or_insert(std::mem::replace(&mut room.stored, now));
    }

    /// Puts it into the index. False: another server has done so meanwhile.
    pub fn write(&self, c: &mut Database) -> QueryResult<bool> {
        if c.is_shared() {
            alone(c)?;
            if !self.goes_on(c)? {
                return Ok(false);
            }
        }
        self.put(c)?;
        for (room, (seq, rev)) in &self.marks {
            let new = (search_marks::seq.eq(seq), search_marks::rev.eq(rev));
            let mark = search_marks::table.filter(search_marks::room_id.eq(room));
            if on!(c, |c| diesel::update(mark).set(new).execute(c))? == 0 {
                let new = (search_marks::room_id.eq(room), new.0, new.1);
                diesel::insert_into(search_marks::table).values(new).execute(c)?;
            }
        }
        Ok(true)
    }

    /// Whether the index has come as far as it had when this was read.
    fn goes_on(&self, c: &mut Database) -> QueryResult<bool> {
        let own = search_marks::table.filter(search_marks::room_id.eq_any(self.before.keys()));
        let now: Vec<(RoomId, Rev, Rev)> = own.load(c)?;
        let now: HashMap<RoomId, (Rev, Rev)> = now.into_iter().map(|(room, seq, rev)| (room, (seq, rev))).collect();
        Ok(self.before.iter().all(|(room, before)| now.get(room).unwrap_or(&(0, 0)) == before))
    }

    /// Puts the messages in, as they stand, each in the place that it has or behind the last one.
    fn put(&self, c: &mut Database) -> QueryResult<()> {
        // One that was changed after it came stands here twice, last as it is now.
        let rows: BTreeMap<i64, &Row> = self.rows.iter().map(|row| (row.id, row)).collect();
        let taken = search_places::table.filter(search_places::message_id.eq_any(rows.keys()));
        let taken: Vec<(i64, i64)> = taken.select((search_places::message_id, search_places::n)).load(c)?;
        let taken: HashMap<i64, i64> = taken.into_iter().collect();
        if !taken.is_empty() {
            index::remove(c, taken.values().copied().collect())?;
        }
        let last: Option<i64> = search_places::table.select(diesel::dsl::max(search_places::n)).first(c)?;
        let (mut last, mut entries, mut places, mut gone) = (last.unwrap_or(0), Vec::new(), Vec::new(), Vec::new());
        for row in self.rows.iter().filter(|row| std::ptr::eq(rows[&row.id], *row)) {
            let n = taken.get(&row.id).copied();
            if row.deleted {
                gone.extend(n);
                continue;
            }
            let n = n.unwrap_or_else(|| {
                last += 1;
                places.push((search_places::n.eq(last), search_places::message_id.eq(row.id)));
                last
            });
            entries.push(Entry { n, room: row.room, author: row.author, is_public: row.is_public, body: &row.body });
        }
        if !gone.is_empty() {
            diesel::delete(search_places::table.filter(search_places::n.eq_any(gone))).execute(c)?;
        }
        if !places.is_empty() {
            on!(c, |c| diesel::insert_into(search_places::table).values(places).execute(c))?;
        }
        if entries.is_empty() { Ok(()) } else { index::insert(c, &entries) }
    }
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
    let page = changes::table
        .inner_join(messages::table)
        .filter(changes::room_id.eq(id).and(changes::rev.gt(room.rev)).and(changes::rev.le(room.head)))
        .order(changes::rev.asc())
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
    let nowhere = matches!(&wanted.within, Within::Only(rooms) if rooms.is_empty());
    if nowhere || authors.is_empty() && !wanted.from.is_empty() {
        return Ok(found);
    }
    let asked = Asked { terms: &wanted.terms, authors: &authors, within: &wanted.within };
    let begin = wanted.after.map_or(Ok(0), |after| place_at(c, Time(after.0.saturating_sub(SLACK))))?;
    let mut end = wanted.before.map_or(Ok(i64::MAX), |before| place_at(c, Time(before.0.saturating_add(SLACK))))?;
    end = wanted.cursor.map_or(end, |cursor| end.min(cursor.0));
    let mut count = wanted.limit + 1;
    loop {
        let places = index::places(c, &asked, begin, end, count)?;
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
        count = (count * 4).min(MOST_PLACES.max(count));
    }
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
