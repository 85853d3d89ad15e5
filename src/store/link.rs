//! The link to a database: opens its connections, and knows when it cannot be reached.
//!
//! While it is down whoever reads or writes is told so at once, and one thread tries to connect, again and again, until there
//! is an answer. Only a database in a network can be down; SQLite refuses or not, each time anew.

use super::address::Address;
use super::database::{Database, Purpose, Synchronous, advise};
use crate::error::Error;
use diesel::result::DatabaseErrorKind::{ClosedConnection, Unknown};
use diesel::result::Error::DatabaseError;
use diesel::result::QueryResult;
use log::{info, warn};
use parking_lot::{Condvar, Mutex};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Between two tries to connect: first, and at most; each time twice as long, less up to a half by chance, so that not all
/// servers come at the same moment.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Who has got no answer for so long, gets none: the database ends by itself what takes 10 s.
pub(super) const ANSWER: Duration = Duration::from_secs(12);

pub(super) struct Link {
    address: Address,
    sync: Synchronous,
    down: Mutex<Option<Down>>,
    up: Condvar,
}

struct Down {
    cause: String,
    since: Instant,
    /// Who asks gets no answer, and not even an error.
    hangs: bool,
}

impl Link {
    pub fn new(address: Address, sync: Synchronous) -> Arc<Link> {
        Arc::new(Link { address, sync, down: Mutex::new(None), up: Condvar::new() })
    }

    /// Whether other servers may write into the database too, and a network lies between.
    pub fn is_shared(&self) -> bool {
        self.address.is_shared()
    }

    /// Refuses while whoever asked would wait in vain. Of a database that is away, each connection knows by itself.
    pub fn check(&self) -> QueryResult<()> {
        match &*self.down.lock() {
            Some(down) if down.hangs => Err(lost(&down.cause)),
            _ => Ok(()),
        }
    }

    /// Somebody got no answer: the link is down, until there is one.
    pub fn hangs(self: &Arc<Self>, for_how_long: Duration) -> diesel::result::Error {
        let cause = format!("it has not answered for {} s", for_how_long.as_secs());
        self.went_down(&cause);
        if let Some(down) = &mut *self.down.lock() {
            down.hangs = true;
        }
        lost(&format!("{cause} ({})", self.address))
    }

    /// Connects, or says why not: at once while the link is down.
    pub fn open(self: &Arc<Self>, purpose: Purpose) -> QueryResult<Database> {
        if let Some(down) = &*self.down.lock() {
            return Err(lost(&down.cause));
        }
        self.address.connect(purpose, self.sync).map_err(|cause| {
            let why = format!("{cause} ({})", self.address);
            if !self.address.is_shared() {
                return DatabaseError(Unknown, Box::new(why));
            }
            self.went_down(&cause);
            lost(&why)
        })
    }

    /// Waits until the link is up, or until `deadline`.
    pub fn wait(&self, deadline: Instant) {
        self.up.wait_while_until(&mut self.down.lock(), |down| down.is_some(), deadline);
    }

    fn went_down(self: &Arc<Self>, cause: &str) {
        let mut down = self.down.lock();
        if down.is_some() {
            return;
        }
        let link = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name("database".into()).spawn(move || call(&link));
        // Without that thread everybody tries for themselves.
        if thread.is_ok() {
            *down = Some(Down { cause: format!("{cause} ({})", self.address), since: Instant::now(), hangs: false });
            warn!("the database {} cannot be reached, posts are answered with \"unavailable\": {cause}", self.address);
        }
    }

    fn came_up(&self) {
        if let Some(down) = self.down.lock().take() {
            info!("the database {} is back after {:.1} s", self.address, down.since.elapsed().as_secs_f64());
        }
        self.up.notify_all();
    }
}

/// Tries to connect until it can, or until nobody needs it.
fn call(link: &Weak<Link>) {
    let mut pause = FIRST;
    loop {
        std::thread::sleep(jittered(pause));
        let Some(link) = link.upgrade() else { return };
        if link.address.connect(Purpose::Read, link.sync).is_ok() {
            return link.came_up();
        }
        pause = LONGEST.min(pause * 2);
    }
}

/// A time that is shorter by up to a half, by chance.
pub(super) fn jittered(time: Duration) -> Duration {
    let mut chance = [0];
    // Without randomness all come at the same time: slower, and right.
    let _ = getrandom::fill(&mut chance);
    time - time / 2 * u32::from(chance[0]) / 255
}

/// Diesel's own word for a connection that is not there any more.
fn lost(cause: &str) -> diesel::result::Error {
    DatabaseError(ClosedConnection, Box::new(cause.to_owned()))
}

/// What a database refused, or that there is none.
pub(super) fn refused(error: &diesel::result::Error) -> Error {
    match error {
        DatabaseError(ClosedConnection, cause) => Error::Unreachable(cause.message().to_owned()),
        other => Error::Store(advise(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_takes_a_half_at_most() {
        for _ in 0..100 {
            let time = jittered(Duration::from_millis(100));
            assert!((50..=100).contains(&time.as_millis()), "{time:?}");
        }
    }
}
