//! The rate at which one person may change what others see: so much at once, and then so much a second.

use crate::name::PersonName;
use crate::protocol::Problem;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// People who are remembered before those who are gone and owe nothing are let go.
const REMEMBERED: usize = 4096;

/// So much a second, and at first so much at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// What comes back in a second.
    pub a_second: u32,
    /// What may be done at once.
    pub at_once: u32,
}

impl Rate {
    fn every(self) -> Duration {
        Duration::from_secs(1) / self.a_second.max(1)
    }
}

/// Everyone's buckets, by folded name. All connections of a person share one.
pub struct Rates {
    rate: Option<Rate>,
    all: Mutex<HashMap<String, Arc<Bucket>>>,
}

/// One person's. What is spent is kept as the moment at which it will have come back.
pub struct Bucket {
    rate: Option<Rate>,
    whole_at: Mutex<Option<Instant>>,
}

impl Rates {
    /// None: nobody is held back.
    pub fn new(rate: Option<Rate>) -> Rates {
        Rates { rate, all: Mutex::default() }
    }

    /// A person's bucket. It outlives the person's connections until it is whole again: coming back fills none.
    pub fn of(&self, name: &PersonName, now: Instant) -> Arc<Bucket> {
        if self.rate.is_none() {
            return Arc::new(Bucket { rate: None, whole_at: Mutex::default() });
        }
        let mut all = self.all.lock();
        if all.len() >= REMEMBERED {
            all.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_whole(now));
        }
        let new = || Arc::new(Bucket { rate: self.rate, whole_at: Mutex::default() });
        all.entry(name.folded()).or_insert_with(new).clone()
    }

    /// Somebody who is known here has spent so much at another node.
    #[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "there is no other node"))]
    pub fn spend(&self, folded: &str, times: u32, now: Instant) {
        let bucket = self.all.lock().get(folded).cloned();
        bucket.into_iter().for_each(|bucket| bucket.spend(times, now));
    }
}

impl Bucket {
    /// Takes one. There is none: after how long there is.
    pub fn take(&self, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let mut whole_at = self.whole_at.lock();
        let after = whole_at.map_or(now, |at| at.max(now)) + rate.every();
        let owed = after.saturating_duration_since(now);
        let most = rate.every() * rate.at_once.max(1);
        if owed > most {
            return Err(owed - most);
        }
        *whole_at = Some(after);
        Ok(())
    }

    /// Takes what was done elsewhere; no more than there is.
    fn spend(&self, times: u32, now: Instant) {
        let Some(rate) = self.rate else { return };
        let mut whole_at = self.whole_at.lock();
        let after = whole_at.map_or(now, |at| at.max(now)) + rate.every() * times.min(rate.at_once);
        *whole_at = Some(after.min(now + rate.every() * rate.at_once.max(1)));
    }

    fn is_whole(&self, now: Instant) -> bool {
        self.whole_at.lock().is_none_or(|at| at <= now)
    }
}

/// What was asked for too soon may come again after `wait`.
pub fn too_fast(wait: Duration) -> Problem {
    Problem::rate_limited(format!("too fast: go on in {:.1} s", wait.as_secs_f64().max(0.1)), wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).unwrap()
    }

    #[test]
    fn so_much_at_once_then_so_much_a_second_over_all_connections() {
        let rates = Rates::new(Some(Rate { a_second: 5, at_once: 3 }));
        let start = Instant::now();
        let take = |who: &str, ms| rates.of(&name(who), start).take(start + Duration::from_millis(ms));
        for who in ["ann", "Ann", "ANN"] {
            assert_eq!(take(who, 0), Ok(()));
        }
        assert_eq!(take("ann", 0), Err(Duration::from_millis(200)));
        assert_eq!(take("ann", 150), Err(Duration::from_millis(50)), "what is refused costs nothing");
        assert_eq!(take("bob", 150), Ok(()));
        assert_eq!((take("ann", 200), take("ann", 200)), (Ok(()), Err(Duration::from_millis(200))));
        let later = (0..5).filter(|_| take("ann", 60_000).is_ok()).count();
        assert_eq!(later, 3, "no more than at once is ever saved up");
        rates.spend("bob", 9, start + Duration::from_secs(60));
        rates.spend("nobody", 9, start + Duration::from_secs(60));
        assert_eq!(take("bob", 60_000), Err(Duration::from_millis(200)), "he did it at another node");
        let free = Rates::new(None).of(&name("ann"), start);
        assert!((0..1000).all(|_| free.take(start).is_ok()));
    }

    #[test]
    fn who_is_gone_and_owes_nothing_is_forgotten_and_nobody_else() {
        let rates = Rates::new(Some(Rate { a_second: 1, at_once: 1 }));
        let start = Instant::now();
        let here = rates.of(&name("here"), start);
        rates.of(&name("owing"), start).take(start).unwrap();
        for n in 0..REMEMBERED {
            rates.of(&name(&format!("n{n}")), start);
        }
        assert!(rates.all.lock().len() < REMEMBERED);
        assert!(rates.of(&name("owing"), start).take(start).is_err());
        assert!(Arc::ptr_eq(&here, &rates.of(&name("here"), start)));
    }
}
