//! `parlor connect` as a person sees it: in a pseudo terminal, whose screen is read.

use super::{connect, parlor, raw};
use crate::common::program::Program;
use crate::common::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use serde_json::json;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A program in a terminal of its own, and what is on the screen.
pub struct Terminal {
    child: Child,
    /// Where a person would sit, and where the program does.
    keyboard: OwnedFd,
    line: OwnedFd,
    screen: vt100::Parser,
    /// All that the program has written.
    written: Vec<u8>,
}

impl Terminal {
    pub fn open(command: &mut Command) -> Terminal {
        Terminal::of_kind("xterm-256color", command)
    }

    fn of_kind(kind: &str, command: &mut Command) -> Terminal {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let line = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        command.env("TERM", kind).env("TZ", "UTC").stdin(end()).stdout(end()).stderr(end());
        let screen = vt100::Parser::new(size(24), size(80), 1000);
        tcsetwinsize(&line, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        Terminal { child: command.spawn().unwrap(), keyboard, line, screen, written: Vec::new() }
    }

    pub fn type_in(&self, keys: &str) {
        let mut rest = keys.as_bytes();
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(&self.keyboard, rest).unwrap()..];
        }
    }

    /// Sends what the keys of a terminal of its own would.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Whether the terminal shows what is typed.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.line).unwrap().local_modes.contains(rustix::termios::LocalModes::ECHO)
    }

    /// Waits until the screen is as wanted.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let start = Instant::now();
        loop {
            let rows = self.rows();
            if wanted(&rows) {
                return rows;
            }
            assert!(start.elapsed() < DEADLINE, "no {what}:\n{}", rows.join("\n"));
            self.take(Timespec { tv_sec: 1, tv_nsec: 0 });
        }
    }

    /// Waits until a row of the screen has `text`.
    fn shows(&mut self, text: &str) -> Vec<String> {
        self.until(text, |rows| rows.iter().any(|row| row.contains(text)))
    }

    /// Waits until the last row, where the line that is written stands, is `text`.
    fn prompts(&mut self, text: &str) -> Vec<String> {
        self.until(text, |rows| rows.last().is_some_and(|row| row == text))
    }

    fn take(&mut self, patience: Timespec) {
        let mut ready = [PollFd::new(&self.keyboard, PollFlags::IN)];
        if poll(&mut ready, Some(&patience)).unwrap() > 0 {
            let mut bytes = [0; 4096];
            let count = rustix::io::read(&self.keyboard, &mut bytes).unwrap_or(0);
            self.screen.process(&bytes[..count]);
            self.written.extend(&bytes[..count]);
        }
    }

    /// The rows on the screen that have something on them.
    fn rows(&self) -> Vec<String> {
        let (_, columns) = self.screen.screen().size();
        let rows = self.screen.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned());
        rows.filter(|row| !row.is_empty()).collect()
    }

    fn resize(&mut self, rows: u16, columns: u16) {
        self.screen.screen_mut().set_size(size(rows), size(columns));
        tcsetwinsize(&self.line, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        // Sent by the system to whoever has this as its own terminal.
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "WINCH", &pid]).status().unwrap().success());
    }

    /// Waits for the end.
    pub fn end(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < DEADLINE, "it does not end:\n{}", self.rows().join("\n"));
            self.take(Timespec { tv_sec: 0, tv_nsec: 5_000_000 });
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.written.clone()).unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

/// A time as it stands before a message.
fn without_time(row: &str) -> &str {
    let is_time = row.len() > 5 && row.as_bytes()[2] == b':' && row.as_bytes()[..2].iter().all(u8::is_ascii_digit);
    if is_time { &row[6..] } else { row }
}

