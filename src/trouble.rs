//! A trouble: what goes wrong again and again until it is over. It is said when it begins, once in a minute while it
//! lasts, and when it is over; one that comes and goes all the time is not said each time.

use parking_lot::Mutex;
use std::fmt;
use std::time::{Duration, Instant};

/// While it lasts it is said again after so long.
const AGAIN: Duration = Duration::from_secs(60);

/// How often it may begin in that time and be said.
const MOST: u32 = 3;

/// What to say of it, and when.
#[derive(Default)]
pub(crate) struct Trouble(Mutex<State>);

#[derive(Default)]
struct State {
    lasts: bool,
    /// That it lasts was said.
    told: bool,
    /// When the present minute began, and how often it was said since.
    minute: Option<Instant>,
    said: u32,
    unsaid: u64,
}

/// How often it went wrong and nothing was said. Shown, it is what to put behind the cause.
#[derive(Debug, PartialEq)]
pub(crate) struct Unsaid(u64);

impl Trouble {
    /// It went wrong. Some: say so.
    pub fn failed(&self, now: Instant) -> Option<Unsaid> {
        let state = &mut *self.0.lock();
        if state.minute.is_none_or(|begin| now.duration_since(begin) >= AGAIN) {
            (state.minute, state.said) = (Some(now), 0);
        }
        let begins = !std::mem::replace(&mut state.lasts, true);
        if (begins || state.said == 0) && state.said < MOST {
            (state.said, state.told) = (state.said + 1, true);
            return Some(Unsaid(std::mem::take(&mut state.unsaid)));
        }
        state.told &= !begins;
        state.unsaid += 1;
        None
    }

    /// It went well. True: say that the trouble is over.
    pub fn worked(&self) -> bool {
        let state = &mut *self.0.lock();
        std::mem::take(&mut state.lasts) && std::mem::take(&mut state.told)
    }
}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" (and once more since this was said last)"),
            times => write!(f, " (and {times} times more since this was said last)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_when_it_begins_when_a_minute_has_passed_and_when_it_is_over() {
        let (trouble, begin) = (Trouble::default(), Instant::now());
        assert!(!trouble.worked());
        assert_eq!(trouble.failed(begin), Some(Unsaid(0)));
        assert_eq!(trouble.failed(begin + AGAIN / 2), None);
        let later = trouble.failed(begin + AGAIN).unwrap();
        assert_eq!(later.to_string(), " (and once more since this was said last)");
        assert!(trouble.worked());
        assert!(!trouble.worked());
    }

    #[test]
    fn one_that_comes_and_goes_is_not_said_each_time() {
        let (trouble, begin) = (Trouble::default(), Instant::now());
        let said = |at: Instant| (0..100).filter(|_| trouble.failed(at).is_some() | trouble.worked()).count();
        assert_eq!(said(begin), MOST as usize);
        assert_eq!(said(begin + AGAIN / 2), 0);
        assert_eq!(said(begin + AGAIN), MOST as usize);
    }
}
