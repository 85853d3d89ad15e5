//! What a person or a program gives: lines of standard input, keys of a terminal, signals. Each is a thread with a channel.

use super::failure::Failure;
use crossbeam_channel::{Receiver, bounded};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use std::io::{BufRead, Read};

/// As much as is sent in one binary message.
const PORTION: usize = 64 * 1024;

/// Lines of standard input, without their ends; the channel ends with it.
pub fn lines() -> Result<Receiver<Result<String, Failure>>, Failure> {
    let (give, lines) = bounded(1);
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|e| Failure::Misused(format!("the input is no text: {e}")));
            let broken = line.is_err();
            let line = line.map(|line| line.strip_suffix('\r').map(str::to_owned).unwrap_or(line));
            if give.send(line).is_err() || broken {
                return;
            }
        }
    };
    start("input", read).map(|()| lines)
}

/// Standard input as it comes, in portions: bytes of a file, or keys of a terminal.
pub fn portions() -> Result<Receiver<Vec<u8>>, Failure> {
    let (give, portions) = bounded(1);
    let read = move || {
        let mut portion = vec![0; PORTION];
        while let Ok(count @ 1..) = std::io::stdin().lock().read(&mut portion) {
            if give.send(portion[..count].to_vec()).is_err() {
                return;
            }
        }
    };
    start("input", read).map(|()| portions)
}

/// Tells when nobody reads standard output any more, as behind `| head`: who only waits would never notice.
pub fn unread() -> Result<Receiver<()>, Failure> {
    let (give, gone) = bounded(1);
    let watch = move || {
        let out = std::io::stdout();
        // Asked for nothing, it still tells of errors: of a pipe, that it has no reader (POSIX, poll).
        let mut out = [PollFd::new(&out, PollFlags::empty())];
        while let Ok(0) | Err(Errno::INTR) = poll(&mut out, None) {}
        if out[0].revents().contains(PollFlags::ERR) {
            let _ = give.send(());
        }
        // A channel that nobody can send on is always ready.
        loop {
            std::thread::park();
        }
    };
    start("output", watch).map(|()| gone)
}

/// Ctrl-C and its like; and changes of the window.
pub fn signals() -> Result<Receiver<i32>, Failure> {
    let (give, signals) = bounded(8);
    let mut watched = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGWINCH]).map_err(failed)?;
    start("signals", move || watched.forever().try_for_each(|signal| give.send(signal)).unwrap_or(())).map(|()| signals)
}

/// Whether a signal asks to end.
pub fn is_end(signal: i32) -> bool {
    signal != SIGWINCH
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    // It ends with the process: nothing can wake a thread that waits for input.
    std::thread::Builder::new().name(name.into()).spawn(run).map(drop).map_err(failed)
}

fn failed(e: std::io::Error) -> Failure {
    Failure::Lost(e.to_string())
}
