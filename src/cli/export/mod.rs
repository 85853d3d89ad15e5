//! `parlor export ROOM`: a room with all that was said in it, for a program or as a page to read.

mod page;

use super::environment::{self, Stopped, Variables};
use super::folder;
use argh::{ArgsInfo, FromArgs};
use page::Page;
use parlor::{Admin, Error, TranscriptLine};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes a room with all its messages: a line of JSON each, as "parlor import" reads them, or a page.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "export",
    example = "For another server, or a program of your own:\n  {command_name} lobby --output lobby.jsonl\nTo read, to print, to keep:\n  {command_name} lobby --html --output lobby.html\nWho wrote how much:\n  {command_name} lobby | grep -o '\"from\":\"[^\"]*\"' | sort | uniq -c",
    error_code(0, "all of it is written"),
    error_code(1, "it is not: the message says why"),
    error_code(2, "a flag was not understood")
)]
pub struct Options {
    /// which
    #[argh(positional)]
    pub room: String,

    /// a page of HTML, with everything in it that it needs
    #[argh(switch)]
    pub html: bool,

    /// where to; nothing is overwritten (default: standard output)
    #[argh(option, arg_name = "file")]
    pub output: Option<PathBuf>,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    environment::read(&["parlor", "export"], args, &Variables::NONE, env)
}

pub fn run(options: &Options) -> ExitCode {
    folder::exit(export(options))
}

fn export(options: &Options) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&options.data, &options.database))?;
    // Before a file is made: there may be no such room.
    admin.room(&options.room)?;
    let Some(path) = &options.output else {
        let failed = |cause| Error::System("cannot write to standard output", cause);
        return write(&admin, options, &mut BufWriter::new(io::stdout().lock()), &failed);
    };
    let failed = |cause| Error::File(path.clone(), cause);
    let mut file = BufWriter::new(File::create_new(path).map_err(failed)?);
    let written = write(&admin, options, &mut file, &failed);
    let written = written.and_then(|()| file.get_ref().sync_all().map_err(failed));
    if written.is_err() {
        // Half of it would be taken for the whole.
        let _ = fs::remove_file(path);
    }
    written
}

fn write(
    admin: &Admin,
    options: &Options,
    to: &mut dyn Write,
    failed: &dyn Fn(io::Error) -> Error,
) -> Result<(), Error> {
    let mut page = Page::default();
    admin.export(&options.room, &mut |line| {
        let text = if options.html { page.take(&line) } else { json(&line).map_err(failed)? };
        to.write_all(text.as_bytes()).map_err(failed)
    })?;
    let end = if options.html { page.end() } else { String::new() };
    to.write_all(end.as_bytes()).and_then(|()| to.flush()).map_err(failed)
}

fn json(line: &TranscriptLine) -> io::Result<String> {
    Ok(serde_json::to_string(line)? + "\n")
}
