//! `parlor migrate FROM TO`: copies a database into another.

use super::environment::{self, Stopped, Variables};
use argh::{ArgsInfo, FromArgs};
use indicatif::{ProgressBar, ProgressStyle};
use std::ffi::OsString;
use std::process::ExitCode;

/// Copies a whole database into another that is empty. Stop the server first; if it breaks off, run it again and it goes on.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "migrate",
    example = "Out of the folder into PostgreSQL:\n  {command_name} sqlite:parlor-data/parlor.db postgres://parlor@localhost/chat\nAnd back:\n  {command_name} postgres://parlor@localhost/chat sqlite:parlor-data/parlor.db",
    error_code(0, "all is copied, and was read again and compared"),
    error_code(1, "it is not, and why"),
    error_code(2, "an address was not understood, or is not such that this could be done")
)]
pub struct Options {
    /// where the chat is: sqlite:PATH, postgres://... or mysql://...
    #[argh(positional, arg_name = "from")]
    pub from: String,

    /// where it shall be
    #[argh(positional, arg_name = "to")]
    pub to: String,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    const NONE: Variables = Variables { options: &[], lists: &[], switches: &[] };
    environment::read(&["parlor", "migrate"], args, &NONE, env)
}

pub fn run(options: &Options) -> ExitCode {
    // Drawn on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("  {msg:12} {wide_bar} {percent:>3} %  {eta} left") {
        bar.set_style(style);
    }
    let copied = parlor::copy_database(&options.from, &options.to, |progress| {
        bar.set_length(progress.of);
        bar.set_position(progress.done);
        bar.set_message(progress.table);
    });
    bar.finish_and_clear();
    match copied {
        Ok(tables) => {
            for table in tables {
                println!("{:12} {:>10} rows, {:>10} new  sha256 {}", table.name, table.rows, table.added, table.sha256);
            }
            println!("Both databases hold the same. Start the server with --database and the new address.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("parlor: {error}");
            let misused = matches!(error, parlor::Error::Setting(_));
            if misused { super::MISUSED } else { super::FAILED }.into()
        }
    }
}
