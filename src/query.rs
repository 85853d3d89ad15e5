//! What somebody looks for, as they write it: words, "phrases", `from:`, `in:`, `before:`, `after:`. Pure: text in, a
//! query or a fault that says where and what was expected.

use crate::name::{PersonName, RoomName};
use crate::store::{Found, Time};
use crate::words::{Term, words};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// The most messages of one page, and how many come if nothing is said.
pub const MOST_HITS: usize = 50;
pub const USUAL_HITS: usize = 20;

/// A question, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What somebody wrote.
    pub query: String,
    /// Where to go on, as an answer before said.
    pub cursor: Option<String>,
    /// How many messages at most.
    pub limit: usize,
}

/// What came of it, and what was looked for, so that it can be marked.
pub struct Answer {
    pub found: Found,
    pub terms: Vec<Term>,
}

/// The longest query, in characters.
pub const LONGEST: usize = 300;

/// The most parts of one.
pub const MOST_PARTS: usize = 20;

/// The shortest beginning of a word, in characters: of a shorter one there are too many.
const SHORTEST_BEGINNING: usize = 3;

/// What is looked for. All of it must be so; of several authors, or rooms, any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// What must stand in the text.
    pub terms: Vec<Term>,
    /// Who wrote it.
    pub from: Vec<Named<PersonName>>,
    /// Where.
    pub rooms: Vec<Named<RoomName>>,
    /// It was said before this moment…
    pub before: Option<Time>,
    /// …and not before this one.
    pub after: Option<Time>,
}

/// A name, and where in the query it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    /// Whose.
    pub name: T,
    /// The character it begins with, counted from 1.
    pub at: usize,
}

/// Why a query is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// At which character, counted from 1.
    pub at: usize,
    /// What is wrong there, and what was expected.
    pub why: String,
}

impl Query {
    /// Reads what somebody wrote.
    pub fn parse(text: &str) -> Result<Query, Fault> {
        if text.chars().count() > LONGEST {
            return Err(Fault { at: LONGEST + 1, why: format!("a query has {LONGEST} characters at most") });
        }
        let mut query = Query::default();
        let mut rest = Rest { chars: text.chars().collect(), at: 0 };
        let mut parts = 0;
        while rest.skip_spaces() {
            parts += 1;
            if parts > MOST_PARTS {
                return Err(rest.fault(rest.at, format!("a query has {MOST_PARTS} parts at most")));
            }
            query.take(&mut rest)?;
        }
        if query == Query::default() {
            return Err(
                rest.fault(0, "write what to look for: words, \"a phrase\", from:NAME, in:ROOM, before:DATE".into())
            );
        }
        Ok(query)
    }

    fn take(&mut self, rest: &mut Rest) -> Result<(), Fault> {
        let begin = rest.at;
        match rest.key() {
            Some("from") => {
                let (at, value, _) = rest.value("the name of a person, as in from:ann or from:\"Ann Lee\"")?;
                let name =
                    PersonName::parse(&value).map_err(|why| rest.fault(at, format!("this is nobody's name: {why}")))?;
                self.from.push(Named { name, at: at + 1 });
            }
            Some("in") => {
                let (at, value, _) = rest.value("the name of a room, as in in:lobby")?;
                let plain = value.strip_prefix('#').unwrap_or(&value);
                let name =
                    RoomName::parse(plain).map_err(|why| rest.fault(at, format!("this is no room's name: {why}")))?;
                self.rooms.push(Named { name, at: at + 1 });
            }
            Some(key) => {
                let (at, value, _) = rest.value("a date, as in 2026-11-23 or 2026-11-23T18:30:00Z")?;
                let expected =
                    || rest.fault(at, format!("this is no date; write {key}:2026-11-23 or {key}:2026-11-23T18:30:00Z"));
                let time = date(&value).ok_or_else(expected)?;
                if key == "before" {
                    self.before = Some(self.before.map_or(time, |earlier| earlier.min(time)));
                } else {
                    self.after = Some(self.after.map_or(time, |later| later.max(time)));
                }
            }
            None => {
                let (_, value, quoted) = rest.value("a word")?;
                self.terms.push(term(&value, quoted).map_err(|why| rest.fault(begin, why))?);
            }
        }
        Ok(())
    }
}

/// What is still to be read.
struct Rest {
    chars: Vec<char>,
    at: usize,
}

impl Rest {
    /// False: there is nothing more.
    fn skip_spaces(&mut self) -> bool {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.at < self.chars.len()
    }

