//! The scout: the one thread that compares this node with the store, since the bus may have lost something.

use super::{Heard, Node};
use crate::line::Line;
use crate::order;
use log::debug;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is compared how far the rooms have come.
const HEADS: Duration = Duration::from_secs(2);

/// How often everything is looked at, though nobody has said that there is anything; and how often where the bus does not work.
const ROUND: Duration = Duration::from_secs(30);
const ROUND_IN_TROUBLE: Duration = Duration::from_secs(2);

/// Between two looks at the same thing: what is told in between is seen by the second.
const REST: Duration = Duration::from_millis(100);

/// What the scout is to look at.
#[derive(Default)]
pub struct Scout {
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
enum Look {
    Heads,
    Rooms,
    Sanctions,
    Webhooks,
    Everything,
}

impl Scout {
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
    fn next(&self, heads: Instant, everything: Instant) -> Option<Look> {
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
    fn rest(&self) -> bool {
        let (mut state, until) = (self.state.lock(), Instant::now() + REST);
        while !state.stopping && !self.changed.wait_until(&mut state, until).timed_out() {}
        !state.stopping
    }
}

/// Looks until the node is told to stop.
pub(super) fn run(node: &Node, line: &Arc<Line>) {
    let begin = Instant::now();
    let (mut heads, mut everything) = (begin + HEADS, begin + ROUND);
    while let Some(look) = node.scout.next(heads, everything) {
        let looked = match look {
            Look::Heads => {
                let tell = |heads| drop(node.heard.send(Heard::Heads { heads, is_coming: true }));
                line.store.heads().map(tell)
            }
            Look::Rooms => line.look_at_rooms(),
            Look::Sanctions => line.look_at_sanctions().map(|()| order::show_out(line)),
            #[cfg(feature = "http")]
            Look::Webhooks => crate::webhooks::look(line),
            #[cfg(not(feature = "http"))]
            Look::Webhooks => Ok(()),
            Look::Everything => line.refresh(),
        };
        let now = Instant::now();
        match look {
            Look::Heads => heads = now + HEADS,
            Look::Rooms | Look::Sanctions | Look::Webhooks => {}
            Look::Everything => (heads, everything) = (now + HEADS, now + ROUND),
        }
        if let Err(cause) = looked {
            // That the database does not answer, is said by who reads it.
            debug!("cannot compare with the database: {cause}");
            match look {
                Look::Heads => {}
                Look::Webhooks => node.scout.look_at_webhooks(),
                Look::Rooms | Look::Sanctions | Look::Everything => node.scout.look_at_everything(),
            }
        }
        if !node.scout.rest() {
            return;
        }
    }
}
