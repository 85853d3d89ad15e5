//! Passwords: argon2id, two at a time. Each takes 46 MiB and a while, so nobody can have the server do more at once; the page
//! and everyone else do not wait for them.

use super::{Answer, Reply, field, problem, send};
use crate::error::Error;
use crate::line::Line;
use crate::store::random_bytes;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tiny_http::Request;

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
        let answer = if since.elapsed() > PATIENCE { busy() } else { job(line) };
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

/// 46 MiB, one pass, one lane: the first that OWASP names. As strong as 19 MiB and two passes; but what is larger than 32 MiB the
/// GNU allocator gives back to the system at once, and of less it keeps hundreds. Written into each hash, so that others can
/// follow without breaking the old.
fn argon2id() -> Result<Argon2<'static>, Error> {
    let params = Params::new(46 * 1024, 1, 1, None).map_err(|cause| Error::Store(format!("no argon2: {cause}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password, as a PHC string with its parameters and its salt.
pub(super) fn hash(password: &str) -> Result<String, Error> {
    let salt = SaltString::encode_b64(&random_bytes::<16>()?);
    let failed = |cause: argon2::password_hash::Error| Error::Store(format!("no hash of a password: {cause}"));
    let salt = salt.map_err(failed)?;
    Ok(argon2id()?.hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether it is the password. With no hash to compare with it costs the same time: who has no account is not told apart.
pub(super) fn is_right(password: &str, stored: Option<&str>) -> bool {
    match stored.map(PasswordHash::new) {
        // By its own parameters, whatever they are now.
        Some(Ok(stored)) => Argon2::default().verify_password(password.as_bytes(), &stored).is_ok(),
        _ => {
            let _ = hash(password);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_says_how_it_was_made_and_knows_its_password() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_ne!(stored, hash("correct horse").unwrap(), "each has its own salt");
        assert!(is_right("correct horse", Some(&stored)));
        assert!(!is_right("correct horsf", Some(&stored)) && !is_right("correct horse", None));
    }

    #[test]
    fn a_name_that_is_unknown_takes_as_long_as_a_wrong_password() {
        let stored = hash("correct horse").unwrap();
        let time = |stored: Option<&str>| {
            let start = Instant::now();
            is_right("wrong", stored);
            start.elapsed()
        };
        let known = (0..3).map(|_| time(Some(&stored))).min().unwrap();
        let unknown = (0..3).map(|_| time(None)).min().unwrap();
        assert!(unknown > known / 3 && known > unknown / 3, "{known:?} {unknown:?}");
    }
}
