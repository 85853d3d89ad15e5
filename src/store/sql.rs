//! A store in an SQL database, through Diesel. The queries stand once for every database; what differs, stands in
//! `database`.

use super::database::{Database, Pragmas, Synchronous, migrate, on, probe};
use super::readers::Readers;
use super::schema::{facts, marks, messages, people, rooms, sessions};
use super::{
    Message, Outcome, Person, Record, Rev, Role, Room, RoomId, RoomView, Store, Time, TokenHash, UNREAD_COUNTED,
    random_hex,
};
use crate::error::Error;
use crate::name::{PersonName, RoomName};
use diesel::prelude::*;
use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

/// Sessions older than this are swept away at start.
const SESSION_LIFE: i64 = 400 * 24 * 60 * 60 * 1000;

/// Messages in an SQL database: one connection writes, a few read.
pub struct Sql {
    epoch: String,
    room_limit: usize,
    writer: Mutex<Writer>,
    readers: Readers,
}

struct Writer {
    connection: Database,
    /// Folded name → the person's id and the name as stored, so that a post costs no look-up.
    people: People,
}

type People = HashMap<String, (i64, PersonName)>;

/// What of a message's key is its `seq`.
const SEQ_BITS: u32 = 40;

/// People remembered by the writer, at most.
const PEOPLE_REMEMBERED: usize = 10_000;

impl Sql {
    /// Opens `parlor.db` in `folder`, making both where they are missing and bringing an older database up to date.
    ///
    /// # Errors
    /// [`Error::DataFolder`] when the folder or the file cannot be written, [`Error::NewerDatabase`] when the file holds
    /// migrations that this program does not know, [`Error::Store`] for what SQLite itself refuses, such as a file that is no database.
    pub fn sqlite(folder: &Path, sync: Synchronous, room_limit: usize) -> Result<Sql, Error> {
        let path = folder.join("parlor.db");
        probe(folder, &path).map_err(|cause| Error::DataFolder(folder.into(), cause))?;
        let url = path.to_string_lossy().into_owned();
        let mut connection = Database::Sqlite(SqliteConnection::establish(&url).map_err(|e| refused(&e))?);
        let pragmas = Pragmas(sync);
        let opened = pragmas.set(&mut connection).and_then(|()| migrate(&mut connection, &path));
        opened.map_err(|e| match e {
            Error::Store(what) => Error::Store(format!("{what} ({})", path.display())),
            other => other,
        })?;
        let epoch = furnish(&mut connection)?;
        let readers = Readers::start(move || {
            let sqlite = SqliteConnection::establish(&url).map_err(|e| refused(&e))?;
            let mut connection = Database::Sqlite(sqlite);
            pragmas.set(&mut connection).map(|()| connection)
        })?;
        Ok(Sql { epoch, room_limit, writer: Mutex::new(Writer { connection, people: HashMap::new() }), readers })
    }
}

/// Puts what every database has into a new one, sweeps out what is old, and gives the epoch.
fn furnish(connection: &mut Database) -> Result<String, Error> {
    let fresh = random_hex(8)?;
    let now = Time::now().0;
    connection
        .transaction(|c| {
            diesel::delete(sessions::table.filter(sessions::created_at.lt(now - SESSION_LIFE))).execute(c)?;
            let epoch = facts::table.filter(facts::name.eq("epoch")).select(facts::value);
            if let Some(epoch) = epoch.first::<String>(c).optional()? {
                return Ok(epoch);
            }
            diesel::insert_into(facts::table).values((facts::name.eq("epoch"), facts::value.eq(&fresh))).execute(c)?;
            insert_room(c, &RoomName::lobby(), "Lobby", Time(now))?;
            Ok(fresh)
        })
        .map_err(|e: diesel::result::Error| refused(&e))
}

impl Store for Sql {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn rooms(&self, person: &PersonName, most: usize) -> Result<(Vec<RoomView>, bool), Error> {
        let person = person.clone();
        self.readers.read(move |c| views(c, &person, most))
    }

    fn room(&self, name: &RoomName) -> Result<Option<Room>, Error> {
        let name = name.clone();
        self.readers.read(move |c| find_room(c, &name))
    }

