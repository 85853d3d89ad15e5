//! The sequencer: what comes in any order from here and from other nodes goes on in the order of its numbers.
//!
//! Pure: no I/O, and no clock but the one it is given.

use crate::store::{Message, Rev, RoomId};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long it is waited for what is missing, which is mostly on its way, before the store is read.
const GRACE: Duration = Duration::from_millis(15);

/// How long after that has failed it is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Messages that wait in a room; what is beyond is read from the store.
const MOST: usize = 2048;

/// Where each room stands.
#[derive(Default)]
pub struct Sequencer {
    /// The number passed on last.
    passed: HashMap<RoomId, Rev>,
    gaps: HashMap<RoomId, Gap>,
}

/// A room of which something is missing.
struct Gap {
    /// What came and is not next.
    waiting: BTreeMap<Rev, Message>,
    /// How far the room has come, as far as is known.
    head: Rev,
    /// When the store is to be read.
    due: Instant,
}

impl Sequencer {
    /// One that goes on from these heads.
    pub fn new(heads: HashMap<RoomId, Rev>) -> Sequencer {
        Sequencer { passed: heads, gaps: HashMap::new() }
    }

    /// The number passed on last.
    pub fn passed(&self, room: RoomId) -> Rev {
        self.passed.get(&room).copied().unwrap_or(0)
    }

    /// Steps on to a message that is next in its room, and nothing waits behind it. False: it is to be taken.
    pub fn step(&mut self, room: RoomId, rev: Rev) -> bool {
        if !self.gaps.is_empty() && self.gaps.contains_key(&room) {
            return false;
        }
        let passed = self.passed.entry(room).or_insert(0);
        let is_next = *passed + 1 == rev;
        if is_next {
            *passed = rev;
        }
        is_next
    }

    /// Whether something is missing before that number.
    pub fn lacks(&self, room: RoomId, rev: Rev) -> bool {
        self.passed(room) + 1 < rev
    }

    /// Takes a message, and gives what is to be passed on now, in order.
    pub fn take(&mut self, message: Message, now: Instant) -> Vec<Message> {
        let (room, rev) = (message.room, message.rev);
        let passed = self.passed.entry(room).or_insert(0);
        if rev <= *passed {
            return Vec::new();
        }
        if rev == *passed + 1 {
            *passed = rev;
            let mut next = vec![message];
            self.follow(room, &mut next);
            if let Some(gap) = self.gaps.get_mut(&room) {
                gap.due = now + GRACE;
            }
            return next;
        }
        let gap = self.gap(room, rev, now);
        if gap.waiting.len() < MOST {
            gap.waiting.insert(rev, message);
        }
        Vec::new()
    }

    /// A room has come so far, it is said. `is_coming`: what was said there is mostly on its way.
    pub fn hear(&mut self, room: RoomId, head: Rev, is_coming: bool, now: Instant) {
        if head > self.passed(room) {
            let gap = self.gap(room, head, now);
            if !is_coming {
                gap.due = gap.due.min(now);
            }
        }
    }

    fn gap(&mut self, room: RoomId, head: Rev, now: Instant) -> &mut Gap {
        let gap = self.gaps.entry(room).or_insert_with(|| Gap { waiting: BTreeMap::new(), head, due: now + GRACE });
        gap.head = gap.head.max(head);
        gap
    }

    /// What was read from the store after the number passed on last; gives what is to be passed on, in order. What it leaves
    /// out, later numbers have taken over.
    pub fn fill(&mut self, room: RoomId, read: Vec<Message>) -> Vec<Message> {
        let passed = self.passed.entry(room).or_insert(0);
        let mut next: Vec<Message> = read.into_iter().filter(|message| message.rev > *passed).collect();
        if let Some(last) = next.last() {
            *passed = last.rev;
        }
        self.follow(room, &mut next);
        next
    }

    /// Everybody may be taken to have what is up to `head`.
    pub fn skip(&mut self, room: RoomId, head: Rev) -> Vec<Message> {
        let passed = self.passed.entry(room).or_insert(0);
        *passed = head.max(*passed);
        let mut next = Vec::new();
        self.follow(room, &mut next);
        next
    }

