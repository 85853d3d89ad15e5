//! Messages in an SQL database: their pages, their changes, their reactions, and who is spoken to in them.

use super::super::database::{Database, insert_all, on};
use super::super::schema::{changes, mentions, messages, people, reactions, rooms};
use super::super::{Change, Message, Reaction, Record, Rev, RoomId, Time, UNREAD_COUNTED};
use crate::mention;
use crate::name::PersonName;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Rows in one statement: no database takes more than 65,535 values, and SQLite 32,766.
const AT_ONCE: usize = 1000;

/// What of a message's key is its `seq`.
const SEQ_BITS: u32 = 40;

/// The key of a message: its room and its `seq` in one number, so that a room's messages lie together, in order, without an
/// index. Room for 2^40 messages in each of 2^23 rooms.
pub fn place(room: RoomId, seq: Rev) -> i64 {
    room << SEQ_BITS | seq.clamp(0, (1 << SEQ_BITS) - 1)
}

/// (Author, the client's id) → where the message stands.
pub type Stored<'a> = HashMap<(i64, &'a str), (RoomId, Rev)>;

/// Where the messages stand that posts of this batch may repeat, by author and the client's id.
pub fn stored_before<'a>(c: &mut Database, batch: &'a [Record]) -> QueryResult<Stored<'a>> {
    let mut ids: HashSet<&str> = HashSet::new();
    for record in batch {
        if let Record::Post { id, .. } = record {
            ids.insert(id);
        }
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, String, RoomId, Rev)> = messages::table
        .filter(messages::client_id.eq_any(ids.iter().copied()))
        .select((messages::author_id, messages::client_id, messages::room_id, messages::seq))
        .load(c)?;
    let keyed = |(author, id, room, seq): (i64, String, RoomId, Rev)| {
        ids.get(id.as_str()).map(|id| ((author, *id), (room, seq)))
    };
    Ok(rows.into_iter().filter_map(keyed).collect())
}

/// Stores messages as they were born, with their authors, and who is spoken to in them.
pub fn insert(c: &mut Database, born: &[(i64, &Message)]) -> QueryResult<()> {
    for some in born.chunks(AT_ONCE) {
        let rows = some.iter().map(|&(author, message)| {
            (
                messages::id.eq(place(message.room, message.seq)),
                messages::room_id.eq(message.room),
                messages::seq.eq(message.seq),
                messages::rev.eq(message.rev),
                messages::author_id.eq(author),
                messages::client_id.eq(&message.id),
                messages::at.eq(message.at.0),
                messages::body.eq(&message.body),
                messages::reply_to.eq(message.reply_to),
                messages::deleted.eq(false),
            )
        });
        insert_all!(c, messages::table, rows);
    }
    mention(c, born.iter().map(|(_, message)| *message))
}

/// Stores a message as it came to be elsewhere, but for its reactions.
pub fn restore(c: &mut Database, author: i64, message: &Message) -> QueryResult<()> {
    insert(c, &[(author, message)])?;
    if message.rev != message.seq {
        was_changed(c, message)?;
    }
    if message.edited_at.is_some() || message.deleted {
        let row = messages::table.filter(messages::id.eq(place(message.room, message.seq)));
        let edited_at = message.edited_at.map(|at| at.0);
        let changed = (messages::edited_at.eq(edited_at), messages::deleted.eq(message.deleted));
        diesel::update(row).set(changed).execute(c)?;
    }
    Ok(())
}

/// Puts down the number of a message's last change.
fn was_changed(c: &mut Database, message: &Message) -> QueryResult<()> {
    let key = changes::message_id.eq(place(message.room, message.seq));
    let row = (changes::room_id.eq(message.room), changes::rev.eq(message.rev), key);
    diesel::insert_into(changes::table).values(row).execute(c).map(drop)
}

/// A person answers a message with a sign, as number `rev`.
pub fn sign(c: &mut Database, message: &Message, emoji: &str, person: i64, rev: Rev) -> QueryResult<()> {
    let new = (
        reactions::message_id.eq(place(message.room, message.seq)),
        reactions::emoji.eq(emoji),
        reactions::person_id.eq(person),
        reactions::rev.eq(rev),
    );
    diesel::insert_into(reactions::table).values(new).execute(c).map(drop)
}

/// Which of these ids are used, and by whom.
pub fn used_ids<'a>(c: &mut Database, ids: impl Iterator<Item = &'a str>) -> QueryResult<HashSet<(i64, String)>> {
    let rows = messages::table.filter(messages::client_id.eq_any(ids.collect::<Vec<_>>()));
    let rows: Vec<(i64, String)> = rows.select((messages::author_id, messages::client_id)).load(c)?;
    Ok(rows.into_iter().collect())
}

/// How many messages a room has.
pub fn count(c: &mut Database, room: RoomId) -> QueryResult<i64> {
    let all = messages::table.filter(messages::id.between(place(room, 0), place(room, Rev::MAX)));
    all.count().get_result(c)
}

