//! `parlor completions SHELL`: what a shell needs to complete commands and flags, made from their definitions.

use super::environment::{self, Stopped, Variables};
use super::settings::Settings;
use argh::{ArgsInfo, FromArgs};
use argh_complete::{Generator, bash::Bash, fish::Fish, nushell::Nushell, zsh::Zsh};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Prints completions for a shell.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "completions",
    example = "In ~/.bashrc:\n  eval \"$({command_name} bash)\"\nIn ~/.config/fish/config.fish:\n  {command_name} fish | source"
)]
pub struct Options {
    /// bash, zsh, fish (from version 4) or nushell
    #[argh(positional, from_str_fn(shell))]
    pub shell: Shell,
}

#[derive(Debug, PartialEq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Nushell,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    environment::read(&["parlor", "completions"], args, &Variables::NONE, env)
}

pub fn run(options: Options) -> ExitCode {
    let generate = match options.shell {
        Shell::Bash => Bash::generate,
        Shell::Zsh => Zsh::generate,
        Shell::Fish => Fish::generate,
        Shell::Nushell => Nushell::generate,
    };
    // A shell that does not read it needs no word about it.
    let _ = std::io::stdout().write_all(generate("parlor", &Settings::get_args_info()).as_bytes());
    ExitCode::SUCCESS
}

fn shell(text: &str) -> Result<Shell, String> {
    match text {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        "nushell" | "nu" => Ok(Shell::Nushell),
        _ => Err("say bash, zsh, fish or nushell".into()),
    }
}
