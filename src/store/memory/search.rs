//! Search in memory: it looks through all messages, from the newest on.

use super::super::Kind;
use super::super::search::{Cursor, Found, Hit, Search, Wanted, Within};
use super::{Memory, State};
use crate::error::Error;
use crate::words;

/// Messages that are looked at before others get their turn at the store.
const SLICE: usize = 1000;

impl Search for Memory {
    fn search(&self, wanted: &Wanted) -> Result<Found, Error> {
        let mut found = Found::default();
        let mut end = wanted.cursor.map_or(i64::MAX, |cursor| cursor.0);
        loop {
            let (messages, begin) = self.state.read().arrived_before(end, SLICE, &wanted.within);
            for (at, hit) in messages.into_iter().filter(|(_, hit)| is_hit(hit, wanted)) {
                if found.hits.len() == wanted.limit {
                    return Ok(found);
                }
                found.hits.push(hit);
                found.next = Some(Cursor(at));
            }
            if begin == 0 {
                return Ok(Found { next: None, ..found });
            }
            end = begin;
        }
    }
}

fn is_hit(hit: &Hit, wanted: &Wanted) -> bool {
    wanted.before.is_none_or(|before| hit.at < before)
        && wanted.after.is_none_or(|after| hit.at >= after)
        && (wanted.from.is_empty() || wanted.from.contains(&hit.from.folded()))
        && words::find(&hit.body, &wanted.terms).is_some()
}

impl State {
    /// What of the `count` messages that arrived last before `end` stands in those rooms, the newest first, each with
    /// when it arrived; and when the first of them all did, 0 if there is none before it.
    fn arrived_before(&self, end: i64, count: usize, within: &Within) -> (Vec<(i64, Hit)>, i64) {
        let end = (end - self.forgotten - 1).clamp(0, self.arrivals.len() as i64) as usize;
        let begin = end.saturating_sub(count);
        let arrived = (begin..end).rev().zip(self.arrivals.range(begin..end).rev());
        let hits = arrived.filter_map(|(at, (room, seq))| {
            let kept = self.kept(*room);
            let is_within = match within {
                Within::PublicAnd(others) => kept.room.kind == Kind::Public || others.contains(room),
                Within::Only(rooms) => rooms.contains(room),
            };
            let message = kept.find(*seq).filter(|message| is_within && !message.deleted)?;
            let (room_name, from, body) = (kept.room.name.clone(), message.from.clone(), message.body.clone());
            let hit = Hit { room: *room, room_name, seq: *seq, from, at: message.at, body };
            Some((self.forgotten + 1 + at as i64, hit))
        });
        (hits.collect(), if begin == 0 { 0 } else { self.forgotten + 1 + begin as i64 })
    }
}
