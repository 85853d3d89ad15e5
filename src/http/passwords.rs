//! Requests with a password in them, two at a time. Each takes 46 MiB and a while, so nobody can have the server do more at once;
//! the page and everyone else do not wait for them.

use super::{Answer, Reply, careful, field, problem, send};
use crate::error::Error;
use crate::line::Line;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tiny_http::Request;

pub(super) use crate::passwords::{hash, is_right};

/// Threads that hash.
const AT_ONCE: usize = 2;

/// Requests that may wait for them, and how long.
const WAITING: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

/// What is left to do of a request that costs a hash.
pub(super) type Job = Box<dyn FnOnce(&Line) -> Answer + Send>;

/// A request that waits.
struct Waiting {
    since: Instant,
    request: Request,
    job: Job,
}

/// The way to the threads that hash. They end when this is dropped.
#[derive(Clone)]
pub(super) struct Passwords(Sender<Waiting>);

impl Passwords {
    /// Starts the threads.
    pub fn start(line: &Arc<Line>) -> Result<(Passwords, Vec<JoinHandle<()>>), Error> {
        let (sender, waiting) = bounded(WAITING);
        let mut threads = Vec::new();
        for n in 1..=AT_ONCE {
            let (line, waiting) = (line.clone(), waiting.clone());
            let thread = std::thread::Builder::new().name(format!("password {n}")).spawn(move || work(&line, &waiting));
            threads.push(thread.map_err(|cause| Error::System("cannot start a thread for passwords", cause))?);
        }
        Ok((Passwords(sender), threads))
    }

    /// Has a request answered as soon as its turn comes.
    pub fn take(&self, request: Request, job: Job) {
        if let Err(TrySendError::Full(refused) | TrySendError::Disconnected(refused)) =
            self.0.try_send(Waiting { since: Instant::now(), request, job })
        {
            send(refused.request, busy());
        }
    }
}

fn work(line: &Line, waiting: &Receiver<Waiting>) {
    while let Ok(Waiting { since, request, job }) = waiting.recv() {
        let answer = if since.elapsed() > PATIENCE { busy() } else { careful(line, || job(line)) };
        send(request, answer);
    }
}

fn busy() -> Answer {
    problem(503, "busy", "too many people sign in just now; try again").with_header(field("Retry-After", "2"))
}

/// Lets a request wait for its turn.
pub(super) fn later(job: impl FnOnce(&Line) -> Result<Answer, Answer> + Send + 'static) -> Reply {
    Reply::Later(Box::new(move |line| job(line).unwrap_or_else(|refusal| refusal)))
}
