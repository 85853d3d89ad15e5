//! `parlor restore FILE`: a backup takes the place of the database.

use super::backup::contents;
use super::environment::{self, Stopped, Variables};
use super::folder;
use argh::{ArgsInfo, FromArgs};
use parlor::{Admin, Error};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Puts a backup in the place of the database, once it was looked through; the old one is kept beside it. No server may run.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "restore",
    example = "Once the server is stopped:\n  {command_name} parlor-2020-02-02.db",
    error_code(0, "it is done"),
    error_code(1, "nothing was changed: the message says why"),
    error_code(2, "a flag was not understood")
)]
pub struct Options {
    /// what "parlor backup" wrote
    #[argh(positional)]
    pub file: PathBuf,

    /// folder of the database, made if missing (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// the same, as a server is given it: sqlite:FOLDER/parlor.db
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    environment::read(&["parlor", "restore"], args, &Variables::NONE, env)
}

pub fn run(options: &Options) -> ExitCode {
    folder::exit(restore(options))
}

fn restore(options: &Options) -> Result<(), Error> {
    let folder = folder::here(&folder::Place(&options.data, &options.database), "pg_restore or psql", "mysql")?;
    let restored = Admin::restore(&folder, &options.file).map_err(|error| match error {
        Error::FolderInUse(folder, process) => {
            let process = process.map(|process| format!(" (process {process})")).unwrap_or_default();
            let folder = folder.display();
            Error::Refused(format!("a server runs on {folder}{process}; stop it first, and start it again afterwards"))
        }
        other => other,
    })?;
    let kept = restored.kept.as_ref().map(|kept| format!("\nWhat was there before is kept: {}", kept.display()));
    folder::say(&format!("{} is restored: {}{}\n", folder.display(), contents(&restored), kept.unwrap_or_default()))
}
