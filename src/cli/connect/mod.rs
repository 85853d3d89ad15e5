//! `parlor connect`: a chat in the terminal or in a pipe, and text to any WebSocket server.
//!
//! | files | what they are |
//! |---|---|
//! | `options`, `failure` | flags in, exit codes out |
//! | `chat`, `pipe`, `raw` | a person at a terminal, a program in a pipe, any server: each one loop over channels |
//! | `rooms`, `command`, `completion`, `json` | what is known and shown, what is asked for; pure |
//! | `look`, `harmless` | colours, names, times; text that can do nothing to a terminal; pure |
//! | `wire`, `tap` | bytes of a connection as lines |
//! | `console`, `screen`, `input` | the terminal and its threads |
//! | `keys`, `editor`, `layout` | the line that is being written; pure |
//!
//! The line is edited here and not by rustyline, whose prompt stays as it was while somebody writes (it could tell neither of
//! what is unread nor of a broken connection) and which another thread cannot end; reedline brings a runtime's mio.

mod chat;
mod command;
mod completion;
mod console;
mod editor;
mod failure;
mod harmless;
mod input;
mod json;
mod keys;
mod layout;
mod look;
mod options;
mod pipe;
mod raw;
mod rooms;
mod screen;
mod tap;
mod wire;

pub use options::{Options, read};

use failure::Failure;
use look::Look;
use parlor::{Client, DialError, Dialer};
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;

/// The server when none is named: the one that `parlor` starts.
const DEFAULT: &str = "ws://127.0.0.1:8080";

pub fn run(options: Options) -> ExitCode {
    let at_terminal = stdin().is_terminal() && stdout().is_terminal() && !look::is_dumb();
    let piped = options.json || options.binary || (options.one && !options.raw) || !at_terminal;
    // In a pipe only what is no message is painted, and that goes to standard error.
    let look = if piped { Look::of(&stderr()) } else { Look::of(&stdout()) };
    let done = match (options.raw, piped) {
        (true, _) => raw::run(&options, look, !piped),
        (false, true) => pipe::run(&options, look),
        (false, false) => chat::run(&options, look),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(why) = failure.message() {
                say(&format!("parlor: {why}"));
            }
            failure.code().into()
        }
    }
}

/// Says what is no message, to whoever still listens.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Connects to a Parlor as the flags say.
fn dial(options: &Options, fit: impl FnOnce(Dialer) -> Dialer) -> Result<Client, Failure> {
    let url = options.url.as_deref().unwrap_or(DEFAULT);
    let mut builder = Client::builder(url).dial(fit);
    // Who a URL has named itself needs no other name.
    if parameter(url, "name").is_none() {
        builder = builder.name(options.name.as_deref().unwrap_or("guest"));
    }
    if let Some(key) = &options.key {
        builder = builder.key(key);
    }
    builder.connect().map_err(|error| {
        let by_default = options.url.is_none() && matches!(error, DialError::Unreachable(..));
        match Failure::of_chat(error) {
            Failure::Lost(why) if by_default => {
                Failure::Lost(format!("{why}; `parlor` starts a server here, and a URL names another"))
            }
            failure => failure,
        }
    })
}

/// The rooms to be in; the first is written to.
fn room_names(options: &Options) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in &options.room {
        let name = name.strip_prefix('#').unwrap_or(name).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        names.push(options.url.as_deref().and_then(|url| parameter(url, "room")).unwrap_or("lobby".into()));
    }
    names
}

/// A parameter in the query of a URL, such as `?room=garden`.
fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
