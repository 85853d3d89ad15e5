//! What arrived: how much, how late, and whether all of it did, once and in order.

use super::latency::Latency;
use hdrhistogram::CreationError;
use std::collections::{HashSet, VecDeque};

/// What a message's text begins with: who sent it, which of theirs it is, and when, each in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamp {
    pub sender: usize,
    pub number: u32,
    /// In nanoseconds since the start.
    pub sent: u64,
}

impl Stamp {
    /// The text of a message, of that length.
    pub fn text(self, length: usize) -> String {
        format!("{:04x}{:08x}{:016x}{}", self.sender, self.number, self.sent, "x".repeat(length - 28))
    }

    /// Reads it from a text.
    pub fn of(text: &[u8]) -> Option<Stamp> {
        let number = |from: usize, to: usize| {
            text.get(from..to)?.iter().try_fold(0u64, |all, digit| {
                let digit = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                Some(all << 4 | u64::from(digit))
            })
        };
        Some(Stamp { sender: number(0, 4)? as usize, number: number(4, 12)? as u32, sent: number(12, 28)? })
    }
}

/// Deliveries, as all clients see them.
pub struct Tally {
    senders: usize,
    /// By client, then by sender: the number that comes next.
    next: Vec<u32>,
    /// A server that does not say when a client is in: what came before its first message was not for it.
    may_be_late: bool,
    /// By sender: what is in flight, as the number of clients that each still has to reach.
    in_flight: Vec<VecDeque<u32>>,
    /// By sender: the number of the first of these.
    first: Vec<u32>,
    /// By sender: how many clients a message of theirs is for.
    reach: Vec<u32>,
    waiting: usize,
    /// Passed over: client, sender and number. Lost, unless they come late.
    missing: HashSet<(usize, usize, u32)>,
    pub deliveries: u64,
    /// Their payloads, in bytes.
    pub bytes: u64,
    pub repeated: u64,
    pub out_of_order: u64,
    pub latency: Latency,
}

impl Tally {
    /// Nothing yet, for so many clients and for senders that each reach so many of them.
    pub fn new(clients: usize, reach: Vec<u32>, may_be_late: bool) -> Result<Tally, CreationError> {
        let senders = reach.len();
        Ok(Tally {
            senders,
            next: vec![0; clients * senders],
            may_be_late,
            in_flight: vec![VecDeque::new(); senders],
            first: vec![0; senders],
            reach,
            waiting: 0,
            missing: HashSet::new(),
            deliveries: 0,
            bytes: 0,
            repeated: 0,
            out_of_order: 0,
            latency: Latency::new()?,
        })
    }

    /// The next message of a sender is on its way; its number.
    pub fn sent(&mut self, sender: usize) -> u32 {
        self.in_flight[sender].push_back(self.reach[sender]);
        self.waiting += 1;
        self.first[sender] + self.in_flight[sender].len() as u32 - 1
    }

    /// Messages that somebody has not got yet.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether every client has had a message of the first sender.
    pub fn has_reached_all(&self) -> bool {
        self.next.iter().step_by(self.senders.max(1)).all(|next| *next > 0)
    }

    /// A message has reached a client.
    pub fn arrived(&mut self, client: usize, stamp: Stamp, bytes: usize, now: u64) {
        if stamp.sender >= self.senders {
            return;
        }
        let next = &mut self.next[client * self.senders + stamp.sender];
        if stamp.number < *next {
            // One that was passed over is late; any other came before.
            if !self.missing.remove(&(client, stamp.sender, stamp.number)) {
                self.repeated += 1;
                return;
            }
            self.out_of_order += 1;
        } else {
            let (passed_over, is_late) = (*next..stamp.number, self.may_be_late && *next == 0);
            *next = stamp.number + 1;
            for number in passed_over {
                if !is_late {
                    self.missing.insert((client, stamp.sender, number));
                }
                // Nobody waits for it, or a server that loses something would have nothing more to do.
                self.settle(stamp.sender, number);
            }
            self.settle(stamp.sender, stamp.number);
        }
        self.deliveries += 1;
        self.bytes += bytes as u64;
        self.latency.record(now.saturating_sub(stamp.sent));
    }

