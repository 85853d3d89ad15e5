//! The control socket: how a command tells the server that runs on its folder to look again.
//!
//! It stands in the data folder and is its owner's alone. A line asks, a line answers; nothing else can be asked.

use crate::error::Error;
use crate::folder::{Address, Lock};
use crate::line::Line;
use crate::mishap::caught;
use log::{error, info, warn};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const REFRESH: &str = "refresh";
const DONE: &str = "done";
const ANOTHER: &str = "another database";

/// The longest line, in bytes.
const LONGEST: u64 = 1024;

/// How long the server waits for what a command has to say; and how long a command for the server, which may have a long
/// import to show.
const PATIENCE: Duration = Duration::from_secs(2);
const COMMANDS_PATIENCE: Duration = Duration::from_secs(60);

/// How often a command looks whether the server listens by now.
const AGAIN: Duration = Duration::from_millis(20);

/// The thread that listens, until it is stopped.
pub(crate) struct Control {
    bell: UnixStream,
    thread: JoinHandle<()>,
    address: Address,
}

impl Control {
    /// Listens in `folder`, which is this server's. Where there can be no socket, the server does without.
    pub fn start(folder: &Path, line: &Arc<Line>) -> Option<Control> {
        Control::try_start(folder, line)
            .inspect_err(|cause| {
                warn!("commands cannot reach this server through {}: {cause}", folder.display());
            })
            .ok()
    }

    fn try_start(folder: &Path, line: &Arc<Line>) -> io::Result<Control> {
        let address = Address::of(folder);
        // Left behind by a server that was killed: there is no other, for the folder is ours.
        let _ = fs::remove_file(address.path());
        let listener = UnixListener::bind(address.path())?;
        fs::set_permissions(address.path(), Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let (bell, rung) = UnixStream::pair()?;
        let line = line.clone();
        let thread = std::thread::Builder::new().name("control".into()).spawn(move || run(&listener, &rung, &line))?;
        Ok(Control { bell, thread, address })
    }

    /// Ends it.
    pub fn stop(self) {
        let _ = (&self.bell).write(&[1]);
        if self.thread.join().is_err() {
            error!("the control thread panicked");
        }
        let _ = fs::remove_file(self.address.path());
    }
}

fn run(listener: &UnixListener, bell: &UnixStream, line: &Arc<Line>) {
    while !line.is_stopping() {
        let mut fds = [PollFd::new(listener, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
        // Interrupted: it comes round and asks again.
        let _ = poll(&mut fds, None);
        match listener.accept() {
            Ok((socket, _)) => {
                // A command that does not wait for its answer has its reasons.
                let _ = caught("what a command asked for", || answer(&socket, line));
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => {
                error!("cannot accept a command: {e}");
                std::thread::sleep(PATIENCE / 10);
            }
        }
    }
}

fn answer(mut socket: &UnixStream, line: &Arc<Line>) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let mut asked = String::new();
    BufReader::new(socket.take(LONGEST)).read_line(&mut asked)?;
    let (what, epoch) = asked.trim_end().split_once(' ').unwrap_or((asked.trim_end(), line.store.epoch()));
    let answer = match what {
        REFRESH if epoch != line.store.epoch() => ANOTHER.to_owned(),
        REFRESH => match line.refresh() {
            Ok(()) => {
                info!("a command has changed something: looked again");
                DONE.to_owned()
            }
            Err(cause) => {
                error!("a command has changed something, and it cannot be read: {cause}");
                cause.to_string().replace('\n', " ")
            }
        },
        _ => "this server does not know what that means; it is of another version".into(),
    };
    socket.write_all(format!("{answer}\n").as_bytes())
}

/// Tells the server that runs on this folder to look again; where it may have a database that is elsewhere, if it is the one with
/// that epoch. False: there is none.
///
/// # Errors
/// [`Error::Refused`] when there is one, and it was not reached or could not.
pub(crate) fn tell(folder: &Path, epoch: Option<&str>) -> Result<bool, Error> {
    let until = Instant::now() + PATIENCE;
    let asked = loop {
        if !Lock::is_held(folder) {
            return Ok(false);
        }
        match ask(folder, epoch) {
            Ok(asked) => break asked,
            // It has the folder and does not listen yet, or no longer.
            Err(_) if Instant::now() < until => std::thread::sleep(AGAIN),
            Err(cause) => break cause.to_string(),
        }
    };
    if asked == DONE || asked == ANOTHER {
        return Ok(asked == DONE);
    }
    let what = "the server that runs could not be told, and will know once it is started anew";
    Err(Error::Refused(format!("it is done; but {what}: {asked}")))
}

fn ask(folder: &Path, epoch: Option<&str>) -> io::Result<String> {
    let mut socket = UnixStream::connect(Address::of(folder).path())?;
    socket.set_read_timeout(Some(COMMANDS_PATIENCE))?;
    let what = epoch.map_or_else(|| REFRESH.to_owned(), |epoch| format!("{REFRESH} {epoch}"));
    socket.write_all(format!("{what}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(socket.take(LONGEST)).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}
