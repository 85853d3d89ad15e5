//! The indexer: a thread that puts what was stored into the index of words, behind the recorder.
//!
//! In the recorder's own transaction it would cost a post twice what storing it does. So it is a client like any other:
//! of each room it knows up to which number it has everything, reads on from there, and rests while others want to
//! write. What it was stopped at it goes on with at the next start, and an old database is to it one in which much was
//! said meanwhile.

use super::pen::Pen;
use super::refused;
use super::search::{Front, Slice};
use crate::error::Error;
use crate::mishap::caught;
use crate::store::database::{Database, Purpose, exclusively};
use crate::store::link::Link;
use diesel::prelude::*;
use log::{error, info};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Messages in one transaction: the recorder waits for no more than that.
const SLICE: usize = 512;

/// What comes within this time is indexed together, unless somebody searches.
const GATHERED: Duration = Duration::from_millis(50);

/// After each transaction, times as long as it took, while the recorder has something to do: so much is left to it. At 3, posts
/// came at two thirds of the pace; at 20 they are held up by a twentieth, and the index keeps up with some thousands a second.
const REST: u32 = 20;

/// How long a search waits for what was just said.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// From so many messages on it is worth a line in the log.
const MANY: i64 = 10_000;

/// The thread ends when this is dropped.
pub struct Indexer {
    bell: Arc<Bell>,
    link: Arc<Link>,
    thread: Option<JoinHandle<()>>,
}

/// What the others tell the indexer, and it them.
struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// How often something was stored.
    stored: u64,
    /// How often that had been when all of it was indexed.
    indexed: u64,
    /// How many wait for it.
    waiting: usize,
    stopping: bool,
}

impl Indexer {
    /// Starts the thread, which looks at once whether there is something to do. It takes turns with the writer.
    pub fn start(pen: Arc<Pen>, link: Arc<Link>) -> Result<Indexer, Error> {
        let state = State { stored: 1, indexed: 0, waiting: 0, stopping: false };
        let bell = Arc::new(Bell { state: Mutex::new(state), changed: Condvar::new() });
        let (listening, called) = (bell.clone(), link.clone());
        let named = std::thread::Builder::new().name("indexer".into());
        let thread = named.spawn(move || run(&listening, &pen, &called));
        let thread = thread.map_err(|cause| Error::System("cannot start the thread that indexes messages", cause))?;
        Ok(Indexer { bell, link, thread: Some(thread) })
    }

    /// Something was stored.
    pub fn ring(&self) {
        let mut state = self.bell.state.lock();
        // Whoever has something to do looks again by itself.
        let is_idle = state.stored == state.indexed;
        state.stored += 1;
        if is_idle {
            self.bell.changed.notify_all();
        }
    }

    /// Waits until all is indexed that was stored before, but not for long. Whether it is.
    pub fn wait(&self) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut state = self.bell.state.lock();
        let stored = state.stored;
        state.waiting += 1;
        self.bell.changed.notify_all();
        while state.indexed < stored && !self.bell.changed.wait_until(&mut state, until).timed_out() {}
        state.waiting -= 1;
        state.indexed >= stored
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.bell.state.lock().stopping = true;
        self.bell.changed.notify_all();
        self.link.join(self.thread.take());
    }
}

impl Bell {
    /// Waits until something was stored, and a moment for more of it. None: it is over.
    fn next(&self) -> Option<u64> {
        let mut state = self.state.lock();
        while state.stored == state.indexed && !state.stopping {
            self.changed.wait(&mut state);
        }
        let until = Instant::now() + GATHERED;
        while state.waiting == 0 && !state.stopping && !self.changed.wait_until(&mut state, until).timed_out() {}
        (!state.stopping).then_some(state.stored)
    }

    fn stored(&self) -> u64 {
        self.state.lock().stored
    }

    /// Rests, unless somebody waits, or nobody has stored anything since. False: it is over.
    fn rest(&self, time: Duration, stored: u64) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state.lock();
        while state.stored != stored
            && state.waiting == 0
            && !state.stopping
            && !self.changed.wait_until(&mut state, until).timed_out()
        {}
        !state.stopping
    }

    /// Waits, whoever else does. False: it is over.
    fn pause(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        if !state.stopping {
            self.changed.wait_until(&mut state, until);
        }
        !state.stopping
    }

    fn indexed(&self, stored: u64) {
        self.state.lock().indexed = stored;
        self.changed.notify_all();
    }
}

fn run(bell: &Bell, pen: &Pen, link: &Arc<Link>) {
    let (mut connection, mut failing) = (None::<Database>, false);
    while let Some(stored) = bell.next() {
        connection.take_if(|c| c.is_shared() && !c.answers());
        let ready = connection.take().map_or_else(|| open(link), Ok);
        let done = ready.and_then(|mut ready| {
            let done = caught("the indexer", || catch_up(bell, pen, &mut ready));
            let done = done.unwrap_or_else(|| Err(panicked()));
            connection = Some(ready);
            done
        });
        match done {
            Ok(true) => bell.indexed(stored),
            Ok(false) => return,
            Err(cause) => {
                let cause = refused(&cause);
                if !cause.is_said() && !std::mem::replace(&mut failing, true) {
                    error!("what is said now cannot be indexed, and is not found: {cause}");
                }
                connection = None;
                // Not at once, however many wait.
                let until = Instant::now() + AGAIN;
                while Instant::now() < until && bell.pause(until) {}
                continue;
            }
        }
        failing = false;
    }
}

fn panicked() -> diesel::result::Error {
    let kind = diesel::result::DatabaseErrorKind::Unknown;
    diesel::result::Error::DatabaseError(kind, Box::new("it panicked".to_owned()))
}

/// What another program holds it does not wait for long, for the recorder waits meanwhile; it comes again.
fn open(link: &Arc<Link>) -> QueryResult<Database> {
    let mut connection = link.open(Purpose::Index)?;
    connection.be_patient(false);
    Ok(connection)
}

/// Indexes until nothing is left. False: it is over before that.
fn catch_up(bell: &Bell, pen: &Pen, c: &mut Database) -> QueryResult<bool> {
    let mut much = false;
    loop {
        let mut front = Front::read(c)?;
        let missing = front.missing();
        if missing == 0 {
            if much {
                info!("all messages are indexed for search");
            }
            return Ok(true);
        }
        if missing >= MANY && !std::mem::replace(&mut much, true) {
            info!("{missing} messages are being indexed for search; it finds them little by little");
        }
        let (mut begin, mut stored) = (Instant::now(), bell.stored());
        while let Some(slice) = Slice::read(c, &mut front, SLICE)? {
            // In a database in a network each has its own locks, and the recorder need not wait for so many round trips.
            let was_next = pen.rests(|| exclusively(c, |c| slice.write(c)))?;
            if !was_next {
                break;
            }
            if !bell.rest(begin.elapsed() * REST, stored) {
                return Ok(false);
            }
            (begin, stored) = (Instant::now(), bell.stored());
        }
    }
}
