//! A node in a process of its own, which can be killed, paused and read.

use crate::common::DEADLINE;
use crate::common::program::Program;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStderr, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

pub struct Node {
    pub program: Program,
    pub address: SocketAddr,
    /// Its log, line by line.
    log: Receiver<String>,
}

impl Node {
    pub fn start(database: &str, cluster: &str, more: &[&str]) -> Node {
        let mut command = Command::new(executable());
        command.args(["--listen", "127.0.0.1:0", "--database", database, "--cluster", cluster]);
        Node::of(command.args(["--rate", "off", "--per-address", "off"]).args(more))
    }

    /// What that command starts, with no settings from around the tests.
    pub fn of(command: &mut Command) -> Node {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_")) {
            command.env_remove(name);
        }
        Node::with(command)
    }

    /// The same with such settings.
    pub fn with(command: &mut Command) -> Node {
        let mut program = Program::start(command);
        let log = read(program.child.stderr.take().unwrap());
        let open = program.after("open  http://");
        // One that listens everywhere says so in words.
        let address = open.parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
        Node { program, address, log }
    }

    /// What it has spent of the processor's time, in hundredths of a second.
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.program.child.id())).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// What its log has said since this was asked last.
    pub fn log_so_far(&self) -> String {
        self.log.try_iter().map(|line| line + "\n").collect()
    }

    /// What its log has said since this was asked last, up to a line with these words.
    #[track_caller]
    pub fn log_until(&mut self, words: &str) -> String {
        let (mut said, deadline) = (String::new(), Instant::now() + DEADLINE);
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    said.push_str(&line);
                    said.push('\n');
                    if line.contains(words) {
                        return said;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("it does not say {words}, but: {said}"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before it said {words}: {said}"),
            }
        }
    }
}

/// The one that was built with the tests, or another, to measure it.
pub fn executable() -> String {
    std::env::var("PARLOR_EXECUTABLE").unwrap_or_else(|_| env!("CARGO_BIN_EXE_parlor").into())
}

fn read(errors: ChildStderr) -> Receiver<String> {
    let (tell, log) = channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(errors).lines().map_while(Result::ok);
        lines.map(|line| tell.send(line)).take_while(Result::is_ok).for_each(drop);
    });
    log
}
