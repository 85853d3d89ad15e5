//! What is to be told, until the sender takes it.

use super::note::{Note, Said};
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What may wait while the bus takes nothing: messages of so many bytes, and so many notes of other kinds.
const MOST_BYTES: usize = 4 * 1024 * 1024;
const MOST_NOTES: usize = 10_000;

/// What waits for the sender.
#[derive(Default)]
pub struct Outgoing {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    notes: Vec<Note>,
    /// Bytes of messages among them.
    bytes: usize,
    /// What people have spent of their rate, by folded name.
    spent: HashMap<String, u32>,
    /// Something was let fall: the others are to look at everything.
    lost: bool,
    stopping: bool,
}

/// What the sender takes.
pub struct Taken {
    pub notes: Vec<Note>,
    /// It is the last.
    pub stopping: bool,
}

impl Outgoing {
    /// Puts a note behind the others.
    pub fn push(&self, note: Note) {
        let mut state = self.state.lock();
        if state.notes.len() < MOST_NOTES {
            state.notes.push(note);
        } else {
            state.lost = true;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Puts a message behind them.
    pub fn say(&self, said: Said) {
        let mut state = self.state.lock();
        if state.bytes >= MOST_BYTES {
            state.lost = true;
            return;
        }
        state.bytes += said.weight();
        match state.notes.last_mut() {
            Some(Note::Said(all)) => all.push(said),
            _ => state.notes.push(Note::Said(vec![said])),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Counts what a person has spent. It goes along with what is told next.
    pub fn spend(&self, folded: String) {
        *self.state.lock().spent.entry(folded).or_default() += 1;
    }

    /// All that waits, once something does or that moment has come.
    pub fn take(&self, until: Instant) -> Taken {
        let mut state = self.state.lock();
        while state.notes.is_empty() && !state.lost && !state.stopping {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        let mut notes = std::mem::take(&mut state.notes);
        state.bytes = 0;
        if !state.spent.is_empty() {
            notes.push(Note::Spent(state.spent.drain().collect()));
        }
        if std::mem::take(&mut state.lost) {
            notes.push(Note::Everything);
        }
        Taken { notes, stopping: state.stopping }
    }

    /// Puts back what could not be sent. Messages are let fall: they stand in the store.
    pub fn put_back(&self, notes: Vec<Note>) {
        let mut kept: Vec<Note> = notes.into_iter().filter(Note::is_worth_keeping).collect();
        let state = &mut *self.state.lock();
        kept.append(&mut state.notes);
        kept.truncate(MOST_NOTES);
        (state.notes, state.lost) = (kept, true);
    }

    /// Waits for nothing in particular; true: it is time to stop.
    pub fn rest(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        let until = Instant::now() + time;
        while !state.stopping && !self.changed.wait_until(&mut state, until).timed_out() {}
        state.stopping
    }

    /// Whether it is time to stop.
    pub fn is_stopping(&self) -> bool {
        self.state.lock().stopping
    }

    /// Has the sender send what waits, and end.
    pub fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }
}
