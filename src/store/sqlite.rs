//! SQLite: how a connection is made and set up, and what makes the tables.

use super::database::{self, Synchronous};
use crate::error::Error;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::path::Path;
use std::time::Duration;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("src/store/migrations/sqlite");

/// How long SQLite waits for another process that holds the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long once that was in vain, until it was not.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// Pages of the log at which SQLite carries them over into the database: 16 MiB. At its own 1,000 a page that is written in
/// each batch is carried over far more often.
const CHECKPOINT: u32 = 4000;

/// Finds out before SQLite does whether the folder and the file can be written, for the sake of a clear answer.
pub fn probe(file: &Path) -> Result<(), Error> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let probed = || {
        std::fs::create_dir_all(folder)?;
        let probe = folder.join(".parlor-probe");
        std::fs::write(&probe, b"")?;
        std::fs::remove_file(&probe)?;
        std::fs::OpenOptions::new().append(true).create(true).open(file).map(drop)
    };
    probed().map_err(|cause| Error::DataFolder(folder.into(), cause))
}

/// Why there is no connection is given in words.
pub fn connect(path: &Path, sync: Synchronous) -> Result<SqliteConnection, String> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(|e| e.to_string())?;
    let settings = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; \
         PRAGMA wal_autocheckpoint = {CHECKPOINT};",
        PATIENCE.as_millis(),
        sync.as_str()
    );
    connection.batch_execute(&settings).map_err(|e| e.to_string())?;
    Ok(connection)
}

/// Whether it waits for whoever holds the database. Not to wait is no error; nor is it one to have to.
pub fn be_patient(c: &mut SqliteConnection, patient: bool) {
    let patience = if patient { PATIENCE } else { IMPATIENCE };
    let _ = c.batch_execute(&format!("PRAGMA busy_timeout = {}", patience.as_millis()));
}

/// Makes what is missing of the tables.
pub fn migrate(c: &mut SqliteConnection, name: &str) -> Result<(), Error> {
    database::migrate(c, MIGRATIONS, name)
}

/// How many migrations it lacks.
#[cfg(feature = "http")]
pub fn pending(c: &mut SqliteConnection, name: &str) -> Result<usize, Error> {
    database::pending(c, &MIGRATIONS, name)
}

/// Begins a transaction that may write from its first statement on.
pub fn begin(c: &mut SqliteConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
}

/// Ends it: commits what was done, or undoes it.
pub fn end<T>(c: &mut SqliteConnection, worked: QueryResult<T>) -> QueryResult<T> {
    let done = worked.and_then(|done| AnsiTransactionManager::commit_transaction(c).map(|()| done));
    if done.is_err() {
        // A commit that failed may have undone everything by itself.
        let _ = AnsiTransactionManager::rollback_transaction(c);
    }
    done
}
