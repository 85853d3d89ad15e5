//! The data folder of the commands that look after one: the server's own, found as the server finds it.

use parlor::{Admin, Error};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The folder that was given, or the variable's, or the one that a server without flags uses.
pub fn of(given: Option<&PathBuf>) -> PathBuf {
    let variable = || std::env::var_os("PARLOR_DATA").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    given.cloned().or_else(variable).unwrap_or_else(|| "parlor-data".into())
}

/// What stood in `--data` and `--database`.
pub struct Place<'a>(pub &'a Option<PathBuf>, pub &'a Option<String>);

impl Place<'_> {
    /// The database that is in no data folder: the one that was given, or the server's variable names, unless a folder was given.
    fn elsewhere(&self) -> Option<String> {
        let variable = || if self.0.is_some() { None } else { variable() };
        self.1.clone().or_else(variable)
    }
}

fn variable() -> Option<String> {
    std::env::var("PARLOR_DATABASE").ok().filter(|address| !address.is_empty())
}

/// The data folder, for what can be done with one alone. With a database that is in none, others do that: `postgres`, `mysql`.
pub fn here(place: &Place, postgres: &str, mysql: &str) -> Result<PathBuf, Error> {
    let Some(address) = place.elsewhere() else { return Ok(of(place.0.as_ref())) };
    let Some(file) = address.strip_prefix("sqlite:") else {
        let instead = if address.starts_with("postgres") { postgres } else { mysql };
        return Err(Error::Refused(format!(
            "this is for SQLite, and the database is another: use {instead}. For one in a data folder, give --data"
        )));
    };
    let file = Path::new(file.strip_prefix("//").unwrap_or(file));
    match file.parent() {
        Some(folder) if file.ends_with("parlor.db") && folder != Path::new("") => Ok(folder.into()),
        Some(_) if file.ends_with("parlor.db") => Ok(".".into()),
        _ => Err(Error::Refused(format!(
            "this is for a data folder, and {} is in none; to copy it: parlor migrate {address} sqlite:COPY.db",
            file.display()
        ))),
    }
}

/// Opens the database that is there.
pub fn open(place: Place) -> Result<Admin, Error> {
    match place.elsewhere() {
        Some(address) => Admin::at(&address, &of(place.0.as_ref())),
        None => Admin::open(&of(place.0.as_ref())),
    }
}

/// Opens the database for something that may come before the first server: it is made where there is none.
pub fn make(place: Place) -> Result<Admin, Error> {
    let folder = of(place.0.as_ref());
    if let Some(address) = place.elsewhere() {
        return Admin::make_at(&address, &folder);
    }
    if !Admin::is_there(&folder) {
        eprintln!("There is no database in {} yet; it is made.", folder.display());
    }
    Admin::make(&folder)
}

/// Says what was done, once the server that runs knows it, too.
pub fn done(admin: &Admin, what: &str) -> Result<(), Error> {
    let told = admin.tell();
    let knows = match told {
        Ok(true) => "; the server that runs knows it",
        Ok(false) if admin.is_shared() => "; a server that runs elsewhere knows it once it is started anew",
        _ => "",
    };
    say(&format!("{what}{knows}\n"))?;
    told.map(drop)
}

/// Writes to standard output. Whoever does not listen is no reason to panic.
pub fn say(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    said.map_err(|cause| Error::System("cannot write to standard output", cause))
}

/// The exit code, after an error was told.
pub fn exit(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parlor: {error}");
            super::FAILED.into()
        }
    }
}

/// An error about a file, which is named.
pub fn about(file: &Path, error: Error) -> Error {
    match error {
        Error::Refused(why) => Error::Refused(format!("{}, {why}", file.display())),
        other => other,
    }
}
