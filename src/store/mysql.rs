//! MySQL and MariaDB: how a connection is made and set up, and what makes the tables.

use super::database::{self, Purpose};
use crate::error::Error;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::io::{ErrorKind, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("src/store/migrations/mysql");

/// How long it may take to connect. libmariadb would wait for minutes where nobody answers.
const CONNECT: Duration = Duration::from_secs(3);

const PORT: u16 = 3306;

/// Why there is no connection is given in words.
pub fn connect(url: &str, purpose: Purpose) -> Result<MysqlConnection, String> {
    let encryption = Encryption::of(url)?;
    knock(url)?;
    let mut connection = MysqlConnection::establish(url).map_err(|e| e.to_string())?;
    if encryption == Encryption::Required {
        is_encrypted(&mut connection)?;
    }
    connection.batch_execute(settings(purpose)).map_err(|e| e.to_string())?;
    if purpose != Purpose::Prepare {
        // What MariaDB calls by this name, MySQL has for reading alone, by another: no time is set there.
        let _ = connection.batch_execute("SET SESSION max_statement_time = 10");
    }
    Ok(connection)
}

/// Refuses what a URL says and cannot be had.
pub fn check(url: &str) -> Result<(), String> {
    Encryption::of(url).map(drop)
}

/// What a URL says of TLS. libmariadb lets `ssl_mode` pass without a word and does nothing of what it says, so that is seen to
/// here: it speaks TLS where it is given `ssl_ca`, and takes any certificate.
#[derive(PartialEq, Debug)]
enum Encryption {
    AsItComes,
    Required,
}

impl Encryption {
    fn of(url: &str) -> Result<Encryption, String> {
        let settings = url.split_once('?').map_or("", |(_, settings)| settings);
        let mode = settings.split('&').find_map(|setting| setting.strip_prefix("ssl_mode="));
        match mode.map(str::to_ascii_lowercase).as_deref() {
            Some("verify_ca" | "verify_identity") => Err("libmariadb cannot check a certificate for us, so this would not be \
                 safe: lead the connection through a tunnel that can (stunnel, ssh -L, a VPN), and give the tunnel's end here \
                 without ssl_mode"
                .into()),
            Some("required") if !settings.contains("ssl_ca=") => {
                Err("libmariadb speaks TLS only where it is given a certificate: add &ssl_ca=FILE".into())
            }
            Some("required") => Ok(Encryption::Required),
            _ => Ok(Encryption::AsItComes),
        }
    }
}

/// A row of what the server says of itself.
#[derive(QueryableByName)]
struct Status {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

fn is_encrypted(c: &mut MysqlConnection) -> Result<(), String> {
    match diesel::sql_query("SHOW SESSION STATUS LIKE 'Ssl_cipher'").load::<Status>(c) {
        Ok(rows) if rows.iter().any(|status| !status.value.is_empty()) => Ok(()),
        Ok(_) => Err("it does not speak TLS, and ssl_mode=required asks for that".into()),
        Err(cause) => Err(format!("whether it speaks TLS cannot be found out: {cause}")),
    }
}

/// The writer waits for a room's row and then sees what the one before it has made of it; a reader's two queries in one
/// transaction see one moment. What is too long is refused, not cut. A session that nobody speaks in ends after a minute, and
/// with it what it has locked.
fn settings(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Read => {
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET SESSION TRANSACTION READ ONLY; \
             SET SESSION wait_timeout = 60"
        }
        Purpose::Write | Purpose::Index | Purpose::Prepare => {
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION innodb_lock_wait_timeout = 5; \
             SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'); SET SESSION wait_timeout = 60"
        }
    }
}

/// Finds out in a bounded time whether anybody is there who speaks: a server of this kind does so first.
fn knock(url: &str) -> Result<(), String> {
    let Some(place) = place(url) else { return Ok(()) };
    let addresses = place.to_socket_addrs().map_err(|e| format!("{place}: {e}"))?;
    let mut refused = format!("{place} has no address");
    for address in addresses {
        let spoke = TcpStream::connect_timeout(&address, CONNECT).and_then(|mut server| {
            server.set_read_timeout(Some(CONNECT))?;
            server.read(&mut [0])
        });
        match spoke {
            Ok(_) => return Ok(()),
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                refused = format!("{address}: it lets us in and says nothing");
            }
            Err(cause) => refused = format!("{address}: {cause}"),
        }
    }
    Err(refused)
}

