//! In SQLite: FTS5, which keeps the words without the text. It finds phrases, and a common word costs no more than a rare one.

use super::super::super::schema::search_words;
use super::{Asked, Entry, Place};
use crate::words::{Term, words};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

pub fn insert(c: &mut SqliteConnection, entries: &[Entry]) -> QueryResult<()> {
    for entry in entries {
        let new = (search_words::rowid.eq(entry.n), search_words::words.eq(text(entry)));
        diesel::insert_into(search_words::table).values(new).execute(c)?;
    }
    Ok(())
}

/// From the end on, so that SQLite stops as soon as it has enough.
pub fn places(c: &mut SqliteConnection, asked: &Asked, begin: i64, end: i64, count: i64) -> QueryResult<Vec<Place>> {
    let query = diesel::sql_query(
        "SELECT n, message_id FROM search_words CROSS JOIN search_places ON n = search_words.rowid \
         WHERE search_words MATCH ? AND search_words.rowid >= ? AND search_words.rowid < ? \
         ORDER BY search_words.rowid DESC LIMIT ?",
    );
    let query = query.bind::<Text, _>(question(asked)).bind::<BigInt, _>(begin).bind::<BigInt, _>(end);
    query.bind::<BigInt, _>(count).load(c)
}

/// Its words, one space between two.
fn text(entry: &Entry) -> String {
    let mut text = entry.marks().join(" ");
    for word in words(entry.body) {
        text.push(' ');
        text += &word.text;
    }
    text
}

/// As FTS5 reads it.
fn question(asked: &Asked) -> String {
    let mut parts: Vec<String> = asked.terms.iter().map(phrase).collect();
    parts.extend(asked.marks().iter().map(|group| format!("(\"{}\")", group.join("\" OR \""))));
    parts.join(" AND ")
}

fn phrase(term: &Term) -> String {
    format!("\"{}\"{}", term.words.join(" "), if term.begun { " *" } else { "" })
}
