//! Tries: how often something may be tried, by a name and from an address. In memory, and bounded.

use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Keys that are remembered, at most.
const REMEMBERED: usize = 20_000;

/// How often something may be tried: so many times in so much time.
#[derive(Clone, Copy, PartialEq)]
pub struct Allowance {
    times: usize,
    within: Duration,
}

/// Passwords: of one name, and from one address.
pub const LOGINS: Allowance = Allowance { times: 10, within: Duration::from_secs(180) };

/// New accounts and names from one address. A whole class may sit behind one.
pub const FROM_AN_ADDRESS: Allowance = Allowance { times: 60, within: Duration::from_secs(120) };

/// What was tried lately.
#[derive(Default)]
pub struct Tries {
    made: Mutex<HashMap<String, Made>>,
}

/// The tries that still count, the oldest first.
struct Made {
    at: VecDeque<Instant>,
    allowance: Allowance,
}

impl Made {
    fn forget_old(&mut self, now: Instant) {
        let within = self.allowance.within;
        while self.at.front().is_some_and(|at| now.saturating_duration_since(*at) >= within) {
            self.at.pop_front();
        }
    }
}

impl Tries {
    /// Counts a try. Too many: after how long the next is allowed.
    pub fn take(&self, key: String, allowance: Allowance, now: Instant) -> Result<(), Duration> {
        let mut all = self.made.lock();
        if all.len() >= REMEMBERED {
            all.retain(|_, made| {
                made.forget_old(now);
                !made.at.is_empty()
            });
        }
        if all.len() >= REMEMBERED {
            // Whoever has tried most is remembered longest.
            all.retain(|_, made| made.at.len() > made.allowance.times / 2);
        }
        let made = all.entry(key).or_insert_with(|| Made { at: VecDeque::new(), allowance });
        made.forget_old(now);
        match made.at.front() {
            Some(first) if made.at.len() >= allowance.times => Err(*first + allowance.within - now),
            _ => {
                made.at.push_back(now);
                Ok(())
            }
        }
    }

    /// What was tried was right: those before are forgotten.
    pub fn forgive(&self, key: &str) {
        self.made.lock().remove(key);
    }

    /// One of the tries was none.
    pub fn give_back(&self, key: &str) {
        if let Some(made) = self.made.lock().get_mut(key) {
            made.at.pop_back();
        }
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

    const FEW: Allowance = Allowance { times: 3, within: Duration::from_secs(30) };

    #[test]
    fn so_many_in_so_much_time_and_not_one_more() {
        let (tries, start) = (Tries::default(), Instant::now());
        let at = |key: &str, seconds| tries.take(key.into(), FEW, start + Duration::from_secs(seconds));
        assert_eq!([at("ann", 0), at("ann", 10), at("ann", 20)], [Ok(()); 3]);
        assert_eq!(at("ann", 20), Err(Duration::from_secs(10)));
        assert_eq!(at("ann", 24), Err(Duration::from_secs(6)), "a try that is refused is none");
        assert_eq!(at("bob", 24), Ok(()));
        assert_eq!(at("ann", 30), Ok(()));
        assert_eq!(at("ann", 31), Err(Duration::from_secs(9)));
        tries.give_back("ann");
        assert_eq!([at("ann", 31), at("ann", 31)], [Ok(()), Err(Duration::from_secs(9))]);
        tries.forgive("ann");
        assert_eq!([at("ann", 31), at("ann", 31), at("ann", 31)], [Ok(()); 3]);
    }

    #[test]
    fn passwords_are_tried_ten_times_in_three_minutes() {
        let (tries, start) = (Tries::default(), Instant::now());
        // A try each second: in any three minutes there are ten.
        let taken = |second| tries.take("ann".into(), LOGINS, start + Duration::from_secs(second)).is_ok();
        let right: Vec<u64> = (0..540).filter(|second| taken(*second)).collect();
        assert_eq!(right.len(), 30);
        assert!(right.windows(11).all(|tries| tries[10] - tries[0] >= 180), "{right:?}");
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
        assert!(tries.made.lock().len() <= REMEMBERED);
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