/// Host and port, where there is a network in between.
fn place(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (authority, behind) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.is_empty() || behind.contains("unix_socket=") {
        return None;
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
    // For libmariadb "localhost" is a socket in the file system, unless a port is given.
    match (has_port, host) {
        (true, host) => Some(host.to_owned()),
        (false, "localhost") => None,
        (false, host) => Some(format!("{host}:{PORT}")),
    }
}

/// Makes what is missing of the tables, and lets no other server do so before [`unlock`].
pub fn lock(c: &mut MysqlConnection, name: &str) -> Result<(), Error> {
    let lock = sql::<Nullable<BigInt>>("GET_LOCK(CONCAT('parlor.', DATABASE()), 60)");
    match diesel::select(lock).get_result::<Option<i64>>(c) {
        Ok(Some(1)) => migrate(c, name),
        Ok(Some(_)) => Err(Error::Store(format!("another server has been making its tables for a minute ({name})"))),
        Ok(None) => {
            Err(Error::Store(format!("the URL must name a database, which is there: mysql://HOST/NAME ({name})")))
        }
        Err(cause) => Err(Error::Store(format!("{cause} ({name})"))),
    }
}

/// A migration is no transaction here, so one that was cut off is run again, and makes what is missing. One that adds columns is
/// one statement: are they there, it was made, and is only to be noted.
fn migrate(c: &mut MysqlConnection, name: &str) -> Result<(), Error> {
    match database::migrate(c, MIGRATIONS, name) {
        Err(Error::Store(why)) if why.contains("Duplicate column name") => {
            let noted = note_next(c);
            noted.map_err(|e| Error::Store(format!("{why}; and that it was done cannot be noted: {e}")))?;
            migrate(c, name)
        }
        done => done,
    }
}

fn note_next(c: &mut MysqlConnection) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pending = c.pending_migrations(MIGRATIONS)?;
    let next = pending.first().ok_or("all are noted")?.name().version().to_string();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES (?)")
        .bind::<Text, _>(next)
        .execute(c)?;
    Ok(())
}

/// What ends with the connection too.
pub fn unlock(c: &mut MysqlConnection, name: &str) -> Result<(), Error> {
    let unlock = sql::<Nullable<BigInt>>("RELEASE_LOCK(CONCAT('parlor.', DATABASE()))");
    let unlocked = diesel::select(unlock).get_result::<Option<i64>>(c);
    unlocked.map(drop).map_err(|e| Error::Store(format!("{e} ({name})")))
}

#[cfg(test)]
mod tests {
    use super::{Encryption, place};

    #[test]
    fn what_is_asked_of_tls_is_done_or_refused() {
        let of = |settings: &str| Encryption::of(&format!("mysql://h/d{settings}"));
        assert_eq!(of(""), Ok(Encryption::AsItComes));
        assert_eq!(of("?ssl_mode=required&ssl_ca=ca.pem"), Ok(Encryption::Required));
        for refused in ["?ssl_mode=REQUIRED", "?ssl_ca=ca.pem&ssl_mode=verify_ca", "?ssl_mode=VERIFY_IDENTITY"] {
            assert!(of(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn it_knocks_where_there_is_a_network() {
        assert_eq!(place("mysql://u:p@db.example.org/chat"), Some("db.example.org:3306".into()));
        assert_eq!(place("mysql://u@127.0.0.1:3307/chat?ssl_mode=required"), Some("127.0.0.1:3307".into()));
        assert_eq!(place("mysql://[::1]/chat"), Some("[::1]:3306".into()));
        assert_eq!(place("mysql://u@localhost/chat"), None);
        assert_eq!(place("mysql://u@localhost/chat?unix_socket=/run/mysqld.sock"), None);
    }
}
