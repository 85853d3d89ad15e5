//! The readers: a few threads that read the database for all the others.
//!
//! A query touches 20 KiB of stack, and leaves as much in the allocator of the thread that asked. On the thread of each
//! client that would be the larger part of what a client costs.

use super::database::Database;
use super::sql::refused;
use crate::error::Error;
use crate::trouble::Trouble;
use crossbeam_channel::{Receiver, Sender, unbounded};
use diesel::result::QueryResult;
use log::{error, info};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// How many read at the same time; who asks meanwhile waits for the first that is free.
pub(super) const READERS: usize = 4;

/// How many search at the same time. A search that takes long holds up no page of history.
pub(super) const SEARCHERS: usize = 2;

/// One question, and where its answer goes. Without a connection, it answers why there is none. False: the connection
/// is not to be asked again.
type Question = Box<dyn FnOnce(Result<&mut Database, Error>) -> bool + Send>;

/// The threads are joined when this is dropped.
pub(super) struct Readers {
    /// None: it is being dropped.
    questions: Option<Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
    trouble: Trouble,
}

impl Readers {
    /// Starts the threads; each connects when it is first asked.
    pub fn start(
        count: usize,
        connect: impl Fn() -> Result<Database, Error> + Send + Sync + 'static,
    ) -> Result<Readers, Error> {
        let (questions, asked) = unbounded::<Question>();
        let connect = Arc::new(connect);
        let mut readers = Readers { questions: Some(questions), threads: Vec::new(), trouble: Trouble::default() };
        for n in 1..=count {
            let (asked, connect) = (asked.clone(), connect.clone());
            let thread =
                std::thread::Builder::new().name(format!("reader {n}")).spawn(move || answer(&asked, &*connect));
            let thread =
                thread.map_err(|cause| Error::System("cannot start a thread that reads the database", cause))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Asks, and waits for the answer.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Database) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |connection| {
            let found = connection.and_then(|connection| query(connection).map_err(|e| refused(&e)));
            let went_well = found.is_ok();
            // Whoever asked is waiting.
            let _ = reply.send(found);
            went_well
        });
        let gone = || Error::Store("no thread is left that reads the database".into());
        self.questions.as_ref().ok_or_else(gone)?.send(question).map_err(|_| gone())?;
        let found = answer.recv().map_err(|_| gone()).and_then(|found| found);
        match &found {
            Ok(_) if self.trouble.worked() => info!("the database can be read again"),
            Ok(_) => {}
            Err(cause) => {
                if let Some(unsaid) = self.trouble.failed(Instant::now()) {
                    error!("cannot read, whoever asks is told \"unavailable\": {cause}{unsaid}");
                }
            }
        }
        found
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.questions = None;
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

fn answer(asked: &Receiver<Question>, connect: &dyn Fn() -> Result<Database, Error>) {
    let mut connection = None;
    while let Ok(question) = asked.recv() {
        match connection.take().map_or_else(connect, Ok) {
            Ok(mut ready) => {
                if question(Ok(&mut ready)) {
                    connection = Some(ready);
                }
            }
            Err(cause) => _ = question(Err(cause)),
        }
    }
}
