//! In MySQL and MariaDB: a FULLTEXT index. What it takes for a word depends on settings and on lists of words that it leaves out;
//! so each word is written as `x` and its bytes in hexadecimal, of which it takes any that has 3 to 84 letters. It has all
//! places of a word, and yet a phrase is looked for as its words: whether they stand together is seen in the message.
//!
//! It reads each list of places to its end. So whose and where a message is, which would be in a list of all messages, is asked
//! of the messages themselves.

use super::super::super::schema::search_words;
use super::super::super::search::Within;
use super::{Asked, Entry, Place};
use crate::words::{Term, words};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeSet;
use std::fmt::Display;

/// Bytes of a word that are compared: with twice as many letters it is as long as a word may be.
const WORD: usize = 41;

/// Rows inserted at once.
const AT_ONCE: usize = 64;

pub fn insert(c: &mut MysqlConnection, entries: &[Entry]) -> QueryResult<()> {
    for entries in entries.chunks(AT_ONCE) {
        let row = |entry: &Entry| (search_words::rowid.eq(entry.n), search_words::words.eq(text(entry)));
        let rows: Vec<_> = entries.iter().map(row).collect();
        diesel::insert_into(search_words::table).values(rows).execute(c)?;
    }
    Ok(())
}

pub fn places(c: &mut MysqlConnection, asked: &Asked, begin: i64, end: i64, count: i64) -> QueryResult<Vec<Place>> {
    let words = question(asked.terms);
    // Whoever looks for no word walks along all messages; whoever looks for one does not.
    let matches = if words.is_empty() { "? = ''" } else { "MATCH (words) AGAINST (? IN BOOLEAN MODE)" };
    let query = diesel::sql_query(format!(
        "SELECT n, message_id FROM search_words JOIN search_places ON n = search_words.rowid \
         JOIN messages ON messages.id = message_id \
         WHERE {matches} AND n >= ? AND n < ?{} ORDER BY n DESC LIMIT ?",
        conditions(asked)
    ));
    let query = query.bind::<Text, _>(words).bind::<BigInt, _>(begin).bind::<BigInt, _>(end);
    query.bind::<BigInt, _>(count).load(c)
}

/// Its words, each once, one space between two. A message without any has a row, too.
fn text(entry: &Entry) -> String {
    let own: BTreeSet<String> = words(entry.body).iter().map(|word| spelled(&word.text)).collect();
    own.into_iter().collect::<Vec<_>>().join(" ")
}

/// As the boolean mode reads it.
fn question(terms: &[Term]) -> String {
    let mut all = Vec::new();
    for term in terms {
        let (last, firsts) = term.words.split_last().unwrap_or((const { &String::new() }, &[]));
        all.extend(firsts.iter().map(|word| format!("+{}", spelled(word))));
        all.push(format!("+{}{}", spelled(last), if term.begun { "*" } else { "" }));
    }
    all.join(" ")
}

fn conditions(asked: &Asked) -> String {
    let mut conditions = String::new();
    if !asked.authors.is_empty() {
        conditions += &format!(" AND messages.author_id IN ({})", list(asked.authors));
    }
    let public = "messages.room_id IN (SELECT id FROM rooms WHERE kind = 'public')";
    conditions
        + &match asked.within {
            Within::PublicAnd(others) if others.is_empty() => format!(" AND {public}"),
            Within::PublicAnd(others) => format!(" AND ({public} OR messages.room_id IN ({}))", list(others)),
            Within::Only(only) => format!(" AND messages.room_id IN ({})", list(only)),
        }
}

fn list(numbers: &[impl Display]) -> String {
    numbers.iter().map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

/// A word in letters and digits.
fn spelled(word: &str) -> String {
    let bytes = word.bytes().take(WORD).map(|byte| format!("{byte:02x}"));
    std::iter::once("x".to_owned()).chain(bytes).collect()
}
