//! Mentions: who is spoken to in a text, by `@` and a name.

use crate::name::{LONGEST, PersonName};

/// The most that count in one text.
const MOST: usize = 20;

/// For each `@` that begins a name, the names that it may be, as names are compared, the longest first: a name may have
/// spaces in it, and where it ends is known only to who knows the people.
pub fn candidates(text: &str) -> Vec<Vec<String>> {
    let begins = text.match_indices('@').filter(|(at, _)| !text[..*at].chars().next_back().is_some_and(is_of_a_word));
    begins.map(|(at, _)| names(&text[at + 1..])).filter(|names| !names.is_empty()).take(MOST).collect()
}

/// Whether a name cannot end before this.
fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    if text.starts_with(char::is_whitespace) {
        return names;
    }
    for (at, c) in text.char_indices().take(LONGEST).take_while(|(_, c)| !c.is_control() && *c != ':') {
        let (name, rest) = text.split_at(at + c.len_utf8());
        if !c.is_whitespace() && !rest.starts_with(is_of_a_word) {
            names.push(PersonName::trusted(name).folded());
        }
    }
    // Of what cannot be seen nothing is left.
    names.retain(|name| !name.is_empty());
    names.reverse();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_tried_from_its_longest_to_its_shortest() {
        assert_eq!(candidates("ho @Ann Lee, ho"), [["ann lee, ho", "ann lee,", "ann lee", "ann"]]);
        assert_eq!(candidates("@ann: @bob\n@eve"), [["ann"], ["bob"], ["eve"]]);
        assert_eq!(candidates("(@ann-lou)"), [["ann-lou)", "ann-lou"]]);
        assert_eq!(candidates("@👩\u{200d}🚀")[0][0], "👩🚀");
    }

    #[test]
    fn an_address_and_a_lonely_sign_are_no_mentions() {
        for text in ["ann@example.org", "@ ann", "@", "nobody", "@\nann", "@:", "@\u{202e}"] {
            assert_eq!(candidates(text), Vec::<Vec<String>>::new(), "{text}");
        }
        assert_eq!(candidates(&"@ann ".repeat(500)).len(), MOST);
        assert_eq!(candidates(&format!("@{}", "x".repeat(33))), Vec::<Vec<String>>::new(), "no name is so long");
    }
}
