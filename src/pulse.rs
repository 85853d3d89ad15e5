//! The pulse of a thread: whether it is at work, and since when, for the watchdog. It costs a store each time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// One piece of work that takes longer is a stall: everybody waits for it.
pub const STALL: Duration = Duration::from_secs(1);

/// Whether a thread is at work, and since when.
pub(crate) struct Pulse {
    zero: Instant,
    /// Microseconds since `zero` when it took up what it is doing; 0 while it waits for something to do.
    began: AtomicU64,
}

impl Pulse {
    /// Of a thread that waits.
    pub fn new() -> Pulse {
        Pulse { zero: Instant::now(), began: AtomicU64::new(0) }
    }

    /// It takes up something.
    pub fn work(&self) {
        self.began.store(self.micros(Instant::now()).max(1), Relaxed);
    }

    /// It has come round, and waits.
    pub fn rest(&self) {
        self.began.store(0, Relaxed);
    }

    /// How long it has been at the same thing, if that is a stall; otherwise nothing.
    pub fn stalled(&self, now: Instant) -> Duration {
        let at_it = match self.began.load(Relaxed) {
            0 => Duration::ZERO,
            began => Duration::from_micros(self.micros(now).saturating_sub(began)),
        };
        if at_it < STALL { Duration::ZERO } else { at_it }
    }

    fn micros(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.zero).as_micros() as u64
    }
}
