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

/// Opens the database that is there.
pub fn open(given: Option<&PathBuf>) -> Result<Admin, Error> {
    Admin::open(&of(given))
}

/// Opens the database for something that may come before the first server: it is made where there is none.
pub fn make(given: Option<&PathBuf>) -> Result<Admin, Error> {
    let folder = of(given);
    if !Admin::is_there(&folder) {
        eprintln!("There is no database in {} yet; it is made.", folder.display());
    }
    Admin::make(&folder)
}

/// Says what was done, once the server that runs knows it, too.
pub fn done(admin: &Admin, what: &str) -> Result<(), Error> {
    let told = admin.tell();
    let knows = if matches!(told, Ok(true)) { "; the server that runs knows it" } else { "" };
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
