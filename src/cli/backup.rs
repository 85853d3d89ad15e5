//! `parlor backup FILE`: the whole database as one file, while the server runs.

use super::environment::{self, Stopped, Variables};
use super::folder;
use argh::{ArgsInfo, FromArgs};
use parlor::{Admin, Error};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Copies the whole database into a new file, all of one moment. A server may run and write meanwhile.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "backup",
    example = "One for each day:\n  {command_name} parlor-$(date +%F).db",
    error_code(0, "the file is there, whole and on the disk"),
    error_code(1, "there is none: the message says why"),
    error_code(2, "a flag was not understood")
)]
pub struct Options {
    /// where to; nothing is overwritten
    #[argh(positional)]
    pub file: PathBuf,

    /// say nothing if all is well
    #[argh(switch)]
    pub quiet: bool,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// the same, as a server is given it: sqlite:FOLDER/parlor.db
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    environment::read(&["parlor", "backup"], args, &Variables::NONE, env)
}

pub fn run(options: &Options) -> ExitCode {
    folder::exit(back_up(options))
}

fn back_up(options: &Options) -> Result<(), Error> {
    let folder = folder::here(&folder::Place(&options.data, &options.database), "pg_dump", "mysqldump")?;
    let backup = Admin::back_up(&folder, &options.file)?;
    if options.quiet {
        return Ok(());
    }
    folder::say(&format!("{}: {}\n", options.file.display(), contents(&backup)))
}

/// What is in a backup, for people.
pub fn contents(backup: &parlor::Backup) -> String {
    let messages = if backup.messages == 1 { "1 message".into() } else { format!("{} messages", backup.messages) };
    let size = match backup.bytes {
        bytes if bytes < 1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        bytes => format!("{:.1} MB", bytes as f64 / 1e6),
    };
    format!("{messages}, {size}")
}
