//! The skeleton of a text (UTS 39): the same for all texts that look alike.

use std::cmp::Ordering;
use unicode_normalization::UnicodeNormalization;

// Made by `build.rs` from unicode-security's.
include!(concat!(env!("OUT_DIR"), "/lookalikes.rs"));

/// The skeleton: for comparing, never for showing.
pub fn skeleton(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfd().filter(|c| !is_left_out(*c)).flat_map(prototype).nfd()
}

fn is_left_out(c: char) -> bool {
    let order = |(first, last): &(u32, u32)| match c as u32 {
        c if c < *first => Ordering::Greater,
        c if c > *last => Ordering::Less,
        _ => Ordering::Equal,
    };
    LEFT_OUT.binary_search_by(order).is_ok()
}

fn prototype(c: char) -> impl Iterator<Item = char> {
    let found = LETTERS.binary_search_by_key(&(c as u32), |(letter, ..)| *letter).ok();
    let seen =
        found.map(|at| LETTERS[at]).and_then(|(_, at, bytes)| TEXT.get(at as usize..at as usize + bytes as usize));
    let itself = seen.is_none().then_some(c);
    itself.into_iter().chain(seen.unwrap_or_default().chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_skeleton_of_the_standard_for_every_letter_and_what_stands_beside_it() {
        for c in char::MIN..=char::MAX {
            let text: String = ['a', c, '\u{301}', 'm'].into_iter().collect();
            assert!(skeleton(&text).eq(unicode_security::skeleton(&text)), "{c:?}");
        }
    }
}