    /// The line goes on from a number that it had passed before.
    pub fn turn_back(&mut self, room: RoomId, rev: Rev) {
        self.passed.insert(room, rev);
    }

    /// What waits and is next by now.
    fn follow(&mut self, room: RoomId, next: &mut Vec<Message>) {
        let Some(gap) = self.gaps.get_mut(&room) else { return };
        let passed = self.passed.entry(room).or_insert(0);
        while let Some(first) = gap.waiting.first_entry().filter(|first| *first.key() <= *passed + 1) {
            let message = first.remove();
            if message.rev > *passed {
                *passed = message.rev;
                next.push(message);
            }
        }
        if *passed >= gap.head {
            self.gaps.remove(&room);
        }
    }

    /// When the store is to be read, if nothing comes before.
    pub fn due(&self) -> Option<Instant> {
        self.gaps.values().map(|gap| gap.due).min()
    }

    /// The rooms of which something is missing for too long.
    pub fn overdue(&self, now: Instant) -> Vec<RoomId> {
        self.gaps.iter().filter(|(_, gap)| gap.due <= now).map(|(room, _)| *room).collect()
    }

    /// Whether something of a room is missing for too long.
    pub fn is_overdue(&self, room: RoomId, now: Instant) -> bool {
        self.gaps.get(&room).is_some_and(|gap| gap.due <= now)
    }

    /// The store could not be read, or did not have it: later.
    pub fn postpone(&mut self, room: RoomId, now: Instant) {
        if let Some(gap) = self.gaps.get_mut(&room) {
            gap.due = now + AGAIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::PersonName;
    use crate::store::Time;

    fn message(rev: Rev) -> Message {
        Message::born(1, rev, rev.to_string(), PersonName::trusted("ann"), Time(0), String::new(), None)
    }

    fn revs(messages: Vec<Message>) -> Vec<Rev> {
        messages.iter().map(|message| message.rev).collect()
    }

    #[test]
    fn what_comes_in_any_order_goes_on_in_its_own_and_once() {
        let (mut line, now) = (Sequencer::new(HashMap::from([(1, 4)])), Instant::now());
        let mut passed = Vec::new();
        for rev in [5, 7, 9, 8, 4, 5, 6, 7, 10, 9] {
            passed.extend(revs(line.take(message(rev), now)));
        }
        assert_eq!(passed, [5, 6, 7, 8, 9, 10]);
        assert_eq!((line.due(), line.passed(1)), (None, 10));
    }

    #[test]
    fn what_does_not_come_is_read_and_what_waits_follows_it() {
        let (mut line, now) = (Sequencer::new(HashMap::from([(1, 4)])), Instant::now());
        for rev in [7, 8, 12] {
            assert!(line.take(message(rev), now).is_empty());
        }
        assert!(line.overdue(now).is_empty(), "it may be on its way");
        assert_eq!((line.due(), line.overdue(now + GRACE)), (Some(now + GRACE), vec![1]));
        line.postpone(1, now + GRACE);
        assert_eq!(line.due(), Some(now + GRACE + AGAIN), "the store did not answer");
        // 5 has become 9 meanwhile, so the store has it no more under its own number.
        assert_eq!(revs(line.fill(1, vec![message(6), message(7)])), [6, 7, 8]);
        assert_eq!(revs(line.fill(1, vec![message(9), message(10), message(11)])), [9, 10, 11, 12]);
        assert_eq!(line.due(), None);
    }

    #[test]
    fn a_room_that_has_come_further_than_anybody_said_is_read() {
        let (mut line, now) = (Sequencer::new(HashMap::from([(1, 4)])), Instant::now());
        line.hear(1, 4, true, now);
        assert_eq!(line.due(), None);
        line.hear(1, 6, true, now);
        assert_eq!(line.overdue(now + GRACE), [1]);
        assert_eq!(revs(line.take(message(5), now)), [5]);
        assert!(line.due().is_some(), "6 is still missing");
        assert_eq!(revs(line.take(message(6), now)), [6]);
        assert_eq!(line.due(), None);
        line.take(message(9), now);
        assert_eq!(revs(line.skip(1, 8)), [9]);
        line.hear(1, 10, false, now);
        assert_eq!(line.overdue(now), [1], "nothing comes by itself");
    }
}
