//! The watchdog: says when a thread that all others wait for does not come round, and when it does again.
//!
//! It has no thread of its own: the server's, which joins the threads of clients, looks now and then.

use crate::metrics::Metrics;
use crate::pulse::Pulse;
use crate::trouble::Trouble;
use log::{info, warn};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it looks.
pub(crate) const EVERY: Duration = Duration::from_millis(500);

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
    use crate::pulse::STALL;

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
