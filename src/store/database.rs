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
            .map_err(|e| Error::Store(e.to_string()))
    }
}

pub(super) fn migrate(connection: &mut Database, path: &Path) -> Result<(), Error> {
    use diesel::migration::MigrationSource;
    let Database::Sqlite(sqlite) = connection;
    let known: HashSet<String> = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE_MIGRATIONS)
        .map_err(|e| Error::Store(e.to_string()))?
        .iter()
        .map(|m| m.name().version().to_string())
        .collect();
    let applied = sqlite.applied_migrations().map_err(|e| Error::Store(e.to_string()))?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(Error::NewerDatabase(path.into(), unknown));
    }
    sqlite.run_pending_migrations(SQLITE_MIGRATIONS).map_err(|e| Error::Store(e.to_string()))?;
    Ok(())
}
