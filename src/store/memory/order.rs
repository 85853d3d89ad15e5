//! Order in memory: penalties, and the book of what was done.

use super::super::order::{Deed, Noted, Order, Penalty, Sanction};
use super::super::{Rev, RoomId, Time};
use super::Memory;
use crate::error::Error;
use crate::name::PersonName;
use std::collections::VecDeque;

/// Deeds that are kept; past them the oldest go.
const DEEDS: usize = 10_000;

/// What is laid upon whom, and what was done.
#[derive(Default)]
pub(super) struct Book {
    sanctions: Vec<Sanction>,
    deeds: VecDeque<Noted>,
    /// The id that was given last.
    noted: i64,
}

impl Book {
    /// What is laid upon a person stays so under another name.
    pub(super) fn rename(&mut self, old: &PersonName, new: &PersonName) {
        let own = self.sanctions.iter_mut().filter(|sanction| sanction.name.folded() == old.folded());
        own.for_each(|sanction| sanction.name = new.clone());
    }

    fn take_away(&mut self, name: &PersonName, penalty: Penalty) -> bool {
        let before = self.sanctions.len();
        self.sanctions.retain(|other| other.penalty != penalty || other.name.folded() != name.folded());
        self.sanctions.len() < before
    }

    fn note(&mut self, deed: &Deed) {
        self.noted += 1;
        self.deeds.push_back(Noted { id: self.noted, deed: deed.clone() });
        if self.deeds.len() > DEEDS {
            self.deeds.pop_front();
        }
    }
}

impl Order for Memory {
    fn sanctions(&self, now: Time) -> Result<Vec<Sanction>, Error> {
        let state = self.state.read();
        Ok(state.book.sanctions.iter().filter(|sanction| sanction.holds(now)).cloned().collect())
    }

    fn sanction(&self, sanction: &Sanction, deed: &Deed) -> Result<(), Error> {
        let state = &mut *self.state.write();
        state.know(&sanction.name);
        state.book.take_away(&sanction.name, sanction.penalty);
        state.book.sanctions.push(sanction.clone());
        state.book.note(deed);
        Ok(())
    }

    fn lift(&self, name: &PersonName, penalty: Penalty, deed: &Deed) -> Result<bool, Error> {
        let book = &mut self.state.write().book;
        let lifted = book.take_away(name, penalty);
        if lifted {
            book.note(deed);
        }
        Ok(lifted)
    }

    fn note(&self, deed: &Deed) -> Result<(), Error> {
        self.state.write().book.note(deed);
        Ok(())
    }

    fn deeds(&self, before: Option<i64>, count: usize) -> Result<Vec<Noted>, Error> {
        let state = self.state.read();
        let earlier = state.book.deeds.iter().rev().filter(|noted| before.is_none_or(|before| noted.id < before));
        Ok(earlier.take(count).cloned().collect())
    }

    fn written_by(&self, name: &PersonName, room: RoomId, after: Rev, count: usize) -> Result<Vec<Rev>, Error> {
        let state = self.state.read();
        let folded = name.folded();
        let messages = state.kept(room).messages.iter().filter(|message| message.seq > after && !message.deleted);
        let own = messages.filter(|message| message.from.folded() == folded);
        Ok(own.take(count).map(|message| message.seq).collect())
    }
}
