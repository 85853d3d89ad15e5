//! What stands in for `parlor bench` where there is no epoll.

use crate::cli::environment::{self, Stopped, Variables};
use argh::{ArgsInfo, FromArgs};
use std::ffi::OsString;
use std::process::ExitCode;

/// Measures what a server carries; on Linux alone.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "bench")]
pub struct Options {}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    const NONE: Variables = Variables { options: &[], lists: &[], switches: &[] };
    environment::read(&["parlor", "bench"], args, &NONE, env)
}

pub fn run(_: &Options) -> ExitCode {
    eprintln!("parlor: bench holds its clients with epoll, which only Linux has; it can measure a server elsewhere");
    super::FAILED.into()
}
