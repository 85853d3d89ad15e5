//! How one connects to each database, and what makes its tables. The queries stand in `sql`, once for all of them.

use crate::error::Error;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("src/store/migrations/sqlite");

/// How long SQLite waits for another process that holds the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long once that was in vain, until it was not.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// Pages of the log at which SQLite carries them over into the database: 16 MiB. At its own 1,000 a page that is written in
/// each batch is carried over far more often.
const CHECKPOINT: u32 = 4000;

/// A connection to any of the databases that this build knows.
#[derive(diesel::MultiConnection)]
pub enum Database {
    /// SQLite, in a file.
    Sqlite(SqliteConnection),
}

/// Runs a query on the very connection, and not on any: Diesel then knows the query by its type. One for any database is
/// spelled out each time before its prepared statement is found, which for a row that is inserted is a tenth of the work.
macro_rules! on {
    ($connection:expr, |$own:ident| $query:expr) => {
        match $connection {
            Database::Sqlite($own) => $query,
        }
    };
}
pub(super) use on;

/// Runs `work` in a transaction that may write from its first statement on. SQLite refuses one that has read first and would
/// then write, if another process has written in between; this one waits for its turn.
pub(super) fn exclusively<T>(
    connection: &mut Database,
    work: impl FnOnce(&mut Database) -> QueryResult<T>,
) -> QueryResult<T> {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};
    {
        let Database::Sqlite(sqlite) = &mut *connection;
        AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?;
    }
    let worked = work(connection);
    let Database::Sqlite(sqlite) = connection;
    let done = worked.and_then(|done| AnsiTransactionManager::commit_transaction(sqlite).map(|()| done));
    if done.is_err() {
        // A commit that failed may have undone everything by itself.
        let _ = AnsiTransactionManager::rollback_transaction(sqlite);
    }
    done
}

/// How surely a commit is on the disk when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit waits for the disk: what is acknowledged survives a power cut. The default.
    #[default]
    Full,
    /// A power cut may take the last commits with it, a crash of the program none. Several times faster on slow disks.
    Normal,
}

impl Synchronous {
    /// As SQLite's `synchronous` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
        }
    }
}

/// Finds out before SQLite does whether the folder and the file can be written, for the sake of a clear answer.
pub(super) fn probe(folder: &Path, file: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let probe = folder.join(".parlor-probe");
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)?;
    std::fs::OpenOptions::new().append(true).create(true).open(file).map(drop)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pragmas(pub Synchronous);

impl Pragmas {
    pub fn set(self, connection: &mut Database) -> Result<(), Error> {
        let Database::Sqlite(sqlite) = connection;
        sqlite
            .batch_execute(&format!(
                "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; \
                 PRAGMA wal_autocheckpoint = {CHECKPOINT};",
                PATIENCE.as_millis(),
                self.0.as_str()
            ))
            .map_err(|e| Error::Store(advise(e.to_string())))
    }
}

/// Whether it waits for whoever holds the database. Not to wait is no error; nor is it one to have to.
pub(super) fn be_patient(connection: &mut Database, patient: bool) {
    let Database::Sqlite(sqlite) = connection;
    let patience = if patient { PATIENCE } else { IMPATIENCE };
    let _ = sqlite.batch_execute(&format!("PRAGMA busy_timeout = {}", patience.as_millis()));
}

/// What the database says, and what an operator can do about it.
pub(super) fn advise(said: String) -> String {
    let advice = [
        ("is locked", "another program holds it: end that program, or wait until it is done"),
        ("disk is full", "make room on it: until then one can read, and from then on posts are taken again"),
        ("disk I/O error", "the disk is broken, full or read only: the system's log says which"),
        ("readonly database", "the file, its folder or the disk can only be read: make them writable"),
        (
            "malformed",
            "the file is damaged: stop the server, and put a backup in its place or try `sqlite3 parlor.db .recover`",
        ),
    ];
    match advice.iter().find(|(word, _)| said.contains(word)) {
        Some((_, advice)) => format!("{said} ({advice})"),
        None => said,
    }
}

pub(super) fn migrate(connection: &mut Database, path: &Path) -> Result<(), Error> {
    pending(connection, path)?;
    let Database::Sqlite(sqlite) = connection;
    sqlite.run_pending_migrations(SQLITE_MIGRATIONS).map_err(|e| Error::Store(advise(e.to_string())))?;
    Ok(())
}

/// How many migrations a database lacks. One that has migrations of which nobody here knows is refused.
pub(super) fn pending(connection: &mut Database, path: &Path) -> Result<usize, Error> {
    use diesel::migration::MigrationSource;
    let Database::Sqlite(sqlite) = connection;
    let known: HashSet<String> = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE_MIGRATIONS)
        .map_err(|e| Error::Store(advise(e.to_string())))?
        .iter()
        .map(|m| m.name().version().to_string())
        .collect();
    let applied = sqlite.applied_migrations().map_err(|e| Error::Store(advise(e.to_string())))?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(Error::NewerDatabase(path.into(), unknown));
    }
    Ok(known.len() - applied.len())
}