    fn last(&self, room: RoomId, count: usize) -> Result<(Vec<Message>, Rev), Error> {
        self.readers.read(move |c| last_messages(c, room, count))
    }

    fn since(&self, room: RoomId, rev: Rev, count: usize) -> Result<Vec<Message>, Error> {
        self.readers.read(move |c| messages_since(c, room, rev, count))
    }

    fn before(&self, room: RoomId, seq: Rev, count: usize) -> Result<Vec<Message>, Error> {
        self.readers.read(move |c| messages_before(c, room, seq, count))
    }

    fn record(&self, batch: &[Record]) -> Result<Vec<Outcome>, Error> {
        let mut writer = self.writer.lock();
        let recorded = writer.transaction(|c, people| record(c, people, batch, self.room_limit));
        recorded.map_err(|e| refused(&e))
    }

    fn open_session(&self, token: &TokenHash, name: &PersonName, at: Time) -> Result<(), Error> {
        let mut writer = self.writer.lock();
        let opened = writer.transaction(|c, people| {
            let (person, _) = person(c, people, name, at)?;
            let row =
                (sessions::token_hash.eq(&token[..]), sessions::person_id.eq(person), sessions::created_at.eq(at.0));
            diesel::insert_into(sessions::table).values(row).execute(c)
        });
        opened.map(drop).map_err(|e| refused(&e))
    }

    fn session(&self, token: &TokenHash) -> Result<Option<Person>, Error> {
        let token = *token;
        self.readers.read(move |c| session(c, &token))
    }

    fn end_session(&self, token: &TokenHash) -> Result<(), Error> {
        let ended = diesel::delete(sessions::table.filter(sessions::token_hash.eq(&token[..])))
            .execute(&mut self.writer.lock().connection);
        ended.map(drop).map_err(|e| refused(&e))
    }
}

impl Writer {
    /// Runs `work` in a transaction. What it learnt of people is forgotten if it fails, for it may be undone.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut Database, &mut People) -> QueryResult<T>) -> QueryResult<T> {
        if self.people.len() > PEOPLE_REMEMBERED {
            self.people.clear();
        }
        let people = &mut self.people;
        let done = self.connection.transaction(|c| work(c, people));
        if done.is_err() {
            self.people.clear();
        }
        done
    }
}

/// Stores a batch. The rooms' rows are locked first, in one order, so that the numbers are this transaction's alone.
fn record(c: &mut Database, people: &mut People, batch: &[Record], room_limit: usize) -> QueryResult<Vec<Outcome>> {
    let mut numbers = reserve_numbers(c, batch)?;
    let mut stored = stored_before(c, batch)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for record in batch {
        outcomes.push(match record {
            Record::Post { room, author, id, body, at } => {
                let (author_id, from) = person(c, people, author, *at)?;
                match stored.entry((author_id, id.as_str())) {
                    Entry::Occupied(place) => Outcome::Repeated(match place.get() {
                        Stored::Before(message) => message.clone(),
                        Stored::Now(at) => posted(&outcomes, *at)?.clone(),
                    }),
                    Entry::Vacant(place) => {
                        let seq =
                            numbers.get_mut(room).and_then(Iterator::next).ok_or(diesel::result::Error::NotFound)?;
                        let message =
                            Message { room: *room, seq, rev: seq, id: id.clone(), from, at: *at, body: body.clone() };
                        insert_message(c, author_id, &message)?;
                        place.insert(Stored::Now(outcomes.len()));
                        Outcome::Posted(message)
                    }
                }
            }
            Record::Create { name, title, at } => create(c, name, title, *at, room_limit)?,
            Record::Read { person: name, room, rev } => {
                let (person, _) = person(c, people, name, Time::now())?;
                mark(c, person, *room, *rev)?;
                Outcome::Read
            }
        });
    }
    return_numbers(c, numbers)?;
    Ok(outcomes)
}