    /// One of the words that mean something before a colon; whatever else has a colon is text: an address, a time of
    /// the day.
    fn key(&mut self) -> Option<&'static str> {
        let colon = self.chars[self.at..].iter().take(8).position(|c| *c == ':')?;
        let word: String = self.chars[self.at..self.at + colon].iter().collect();
        let key = ["from", "in", "before", "after"].into_iter().find(|key| word.eq_ignore_ascii_case(key))?;
        self.at += colon + 1;
        Some(key)
    }

    /// What stands here up to the next space, or between quotes: where it begins, itself, and whether it was quoted.
    fn value(&mut self, expected: &str) -> Result<(usize, String, bool), Fault> {
        let quoted = self.chars.get(self.at) == Some(&'"');
        let begin = self.at + usize::from(quoted);
        let ends = |c: &char| if quoted { *c == '"' } else { c.is_whitespace() || *c == '"' };
        let length = self.chars[begin.min(self.chars.len())..].iter().position(ends);
        if quoted && length.is_none() {
            return Err(self.fault(self.at, "this quote is not closed; expected another \" behind it".into()));
        }
        let end = length.map_or(self.chars.len(), |length| begin + length);
        let value: String = self.chars[begin..end].iter().collect();
        if value.trim().is_empty() {
            return Err(self.fault(self.at, format!("expected {expected}")));
        }
        self.at = end + usize::from(quoted);
        Ok((begin, value, quoted))
    }

    fn fault(&self, at: usize, why: String) -> Fault {
        Fault { at: at + 1, why }
    }
}

/// The words of a part, one after the other; a star at the end of the last means that it may go on.
fn term(text: &str, quoted: bool) -> Result<Term, String> {
    let begun = !quoted && text.ends_with('*');
    let words: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
    let Some(last) = words.last() else {
        return Err(format!("there is no letter or digit in {text}; expected a word"));
    };
    if begun && last.chars().count() < SHORTEST_BEGINNING {
        return Err(format!(
            "{text} is the beginning of too many words; expected {SHORTEST_BEGINNING} letters before the *"
        ));
    }
    Ok(Term { words, begun })
}

/// A day, from its first moment on, or a moment. UTC, where nothing else is said.
fn date(text: &str) -> Option<Time> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    let moment = match day {
        Some(day) => day.midnight().assume_utc(),
        None => OffsetDateTime::parse(&text.to_ascii_uppercase(), &Rfc3339).ok()?,
    };
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    fn terms(text: &str) -> Vec<(String, bool)> {
        read(text).terms.into_iter().map(|term| (term.words.join(" "), term.begun)).collect()
    }

    #[test]
    fn each_part_is_read() {
        let query =
            read(" from:ann  IN:#lobby in:den after:2026-01-02 before:2026-01-02t03:04:05+01:00 tea from:\"Ann Lee\"");
        let from: Vec<&str> = query.from.iter().map(|from| from.name.as_str()).collect();
        let rooms: Vec<&str> = query.rooms.iter().map(|room| room.name.as_str()).collect();
        assert_eq!((from, rooms), (vec!["ann", "Ann Lee"], vec!["lobby", "den"]));
        assert_eq!((query.from[0].at, query.rooms[0].at), (7, 15));
        assert_eq!((query.after, query.before), (Some(Time(1_767_312_000_000)), Some(Time(1_767_319_445_000))));
        assert_eq!(terms("from:ann tea"), [("tea".into(), false)]);
        assert_eq!(read("after:2026-01-02 after:2026-01-03").after, read("after:2026-01-03").after);
    }

    #[test]
    fn words_phrases_and_beginnings() {
        assert_eq!(terms("Grüne Bäume"), [("grune".into(), false), ("baume".into(), false)]);
        assert_eq!(terms("\"Grüne Bäume\"x"), [("grune baume".into(), false), ("x".into(), false)]);
        assert_eq!(
            terms("e-mail 10:30 https://a.org note:b"),
            [
                ("e mail".into(), false),
                ("10 30".into(), false),
                ("https a org".into(), false),
                ("note b".into(), false)
            ]
        );
        assert_eq!(terms("invo* \"invo*\""), [("invo".into(), true), ("invo".into(), false)]);
        assert_eq!(terms("会議 🎉"), [("会 議".into(), false), ("🎉".into(), false)]);
    }

    #[test]
    fn a_fault_says_where_and_what_was_expected() {
        let long = "x".repeat(LONGEST + 1);
        let many = "a ".repeat(MOST_PARTS + 1);
        for (text, at, word) in [
            ("", 1, "write what"),
            ("  \t", 1, "write what"),
            ("tea from:", 10, "expected the name of a person"),
            ("tea from: ann", 10, "expected the name of a person"),
            ("in:\"The den\"", 5, "no room's name"),
            ("from:a:b", 6, "colon"),
            ("tea before:soon", 12, "before:2026-11-23"),
            ("after:2026-02-30", 7, "no date"),
            ("before:26-1-1", 8, "no date"),
            ("tea \"green", 5, "not closed"),
            ("tea \"\"", 5, "expected a word"),
            ("from:\"", 6, "not closed"),
            ("tea !?", 5, "no letter or digit"),
            ("te*", 1, "3 letters"),
            (&long, 301, "300 characters"),
            (&many, 41, "20 parts"),
        ] {
            let fault = Query::parse(text).unwrap_err();
            assert_eq!(fault.at, at, "{text:?}: {fault:?}");
            assert!(fault.why.contains(word), "{text:?}: {fault:?}");
        }
    }
}
