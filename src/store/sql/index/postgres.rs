//! In PostgreSQL: a tsvector with a GIN index, of words without their places. PostgreSQL remembers 255 places of a word, and the
//! first 16,383 of a text, so a phrase is looked for as its words; whether they stand together is seen in the message.

use super::{Asked, Entry, Place};
use crate::words::{Term, words};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use std::collections::BTreeSet;

/// Bytes of a word that are compared; PostgreSQL takes 2,046.
const WORD: usize = 256;

/// Bytes of the words of one message; PostgreSQL takes a mebibyte.
const ALL_WORDS: usize = 512 * 1024;

/// Rows inserted at once.
const AT_ONCE: usize = 64;

pub fn insert(c: &mut PgConnection, entries: &[Entry]) -> QueryResult<()> {
    for entries in entries.chunks(AT_ONCE) {
        let places: Vec<i64> = entries.iter().map(|entry| entry.n).collect();
        let texts: Vec<String> = entries.iter().map(text).collect();
        let query = diesel::sql_query(
            "INSERT INTO search_words (rowid, words) SELECT n, array_to_tsvector(string_to_array(words, ' ')) \
             FROM unnest($1, $2) AS new (n, words)",
        );
        query.bind::<Array<BigInt>, _>(places).bind::<Array<Text>, _>(texts).execute(c)?;
    }
    Ok(())
}

pub fn places(c: &mut PgConnection, asked: &Asked, begin: i64, end: i64, count: i64) -> QueryResult<Vec<Place>> {
    let query = diesel::sql_query(
        "SELECT n, message_id FROM search_words JOIN search_places ON n = search_words.rowid \
         WHERE search_words.words @@ CAST($1 AS tsquery) AND search_words.rowid >= $2 AND search_words.rowid < $3 \
         ORDER BY search_words.rowid DESC LIMIT $4",
    );
    let query = query.bind::<Text, _>(question(asked)).bind::<BigInt, _>(begin).bind::<BigInt, _>(end);
    query.bind::<BigInt, _>(count).load(c)
}

/// Its words, each once, one space between two.
fn text(entry: &Entry) -> String {
    let own: BTreeSet<String> = words(entry.body).into_iter().map(|word| shortened(&word.text).to_owned()).collect();
    let mut text = entry.marks().join(" ");
    for word in own {
        if text.len() + word.len() > ALL_WORDS {
            break;
        }
        text.push(' ');
        text += &word;
    }
    text
}

/// As a tsquery is written. No word has a quote in it.
fn question(asked: &Asked) -> String {
    let mut parts: Vec<String> = asked.terms.iter().flat_map(quoted).collect();
    parts.extend(asked.marks().iter().map(|group| format!("('{}')", group.join("' | '"))));
    parts.join(" & ")
}

fn quoted(term: &Term) -> Vec<String> {
    let last = term.words.len() - 1;
    let begun = |n: usize| if term.begun && n == last { ":*" } else { "" };
    term.words.iter().enumerate().map(|(n, word)| format!("'{}'{}", shortened(word), begun(n))).collect()
}

/// The beginning of a word.
fn shortened(word: &str) -> &str {
    let end = word.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= WORD).last();
    &word[..end.unwrap_or(0)]
}