/// Locks the rooms of the batch and reserves a number for each of its posts.
fn reserve_numbers(c: &mut Database, batch: &[Record]) -> QueryResult<BTreeMap<RoomId, Range<Rev>>> {
    let mut wanted: BTreeMap<RoomId, Rev> = BTreeMap::new();
    for record in batch {
        if let Record::Post { room, .. } = record {
            *wanted.entry(*room).or_default() += 1;
        }
    }
    for (room, count) in &wanted {
        let row = rooms::table.filter(rooms::id.eq(room));
        on!(c, |c| diesel::update(row).set(rooms::head.eq(rooms::head + count)).execute(c))?;
    }
    let locked = rooms::table.filter(rooms::id.eq_any(wanted.keys())).select((rooms::id, rooms::head));
    let heads: Vec<(RoomId, Rev)> = if wanted.is_empty() { Vec::new() } else { locked.load(c)? };
    let range = |(room, head): (RoomId, Rev)| (room, head - wanted[&room] + 1..head + 1);
    Ok(heads.into_iter().map(range).collect())
}

/// Gives back the numbers that repeats did not use, so that the line has no gap.
fn return_numbers(c: &mut Database, numbers: BTreeMap<RoomId, Range<Rev>>) -> QueryResult<()> {
    for (room, left) in numbers.into_iter().filter(|(_, left)| !left.is_empty()) {
        diesel::update(rooms::table.filter(rooms::id.eq(room))).set(rooms::head.eq(left.start - 1)).execute(c)?;
    }
    Ok(())
}

/// Where the message of an id stands: in the database, or among the outcomes of this batch.
enum Stored {
    Before(Message),
    Now(usize),
}

fn posted(outcomes: &[Outcome], at: usize) -> QueryResult<&Message> {
    match outcomes.get(at) {
        Some(Outcome::Posted(message)) => Ok(message),
        _ => Err(diesel::result::Error::NotFound),
    }
}

/// The messages that posts of this batch may repeat, by author and the client's id.
fn stored_before<'a>(c: &mut Database, batch: &'a [Record]) -> QueryResult<HashMap<(i64, &'a str), Stored>> {
    let mut ids: HashSet<&str> = HashSet::new();
    for record in batch {
        if let Record::Post { id, .. } = record {
            ids.insert(id);
        }
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, MessageRow)> = messages::table
        .inner_join(people::table)
        .filter(messages::client_id.eq_any(ids.iter().copied()))
        .select((messages::author_id, message_columns))
        .load(c)?;
    let keyed = |(author, row): (i64, MessageRow)| {
        let message = Message::from(row);
        ids.get(message.id.as_str()).map(|id| ((author, *id), Stored::Before(message)))
    };
    Ok(rows.into_iter().filter_map(keyed).collect())
}

/// The person of that name, made where there is none; a name written otherwise is taken over.
fn person(c: &mut Database, known: &mut People, name: &PersonName, at: Time) -> QueryResult<(i64, PersonName)> {
    let folded = name.folded();
    if let Some((id, as_stored)) = known.get(&folded)
        && as_stored == name
    {
        return Ok((*id, name.clone()));
    }
    let row = people::table.filter(people::folded.eq(&folded));
    let found: Option<(i64, String)> = row.select((people::id, people::name)).first(c).optional()?;
    let id = match found {
        Some((id, as_stored)) => {
            if as_stored != name.as_str() {
                diesel::update(row).set(people::name.eq(name.as_str())).execute(c)?;
            }
            id
        }
        None => {
            let new = (
                people::name.eq(name.as_str()),
                people::folded.eq(&folded),
                people::role.eq(Role::Guest.as_str()),
                people::created_at.eq(at.0),
            );
            diesel::insert_into(people::table).values(new).execute(c)?;
            row.select(people::id).first(c)?
        }
    };
    known.insert(folded, (id, name.clone()));
    Ok((id, name.clone()))
}

/// The key of a message: its room and its `seq` in one number, so that a room's messages lie together, in order, without an
/// index. Room for 2^40 messages in each of 2^23 rooms.
fn place(room: RoomId, seq: Rev) -> i64 {
    room << SEQ_BITS | seq.clamp(0, (1 << SEQ_BITS) - 1)
}

fn insert_message(c: &mut Database, author: i64, message: &Message) -> QueryResult<usize> {
    let row = (
        messages::id.eq(place(message.room, message.seq)),
        messages::room_id.eq(message.room),
        messages::seq.eq(message.seq),
        messages::rev.eq(message.rev),
        messages::author_id.eq(author),
        messages::client_id.eq(&message.id),
        messages::at.eq(message.at.0),
        messages::body.eq(&message.body),
    );
    on!(c, |c| diesel::insert_into(messages::table).values(row).execute(c))
}

