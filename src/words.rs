//! The words of a text, as search compares them; and where they stand in it. Pure, and the same for every store: what
//! is indexed, what is asked for and what is marked on the page are cut in one place.
//!
//! A word is a run of letters and digits, in small letters and without diacritics. What is written without spaces
//! between its words (Chinese, Japanese, Thai …) has each character for a word, so that any part of it is found as a
//! phrase; and each sign that is a picture, an emoji, is one, too.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// A word, and where it stands, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// As words are compared.
    pub text: String,
    /// Where it stands.
    pub at: Range<usize>,
}

/// Words that stand one after the other: what somebody looks for. With `begun` the last of them may go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// As words are compared; at least one.
    pub words: Vec<String>,
    /// Whether the last is only the beginning of one.
    pub begun: bool,
}

/// All words of a text, in order.
pub fn words(text: &str) -> Vec<Word> {
    let mut all: Vec<Word> = Vec::new();
    let mut going_on = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if stands_alone(c) {
            let mut text = String::new();
            fold(c, &mut text);
            all.push(Word { text, at: at..end });
            going_on = false;
        } else if c.is_alphanumeric() || is_vowel_sign(c) {
            if !going_on {
                all.push(Word { text: String::new(), at: at..at });
            }
            if let Some(word) = all.last_mut() {
                fold(c, &mut word.text);
                word.at.end = end;
            }
            going_on = true;
        } else if is_diacritic(c) || joins(c) {
            // It belongs to the character before, and is not compared.
            if let Some(word) = all.last_mut().filter(|word| word.at.end == at) {
                word.at.end = end;
            }
        } else {
            going_on = false;
        }
    }
    all.retain(|word| !word.text.is_empty());
    all
}

