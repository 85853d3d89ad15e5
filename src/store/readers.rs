//! The readers: a few threads that read the database for all the others.
//!
//! A query touches 20 KiB of stack, and leaves as much in the allocator of the thread that asked. On the thread of each
//! client that would be the larger part of what a client costs.

use super::database::{Database, Purpose};
use super::link::{ANSWER, Link, refused};
use super::workers::{Hand, Workers};
use crate::error::Error;
use crate::trouble::Trouble;
use diesel::result::QueryResult;
use log::{error, info};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many read at the same time; who asks meanwhile waits for the first that is free.
pub(super) const READERS: usize = 4;

/// How many search at the same time. A search that takes long holds up no page of history.
pub(super) const SEARCHERS: usize = 2;

/// A connection in a network that was idle for so long is asked first whether it is still one: a database that was started
/// anew, or a firewall, has ended it without a word.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// They end when this is dropped.
pub(super) struct Readers {
    link: Arc<Link>,
    workers: Workers,
    trouble: Trouble,
}

impl Readers {
    /// Starts the threads; each connects when it is first asked.
    pub fn start(count: usize, link: &Arc<Link>) -> Result<Readers, Error> {
        let workers = Workers::start("reader", count, link)?;
        Ok(Readers { link: link.clone(), workers, trouble: Trouble::default() })
    }

    /// Asks, and waits for the answer.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Database) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let link = self.link.clone();
        let found = self.workers.ask(ANSWER, move |hand| answer(hand, &link, query)).and_then(|found| found);
        match &found {
            Ok(_) if self.trouble.worked() => info!("the database can be read again"),
            Ok(_) => {}
            Err(cause) => {
                if !cause.is_said()
                    && let Some(unsaid) = self.trouble.failed(Instant::now())
                {
                    error!("cannot read, whoever asks is told \"unavailable\": {cause}{unsaid}");
                }
            }
        }
        found
    }
}

/// A connection on which a query went wrong is not asked again.
fn answer<T>(
    hand: &mut Hand,
    link: &Arc<Link>,
    query: impl FnOnce(&mut Database) -> QueryResult<T>,
) -> Result<T, Error> {
    if hand.used.elapsed() > IDLE {
        hand.connection.take_if(|c| c.is_shared() && !c.answers());
    }
    let ready = hand.connection.take().map_or_else(|| link.open(Purpose::Read), Ok);
    let mut connection = ready.map_err(|cause| refused(&cause))?;
    match query(&mut connection) {
        Ok(found) => {
            hand.connection = Some(connection);
            Ok(found)
        }
        Err(cause) if connection.is_shared() && !connection.answers() => Err(Error::Unreachable(cause.to_string())),
        Err(cause) => Err(refused(&cause)),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::super::address::Address;
    use super::super::database::Synchronous;
    use super::*;

    #[test]
    fn a_query_that_panics_fails_alone() {
        let link = Link::new(Address::Sqlite(":memory:".into()), Synchronous::Normal);
        let readers = Readers::start(1, &link).unwrap();
        for _ in 0..3 {
            let failed = readers.read(|_| -> QueryResult<()> { panic!("a fault that the test made") });
            assert!(failed.unwrap_err().to_string().contains("a query panicked"));
            assert_eq!(readers.read(|_| Ok(7)).unwrap(), 7);
        }
    }
}
