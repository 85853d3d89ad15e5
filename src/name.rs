//! Names: what a room and a person may be called. Parsed once at the edge, trusted from there on.

use std::fmt;
use std::sync::Arc;

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
}

/// A person's name: 1–32 characters that can be seen, as the person writes them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonName(Arc<str>);

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
        if text.chars().any(unseen) {
            return Err("a name has no control or invisible characters");
        }
        // In plain text a message reads `ann: hello`, and an error `! …`.
        if text.contains(':') || text.starts_with('!') {
            return Err("a name has no colon and does not start with an exclamation mark");
        }
        if text.chars().all(is_unseen) {
            return Err("a name needs at least one character that can be seen");
        }
        Ok(PersonName(text.into()))
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as names are compared: Ann and ANN are one person.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Whether a character alone cannot be seen. A joiner joins nothing alone; an emoji needs it.
pub fn is_unseen(c: char) -> bool {
    unseen(c) || matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{fe0e}')
}

/// Characters that would let two names look alike, or turn the text around them.
fn unseen(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}')
}

macro_rules! reads_as_its_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }
        impl $name {
            /// Takes a name that was checked when it was stored.
            pub(crate) fn trusted(text: &str) -> $name {
                $name(text.into())
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
        for bad in
            ["", "   ", "a\u{200b}b", "a\nb", "\u{202e}nna", "\u{200d}", "a: b", "!ann", "a\u{0}", &"x".repeat(33)]
        {
            assert!(PersonName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(PersonName::parse("  Ann ").unwrap().as_str(), "Ann");
        assert_eq!(PersonName::parse("ANN").unwrap().folded(), PersonName::parse("ann").unwrap().folded());
    }
}