    /// One client less has to be reached by a message.
    fn settle(&mut self, sender: usize, number: u32) {
        let flight = &mut self.in_flight[sender];
        let place = number.wrapping_sub(self.first[sender]) as usize;
        if let Some(left) = flight.get_mut(place) {
            *left = left.saturating_sub(1);
        }
        while flight.front() == Some(&0) {
            flight.pop_front();
            self.first[sender] += 1;
            self.waiting -= 1;
        }
    }

    /// How many deliveries were never made.
    pub fn lost(&self) -> u64 {
        let in_flight: u64 = self.in_flight.iter().flatten().map(|left| u64::from(*left)).sum();
        in_flight + self.missing.len() as u64
    }

    /// Begins to count anew; what is in flight goes on.
    pub fn restart(&mut self) {
        (self.deliveries, self.bytes) = (0, 0);
        self.latency.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sender: usize, number: u32) -> Stamp {
        Stamp { sender, number, sent: 5_000_000 }
    }

    #[test]
    fn a_stamp_reads_as_it_was_written() {
        let stamp = Stamp { sender: 300, number: 70_000, sent: 1 << 40 };
        let text = stamp.text(64);
        assert_eq!((text.len(), Stamp::of(text.as_bytes())), (64, Some(stamp)));
        assert_eq!(Stamp::of(b"joined"), None);
    }

    #[test]
    fn a_message_is_in_flight_until_everybody_has_it() {
        let mut tally = Tally::new(2, vec![2], false).unwrap();
        assert_eq!((tally.sent(0), tally.sent(0), tally.waiting()), (0, 1, 2));
        tally.arrived(0, stamp(0, 0), 64, 6_000_000);
        tally.arrived(0, stamp(0, 1), 64, 6_000_000);
        assert_eq!(tally.waiting(), 2);
        assert!(!tally.has_reached_all());
        tally.arrived(1, stamp(0, 0), 64, 8_000_000);
        assert!(tally.has_reached_all());
        assert_eq!((tally.waiting(), tally.deliveries), (1, 3));
        assert!((tally.latency.at(0.5) - 1.0).abs() < 0.02 && (tally.latency.at(1.0) - 3.0).abs() < 0.05);
        assert_eq!(tally.lost(), 1);
    }

    #[test]
    fn what_is_missing_repeated_or_late_is_told_apart() {
        let mut tally = Tally::new(1, vec![1], false).unwrap();
        (0..5).for_each(|_| _ = tally.sent(0));
        tally.arrived(0, stamp(0, 0), 64, 0);
        tally.arrived(0, stamp(0, 0), 64, 0);
        let wrong = |tally: &Tally| (tally.repeated, tally.out_of_order, tally.missing.len());
        assert_eq!(wrong(&tally), (1, 0, 0));
        tally.arrived(0, stamp(0, 3), 64, 0);
        assert_eq!((wrong(&tally), tally.waiting()), ((1, 0, 2), 1), "two are passed over, and one is still to come");
        tally.arrived(0, stamp(0, 2), 64, 0);
        tally.arrived(0, stamp(0, 2), 64, 0);
        assert_eq!((wrong(&tally), tally.lost()), ((2, 1, 1), 2));
    }

    #[test]
    fn where_nobody_says_when_a_client_is_in_its_first_message_is_its_beginning() {
        for (may_be_late, lost) in [(false, 2), (true, 0)] {
            let mut tally = Tally::new(1, vec![1], may_be_late).unwrap();
            (0..5).for_each(|_| _ = tally.sent(0));
            tally.arrived(0, stamp(0, 2), 64, 0);
            assert_eq!((tally.missing.len(), tally.waiting()), (lost, 2));
            tally.arrived(0, stamp(0, 4), 64, 0);
            assert_eq!(tally.missing.len(), lost + 1);
        }
    }
}