fn create(c: &mut Database, name: &RoomName, title: &str, at: Time, limit: usize) -> QueryResult<Outcome> {
    if find_room(c, name)?.is_some() {
        return Ok(Outcome::RoomExists);
    }
    if rooms::table.count().get_result::<i64>(c)? >= limit as i64 {
        return Ok(Outcome::RoomsFull);
    }
    insert_room(c, name, title, at)?;
    Ok(Outcome::Created(find_room(c, name)?.ok_or(diesel::result::Error::NotFound)?))
}

fn insert_room(c: &mut Database, name: &RoomName, title: &str, at: Time) -> QueryResult<usize> {
    let row = (
        rooms::name.eq(name.as_str()),
        rooms::title.eq(title),
        rooms::kind.eq("public"),
        rooms::head.eq(0),
        rooms::created_at.eq(at.0),
    );
    diesel::insert_into(rooms::table).values(row).execute(c)
}

/// Rooms as `person` finds them, and whether there are more.
fn views(c: &mut Database, person: &PersonName, most: usize) -> QueryResult<(Vec<RoomView>, bool)> {
    let limit = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
    let marked = marks::table
        .inner_join(people::table)
        .inner_join(rooms::table)
        .filter(people::folded.eq(person.folded()))
        .limit(limit)
        .select((room_columns, marks::rev));
    let marked: Vec<(RoomRow, Rev)> = on!(c, |c| marked.load(c))?;
    let oldest = rooms::table.order(rooms::id).limit(limit).select(room_columns);
    let oldest: Vec<RoomRow> = on!(c, |c| oldest.load(c))?;
    let read_up_to: HashMap<RoomId, Rev> = marked.iter().map(|(row, rev)| (row.0, *rev)).collect();
    let mut all: Vec<RoomRow> = marked.into_iter().map(|(row, _)| row).collect();
    all.extend(oldest.into_iter().filter(|row| !read_up_to.contains_key(&row.0)));
    let more = all.len() > most;
    all.truncate(most);
    all.sort_by_key(|row| row.0);
    let view = |row| {
        let room = Room::from(row);
        let unread = match read_up_to.get(&room.id) {
            Some(mark) if *mark < room.head => count_after(c, room.id, *mark)?,
            _ => 0,
        };
        Ok(RoomView { room, unread })
    };
    let views: QueryResult<_> = all.into_iter().map(view).collect();
    Ok((views?, more))
}

fn session(c: &mut Database, token: &TokenHash) -> QueryResult<Option<Person>> {
    let name: Option<String> = sessions::table
        .inner_join(people::table)
        .filter(sessions::token_hash.eq(&token[..]))
        .select(people::name)
        .first(c)
        .optional()?;
    Ok(name.map(|name| Person { name: PersonName::trusted(&name), role: Role::Guest }))
}

fn find_room(c: &mut Database, name: &RoomName) -> QueryResult<Option<Room>> {
    let row = rooms::table.filter(rooms::name.eq(name.as_str())).select(room_columns);
    Ok(on!(c, |c| row.first::<RoomRow>(c)).optional()?.map(Room::from))
}

fn mark(c: &mut Database, person: i64, room: RoomId, rev: Rev) -> QueryResult<()> {
    let row = marks::table.filter(marks::person_id.eq(person).and(marks::room_id.eq(room)));
    match row.select(marks::rev).first::<Rev>(c).optional()? {
        Some(before) if before >= rev => {}
        Some(_) => drop(diesel::update(row).set(marks::rev.eq(rev)).execute(c)?),
        None => {
            let new = (marks::person_id.eq(person), marks::room_id.eq(room), marks::rev.eq(rev));
            diesel::insert_into(marks::table).values(new).execute(c)?;
        }
    }
    Ok(())
}

