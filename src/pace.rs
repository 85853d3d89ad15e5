//! The pace: how long the recorder gathers before it stores.
//!
//! While the dispatcher sends what was stored before, nothing that is stored now can be seen any sooner. So what comes
//! meanwhile is gathered, and stored just in time: one larger commit instead of many small ones, and one larger write for each
//! client. Where storing takes longer than sending nothing is gathered, and both work at the same time.

use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Shared by the recorder and the dispatcher.
#[derive(Default)]
pub(crate) struct Pace {
    state: Mutex<State>,
    sent: Condvar,
}

#[derive(Default)]
struct State {
    /// Batches that are stored and not sent to all.
    on_their_way: usize,
    /// How long the dispatcher took for the last.
    sending: Duration,
}

impl Pace {
    /// The recorder has stored a batch, and passes it on.
    pub fn stored(&self) {
        self.state.lock().on_their_way += 1;
    }

    /// The dispatcher has sent so many batches, and that took so long.
    pub fn sent(&self, batches: usize, sending: Duration) {
        let mut state = self.state.lock();
        state.on_their_way = state.on_their_way.saturating_sub(batches);
        state.sending = sending;
        if state.on_their_way == 0 {
            self.sent.notify_one();
        }
    }

    /// Waits until the dispatcher has nothing left, or until it is time for the recorder, who takes so long, to begin.
    pub fn gather(&self, storing: Duration) {
        let mut state = self.state.lock();
        let until = Instant::now() + state.sending.saturating_sub(storing);
        while state.on_their_way > 0 && !self.sent.wait_until(&mut state, until).timed_out() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn nothing_is_waited_for_where_nothing_is_on_its_way_or_storing_takes_longer() {
        let pace = Pace::default();
        pace.sent(0, LONG);
        pace.gather(Duration::ZERO);
        pace.stored();
        pace.gather(LONG);
    }

    #[test]
    fn what_is_on_its_way_is_waited_for_until_all_of_it_is_sent() {
        let pace = Pace::default();
        pace.sent(0, LONG);
        pace.stored();
        pace.stored();
        std::thread::scope(|scope| {
            let recorder = scope.spawn(|| pace.gather(Duration::ZERO));
            pace.sent(1, LONG);
            assert!(!recorder.is_finished());
            pace.sent(1, LONG);
            recorder.join().unwrap();
        });
    }
}
