//! Pages of history: who waits for which, how deep they lie, and how late they came.

use super::latency::Latency;
use hdrhistogram::CreationError;

/// Messages on a page.
pub const PAGE: usize = 50;

pub struct Pages {
    /// By asker: the number of what it asked for and when, until that is answered.
    waiting: Vec<Option<(u64, u64)>>,
    asked: u64,
    pub answered: u64,
    /// Their payloads, in bytes.
    pub bytes: u64,
    pub latency: Latency,
}

impl Pages {
    pub fn new(askers: usize) -> Result<Pages, CreationError> {
        Ok(Pages { waiting: vec![None; askers], asked: 0, answered: 0, bytes: 0, latency: Latency::new()? })
    }

    pub fn askers(&self) -> usize {
        self.waiting.len()
    }

    /// Someone asks; the number of its request.
    pub fn asked(&mut self, asker: usize, now: u64) -> u64 {
        self.asked += 1;
        self.waiting[asker] = Some((self.asked, now));
        self.asked
    }

    /// A page has come. False: nobody waits for that one.
    pub fn arrived(&mut self, asker: usize, page: &[u8], now: u64) -> bool {
        let Some(waiting) = self.waiting.get_mut(asker) else { return false };
        // The number of the request is the last field of its answer.
        let Some((_, since)) = waiting.take_if(|(number, _)| page.ends_with(format!(":{number}}}").as_bytes())) else {
            return false;
        };
        self.answered += 1;
        self.bytes += page.len() as u64;
        self.latency.record(now.saturating_sub(since));
        true
    }

    /// Requests without an answer.
    pub fn waiting(&self) -> usize {
        self.waiting.iter().flatten().count()
    }

    /// Begins to count anew; what was asked for is still waited for.
    pub fn restart(&mut self) {
        (self.answered, self.bytes) = (0, 0);
        self.latency.restart();
    }
}

/// Where a page begins, anywhere in a room of so many messages: there is at least one before it.
pub fn depth(random: u64, head: u64) -> u64 {
    2 + random % (head - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_once_by_whoever_asked_for_it() {
        let mut pages = Pages::new(2).unwrap();
        let first = pages.asked(0, 1_000_000);
        let second = pages.asked(1, 1_000_000);
        let page = |number: u64| format!(r#"{{"type":"history","messages":[],"more":false,"ref":{number}}}"#);
        assert!(!pages.arrived(0, page(second).as_bytes(), 2_000_000), "that is somebody else's");
        assert!(pages.arrived(0, page(first).as_bytes(), 3_000_000));
        assert!(!pages.arrived(0, page(first).as_bytes(), 3_000_000), "it was answered already");
        assert!(!pages.arrived(7, page(first).as_bytes(), 3_000_000), "that one asks for nothing");
        assert_eq!((pages.answered, pages.waiting()), (1, 1));
        assert!((pages.latency.at(1.0) - 2.0).abs() < 0.05);
    }

    #[test]
    fn every_depth_of_a_room_is_asked_for() {
        let depths: std::collections::BTreeSet<u64> = (0..100).map(|random| depth(random, 5)).collect();
        assert_eq!(depths, (2..=5).collect());
        assert_eq!(depth(u64::MAX, 2), 2);
    }
}
