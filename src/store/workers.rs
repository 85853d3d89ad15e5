//! Workers: a few threads that ask the database for all the others.
//!
//! A database in a network may take a question and never answer: it hangs, or the network has been cut without a word, and what
//! speaks to it waits for as long as the system does. Only the worker is lost with it; whoever asked waits for a bounded time,
//! and another worker takes the place of that one.

use super::database::Database;
use super::link::{Link, refused};
use crate::error::Error;
use crate::mishap::caught;
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long workers are waited for at the end that wait for an answer.
const LAST: Duration = Duration::from_secs(3);

/// What a worker has from one question to the next.
pub(super) struct Hand {
    pub connection: Option<Database>,
    /// When it was last used.
    pub used: Instant,
}

/// A question, and how far it is.
struct Job {
    stage: Arc<AtomicU8>,
    work: Box<dyn FnOnce(&mut Hand) + Send>,
}

/// Stages of a job. One that is given up before it is begun, is never done.
const WAITS: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// The threads are joined when this is dropped.
pub(super) struct Workers {
    name: &'static str,
    link: Arc<Link>,
    /// None: it is being dropped.
    jobs: Option<Sender<Job>>,
    waiting: Receiver<Job>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Workers {
    /// Starts so many of them.
    pub fn start(name: &'static str, count: usize, link: &Arc<Link>) -> Result<Workers, Error> {
        let (jobs, waiting) = unbounded();
        let (link, threads) = (link.clone(), Mutex::new(Vec::new()));
        let workers = Workers { name, link, jobs: Some(jobs), waiting, threads };
        (0..count).try_for_each(|_| workers.add())?;
        Ok(workers)
    }

    fn add(&self) -> Result<(), Error> {
        let waiting = self.waiting.clone();
        let thread = std::thread::Builder::new().name(self.name.into()).spawn(move || work(&waiting));
        let thread = thread.map_err(|cause| Error::System("cannot start a thread that asks the database", cause))?;
        let mut threads = self.threads.lock();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Has one of them do something, and waits for what comes of it: so long at the most, where a network lies between, and not
    /// at all while the database is out of reach.
    pub fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Hand) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.link.check().map_err(|e| refused(&e))?;
        let (reply, answer) = oneshot::channel();
        let stage = Arc::new(AtomicU8::new(WAITS));
        let work = Box::new(move |hand: &mut Hand| {
            let done = caught("a query", || work(hand));
            let done = done.ok_or_else(|| Error::Store("a query panicked".into()));
            // Whoever asked may have gone.
            let _ = reply.send(done);
        });
        let gone = || Error::Store("no thread is left that asks the database".into());
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { stage: stage.clone(), work }).map_err(|_| gone())?;
        if !self.link.is_shared() {
            return answer.recv().map_err(|_| gone())?;
        }
        match answer.recv_timeout(patience) {
            Ok(done) => done,
            Err(oneshot::RecvTimeoutError::Disconnected) => Err(gone()),
            Err(oneshot::RecvTimeoutError::Timeout) => {
                if stage.swap(GIVEN_UP, SeqCst) == BEGUN {
                    // Without another, those that are left do its work.
                    let _ = self.add();
                }
                Err(refused(&self.link.hangs(patience)))
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        self.link.join(self.threads.get_mut().drain(..));
    }
}

impl Link {
    /// Waits for the end of threads; not for long for those that may wait for an answer which does not come.
    pub fn join(&self, threads: impl IntoIterator<Item = JoinHandle<()>>) {
        let until = Instant::now() + LAST;
        for thread in threads {
            while self.is_shared() && !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !self.is_shared() || thread.is_finished() {
                // Its panic was told when it happened.
                let _ = thread.join();
            }
        }
    }
}

fn work(waiting: &Receiver<Job>) {
    let mut hand = Hand { connection: None, used: Instant::now() };
    while let Ok(Job { stage, work }) = waiting.recv() {
        if stage.compare_exchange(WAITS, BEGUN, SeqCst, SeqCst).is_err() {
            continue;
        }
        work(&mut hand);
        if stage.load(SeqCst) == GIVEN_UP {
            // Another is in its place.
            return;
        }
        hand.used = Instant::now();
    }
}
