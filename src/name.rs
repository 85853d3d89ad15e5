//! Names: what a room and a person may be called. Parsed once at the edge, trusted from there on.

use crate::look;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The longest name, of a room or a person, in characters.
pub const LONGEST: usize = 32;

/// What the names of direct rooms begin with; 20 hexadecimal digits follow.
pub const DIRECT: &str = "d-";

/// A room's name: 1–32 of `a`–`z`, `0`–`9` and `-`. It stands in addresses, so it stays plain.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// The room that is there from the start.
    pub fn lobby() -> RoomName {
        RoomName("lobby".into())
    }

    /// Checks `text`; the error says in words what a room's name may be.
    pub fn parse(text: &str) -> Result<RoomName, &'static str> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(plain) {
            return Err("a room's name is 1 to 32 of a-z, 0-9 and -");
        }
        Ok(RoomName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form that only direct rooms have.
    pub fn is_of_direct_rooms(&self) -> bool {
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        self.0.strip_prefix(DIRECT).is_some_and(|rest| rest.len() == 20 && rest.chars().all(is_hex))
    }

    /// Takes a name that was checked when it was stored.
    pub(crate) fn trusted(text: &str) -> RoomName {
        RoomName(text.into())
    }
}

/// A person's name: 1–32 characters that can be seen, as the person writes them. Cheap to clone.
#[derive(Clone)]
pub struct PersonName(Arc<Written>);

struct Written {
    text: Box<str>,
    /// Made once: at the edge for a name that is checked, where it is first needed for one that was.
    folded: OnceLock<Box<str>>,
}

impl PersonName {
    /// Checks `text`, without the white space around it; the error says in words what is wrong.
    pub fn parse(text: &str) -> Result<PersonName, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a name needs at least one character");
        }
        if text.chars().count() > LONGEST {
            return Err("a name has 32 characters at most");
        }
        if text.chars().any(look::unseen) {
            return Err("a name has no control or invisible characters");
        }
        // In plain text a message reads `ann: hello`, and an error `! …`.
        if text.contains(':') || text.starts_with('!') {
            return Err("a name has no colon and does not start with an exclamation mark");
        }
        if look::mixes_alphabets(text) {
            return Err("a name does not mix Latin, Greek and Cyrillic letters");
        }
        let name = PersonName::trusted(text);
        // What is left of a joiner alone, or of a colon in another form, is no name.
        if name.folded().is_empty() || name.folded().contains(':') {
            return Err("a name needs at least one character that can be seen, and has no colon");
        }
        Ok(name)
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The name as names are compared: two that look alike are one person's.
    pub fn folded(&self) -> String {
        self.0.folded.get_or_init(|| look::folded(&self.0.text).into()).to_string()
    }

    /// Takes a name that was checked when it was stored.
    pub(crate) fn trusted(text: &str) -> PersonName {
        PersonName(Arc::new(Written { text: text.into(), folded: OnceLock::new() }))
    }
}

impl PartialEq for PersonName {
    fn eq(&self, other: &PersonName) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for PersonName {}

impl std::hash::Hash for PersonName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

macro_rules! reads_as_its_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
    )*};
}
reads_as_its_text!(RoomName, PersonName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_have_plain_names() {
        for good in ["lobby", "a", "0-0", &"x".repeat(32)] {
            assert_eq!(RoomName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Lobby", "a b", "ä", "a/b", "a_b", &"x".repeat(33)] {
            assert!(RoomName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn people_may_be_called_anything_that_can_be_seen() {
        for good in ["ann", "Ann Lee", "Zoë", "日本", "👩‍👩‍👧‍👦", "🦀", "O'Hara", &"é".repeat(32)]
        {
            assert_eq!(PersonName::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "   ",
            "a\u{200b}b",
            "a\nb",
            "\u{202e}nna",
            "\u{200d}",
            "\u{fe0f}",
            "a: b",
            "a：b",
            "!ann",
            "a\u{0}",
            "a\u{34f}b",
            "\u{2800}",
            "a\u{e0041}\u{e0100}",
            "an\u{43d}a",
            &"x".repeat(33),
        ] {
            assert!(PersonName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(PersonName::parse("  Ann ").unwrap().as_str(), "Ann");
        assert_eq!(PersonName::parse("ANN").unwrap().folded(), PersonName::parse("ann").unwrap().folded());
    }
}
