//! Where a database is: what is given as `--database`.

use crate::error::Error;
#[cfg(feature = "sqlite")]
use crate::folder::DATABASE;
use std::fmt;
#[cfg(feature = "sqlite")]
use std::path::{Path, PathBuf};

/// A database of a kind that this build knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    /// A file.
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    /// A URL as libpq takes it.
    #[cfg(feature = "postgres")]
    Postgres(String),
    /// A URL, with the scheme `mysql`.
    #[cfg(feature = "mysql")]
    Mysql(String),
}

impl Address {
    /// Reads an address; the error says what there is, and with which feature this build would know it.
    pub fn parse(text: &str) -> Result<Address, Error> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "sqlite" if rest.is_empty() => {
                Err(Error::Setting("sqlite: needs the path of a file behind it, such as sqlite:parlor.db".into()))
            }
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" | "mysql" | "mariadb" if !rest.starts_with("//") => Err(Error::Setting(format!(
                "{scheme} needs a host and a database behind it: {scheme}://USER@HOST/NAME"
            ))),
            "postgres" | "postgresql" => postgres(text),
            "mysql" | "mariadb" => mysql(rest),
            _ => Err(Error::Setting(format!(
                "{} is no database: give sqlite:PATH, postgres://USER@HOST/NAME or mysql://USER@HOST/NAME",
                shown(text)
            ))),
        }
    }

    /// The file that it is.
    #[cfg(feature = "sqlite")]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Address::Sqlite(path) => Some(path),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => None,
        }
    }

    /// The data folder that it stands in, if it has the name of a database in one.
    #[cfg(feature = "sqlite")]
    pub fn folder(&self) -> Option<PathBuf> {
        let file = self.file().filter(|file| file.ends_with(DATABASE))?;
        // Of a bare name the parent is empty.
        let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        Some(folder.into())
    }

    /// Whether other servers may write into it too, and a network lies between.
    pub fn is_shared(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(_) => false,
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => true,
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(rest: &str) -> Result<Address, Error> {
    // sqlite:///var/lib/parlor.db is how others write it.
    let path = PathBuf::from(rest.strip_prefix("//").unwrap_or(rest));
    Ok(Address::Sqlite(if path.is_dir() { path.join("parlor.db") } else { path }))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Address, Error> {
    Err(missing("SQLite", "sqlite"))
}

#[cfg(feature = "postgres")]
fn postgres(text: &str) -> Result<Address, Error> {
    Ok(Address::Postgres(text.into()))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<Address, Error> {
    Err(missing("PostgreSQL", "postgres"))
}

#[cfg(feature = "mysql")]
fn mysql(rest: &str) -> Result<Address, Error> {
    let url = format!("mysql:{rest}");
    super::mysql::check(&url).map_err(|why| Error::Setting(format!("{}: {why}", shown(&url))))?;
    Ok(Address::Mysql(url))
}

#[cfg(not(feature = "mysql"))]
fn mysql(_: &str) -> Result<Address, Error> {
    Err(missing("MySQL and MariaDB", "mysql"))
}

#[allow(dead_code, reason = "a build with all of them misses none")]
fn missing(database: &str, feature: &str) -> Error {
    Error::Setting(format!(
        "this parlor was built without {database}. Build it with: cargo build --release --features {feature}"
    ))
}

/// A URL without what is nobody's business: user, password, settings.
fn shown(url: &str) -> String {
    let bare = url.split('?').next().unwrap_or(url);
    match bare.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => bare.into(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Address::Postgres(url) => f.write_str(&shown(url)),
            #[cfg(feature = "mysql")]
            Address::Mysql(url) => f.write_str(&shown(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(
            shown("postgres://ann:secret@db.example.org:5432/chat?password=secret"),
            "postgres://db.example.org:5432/chat"
        );
        assert_eq!(shown("mysql://ann:p@ss@localhost/chat"), "mysql://localhost/chat");
        assert_eq!(shown("postgres:///chat?host=/run"), "postgres:///chat");
    }

    #[test]
    fn what_is_no_database_is_named_without_its_password() {
        let refused = Address::parse("redis://:secret@localhost").unwrap_err().to_string();
        assert!(refused.contains("redis://localhost") && refused.contains("postgres://"), "{refused}");
        let refused = Address::parse("postgres").unwrap_err().to_string();
        assert!(refused.contains("postgres://USER@HOST/NAME"), "{refused}");
        assert!(Address::parse("sqlite:").unwrap_err().to_string().contains("the path of a file"));
    }

    #[test]
    fn a_database_that_is_not_built_in_names_its_feature() {
        for (url, feature) in [("postgres://h/d", "postgres"), ("mariadb://h/d", "mysql"), ("sqlite:x", "sqlite")] {
            if let Err(refused) = Address::parse(url) {
                assert!(refused.to_string().contains(&format!("--features {feature}")), "{refused}");
            }
        }
    }
}
