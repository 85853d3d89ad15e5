//! Letters: notes as they are sent, as many in one as it holds.

use super::crowd::Crowd;
use super::note::{Letter, Note, Said};
use log::warn;
use std::collections::BTreeMap;

/// What a letter has besides its notes, in bytes.
const AROUND: usize = 80;

/// So much of something long goes into a letter of any bus.
const PART: usize = 40;

/// Writes and reads the letters of a node.
pub struct Desk {
    node: String,
    /// The number of the last letter.
    number: u64,
    /// The longest letter, in bytes.
    longest: usize,
    carries_messages: bool,
}

impl Desk {
    /// An empty desk.
    pub fn new(node: &str, longest: usize, carries_messages: bool) -> Desk {
        Desk { node: node.into(), number: 0, longest, carries_messages }
    }

    /// The letters that say this, in order. Without any notes it is one that only tells that the node is there.
    pub fn write(&mut self, notes: &[Note]) -> Vec<Vec<u8>> {
        let mut letters = Vec::new();
        let (mut page, mut bytes): (Vec<String>, usize) = (Vec::new(), AROUND);
        let mut add = |desk: &mut Desk, note: &Note| {
            let Ok(note) = serde_json::to_string(note) else { return };
            if note.len() + AROUND > desk.longest {
                return warn!("what the other nodes are to know is too long for one letter, and they do not hear it");
            }
            if bytes + note.len() + 1 > desk.longest && !page.is_empty() {
                letters.push(desk.seal(&std::mem::take(&mut page)));
                bytes = AROUND;
            }
            bytes += note.len() + 1;
            page.push(note);
        };
        for note in notes {
            match note {
                Note::Said(all) if !self.carries_messages => add(self, &heads(all)),
                Note::Said(all) => self.cut(all).for_each(|part| add(self, &Note::Said(part.to_vec()))),
                Note::Here(..) | Note::Guests(_) | Note::Nowhere(_) | Note::Spent(_) | Note::SignedOut(..) => {
                    self.fit(note).iter().for_each(|part| add(self, part));
                }
                note => add(self, note),
            }
        }
        if letters.is_empty() || !page.is_empty() {
            letters.push(self.seal(&page));
        }
        letters
    }

    /// What can be long, as letters hold it.
    fn fit(&self, note: &Note) -> Vec<Note> {
        let fits = serde_json::to_string(note).is_ok_and(|note| note.len() + AROUND <= self.longest);
        match note {
            note if fits => vec![note.clone()],
            Note::Here(room, Crowd::Names(names)) => vec![Note::Here(*room, Crowd::Count(names.len()))],
            Note::Guests(all) => {
                let one_by_one = all.iter().cloned().map(Note::Guest);
                [Note::Guests(Vec::new())].into_iter().chain(one_by_one).collect()
            }
            Note::Spent(all) => all.chunks(PART).map(|part| Note::Spent(part.to_vec())).collect(),
            Note::SignedOut(all, why) => {
                all.chunks(PART).map(|part| Note::SignedOut(part.to_vec(), why.clone())).collect()
            }
            // Who is where follows, room by room.
            _ => Vec::new(),
        }
    }

    /// Messages in parts that fit into a letter each, as far as a single one does.
    fn cut<'m>(&self, mut said: &'m [Said]) -> impl Iterator<Item = &'m [Said]> + use<'m> {
        let most = self.longest / 2;
        std::iter::from_fn(move || {
            let mut bytes = 0;
            let fits = |said: &&Said| {
                bytes += said.weight();
                bytes <= most
            };
            let count = said.iter().take_while(fits).count().clamp(usize::from(!said.is_empty()), said.len());
            let (part, rest) = said.split_at(count);
            said = rest;
            (!part.is_empty()).then_some(part)
        })
    }

    fn seal(&mut self, notes: &[String]) -> Vec<u8> {
        self.number += 1;
        let (node, number) = (&self.node, self.number);
        format!("{{\"node\":\"{node}\",\"number\":{number},\"notes\":[{}]}}", notes.join(",")).into_bytes()
    }
}

fn heads(said: &[Said]) -> Note {
    let heads: BTreeMap<_, _> = said.iter().map(Said::head).collect();
    Note::Heads(heads.into_iter().collect())
}

/// Reads one. None: it is of a version that this one does not know.
pub fn read(letter: &[u8]) -> Option<Letter> {
    serde_json::from_slice(letter).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::PersonName;
    use crate::store::{Message, Time};

    fn said(rev: i64, body: &str) -> Said {
        let message = Message::born(1, rev, rev.to_string(), PersonName::trusted("ann"), Time(0), body.into(), None);
        Said::from(&message)
    }

    #[test]
    fn what_is_too_long_for_one_letter_goes_into_several_in_order() {
        let mut desk = Desk::new("n", 2000, true);
        let all: Vec<Said> = (1..=20).map(|rev| said(rev, &"x".repeat(300))).collect();
        let notes = [Note::Rooms, Note::Said(all.clone()), Note::Everything];
        let letters = desk.write(&notes);
        assert!(letters.len() > 3 && letters.iter().all(|letter| letter.len() <= 2000));
        let read: Vec<Letter> = letters.iter().map(|letter| read(letter).unwrap()).collect();
        assert!(read.iter().enumerate().all(|(n, letter)| letter.number == n as u64 + 1 && letter.node == "n"));
        let notes: Vec<Note> = read.into_iter().flat_map(|letter| letter.notes).collect();
        assert_eq!((&notes[0], notes.last()), (&Note::Rooms, Some(&Note::Everything)));
        let again = notes.iter().flat_map(|note| if let Note::Said(said) = note { said.clone() } else { Vec::new() });
        assert_eq!(again.collect::<Vec<_>>(), all);
    }

    #[test]
    fn a_bus_for_short_letters_is_told_how_far_the_rooms_have_come() {
        let mut desk = Desk::new("n", 7000, false);
        let letters = desk.write(&[Note::Said(vec![said(1, "a"), said(2, "b")])]);
        assert_eq!(read(&letters[0]).unwrap().notes, [Note::Heads(vec![(1, 2)])]);
        assert_eq!(desk.write(&[]).len(), 1, "it is there");
        let names: Vec<String> = (0..100).map(|n| format!("{n:0>90}")).collect();
        let letters = desk.write(&[Note::Here(1, Crowd::Names(names))]);
        assert_eq!(read(&letters[0]).unwrap().notes, [Note::Here(1, Crowd::Count(100))]);
        let spent = |n| (format!("{n:0>90}"), 1);
        let letters = desk.write(&[Note::Spent((0..100).map(spent).collect())]);
        assert!(letters.len() > 1 && letters.iter().all(|letter| letter.len() <= 7000));
        assert!(super::read(b"{\"node\":1}").is_none());
    }

    #[test]
    fn a_message_arrives_as_it_was() {
        let message = Message {
            edited_at: Some(Time(7)),
            deleted: true,
            reply_to: Some(3),
            reactions: vec![crate::store::Reaction { emoji: "👍".into(), people: vec![PersonName::trusted("Bob")] }],
            ..Message::born(4, 5, "id".into(), PersonName::trusted("Ann"), Time(6), "hello\n".into(), None)
        };
        let letter = Desk::new("n", 7000, true).write(&[Note::Said(vec![Said::from(&message)])]);
        let Some(Note::Said(said)) = read(&letter[0]).unwrap().notes.pop() else { panic!() };
        assert_eq!(said.into_iter().map(Message::from).collect::<Vec<_>>(), [message]);
    }
}
