//! A program in a process of its own.

use super::DEADLINE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program that is running, and ends with the test.
pub struct Program {
    pub child: Child,
    pub out: BufReader<std::process::ChildStdout>,
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Program { child, out }
    }

    /// The next line of its output; empty at its end.
    pub fn line(&mut self) -> String {
        if self.out.buffer().is_empty() {
            let mut output = [PollFd::new(self.out.get_ref(), PollFlags::IN)];
            let deadline = Timespec::try_from(DEADLINE).unwrap();
            assert!(poll(&mut output, Some(&deadline)).unwrap() > 0, "it says nothing");
        }
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Reads lines until one has `word`, and gives what follows it.
    pub fn after(&mut self, word: &str) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "it ended before it said {word}: {}", self.errors());
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// What it holds in memory, in MiB: `VmRSS` now, `VmHWM` at the most.
    #[cfg(target_os = "linux")]
    pub fn memory(&self, field: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
    }

    /// What it has used of the processors, in hundredths of a second.
    #[cfg(target_os = "linux")]
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Behind the name, which may have anything in it; of the rest the 12th and the 13th.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for the end, within a deadline.
    pub fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < DEADLINE, "it does not end");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    pub fn errors(&mut self) -> String {
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = self.child.kill();
            let _ = stderr.read_to_string(&mut errors);
        }
        errors
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