/// Where in a text each of the terms stands, in order and without overlaps; None if one of them is not there.
pub fn find(text: &str, terms: &[Term]) -> Option<Vec<Range<usize>>> {
    let words = words(text);
    let mut marks = Vec::new();
    for term in terms {
        let length = term.words.len();
        let before = marks.len();
        let places = words.windows(length.max(1)).filter(|here| term.is_at(here));
        marks.extend(places.filter_map(|here| Some(here.first()?.at.start..here.last()?.at.end)));
        if marks.len() == before {
            return None;
        }
    }
    marks.sort_by_key(|mark| (mark.start, mark.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(marks.len());
    for mark in marks {
        match apart.last_mut() {
            Some(last) if mark.start < last.end => last.end = last.end.max(mark.end),
            _ => apart.push(mark),
        }
    }
    Some(apart)
}

impl Term {
    fn is_at(&self, here: &[Word]) -> bool {
        let last = self.words.len() - 1;
        here.iter().zip(&self.words).enumerate().all(|(n, (word, wanted))| {
            word.text == *wanted || (self.begun && n == last && word.text.starts_with(wanted.as_str()))
        })
    }
}

/// Puts a character in as it is compared.
fn fold(c: char, into: &mut String) {
    if c.is_ascii() {
        return into.push(c.to_ascii_lowercase());
    }
    for c in std::iter::once(c).nfkd().filter(|c| !is_diacritic(*c)).flat_map(char::to_lowercase) {
        match c {
            // A final sigma, and letters that lose their stroke to whoever has no such key.
            'ς' => into.push('σ'),
            'ß' => into.push_str("ss"),
            'æ' => into.push_str("ae"),
            'œ' => into.push_str("oe"),
            'ø' => into.push('o'),
            'ł' => into.push('l'),
            'đ' => into.push('d'),
            'ı' => into.push('i'),
            // What a small letter was made of, or what a ligature brings that is none.
            c if is_diacritic(c) || c.is_whitespace() || (c.is_ascii() && !c.is_ascii_alphanumeric()) => {}
            c => into.push(c),
        }
    }
}

/// Marks that many leave out: accents, and the vowels of Hebrew and Arabic.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{3099}'..='\u{309a}')
}

/// What joins the signs around it, or says how the one before is drawn.
fn joins(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// The vowels and viramas of the scripts of India and Southeast Asia: not letters to Unicode, but half of each word.
fn is_vowel_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{e7f}' | '\u{f71}'..='\u{f84}' | '\u{1000}'..='\u{109f}')
        && !c.is_ascii()
        && unicode_normalization::char::is_combining_mark(c)
}

/// A character that is a word of its own: of a script that puts no spaces between words, or a picture.
fn stands_alone(c: char) -> bool {
    is_picture(c)
        || (c.is_alphabetic()
            && matches!(c,
                // Thai, Lao, Myanmar and Khmer.
                '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
                // Chinese, Japanese, and Korean, whose words have their endings grown to them.
                | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3041}'..='\u{30ff}'
                | '\u{3105}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
                | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{1b000}'..='\u{1b2ff}' | '\u{20000}'..='\u{3ffff}'))
}

/// Arrows, symbols and emoji.
fn is_picture(c: char) -> bool {
    !c.is_alphanumeric()
        && matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2190}'..='\u{2bff}')
        || matches!(c, '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    fn term(text: &str) -> Term {
        Term { words: cut(text), begun: false }
    }

    fn marked(text: &str, terms: &[&str]) -> Option<Vec<String>> {
        let terms: Vec<Term> = terms.iter().map(|text| term(text)).collect();
        find(text, &terms).map(|marks| marks.into_iter().map(|mark| text[mark].to_owned()).collect())
    }

    #[test]
    fn letters_are_small_and_bare() {
        for (one, other) in [
            ("ÄPFEL", "apfel"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδός"),
            ("cafe\u{301}", "café"),
            ("İstanbul", "istanbul"),
            ("ﬁnal", "FINAL"),
            ("ＡＢＣ１", "abc1"),
            ("ёлка", "ЕЛКА"),
            ("smørrebrød", "Smorrebrod"),
            ("שָׁלוֹם", "שלום"),
        ] {
            assert_eq!(cut(one), cut(other), "{one} and {other}");
            assert_eq!(cut(one).len(), 1, "{one}");
        }
        assert_ne!(cut("हिंदी"), cut("हद"), "a vowel sign is no accent");
    }

    #[test]
    fn words_end_where_no_letter_goes_on() {
        assert_eq!(cut("don't_stop, e-mail: a.b@c.org"), ["don", "t", "stop", "e", "mail", "a", "b", "c", "org"]);
        assert_eq!(cut("  \n… !?"), Vec::<String>::new());
        assert_eq!(cut("x²+½"), ["x2", "1⁄2"]);
    }

    #[test]
    fn what_has_no_spaces_is_cut_at_each_character() {
        assert_eq!(cut("会議は3時"), ["会", "議", "は", "3", "時"]);
        assert_eq!(cut("party🎉🎉 👩‍🚀"), ["party", "🎉", "🎉", "👩", "🚀"]);
        assert_eq!(cut("회의실에서"), cut("회의실").into_iter().chain(cut("에서")).collect::<Vec<_>>());
        assert_eq!(marked("明日の会議室", &["会議"]).unwrap(), ["会議"]);
        assert_eq!(marked("議会", &["会議"]), None);
        assert_eq!(marked("done 👍🏽 and ❤️!", &["👍", "❤"]).unwrap(), ["👍", "❤\u{fe0f}"]);
    }

    #[test]
    fn each_place_of_each_term_is_marked() {
        assert_eq!(marked("Tea, more tea and TÉA", &["tea"]).unwrap(), ["Tea", "tea", "TÉA"]);
        assert_eq!(
            marked("a rose is a rose is a rose", &["rose is a", "a rose"]).unwrap(),
            ["a rose is a rose is a rose"]
        );
        assert_eq!(marked("one two", &["one", "three"]), None);
        assert_eq!(marked("one, two", &["one two"]).unwrap(), ["one, two"]);
        let begun = [Term { words: vec!["invoi".into()], begun: true }];
        assert_eq!(find("The invoices", &begun).unwrap(), vec![4..12]);
        assert_eq!(find("no voices", &begun), None);
        assert_eq!(find("anything", &[]), Some(Vec::new()));
    }
}
