//! How names look: which letters cannot be seen, and which names cannot be told apart.

use crate::skeleton::skeleton;
use unicode_normalization::UnicodeNormalization;

/// Whether a character alone cannot be seen. A joiner joins nothing alone; an emoji needs it.
pub fn unseen_alone(c: char) -> bool {
    unseen(c) || joins(c)
}

/// Characters that take no room, or turn the text around them.
pub fn unseen(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Tags make flags of regions; all that is not one of them, and whatever else stands there, shows nothing.
            | '\u{e0000}'..='\u{e001f}' | '\u{e0080}'..='\u{10ffff}')
}

/// Whether letters of two alphabets stand together that have letters in common to the eye.
pub fn mixes_alphabets(text: &str) -> bool {
    let alphabets = text.chars().filter(|c| c.is_alphabetic()).filter_map(|c| match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some('l'),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some('g'),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' => {
            Some('c')
        }
        _ => None,
    });
    let mut alphabets = alphabets.peekable();
    let first = alphabets.peek().copied();
    alphabets.any(|alphabet| Some(alphabet) != first)
}

/// What two names have in common that look alike: their skeleton (UTS 39), whatever letters are large, however many spaces
/// stand in between, and without what is not to be seen alone. For comparing, never for showing.
pub fn folded(text: &str) -> String {
    let text: String = text.nfkc().filter(|c| !joins(*c)).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Letters of another alphabet that look like ours may do so only while they are large: Greek ΑΝΝ, whose small ν is no n.
    let seen: String = skeleton(&text).collect();
    let text = if seen.is_ascii() { seen } else { text };
    // By way of the large letters, so that ß and ss, σ and ς are one.
    let small = text.to_uppercase().to_lowercase();
    // A large I is a small l to the eye, so the small i must be as well.
    skeleton(&small).map(|c| if c == 'i' { 'l' } else { c }).collect()
}

/// What joins the characters around it, or says how the one before it looks; an emoji may need it.
fn joins(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_one() {
        for (one, other) in [
            ("ann", "ANN"),
            ("ann", "\u{430}nn"),             // Cyrillic а
            ("ann", "\u{3b1}nn"),             // Greek α
            ("ANN", "\u{391}\u{39d}\u{39d}"), // Greek capitals
            ("CEO", "\u{421}\u{415}\u{41e}"), // Cyrillic capitals
            ("ceo", "\u{441}\u{435}\u{43e}"), // and small ones
            ("Ian", "lan"),
            ("ian", "1an"),
            ("Bob", "B0b"),
            ("Mary", "rnary"),
            ("mary", "MARY"),
            ("ann", "a\u{200d}nn"),
            ("ann", "\u{ff41}\u{ff4e}\u{ff4e}"),    // wide
            ("ann", "\u{1d41a}\u{1d427}\u{1d427}"), // mathematical bold
            ("Zoë", "Zoe\u{308}"),
            ("Ann Lee", "Ann  lee"),
            ("Straße", "STRASSE"),
            ("Νίκος", "νίκος"),
            ("Σωκράτης", "ΣΩΚΡΆΤΗΣ"),
            ("❤", "❤\u{fe0f}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
    }

    #[test]
    fn names_that_differ_stay_two() {
        let names = [
            "ann",
            "anna",
            "bob",
            "eve",
            "Zoe",
            "Zoë",
            "日本",
            "日木",
            "🦀",
            "👩‍🚀",
            "👨‍🚀",
            "Νίκος",
            "Борис",
            "p1",
            "p10",
            "p2",
        ];
        for (n, one) in names.iter().enumerate() {
            for other in &names[n + 1..] {
                assert_ne!(folded(one), folded(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for name in ["Mary", "Ian", "ΑΝΝ", "Straße", "👩‍👩‍👧‍👦", "Zoë", "B0b"] {
            assert_eq!(folded(&folded(name)), folded(name), "{name}");
        }
    }
}