/// The first `count` messages after `seq`, in rising `seq`.
pub fn after(c: &mut Database, room: RoomId, seq: Rev, count: usize) -> QueryResult<Vec<Message>> {
    let page = messages::table
        .inner_join(people::table)
        .filter(messages::id.gt(place(room, seq)).and(messages::id.le(place(room, Rev::MAX))))
        .order(messages::id.asc())
        .limit(count as i64)
        .select(message_columns);
    let rows: Vec<MessageRow> = on!(c, |c| page.load(c))?;
    whole(c, rows)
}

/// Whether the room has such a message.
pub fn is_there(c: &mut Database, room: RoomId, seq: Rev) -> QueryResult<bool> {
    let row = messages::table.filter(messages::id.eq(place(room, seq))).select(messages::seq);
    Ok(row.first::<Rev>(c).optional()?.is_some())
}

/// A message of a room, as it now stands.
pub fn find(c: &mut Database, room: RoomId, seq: Rev) -> QueryResult<Option<Message>> {
    let row = messages::table.inner_join(people::table).filter(messages::id.eq(place(room, seq)));
    let row: Vec<MessageRow> = row.select(message_columns).load(c)?;
    Ok(whole(c, row)?.pop())
}

/// Stores what a change has made of a message whose last number was `before`, and gives it as it will be read.
pub fn update(c: &mut Database, by: i64, change: &Change, before: Rev, message: Message) -> QueryResult<Message> {
    let key = place(message.room, message.seq);
    if before != message.seq {
        let last = changes::table.filter(changes::room_id.eq(message.room).and(changes::rev.eq(before)));
        diesel::delete(last).execute(c)?;
    }
    was_changed(c, &message)?;
    let row = messages::table.filter(messages::id.eq(key));
    let edited_at = message.edited_at.map(|at| at.0);
    let new = (
        messages::rev.eq(message.rev),
        messages::body.eq(&message.body),
        messages::edited_at.eq(edited_at),
        messages::deleted.eq(message.deleted),
    );
    diesel::update(row).set(new).execute(c)?;
    let own = reactions::message_id.eq(key).and(reactions::person_id.eq(by));
    match change {
        Change::Edit(_) => unmention(c, key).and_then(|()| mention(c, [&message].into_iter()))?,
        Change::Delete => {
            diesel::delete(reactions::table.filter(reactions::message_id.eq(key))).execute(c)?;
            unmention(c, key)?;
        }
        Change::React { emoji, on: true } => {
            let new = (
                reactions::message_id.eq(key),
                reactions::emoji.eq(emoji),
                reactions::person_id.eq(by),
                reactions::rev.eq(message.rev),
            );
            diesel::insert_into(reactions::table).values(new).execute(c)?;
        }
        Change::React { emoji, on: false } => {
            diesel::delete(reactions::table.filter(own.and(reactions::emoji.eq(emoji)))).execute(c)?;
        }
    }
    find(c, message.room, message.seq)?.ok_or(diesel::result::Error::NotFound)
}

/// Keeps who is spoken to in messages: people who are known, but not a message's author.
fn mention<'a>(c: &mut Database, spoken: impl Iterator<Item = &'a Message>) -> QueryResult<()> {
    let called = spoken.map(|message| (message, mention::candidates(&message.body)));
    let called: Vec<(&Message, Vec<Vec<String>>)> = called.filter(|(_, called)| !called.is_empty()).collect();
    let names: BTreeSet<&String> = called.iter().flat_map(|(_, called)| called.iter().flatten()).collect();
    let names: Vec<&String> = names.into_iter().collect();
    let mut known: HashMap<String, i64> = HashMap::new();
    for names in names.chunks(AT_ONCE) {
        let rows = people::table.filter(people::folded.eq_any(names.iter().copied()));
        known.extend(rows.select((people::folded, people::id)).load::<(String, i64)>(c)?);
    }
    let mut rows = Vec::new();
    for (message, called) in &called {
        let found = called.iter().filter_map(|names| names.iter().find(|name| known.contains_key(*name)));
        let found: BTreeSet<&String> = found.filter(|name| **name != message.from.folded()).collect();
        let key = place(message.room, message.seq);
        rows.extend(found.iter().map(|name| (mentions::person_id.eq(known[*name]), mentions::message_id.eq(key))));
    }
    for rows in rows.chunks(AT_ONCE) {
        insert_all!(c, mentions::table, rows.iter().copied());
    }
    Ok(())
}

fn unmention(c: &mut Database, message: i64) -> QueryResult<()> {
    diesel::delete(mentions::table.filter(mentions::message_id.eq(message))).execute(c).map(drop)
}

/// The last messages, and the room's head of the same moment: one statement sees one moment.
pub fn last(c: &mut Database, room: RoomId, count: usize) -> QueryResult<(Vec<Message>, Rev)> {
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
    Ok((whole(c, rows.into_iter().rev().map(|(row, _)| row).collect())?, head))
}

