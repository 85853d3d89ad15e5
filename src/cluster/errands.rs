//! The errands of the scout: what it is to look at, as the others tell it, and whether the bus works.

use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// How often everything is looked at, though nobody has said that there is anything; and how often where the bus does not work.
pub const ROUND: Duration = Duration::from_secs(30);
const ROUND_IN_TROUBLE: Duration = Duration::from_secs(2);

/// Between two looks at the same thing: what is told in between is seen by the second.
const REST: Duration = Duration::from_millis(100);

/// What waits for the scout.
#[derive(Default)]
pub struct Errands {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    rooms: bool,
    sanctions: bool,
    webhooks: bool,
    everything: bool,
    /// The bus did not take what was sent last; it could not be listened to.
    mute: bool,
    deaf: bool,
    stopping: bool,
}

/// What it looks at next.
pub enum Look {
    Heads,
    Rooms,
    Sanctions,
    Webhooks,
    Everything,
}

impl Errands {
    /// A room was made or changed.
    pub fn look_at_rooms(&self) {
        self.state.lock().rooms = true;
        self.changed.notify_all();
    }

    /// Somebody was muted or banned, or is so no longer.
    pub fn look_at_sanctions(&self) {
        self.state.lock().sanctions = true;
        self.changed.notify_all();
    }

    /// A webhook was made or changed, or they are this node's to send from now on.
    pub fn look_at_webhooks(&self) {
        self.state.lock().webhooks = true;
        self.changed.notify_all();
    }

    /// Something may have been lost.
    pub fn look_at_everything(&self) {
        self.state.lock().everything = true;
        self.changed.notify_all();
    }

    /// Whether the bus takes what is sent. Gives whether it did before.
    pub fn sending(&self, works: bool) -> bool {
        !std::mem::replace(&mut self.state.lock().mute, !works)
    }

    /// Whether the bus can be listened to.
    pub fn hearing(&self, works: bool) {
        self.state.lock().deaf = !works;
    }

    /// Whether the bus takes what is sent.
    pub fn is_sending(&self) -> bool {
        !self.state.lock().mute
    }

    /// Ends it.
    pub fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Waits for what is to be looked at. None: it is time to stop.
    pub fn next(&self, heads: Instant, everything: Instant) -> Option<Look> {
        let mut state = self.state.lock();
        loop {
            let soon = everything - (ROUND - ROUND_IN_TROUBLE);
            let due = if state.mute || state.deaf { soon } else { everything };
            if state.stopping {
                return None;
            }
            if std::mem::take(&mut state.everything) || due <= Instant::now() {
                (state.rooms, state.sanctions) = (false, false);
                return Some(Look::Everything);
            }
            if std::mem::take(&mut state.rooms) {
                return Some(Look::Rooms);
            }
            if std::mem::take(&mut state.sanctions) {
                return Some(Look::Sanctions);
            }
            if std::mem::take(&mut state.webhooks) {
                return Some(Look::Webhooks);
            }
            if heads <= Instant::now() {
                return Some(Look::Heads);
            }
            self.changed.wait_until(&mut state, heads.min(due));
        }
    }

    /// False: it is time to stop.
    pub fn rest(&self) -> bool {
        let (mut state, until) = (self.state.lock(), Instant::now() + REST);
        while !state.stopping && !self.changed.wait_until(&mut state, until).timed_out() {}
        !state.stopping
    }
}
