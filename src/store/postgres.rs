//! PostgreSQL: how a connection is made and set up, and what makes the tables.

use super::database::{self, Purpose, Synchronous};
use crate::error::Error;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("src/store/migrations/postgres");

/// What makes a table holds this, so that one server does who starts with others.
const LOCK: i64 = 0x7061_726c_6f72; // "parlor"

/// How long it may take to connect, and after how long a network that has been cut shows as that; in the units of libpq, each
/// for a URL that does not say it.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "3"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("application_name", "parlor"),
];

/// Why there is no connection is given in words.
pub fn connect(url: &str, purpose: Purpose, sync: Synchronous) -> Result<PgConnection, String> {
    let mut connection = PgConnection::establish(&with_defaults(url)).map_err(|e| in_one_line(&e.to_string()))?;
    let encoding =
        diesel::select(sql::<Text>("current_setting('server_encoding')")).get_result::<String>(&mut connection);
    match encoding {
        Ok(encoding) if encoding == "UTF8" => {}
        Ok(other) => {
            return Err(format!("it holds {other}, and not all that people write: make it with ENCODING 'UTF8'"));
        }
        Err(cause) => return Err(cause.to_string()),
    }
    connection.batch_execute(&settings(purpose, sync)).map_err(|e| e.to_string())?;
    Ok(connection)
}

/// What libpq says with a hint below it.
fn in_one_line(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same without anything set up: for what is no reading and writing of tables.
#[cfg(feature = "cluster")]
pub(crate) fn connect_plainly(url: &str) -> Result<PgConnection, String> {
    PgConnection::establish(&with_defaults(url)).map_err(|e| e.to_string())
}

fn settings(purpose: Purpose, sync: Synchronous) -> String {
    let level = match purpose {
        // The writer waits for a room's row and then sees what the one before it has made of it.
        Purpose::Write | Purpose::Index | Purpose::Prepare => "READ COMMITTED",
        // Two queries in one transaction see one moment.
        Purpose::Read => "REPEATABLE READ, READ ONLY",
    };
    let time = if purpose == Purpose::Prepare { "0" } else { "'10s'" };
    let commit = match sync {
        Synchronous::Full => "",
        Synchronous::Normal => "SET synchronous_commit = off;",
    };
    // What was prepared while the tables were new and empty would read all of them for as long as their sizes are not known
    // anew, which takes minutes: everything that is asked here has an index.
    let plans = if purpose == Purpose::Prepare { "" } else { "SET enable_seqscan = off;" };
    format!(
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}; SET statement_timeout = {time}; \
         SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'; {commit} {plans}"
    )
}

fn with_defaults(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in DEFAULTS {
        if !url.contains(&format!("{name}=")) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{name}={value}"));
        }
    }
    url
}

/// Makes what is missing of the tables, and lets no other server do so before [`unlock`].
pub fn lock(c: &mut PgConnection, name: &str) -> Result<(), Error> {
    let lock = format!("SET lock_timeout = '60s'; SELECT pg_advisory_lock({LOCK})");
    c.batch_execute(&lock).map_err(|e| Error::Store(format!("{e} ({name})")))?;
    database::migrate(c, MIGRATIONS, name)
}

/// What ends with the connection too.
pub fn unlock(c: &mut PgConnection, name: &str) -> Result<(), Error> {
    let unlock = format!("SELECT pg_advisory_unlock({LOCK})");
    c.batch_execute(&unlock).map_err(|e| Error::Store(format!("{e} ({name})")))
}

/// Ids go on behind those that were copied.
pub fn after_copy(c: &mut PgConnection) -> QueryResult<()> {
    for table in ["people", "rooms", "deeds"] {
        let next = format!(
            "setval(pg_get_serial_sequence('{table}', 'id'), (SELECT greatest(coalesce(max(id), 1), 1) FROM {table}))"
        );
        diesel::select(sql::<BigInt>(&next)).get_result::<i64>(c)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_url_says_stands() {
        let url = super::with_defaults("postgres://h/d?connect_timeout=30");
        assert!(url.starts_with("postgres://h/d?connect_timeout=30&tcp_user_timeout=10000&"), "{url}");
    }
}
