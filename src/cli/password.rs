//! A password from whoever sits at the terminal, unseen, or from a pipe. Never from a flag: those are seen in the list of
//! processes, and kept by the shell.

use parlor::Error;
use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use std::io::{self, BufRead, IsTerminal, Write};

/// What a shell expects of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Asks for a password that is to be kept; at a terminal twice.
pub fn ask() -> Result<String, Error> {
    if !io::stdin().is_terminal() {
        let password = line().map_err(unreadable)?;
        let none = || Error::Refused("a password is read from standard input, and there is none".into());
        return if password.is_empty() { Err(none()) } else { Ok(password) };
    }
    let quiet = Quiet::begin().map_err(unreadable)?;
    let asked = twice().map_err(unreadable);
    drop(quiet);
    let (first, second) = asked?;
    let differ = || Error::Refused("the two are not the same; nothing was changed".into());
    if first == second { Ok(first) } else { Err(differ()) }
}

fn twice() -> io::Result<(String, String)> {
    let ask = |prompt: &str| {
        io::stderr().write_all(prompt.as_bytes())?;
        line()
    };
    Ok((ask("Password: ")?, ask("Once more: ")?))
}

fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

fn unreadable(cause: io::Error) -> Error {
    Error::System("no password can be read", cause)
}

/// A terminal that does not show what is typed, until this is dropped or the program is ended by a signal.
struct Quiet {
    before: Termios,
    signals: Handle,
}

impl Quiet {
    fn begin() -> io::Result<Quiet> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let handle = signals.handle();
        let as_it_was = before.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            if signals.forever().next().is_some() {
                let _ = termios::tcsetattr(io::stdin(), OptionalActions::Drain, &as_it_was);
                eprintln!();
                std::process::exit(INTERRUPTED);
            }
        })?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // The end of the line is seen, so that the next thing stands below.
        quiet.local_modes.insert(LocalModes::ECHONL);
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &quiet)?;
        Ok(Quiet { before, signals: handle })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
        self.signals.close();
    }
}
