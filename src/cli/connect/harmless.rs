//! Text of others, so that it can do nothing to a terminal: no escape sequence, no moving about, no turning of the text
//! around it.

/// Whether a terminal only shows it.
pub fn is_harmless(c: char) -> bool {
    // C0, DEL and C1: all that begins an escape sequence. Then what turns or parts the text around it.
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text on one line.
pub fn line(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// The text, cut where its writer began a new line.
pub fn lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split('\n').map(line).collect()
}

/// A character as it may stand in a terminal.
fn shown(c: char) -> char {
    match c {
        // A space is as wide everywhere; a tab is not.
        '\t' => ' ',
        // The pictures of the control characters stand in the same order as they do.
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        c if is_harmless(c) => c,
        _ => '\u{fffd}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_any_kind_gets_through_that_a_terminal_acts_on() {
        let all: String = ('\u{0}'..=char::MAX).collect();
        for shown in [line(&all), lines(&all).concat()] {
            assert!(!shown.chars().any(|c| c.is_control()));
            assert!(!shown.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}']));
        }
    }

    #[test]
    fn what_was_there_can_still_be_seen() {
        assert_eq!(line("red \u{1b}[31m\u{7}\u{9b}2J\u{7f}"), "red ␛[31m␇\u{fffd}2J␡");
        assert_eq!(line("a\tb\nc"), "a b␊c");
        assert_eq!(lines("a\r\nb\n\rc"), ["a", "b", "␍c"]);
        let family = "👩\u{200d}👩\u{200d}👧 שלום 世界 e\u{301}";
        assert_eq!(line(family), family);
    }
}
