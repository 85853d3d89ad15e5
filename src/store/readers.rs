//! The readers: a few threads that read the database for all the others.
//!
//! A query touches 20 KiB of stack, and leaves as much in the allocator of the thread that asked. On the thread of each
//! client that would be the larger part of what a client costs.

use super::database::Database;
use super::sql::refused;
use crate::error::Error;
use crossbeam_channel::{Receiver, Sender, unbounded};
use diesel::result::QueryResult;
use std::sync::Arc;

/// How many read at the same time; who asks meanwhile waits for the first that is free.
const READERS: usize = 4;

/// One question, and where its answer goes. Without a connection, it answers why there is none.
type Question = Box<dyn FnOnce(Result<&mut Database, Error>) + Send>;

/// The threads end when this is dropped.
pub(super) struct Readers {
    questions: Sender<Question>,
}

impl Readers {
    /// Starts the threads; each connects when it is first asked.
    pub fn start(connect: impl Fn() -> Result<Database, Error> + Send + Sync + 'static) -> Result<Readers, Error> {
        let (questions, asked) = unbounded::<Question>();
        let connect = Arc::new(connect);
        for n in 1..=READERS {
            let (asked, connect) = (asked.clone(), connect.clone());
            let thread =
                std::thread::Builder::new().name(format!("reader {n}")).spawn(move || answer(&asked, &*connect));
            thread.map_err(|cause| Error::System("cannot start a thread that reads the database", cause))?;
        }
        Ok(Readers { questions })
    }

    /// Asks, and waits for the answer.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Database) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |connection| {
            let found = connection.and_then(|connection| query(connection).map_err(|e| refused(&e)));
            // Whoever asked is waiting.
            let _ = reply.send(found);
        });
        let gone = || Error::Store("no thread is left that reads the database".into());
        self.questions.send(question).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

fn answer(asked: &Receiver<Question>, connect: &dyn Fn() -> Result<Database, Error>) {
    let mut connection = None;
    while let Ok(question) = asked.recv() {
        match connection.take().map_or_else(connect, Ok) {
            Ok(ready) => question(Ok(connection.insert(ready))),
            Err(cause) => question(Err(cause)),
        }
    }
}