/// Messages as they were born lie in the order of their numbers; those that were changed are in a table of their own. Both
/// are read of one moment: else a message that comes between the two would be passed over.
pub fn since(c: &mut Database, room: RoomId, rev: Rev, count: usize) -> QueryResult<Vec<Message>> {
    let all = messages::table.inner_join(people::table).select(message_columns).limit(count as i64);
    let as_born = all
        .filter(messages::id.gt(place(room, rev)).and(messages::id.le(place(room, Rev::MAX))))
        .filter(messages::rev.eq(messages::seq))
        .order(messages::id.asc());
    let changed = changes::table
        .inner_join(messages::table.inner_join(people::table))
        .filter(changes::room_id.eq(room).and(changes::rev.gt(rev)))
        .order(changes::rev.asc())
        .select(message_columns)
        .limit(count as i64);
    let mut rows = c.transaction(|c| {
        let mut rows: Vec<MessageRow> = on!(c, |c| as_born.load(c))?;
        rows.extend(on!(c, |c| changed.load::<MessageRow>(c))?);
        QueryResult::Ok(rows)
    })?;
    rows.sort_by_key(|row| row.2);
    rows.truncate(count);
    whole(c, rows)
}

pub fn before(c: &mut Database, room: RoomId, seq: Rev, count: usize) -> QueryResult<Vec<Message>> {
    let page = messages::table
        .inner_join(people::table)
        .filter(messages::id.ge(place(room, 0)).and(messages::id.lt(place(room, seq))))
        .order(messages::id.desc())
        .limit(count as i64)
        .select(message_columns);
    let rows: Vec<MessageRow> = on!(c, |c| page.load(c))?;
    whole(c, rows.into_iter().rev().collect())
}

/// How many messages came after `rev` and were not deleted, and how many of them speak to that person, each counted up to
/// [`UNREAD_COUNTED`].
pub fn count_after(c: &mut Database, person: &PersonName, room: RoomId, rev: Rev) -> QueryResult<(i64, i64)> {
    let seqs: Vec<Rev> = messages::table
        .filter(messages::id.gt(place(room, rev)).and(messages::id.le(place(room, Rev::MAX))))
        .filter(messages::deleted.eq(false))
        .limit(UNREAD_COUNTED)
        .select(messages::seq)
        .load(c)?;
    let mentions: Vec<i64> = mentions::table
        .inner_join(people::table)
        .filter(people::folded.eq(person.folded()))
        .filter(mentions::message_id.gt(place(room, rev)).and(mentions::message_id.le(place(room, Rev::MAX))))
        .limit(UNREAD_COUNTED)
        .select(mentions::message_id)
        .load(c)?;
    Ok((seqs.len() as i64, mentions.len() as i64))
}

/// Messages with their reactions. Only one that was changed can have any, so a page of others costs no second look. That
/// look may see more than the first: then the change that made it so is still to come, and brings the same.
fn whole(c: &mut Database, rows: Vec<MessageRow>) -> QueryResult<Vec<Message>> {
    let mut messages: Vec<Message> = rows.into_iter().map(Message::from).collect();
    let mut changed = HashMap::new();
    for (at, message) in messages.iter().enumerate().filter(|(_, message)| message.rev != message.seq) {
        changed.insert(place(message.room, message.seq), at);
    }
    if changed.is_empty() {
        return Ok(messages);
    }
    let given: Vec<(i64, String, String)> = reactions::table
        .inner_join(people::table)
        .filter(reactions::message_id.eq_any(changed.keys()))
        .order(reactions::rev.asc())
        .select((reactions::message_id, reactions::emoji, people::name))
        .load(c)?;
    for (message, emoji, name) in given {
        let (all, person) = (&mut messages[changed[&message]].reactions, PersonName::trusted(&name));
        match all.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) => reaction.people.push(person),
            None => all.push(Reaction { emoji, people: vec![person] }),
        }
    }
    Ok(messages)
}

type MessageRow = (i64, i64, i64, String, String, i64, String, Option<i64>, Option<i64>, bool);
#[allow(non_upper_case_globals, clippy::type_complexity)]
const message_columns: (
    messages::room_id,
    messages::seq,
    messages::rev,
    messages::client_id,
    people::name,
    messages::at,
    messages::body,
    messages::reply_to,
    messages::edited_at,
    messages::deleted,
) = (
    messages::room_id,
    messages::seq,
    messages::rev,
    messages::client_id,
    people::name,
    messages::at,
    messages::body,
    messages::reply_to,
    messages::edited_at,
    messages::deleted,
);

impl From<MessageRow> for Message {
    fn from((room, seq, rev, id, from, at, body, reply_to, edited_at, deleted): MessageRow) -> Message {
        let (from, at, edited_at) = (PersonName::trusted(&from), Time(at), edited_at.map(Time));
        Message { room, seq, rev, id, from, at, body, reply_to, edited_at, deleted, reactions: Vec::new() }
    }
}