#[test]
fn a_person_chats_and_what_arrives_does_not_disturb_the_writing() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    ben.post("lobby", "1", "welcome 世界");
    let mut terminal = Terminal::open(&mut connect(server.address, &[]));
    terminal.shows("here: ");
    let rows = terminal.prompts("lobby▸");
    let said: Vec<&str> = rows.iter().map(|row| without_time(row)).collect();
    assert!(said[0].starts_with("parlor/") && said[0].ends_with(" as ann"), "{said:?}");
    assert_eq!(said[1], "── lobby ──");
    assert_eq!(said[2..], ["ben: welcome 世界", "here: ann, ben", "lobby▸"]);
    terminal.type_in("hello @b\tand oth");
    terminal.prompts("lobby▸ hello @ben and oth");
    ben.post("lobby", "2", "in between");
    terminal.shows("in between");
    terminal.prompts("lobby▸ hello @ben and oth");
    terminal.type_in("\u{1b}b\u{7f}\u{7f}\u{7f}\u{7f}my \u{5}ers\r");
    terminal.prompts("lobby▸");
    assert_eq!(without_time(&terminal.shows("my others")[5]), "ann: hello @ben my others");
    while ben.next()["body"] != "hello @ben my others" {}
    terminal.type_in("/quit\r");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn rooms_are_entered_made_and_left_and_what_is_unread_elsewhere_is_seen() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    let mut terminal = Terminal::open(&mut connect(server.address, &[]));
    terminal.prompts("lobby▸");
    terminal.type_in("/create garden All that grows\r");
    terminal.shows("── garden: All that grows ──");
    terminal.prompts("garden▸");
    ben.post("lobby", "1", "psst");
    terminal.prompts("garden (lobby 1)▸");
    terminal.type_in("/rooms\r");
    let rows = terminal.shows("· lobby");
    assert!(rows.contains(&"  · lobby     1 unread".to_owned()), "{rows:?}");
    assert!(rows.contains(&"  ▸ garden  All that grows".to_owned()), "{rows:?}");
    terminal.type_in("/jo\tlo\t\r");
    terminal.shows("ben: psst");
    terminal.prompts("lobby▸");
    terminal.type_in("/who\r/leave\r");
    terminal.shows("left lobby");
    terminal.prompts("garden▸");
    terminal.type_in("/join nowhere\r");
    terminal.shows("/rooms shows all, /create makes one");
    terminal.type_in("/nonsense\r");
    terminal.shows("there is no /nonsense");
    terminal.type_in("/help\r");
    terminal.shows("Tab completes");
    terminal.type_in("\u{4}");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn older_messages_are_asked_for() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    for n in 1..=30 {
        ben.post("lobby", &n.to_string(), &format!("message {n}"));
        ben.expect("message");
    }
    let mut terminal = Terminal::open(&mut connect(server.address, &["--last", "3"]));
    let rows = terminal.prompts("lobby▸");
    assert!(!rows.iter().any(|row| row.ends_with("message 27")), "{rows:?}");
    terminal.type_in("/history 2\r");
    let rows = terminal.shows("── until here ──");
    let start = rows.iter().position(|row| row == "── before that ──").unwrap();
    assert_eq!(without_time(&rows[start + 1]), "ben: message 26");
    assert_eq!(without_time(&rows[start + 2]), "ben: message 27");
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let server = server();
    for (keys, code) in [("\u{3}", 130), ("half\u{3}\u{3}", 130), ("\u{4}", 0), ("/quit\r", 0)] {
        let mut terminal = Terminal::open(&mut connect(server.address, &[]));
        let before = format!("{:?}", tcgetattr(&terminal.line).unwrap());
        terminal.prompts("lobby▸");
        assert_ne!(format!("{:?}", tcgetattr(&terminal.line).unwrap()), before);
        terminal.type_in(keys);
        assert_eq!(terminal.end(), Some(code), "{keys:?}");
        assert_eq!(format!("{:?}", tcgetattr(&terminal.line).unwrap()), before, "{keys:?}");
        terminal.until("end of the prompt", |rows| !rows.iter().any(|row| row.contains('▸')));
        assert!(terminal.text().ends_with("\u{1b}[?2004l"), "{:?}", terminal.text());
    }
}

#[test]
fn a_window_that_changes_keeps_the_line_whole() {
    let server = server();
    let mut terminal = Terminal::open(&mut connect(server.address, &[]));
    terminal.prompts("lobby▸");
    let long = "0123456789".repeat(12);
    terminal.type_in(&long);
    let joined = |rows: &[String]| rows.concat().ends_with(&format!("lobby▸ {long}"));
    terminal.until("the line in two rows", joined);
    terminal.resize(24, 50);
    terminal.until("the line in three rows", |rows| joined(rows) && rows.last().unwrap().len() == 27);
    terminal.resize(24, 100);
    terminal.until("the line in two rows", |rows| joined(rows) && rows.last().unwrap().len() == 27);
    // A window that is too small for anything still does no harm.
    terminal.resize(2, 5);
    terminal.type_in("\u{15}ok\r");
    terminal.resize(24, 80);
    terminal.shows("ann: ok");
}

#[test]
fn nothing_that_others_say_is_a_command_to_the_terminal() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    let mut terminal = Terminal::open(connect(server.address, &["--wire"]).env("NO_COLOR", "1"));
    terminal.shows("lobby▸");
    let before = terminal.written.len();
    ben.post("lobby", "1", "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}5n\u{90}q\u{202e}\rdone");
    terminal.shows("done");
    let text = terminal.text().split_off(before);
    // Our own begin with these, and with nothing else.
    let ours = ["\u{1b}[J", "\u{1b}[K", "\u{1b}[?2004"];
    for (at, _) in text.match_indices('\u{1b}') {
        let rest = &text[at..];
        let moves = rest[2..].trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['A', 'C']);
        assert!(ours.iter().any(|start| rest.starts_with(start)) || moves, "{rest:?}");
    }
    assert!(!text.contains(['\u{7}', '\u{9b}', '\u{90}', '\u{202e}']), "{text:?}");
    terminal.shows("␛]0;owned␇␛[2J");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let server = server();
    let mut terminal = Terminal::open(&mut connect(server.address, &[]));
    terminal.prompts("lobby▸");
    assert!(terminal.text().contains("\u{1b}[1;38;5;"), "{:?}", terminal.text());
    let mut command = parlor(&["connect", &format!("ws://{}", server.address), "--name", "bo"]);
    let mut terminal = Terminal::open(command.env("NO_COLOR", "1"));
    terminal.shows("here: ann, bo");
    terminal.prompts("lobby▸");
    assert!(!terminal.text().contains("\u{1b}[1;"), "{:?}", terminal.text());
    // A terminal that knows no commands is a pipe to a person.
    let mut command = parlor(&["connect", &format!("ws://{}", server.address), "--name", "cleo", "--follow"]);
    let mut terminal = Terminal::of_kind("dumb", &mut command);
    terminal.type_in("hello\n");
    terminal.shows("cleo: hello");
    assert!(!terminal.text().contains('\u{1b}'), "{:?}", terminal.text());
}

