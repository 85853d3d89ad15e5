//! PostgreSQL itself as the bus: NOTIFY wakes the other nodes, which then read what is new.
//!
//! A commit that notifies holds a lock of the whole database server. So no message is stored with one: the sender alone notifies,
//! of all that has come together, in a transaction of its own.

use super::bus::{Bus, Came, Ear, Mouth, Trouble};
use crate::store;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::time::{Duration, Instant};

/// What a notification holds is shorter than 8000 bytes.
const LONGEST: usize = 7900;

/// libpq has the notifications that came, and gives no descriptor to wait on; so it is asked so often.
const LOOK: Duration = Duration::from_millis(5);

/// After so long without any it is asked whether the connection still is one.
const SILENCE: Duration = Duration::from_secs(5);

/// The database that the nodes share.
pub struct Postgres {
    url: String,
    begin: Instant,
}

impl Postgres {
    pub fn new(url: &str) -> Postgres {
        Postgres { url: url.into(), begin: Instant::now() }
    }

    fn connect(&self, setting: &str) -> Result<PgConnection, Trouble> {
        let mut connection = store::connect_to_postgres(&self.url)?;
        connection.batch_execute(setting).map_err(|cause| cause.to_string())?;
        Ok(connection)
    }
}

impl Bus for Postgres {
    fn mouth(&self) -> Result<Box<dyn Mouth>, Trouble> {
        let setting = "SET synchronous_commit = off; SET statement_timeout = '5s'";
        Ok(Box::new(Notifier { connection: self.connect(setting)? }))
    }

    fn ear(&self) -> Result<Box<dyn Ear>, Trouble> {
        let connection = self.connect("LISTEN parlor")?;
        Ok(Box::new(Listener { connection, begin: self.begin, heard: Instant::now() }))
    }

    fn longest(&self) -> usize {
        LONGEST
    }

    fn carries_messages(&self) -> bool {
        false
    }

    fn shown(&self) -> String {
        "PostgreSQL".into()
    }
}

struct Notifier {
    connection: PgConnection,
}

impl Mouth for Notifier {
    fn send(&mut self, letters: &[Vec<u8>]) -> Result<(), Trouble> {
        let notified = self.connection.transaction(|c| {
            for letter in letters {
                let notify = diesel::sql_query("SELECT pg_notify('parlor', $1)");
                notify.bind::<Text, _>(String::from_utf8_lossy(letter).into_owned()).execute(c)?;
            }
            QueryResult::Ok(())
        });
        notified.map_err(|cause| cause.to_string())
    }
}

struct Listener {
    connection: PgConnection,
    /// Its clock is this process's own.
    begin: Instant,
    heard: Instant,
}

impl Ear for Listener {
    fn listen(&mut self, patience: Duration) -> Result<Vec<Came>, Trouble> {
        let until = Instant::now() + patience;
        loop {
            let at = self.begin.elapsed().as_millis() as u64;
            let came = self.connection.notifications_iter().map(|notification| {
                let letter = notification.map_err(|cause| cause.to_string())?.payload.into_bytes();
                Ok(Came { at, letter })
            });
            let came: Vec<Came> = came.collect::<Result<_, Trouble>>()?;
            if !came.is_empty() {
                self.heard = Instant::now();
                return Ok(came);
            }
            if self.heard.elapsed() > SILENCE {
                self.connection.batch_execute("SELECT 1").map_err(|cause| cause.to_string())?;
                self.heard = Instant::now();
            }
            if Instant::now() >= until {
                return Ok(Vec::new());
            }
            std::thread::sleep(LOOK);
        }
    }
}
