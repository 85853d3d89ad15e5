//! The watchdog: says when a thread that all others wait for does not come round, and when it does again.
//!
//! It has no thread of its own: the server's, which joins the threads of clients, looks now and then.

use crate::metrics::Metrics;
use crate::trouble::Trouble;
use log::{info, warn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often it looks.
pub(crate) const EVERY: Duration = Duration::from_millis(500);

/// One piece of work that takes longer is a stall: everybody waits for it.
const STALL: Duration = Duration::from_secs(1);

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

/// What is known of each thread that is watched.
pub(crate) struct Watchdog {
    metrics: Arc<Metrics>,
    watched: [Watched; 2],
}

struct Watched {
    name: &'static str,
    pulse: fn(&Metrics) -> &Pulse,
    /// What the operator may look for.
    advice: &'static str,
    /// How long it had been at it when it was seen last.
    seen: Duration,
    trouble: Trouble,
}

impl Watchdog {
    /// Watches the threads whose pulses the metrics hold.
    pub fn new(metrics: Arc<Metrics>) -> Watchdog {
        let watched =
            |name, pulse, advice| Watched { name, pulse, advice, seen: Duration::ZERO, trouble: Trouble::default() };
        let disk = "nobody sees what is posted meanwhile; the disk is slow, or another program holds the database";
        let machine = "nobody is sent anything meanwhile; the machine is short of processor or memory";
        let recorder = watched("recorder", |metrics| &metrics.recorder, disk);
        Watchdog { metrics, watched: [recorder, watched("dispatcher", |metrics| &metrics.dispatcher, machine)] }
    }

    /// Looks once.
    pub fn look(&mut self, now: Instant) {
        for watched in &mut self.watched {
            let stalled = (watched.pulse)(&self.metrics).stalled(now);
            // Shorter than it was: this is another one.
            let is_over = !watched.seen.is_zero() && stalled < watched.seen;
            if is_over && watched.trouble.worked() {
                info!(
                    "the {} comes round again, after {:.1} s or a little more",
                    watched.name,
                    watched.seen.as_secs_f64()
                );
            }
            if !stalled.is_zero() && (watched.seen.is_zero() || is_over) {
                self.metrics.stalled(watched.name);
                if let Some(unsaid) = watched.trouble.failed(now) {
                    let seconds = stalled.as_secs_f64();
                    warn!("the {} has not come round for {seconds:.1} s: {}{unsaid}", watched.name, watched.advice);
                }
            }
            watched.seen = stalled;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_counted_once_and_the_next_one_again() {
        let metrics = Arc::new(Metrics::new(1));
        let mut watchdog = Watchdog::new(metrics.clone());
        let stalls = || {
            let text = metrics.text(&Default::default());
            let line = text.lines().find_map(|line| line.strip_prefix("parlor_stalls_total{thread=\"recorder\"} "));
            line.unwrap().parse::<u64>().unwrap()
        };
        let mut look = |after: Duration| {
            watchdog.look(Instant::now() + after);
            stalls()
        };
        assert_eq!(look(10 * STALL), 0, "it waits for something to do");
        metrics.recorder.work();
        assert_eq!(look(STALL / 2), 0);
        assert_eq!(look(STALL + EVERY), 1);
        assert_eq!(look(2 * STALL), 1);
        metrics.recorder.rest();
        assert_eq!(look(3 * STALL), 1);
        metrics.recorder.work();
        assert_eq!(look(2 * STALL), 2);
        metrics.recorder.work();
        assert_eq!(look(STALL + EVERY), 3, "another, though it was never seen to wait");
    }
}
