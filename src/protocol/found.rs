//! What search has found, as it stands on the wire: of each message the part around the first mark, and where the marks
//! are.

use crate::name::{PersonName, RoomName};
use crate::query::Answer;
use crate::store::{Hit, Rev, Time};
use crate::words::{self, Term};
use serde::Serialize;
use serde_json::Value;
use std::ops::Range;

/// The longest part of a message that is shown, in characters, and how much of it stands before the first mark.
const SHOWN: usize = 240;
const BEFORE: usize = 60;

/// A page of what was found.
#[derive(Serialize)]
pub struct FoundFields<'a> {
    hits: Vec<HitFields<'a>>,
    more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    indexing: bool,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a Value>,
}

#[derive(Serialize)]
struct HitFields<'a> {
    room: &'a RoomName,
    seq: Rev,
    from: &'a PersonName,
    at: Time,
    text: String,
    marks: Vec<(usize, usize)>,
}

impl<'a> FoundFields<'a> {
    /// What came of a search; with `reference`, it answers a request.
    pub fn of(answer: &'a Answer, reference: Option<&'a Value>) -> FoundFields<'a> {
        let found = &answer.found;
        let hits = found.hits.iter().map(|hit| HitFields::of(hit, &answer.terms)).collect();
        let cursor = found.next.map(|cursor| cursor.0.to_string());
        FoundFields { hits, more: cursor.is_some(), cursor, indexing: found.indexing, reference }
    }
}

impl<'a> HitFields<'a> {
    fn of(hit: &'a Hit, terms: &[Term]) -> HitFields<'a> {
        let marks = words::find(&hit.body, terms).unwrap_or_default();
        let (text, marks) = part(&hit.body, &marks);
        HitFields { room: &hit.room_name, seq: hit.seq, from: &hit.from, at: hit.at, text, marks }
    }
}

/// The part of a text around its first mark, `…` where something is left out, and the marks in it: where each begins
/// and ends, in characters.
fn part(body: &str, marks: &[Range<usize>]) -> (String, Vec<(usize, usize)>) {
    let places: Vec<usize> = body.char_indices().map(|(at, _)| at).chain([body.len()]).collect();
    let nth = |at: usize| places.partition_point(|place| *place < at);
    let length = places.len() - 1;
    let first = marks.first().map_or(0, |mark| nth(mark.start));
    // Where the whole of it fits, or its beginning with the mark in it, nothing is cut off before.
    let begin = if length <= SHOWN || first <= BEFORE { 0 } else { word_begin(body, &places, first - BEFORE, first) };
    let end = length.min(begin + SHOWN);
    let mut text = if begin > 0 { "…".to_owned() } else { String::new() };
    let shift = |n: usize| n - begin + usize::from(begin > 0);
    let within =
        marks.iter().map(|mark| (nth(mark.start), nth(mark.end))).filter(|mark| mark.0 >= begin && mark.1 <= end);
    let marks = within.map(|(start, end)| (shift(start), shift(end))).collect();
    text += &body[places[begin]..places[end]];
    if end < length {
        text.push('…');
    }
    (text, marks)
}

/// The first character from `begin` on that follows a space, if one does before `end`.
fn word_begin(body: &str, places: &[usize], begin: usize, end: usize) -> usize {
    let space = body[places[begin]..places[end]].find(char::is_whitespace).map(|at| places[begin] + at);
    space.map_or(begin, |space| places.partition_point(|place| *place <= space))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> Term {
        Term { words: words::words(text).into_iter().map(|word| word.text).collect(), begun: false }
    }

    /// The part around a word, with brackets for its marks.
    fn shown(body: &str, word: &str) -> String {
        let (text, marks) = part(body, &words::find(body, &[term(word)]).unwrap());
        let mut out = String::new();
        for (n, c) in text.chars().enumerate() {
            out += if marks.iter().any(|mark| mark.0 == n) { "[" } else { "" };
            out.push(c);
            out += if marks.iter().any(|mark| mark.1 == n + 1) { "]" } else { "" };
        }
        out
    }

    #[test]
    fn marks_are_counted_in_characters() {
        assert_eq!(shown("𝄞 für Ä, ä!", "ä"), "𝄞 für [Ä], [ä]!");
        assert_eq!(part("日本語の本", &words::find("日本語の本", &[term("本")]).unwrap()).1, [(1, 2), (4, 5)]);
        assert_eq!(part("anything", &[]), ("anything".into(), Vec::new()));
    }

    #[test]
    fn of_a_long_text_the_part_around_the_first_mark_is_shown() {
        let body = format!("{} needle {}", "hay ".repeat(100), "straw ".repeat(100));
        let text = shown(&body, "needle");
        assert!(text.starts_with("…hay hay") && text.contains(" [needle] straw") && text.ends_with('…'), "{text}");
        assert!(text.chars().count() <= SHOWN + 4, "{text}");
        let body = format!("needle {}", "ß".repeat(500));
        assert!(shown(&body, "needle").starts_with("[needle] ß"));
        let unbroken = format!("{}会議{}", "長".repeat(300), "い".repeat(300));
        assert!(shown(&unbroken, "会議").contains("長[会議]い"));
    }
}
