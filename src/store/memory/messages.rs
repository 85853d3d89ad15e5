//! Messages in memory: their pages, their changes, and who is spoken to in them.

use super::super::{Change, Fault, Message, Outcome, Rev, Role, RoomId, Time, UNREAD_COUNTED};
use super::{Kept, State};
use crate::mention;
use crate::name::PersonName;
use std::ops::Bound;

/// What a kept message weighs besides its texts: the entry, its id in the index, the allocator's rounding.
const OVERHEAD: usize = 384;

/// What a reaction weighs besides its sign and its name.
const A_REACTION: usize = 64;

impl State {
    pub fn post(
        &mut self,
        room: RoomId,
        from: PersonName,
        id: String,
        body: String,
        reply_to: Option<Rev>,
        at: Time,
    ) -> Outcome {
        let key = (from.folded(), id.clone());
        if let Some((room, seq)) = self.ids.get(&key)
            && let Some(message) = self.kept(*room).find(*seq)
        {
            return Outcome::Repeated(message.clone());
        }
        if reply_to.is_some_and(|seq| self.kept(room).find(seq).is_none()) {
            return Outcome::Refused(Fault::NothingToReplyTo);
        }
        self.know(&from);
        let seq = self.rooms[room as usize - 1].next();
        let message = Message::born(room, seq, id, from, at, body, reply_to);
        self.rooms[room as usize - 1].messages.push_back(message.clone());
        self.mention(&message);
        self.ids.insert(key, (room, seq));
        self.arrivals.push_back((room, seq));
        self.bytes += weight(&message);
        Outcome::Posted(message)
    }

    pub fn amend(&mut self, room: RoomId, seq: Rev, by: &PersonName, role: Role, change: &Change, at: Time) -> Outcome {
        let Some(before) = self.kept(room).find(seq).cloned() else { return Outcome::Refused(Fault::NoSuchMessage) };
        let after = match before.after(change, by, role, at) {
            Ok(Some(after)) => after,
            Ok(None) => return Outcome::Unchanged,
            Err(fault) => return Outcome::Refused(fault),
        };
        self.know(by);
        let kept = &mut self.rooms[room as usize - 1];
        let message = Message { rev: kept.next(), ..after };
        kept.changed.remove(&before.rev);
        kept.changed.insert(message.rev, seq);
        let place = kept.messages.partition_point(|m| m.seq < seq);
        kept.messages[place] = message.clone();
        self.bytes = self.bytes + weight(&message) - weight(&before);
        if !matches!(change, Change::React { .. }) {
            self.mention(&message);
        }
        Outcome::Posted(message)
    }

    /// Keeps who is spoken to in a message: people who are known, but not its author.
    pub(super) fn mention(&mut self, message: &Message) {
        let author = message.from.folded();
        let called = mention::candidates(&message.body);
        let found = called.into_iter().filter_map(|names| names.into_iter().find(|name| self.everyone.knows(name)));
        let found: Vec<String> = found.filter(|name| *name != author).collect();
        let mentioned = &mut self.rooms[message.room as usize - 1].mentioned;
        if found.is_empty() {
            mentioned.remove(&message.seq);
        } else {
            mentioned.insert(message.seq, found);
        }
    }

    pub fn forget_oldest(&mut self) {
        let Some((room, _)) = self.arrivals.pop_front() else { return };
        self.forgotten += 1;
        let kept = &mut self.rooms[room as usize - 1];
        let Some(message) = kept.messages.pop_front() else { return };
        kept.changed.remove(&message.rev);
        kept.mentioned.remove(&message.seq);
        self.bytes -= weight(&message);
        self.ids.remove(&(message.from.folded(), message.id));
    }
}

impl Kept {
    fn next(&mut self) -> Rev {
        self.room.head += 1;
        self.room.head
    }

    pub fn find(&self, seq: Rev) -> Option<&Message> {
        let place = self.messages.partition_point(|m| m.seq < seq);
        self.messages.get(place).filter(|message| message.seq == seq)
    }

    pub fn since(&self, rev: Rev, count: usize) -> Vec<Message> {
        let start = self.messages.partition_point(|m| m.seq <= rev);
        let as_born = self.messages.range(start..).filter(|m| m.rev == m.seq).take(count);
        let changed = self.changed.range(after(rev)).take(count).filter_map(|(_, seq)| self.find(*seq));
        let mut messages: Vec<&Message> = as_born.chain(changed).collect();
        messages.sort_by_key(|message| message.rev);
        messages.into_iter().take(count).cloned().collect()
    }

    /// How many messages came after `rev` and were not deleted, and how many of them speak to that person.
    pub fn count_after(&self, rev: Rev, person: &String) -> (i64, i64) {
        let most = UNREAD_COUNTED as usize;
        let unread = self.messages.iter().rev().take_while(|m| m.seq > rev).filter(|m| !m.deleted).take(most).count();
        let mentions = self.mentioned.range(after(rev)).filter(|(_, names)| names.contains(person)).take(most).count();
        (unread as i64, mentions as i64)
    }
}

fn after(rev: Rev) -> (Bound<Rev>, Bound<Rev>) {
    (Bound::Excluded(rev), Bound::Unbounded)
}

pub(super) fn weight(message: &Message) -> usize {
    let reactions = message.reactions.iter().flat_map(|reaction| &reaction.people);
    let reactions: usize = reactions.map(|person| person.as_str().len() + A_REACTION).sum();
    message.body.len() + 2 * message.id.len() + reactions + OVERHEAD
}
