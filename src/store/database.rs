//! How one connects to each database, and what makes its tables. The queries stand in `sql`, once for all of them.

use super::address::Address;
#[cfg(feature = "mysql")]
use super::mysql;
#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::error::Error;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use std::collections::HashSet;

/// A connection to any of the databases that this build knows.
#[derive(diesel::MultiConnection)]
pub enum Database {
    /// SQLite, in a file.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnection),
    /// PostgreSQL, through libpq.
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    /// MySQL or MariaDB, through libmariadb.
    #[cfg(feature = "mysql")]
    Mysql(MysqlConnection),
}

/// Runs a query on the very connection, and not on any: Diesel then knows the query by its type. One for any database is
/// spelled out each time before its prepared statement is found, which for a row that is inserted is a tenth of the work.
macro_rules! on {
    ($connection:expr, |$own:ident| $query:expr) => {
        match $connection {
            #[cfg(feature = "sqlite")]
            Database::Sqlite($own) => $query,
            #[cfg(feature = "postgres")]
            Database::Postgres($own) => $query,
            #[cfg(feature = "mysql")]
            Database::Mysql($own) => $query,
        }
    };
}
pub(super) use on;

/// Inserts rows: with one statement where each would be a way there and back. Few of them, and all of SQLite's, have one each,
/// which is prepared already.
macro_rules! insert_all {
    ($connection:expr, $table:expr, $rows:expr) => {{
        let rows: Vec<_> = $rows.collect();
        if rows.len() <= crate::store::database::FEW || !$connection.is_shared() {
            on!($connection, |c| for row in rows {
                diesel::insert_into($table).values(row).execute(c)?;
            })
        } else {
            on!($connection, |c| drop(diesel::insert_into($table).values(rows).execute(c)?))
        }
    }};
}
pub(super) use insert_all;

/// A statement of another number of rows is prepared each time, which is a way there and back of its own.
#[allow(dead_code, reason = "a build may know SQLite alone")]
pub(super) const FEW: usize = 2;

/// Runs `work` in a transaction that may write from its first statement on. SQLite refuses one that has read first and would
/// then write, if another process has written in between; this one waits for its turn.
pub(super) fn exclusively<T>(
    connection: &mut Database,
    work: impl FnOnce(&mut Database) -> QueryResult<T>,
) -> QueryResult<T> {
    #[cfg(feature = "sqlite")]
    #[allow(irrefutable_let_patterns, reason = "a build may know no other")]
    if let Database::Sqlite(sqlite) = &mut *connection {
        sqlite::begin(sqlite)?;
        let worked = work(connection);
        return match connection {
            Database::Sqlite(sqlite) => sqlite::end(sqlite, worked),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => worked,
        };
    }
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    return connection.transaction(work);
    #[cfg(not(any(feature = "postgres", feature = "mysql")))]
    Err(diesel::result::Error::BrokenTransactionManager)
}

/// How surely a commit is on the disk when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Every commit waits for the disk: what is acknowledged survives a power cut. The default.
    #[default]
    Full,
    /// A power cut may take the last commits with it, a crash of the program none. Several times faster on slow disks. For
    /// SQLite: a PostgreSQL that crashes alone takes back as much, and the server, which lives on, numbers others alike.
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

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To make the tables, however long that takes.
    Prepare,
    Write,
    /// To write what can be made anew out of the rest: it need not wait for the disk.
    Index,
    Read,
}

impl Address {
    /// Connects; why that is not possible is given in words.
    pub(super) fn connect(&self, purpose: Purpose, sync: Synchronous) -> Result<Database, String> {
        // SQLite has one way to connect, and MySQL no say in how surely it commits.
        let sync = if purpose == Purpose::Index { Synchronous::Normal } else { sync };
        let _ = (purpose, sync);
        match self {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(path) => sqlite::connect(path, sync).map(Database::Sqlite),
            #[cfg(feature = "postgres")]
            Address::Postgres(url) => postgres::connect(url, purpose, sync).map(Database::Postgres),
            #[cfg(feature = "mysql")]
            Address::Mysql(url) => mysql::connect(url, purpose).map(Database::Mysql),
        }
    }

