//! Where the bus is: what is given as `--cluster`.

use super::bus::Bus;
#[cfg(feature = "postgres")]
use super::postgres::Postgres;
use super::redis::Redis;
use crate::error::Error;
use std::sync::Arc;

#[cfg(feature = "postgres")]
const ONLY_POSTGRES: &str = "--cluster postgres needs a --database in PostgreSQL; with another, give redis://HOST";

const SHARED: &str =
    "--cluster: the nodes meet in one database, so each needs the same --database, PostgreSQL or MySQL";

/// A bus of a kind that this build knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    /// Redis: a URL as its crate reads it.
    Redis(String),
    /// The database itself, if that is PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Address {
    /// Reads an address; the error says what there is.
    pub fn parse(text: &str) -> Result<Address, Error> {
        match text.split_once("://") {
            Some(("redis" | "rediss" | "redis+sentinel" | "rediss+sentinel", _)) => {
                Redis::check(text).map(|()| Address::Redis(text.into()))
            }
            #[cfg(feature = "postgres")]
            None if text == "postgres" => Ok(Address::Postgres),
            _ => Err(Error::Setting("--cluster: give redis://HOST, or postgres where that is the database".into())),
        }
    }

    /// Whether nodes can meet there on that database.
    pub fn suits(&self, database: &str) -> Result<(), Error> {
        match self {
            #[cfg(feature = "postgres")]
            Address::Postgres if !database.starts_with("postgres") => Err(Error::Setting(ONLY_POSTGRES.into())),
            _ if database.is_empty() => Err(Error::Setting(SHARED.into())),
            _ => Ok(()),
        }
    }

    /// The bus that is there, for the nodes that share the database of that epoch.
    pub fn bus(&self, epoch: &str, database: &str) -> Result<Arc<dyn Bus>, Error> {
        self.suits(database)?;
        match self {
            Address::Redis(url) => Ok(Arc::new(Redis::new(url, epoch)?)),
            #[cfg(feature = "postgres")]
            Address::Postgres => Ok(Arc::new(Postgres::new(database))),
        }
    }
}