/// The last messages, and the room's head of the same moment: one statement sees one moment.
fn last_messages(c: &mut Database, room: RoomId, count: usize) -> QueryResult<(Vec<Message>, Rev)> {
    if count == 0 {
        let head = rooms::table.filter(rooms::id.eq(room)).select(rooms::head);
        return Ok((Vec::new(), on!(c, |c| head.first(c))?));
    }
    let last = messages::table
        .inner_join(people::table)
        .inner_join(rooms::table)
        .filter(messages::id.between(place(room, 0), place(room, Rev::MAX)))
        .order(messages::id.desc())
        .limit(count as i64)
        .select((message_columns, rooms::head));
    let rows: Vec<(MessageRow, Rev)> = on!(c, |c| last.load(c))?;
    // Where nothing was said, everything after 0 is still to come.
    let head = rows.first().map_or(0, |(_, head)| *head);
    Ok((rows.into_iter().rev().map(|(row, _)| Message::from(row)).collect(), head))
}

/// Messages as they were born lie in the order of their numbers; those that were changed have an index of their own. Both
/// are read of one moment: else a message that comes between the two would be passed over.
fn messages_since(c: &mut Database, room: RoomId, rev: Rev, count: usize) -> QueryResult<Vec<Message>> {
    let all = messages::table.inner_join(people::table).select(message_columns).limit(count as i64);
    let as_born = all
        .filter(messages::id.gt(place(room, rev)).and(messages::id.le(place(room, Rev::MAX))))
        .filter(messages::rev.eq(messages::seq))
        .order(messages::id.asc());
    let changed = all
        .filter(messages::room_id.eq(room).and(messages::rev.gt(rev)).and(messages::rev.ne(messages::seq)))
        .order(messages::rev.asc());
    let rows = c.transaction(|c| {
        let mut rows: Vec<MessageRow> = on!(c, |c| as_born.load(c))?;
        rows.extend(on!(c, |c| changed.load::<MessageRow>(c))?);
        QueryResult::Ok(rows)
    })?;
    let mut messages: Vec<Message> = rows.into_iter().map(Message::from).collect();
    messages.sort_by_key(|message| message.rev);
    messages.truncate(count);
    Ok(messages)
}

fn messages_before(c: &mut Database, room: RoomId, seq: Rev, count: usize) -> QueryResult<Vec<Message>> {
    let page = messages::table
        .inner_join(people::table)
        .filter(messages::id.ge(place(room, 0)).and(messages::id.lt(place(room, seq))))
        .order(messages::id.desc())
        .limit(count as i64)
        .select(message_columns);
    let rows: Vec<MessageRow> = on!(c, |c| page.load(c))?;
    Ok(rows.into_iter().rev().map(Message::from).collect())
}

/// How many messages came after `rev`, counted up to [`UNREAD_COUNTED`].
fn count_after(c: &mut Database, room: RoomId, rev: Rev) -> QueryResult<i64> {
    let seqs: Vec<Rev> = messages::table
        .filter(messages::id.gt(place(room, rev)).and(messages::id.le(place(room, Rev::MAX))))
        .limit(UNREAD_COUNTED)
        .select(messages::seq)
        .load(c)?;
    Ok(seqs.len() as i64)
}

type RoomRow = (i64, String, String, String, i64);
#[allow(non_upper_case_globals)]
const room_columns: (rooms::id, rooms::name, rooms::title, rooms::kind, rooms::head) =
    (rooms::id, rooms::name, rooms::title, rooms::kind, rooms::head);

impl From<RoomRow> for Room {
    fn from((id, name, title, kind, head): RoomRow) -> Room {
        Room { id, name: RoomName::trusted(&name), title, kind, head }
    }
}

type MessageRow = (i64, i64, i64, String, String, i64, String);
#[allow(non_upper_case_globals, clippy::type_complexity)]
const message_columns: (
    messages::room_id,
    messages::seq,
    messages::rev,
    messages::client_id,
    people::name,
    messages::at,
    messages::body,
) = (messages::room_id, messages::seq, messages::rev, messages::client_id, people::name, messages::at, messages::body);

impl From<MessageRow> for Message {
    fn from((room, seq, rev, id, from, at, body): MessageRow) -> Message {
        Message { room, seq, rev, id, from: PersonName::trusted(&from), at: Time(at), body }
    }
}

pub(super) fn refused(error: &dyn std::error::Error) -> Error {
    Error::Store(error.to_string())
}