    /// Connects to a database that may be new, makes what is missing of its tables, and does `work` before any other server
    /// can look at them.
    pub(super) fn prepare<T>(
        &self,
        sync: Synchronous,
        work: impl FnOnce(&mut Database) -> Result<T, Error>,
    ) -> Result<T, Error> {
        #[cfg(feature = "sqlite")]
        if let Some(path) = self.file() {
            sqlite::probe(path)?;
        }
        let name = self.to_string();
        let connected = self.connect(Purpose::Prepare, sync);
        let mut connection = connected.map_err(|why| match self.is_shared() {
            true => Error::Unreachable(format!("{name}: {why}")),
            false => Error::Store(format!("{} ({name})", advise(why))),
        })?;
        locked(&mut connection, &name, work)
    }
}

fn locked<T>(
    connection: &mut Database,
    name: &str,
    work: impl FnOnce(&mut Database) -> Result<T, Error>,
) -> Result<T, Error> {
    match connection {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(sqlite) => sqlite::migrate(sqlite, name)?,
        #[cfg(feature = "postgres")]
        Database::Postgres(postgres) => postgres::lock(postgres, name)?,
        #[cfg(feature = "mysql")]
        Database::Mysql(mysql) => mysql::lock(mysql, name)?,
    }
    let done = work(connection);
    match connection {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => {}
        #[cfg(feature = "postgres")]
        Database::Postgres(postgres) => postgres::unlock(postgres, name)?,
        #[cfg(feature = "mysql")]
        Database::Mysql(mysql) => mysql::unlock(mysql, name)?,
    }
    done
}

/// What a database says, and what an operator can do about it.
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

/// Brings the tables up to date, unless they are newer than this program.
pub(super) fn migrate<C, B>(c: &mut C, migrations: EmbeddedMigrations, name: &str) -> Result<(), Error>
where
    B: diesel::backend::Backend,
    C: MigrationHarness<B>,
    EmbeddedMigrations: diesel::migration::MigrationSource<B>,
{
    pending(c, &migrations, name)?;
    c.run_pending_migrations(migrations).map_err(|e| Error::Store(format!("{} ({name})", advise(e.to_string()))))?;
    Ok(())
}

/// How many migrations a database lacks. One that has migrations of which nobody here knows is refused.
pub(super) fn pending<C, B>(c: &mut C, migrations: &EmbeddedMigrations, name: &str) -> Result<usize, Error>
where
    B: diesel::backend::Backend,
    C: MigrationHarness<B>,
    EmbeddedMigrations: diesel::migration::MigrationSource<B>,
{
    use diesel::migration::MigrationSource;
    let failed =
        |e: Box<dyn std::error::Error + Send + Sync>| Error::Store(format!("{} ({name})", advise(e.to_string())));
    let known: HashSet<String> = MigrationSource::<B>::migrations(migrations)
        .map_err(failed)?
        .iter()
        .map(|m| m.name().version().to_string())
        .collect();
    let applied = c.applied_migrations().map_err(failed)?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        return Err(Error::NewerDatabase(name.into(), unknown));
    }
    Ok(known.len() - applied.len())
}

impl Database {
    /// Whether other servers may write into it too, and a network lies between.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => false,
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => true,
        }
    }

    /// Whether it waits for another process that holds the database: in SQLite, which has one lock for all of it.
    pub(super) fn be_patient(&mut self, patient: bool) {
        match self {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(sqlite) => sqlite::be_patient(sqlite, patient),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => _ = patient,
        }
    }

    /// Whether it still answers.
    pub(super) fn answers(&mut self) -> bool {
        // A value that is bound, alone in a SELECT, has no type for MySQL, which Diesel does not bear.
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1")).get_result::<i32>(self).is_ok()
    }
}
