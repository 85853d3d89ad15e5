//! `parlor import FILE`: a room that was exported, taken in with its numbers.

use super::environment::{self, Stopped, Variables};
use super::folder;
use argh::{ArgsInfo, FromArgs};
use parlor::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const STANDARD_INPUT: &str = "/dev/stdin";

/// Takes in a room that was exported, into a new or an empty one: all of it, or nothing.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "import",
    example = "As it was:\n  {command_name} garden.jsonl\nUnder another name:\n  {command_name} garden.jsonl --room flowers",
    error_code(0, "it is done"),
    error_code(1, "nothing was taken in: the message says why, and which line is to blame"),
    error_code(2, "a flag was not understood")
)]
pub struct Options {
    /// what "parlor export" wrote; - for standard input
    #[argh(positional)]
    pub file: PathBuf,

    /// the name that the room is to have (default: as in the file)
    #[argh(option, arg_name = "name")]
    pub room: Option<String>,

    /// folder of the database, made if missing (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    // What reads the flags takes a lone - for one of them.
    let stood_for = |arg: &String| if arg == "-" { STANDARD_INPUT.to_owned() } else { arg.clone() };
    let args: Vec<String> = args.iter().map(stood_for).collect();
    let options: Options = environment::read(&["parlor", "import"], &args, &Variables::NONE, env)?;
    let file = if options.file == Path::new(STANDARD_INPUT) { "-".into() } else { options.file };
    Ok(Options { file, ..options })
}

pub fn run(options: &Options) -> ExitCode {
    folder::exit(import(options))
}

fn import(options: &Options) -> Result<(), Error> {
    let room = options.room.as_deref();
    let imported = if options.file == Path::new("-") {
        let admin = folder::make(folder::Place(&options.data, &options.database))?;
        admin.import(&mut std::io::stdin().lock(), room).map(|room| (admin, room))
    } else {
        let file = File::open(&options.file).map_err(|cause| Error::File(options.file.clone(), cause))?;
        let admin = folder::make(folder::Place(&options.data, &options.database))?;
        admin.import(&mut BufReader::new(file), room).map(|room| (admin, room))
    };
    let (admin, room) = imported.map_err(|error| folder::about(&options.file, error))?;
    folder::done(&admin, &format!("the room {} is here now, up to number {}", room.room, room.head))
}
