//! Tries: how often something may be tried, by a name and from an address. In memory, and bounded.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Keys that are remembered, at most.
const REMEMBERED: usize = 20_000;

/// How often something may be tried: so many times at once, and then once in so much time.
#[derive(Clone, Copy)]
pub struct Allowance {
    at_once: u32,
    every: Duration,
}

/// Passwords for one name.
pub const OF_A_NAME: Allowance = Allowance { at_once: 10, every: Duration::from_secs(30) };

/// Passwords and new accounts from one address. A whole class may sit behind one.
pub const FROM_AN_ADDRESS: Allowance = Allowance { at_once: 60, every: Duration::from_secs(2) };

/// What was tried lately.
#[derive(Default)]
pub struct Tries {
    spent: Mutex<HashMap<String, Spent>>,
}

/// What is spent of an allowance, in time that it takes to come back.
struct Spent {
    time: Duration,
    at: Instant,
    whole: Duration,
}

impl Spent {
    fn now(&self, now: Instant) -> Duration {
        self.time.saturating_sub(now.saturating_duration_since(self.at))
    }
}

impl Tries {
    /// Counts a try. Too many: after how long the next is allowed.
    pub fn take(&self, key: String, allowance: Allowance, now: Instant) -> Result<(), Duration> {
        let whole = allowance.every * allowance.at_once;
        let mut spent = self.spent.lock();
        if spent.len() >= REMEMBERED {
            spent.retain(|_, spent| spent.now(now) > Duration::ZERO);
        }
        if spent.len() >= REMEMBERED {
            // Whoever has tried most is remembered longest.
            spent.retain(|_, spent| spent.now(now) > spent.whole / 2);
        }
        let entry = spent.entry(key).or_insert(Spent { time: Duration::ZERO, at: now, whole });
        let after = entry.now(now) + allowance.every;
        if after > whole {
            return Err(after - whole);
        }
        (entry.time, entry.at) = (after, now);
        Ok(())
    }

    /// What was tried was right: those before are forgotten.
    pub fn forgive(&self, key: &str) {
        self.spent.lock().remove(key);
    }
}

/// An address as tries are counted: of IPv6 the network, which one household has to itself.
pub fn place(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x?}", &v6.segments()[..4]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Allowance = Allowance { at_once: 3, every: Duration::from_secs(10) };

    #[test]
    fn so_many_at_once_and_then_one_at_a_time() {
        let (tries, start) = (Tries::default(), Instant::now());
        let at = |key: &str, seconds| tries.take(key.into(), FEW, start + Duration::from_secs(seconds));
        for _ in 0..3 {
            assert_eq!(at("ann", 0), Ok(()));
        }
        assert_eq!(at("ann", 0), Err(Duration::from_secs(10)));
        assert_eq!(at("ann", 4), Err(Duration::from_secs(6)), "a try that is refused costs nothing");
        assert_eq!(at("bob", 4), Ok(()));
        assert_eq!(at("ann", 10), Ok(()));
        assert_eq!(at("ann", 11), Err(Duration::from_secs(9)));
        tries.forgive("ann");
        assert_eq!(at("ann", 11), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_who_tries_most_is_not_forgotten() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..3 {
            tries.take("guesser".into(), FEW, now).unwrap();
        }
        for n in 0..3 * REMEMBERED {
            let _ = tries.take(n.to_string(), FEW, now);
        }
        assert!(tries.spent.lock().len() <= REMEMBERED);
        assert!(tries.take("guesser".into(), FEW, now).is_err());
    }

    #[test]
    fn one_network_is_one_place() {
        let of = |text: &str| place(text.parse().unwrap());
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }
}