#[test]
fn a_server_that_dies_and_comes_back_costs_no_word() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = |listen: &str| Program::start(&mut parlor(&["--listen", listen, "--data", data, "--log", "off"]));
    let mut server = start("127.0.0.1:0");
    let address = server.after("open  http://").parse().unwrap();
    let mut terminal = Terminal::open(&mut connect(address, &[]));
    terminal.prompts("lobby▸");
    terminal.type_in("before\r");
    terminal.shows("ann: before");
    server.child.kill().unwrap();
    server.end();
    terminal.shows("connection lost, trying again in 0.");
    terminal.prompts("lobby (offline)▸");
    terminal.type_in("meanwhile\r");
    let mut server = start(&address.to_string());
    server.after("open  http://");
    terminal.shows("connected again");
    let rows = terminal.shows("ann: meanwhile");
    let said: Vec<&str> = rows.iter().map(|row| without_time(row)).filter(|row| row.starts_with("ann: ")).collect();
    assert_eq!(said, ["ann: before", "ann: meanwhile"]);
    terminal.prompts("lobby▸");
    // A server that says it is going away is waited for as well.
    server.signal("TERM");
    server.end();
    terminal.prompts("lobby (offline)▸");
    terminal.type_in("\u{3}");
    assert_eq!(terminal.end(), Some(130));
}

#[test]
fn what_is_said_reaches_the_server_before_it_leaves() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    let mut terminal = Terminal::open(&mut connect(server.address, &[]));
    terminal.prompts("lobby▸");
    terminal.type_in("last words\r\u{4}");
    assert_eq!(terminal.end(), Some(0));
    assert_eq!(ben.expect("message")["body"], "last words");
}

#[test]
fn what_was_read_is_told_to_the_server() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    let mut other = server.json("ben2");
    other.send(json!({"type": "join", "room": "lobby", "last": 0}));
    other.expect("joined");
    let mut terminal = Terminal::open(&mut connect(server.address, &["--key", "k", "--wire"]));
    terminal.prompts("lobby▸");
    ben.post("lobby", "1", "read me");
    terminal.shows("read me");
    terminal.shows(r#""type":"read""#);
}

#[test]
fn an_echo_is_talked_to_in_a_terminal() {
    let server = server();
    let url = format!("ws://{}/echo", server.address);
    let mut terminal = Terminal::open(&mut raw(&url, &["--headers"]));
    terminal.shows("connected to ws://");
    terminal.shows("> GET /echo HTTP/1.1");
    terminal.type_in("hello\r");
    let rows = terminal.shows("< hello");
    assert!(rows.contains(&"> hello".to_owned()), "{rows:?}");
    terminal.type_in("\u{4}");
    assert_eq!(terminal.end(), Some(0));
    let mut terminal = Terminal::open(&mut raw(&url, &["-1"]));
    terminal.shows("connected to ws://");
    terminal.type_in("once\r");
    assert_eq!(terminal.end(), Some(0));
}

/// Hundredths of a second that a process has had of a processor.
#[cfg(target_os = "linux")]
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // Behind the name, which is in brackets, user and system time are the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn who_waits_needs_no_processor() {
    let server = server_with(parlor::Server::builder().keepalive(std::time::Duration::from_secs(1)));
    let echo = format!("ws://{}/echo", server.address);
    let mut terminals = [Terminal::open(&mut connect(server.address, &[])), Terminal::open(&mut raw(&echo, &[]))];
    terminals[0].prompts("lobby▸");
    terminals[1].prompts(">");
    let pipes = [
        Program::start(&mut parlor(&["connect", &format!("ws://{}", server.address), "--name", "bo", "--follow"])),
        Program::start(&mut raw(&echo, &["--follow"])),
    ];
    let pids: Vec<u32> = terminals.iter().map(|it| it.child.id()).chain(pipes.iter().map(|it| it.child.id())).collect();
    let before: Vec<u64> = pids.iter().map(|pid| ticks(*pid)).collect();
    // The server pings who has been silent for a second: so long they had nothing to do.
    let mut clock = server.in_lobby("clock");
    while !matches!(clock.socket.read().unwrap(), tungstenite::Message::Ping(_)) {}
    for (pid, before) in pids.iter().zip(before) {
        assert!(ticks(*pid) - before < 30, "{} of 100 ticks", ticks(*pid) - before);
    }
}
