//! The executable under siege: each crowd does what it can, and meanwhile newcomers are let in, people chat, and the memory of
//! the process stays below a bound. One at a time; `cargo test --test siege -- --nocapture` prints the figures, with
//! `PARLOR_EXECUTABLE=target/release/parlor` before it those of that one.
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod frames;
mod readers;
mod requests;

use common::program::Program;
use common::*;
use parking_lot::{Mutex, MutexGuard};
use parlor::Capacity;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Half of those who come during a siege are in within this.
const LET_IN: Duration = Duration::from_millis(100);

/// Half of what is said during a siege is back with its author within this.
const HEARD: Duration = Duration::from_millis(250);

/// An executable that is besieged.
struct Siege {
    name: &'static str,
    program: Program,
    address: SocketAddr,
    /// What makes its owner.
    invite: String,
    /// What it held before, in MiB.
    before: usize,
    began: Instant,
    _alone: MutexGuard<'static, ()>,
}

impl Siege {
    fn of(name: &'static str, args: &[&str]) -> Siege {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock();
        Capacity::raise_descriptor_limit();
        // For figures that mean something it is to be one that is built for release.
        let executable = std::env::var("PARLOR_EXECUTABLE").unwrap_or(env!("CARGO_BIN_EXE_parlor").into());
        let mut command = Command::new(executable);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_")) {
            command.env_remove(name);
        }
        command.args(["--memory", "--listen", "127.0.0.1:0", "--log", "error", "--rate", "off"]).args(args);
        let mut program = Program::start(&mut command);
        let address: SocketAddr = program.after("open  ").rsplit("//").next().unwrap().parse().unwrap();
        let invite = program.after("#invite=");
        let before = program.memory("VmRSS");
        Siege { name, program, address, invite, before, began: Instant::now(), _alone: alone }
    }

    fn raw(&self) -> TcpStream {
        raw(self.address)
    }

    /// At the echo.
    fn echo(&self, more: &str) -> TcpStream {
        let mut socket = self.raw();
        socket.write_all(upgrade(self.address, "/echo", more).as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"));
        socket
    }

    fn in_lobby(&self, name: &str) -> Client {
        let mut client = Client::json(self.address, name);
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
        client
    }

    /// A figure of `/metrics`.
    fn figure(&self, name: &str) -> usize {
        let mut socket = self.raw();
        socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let metrics = all_of(&mut socket);
        let figure = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        figure.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse::<f64>().unwrap() as usize
    }

    /// Some come in from another address, one after the other, up to their welcome.
    fn lets_newcomers_in(&self) {
        static CAME: AtomicUsize = AtomicUsize::new(0);
        let mut took: Vec<Duration> = (0..40)
            .map(|_| {
                let path = format!("/ws?name=new{}", CAME.fetch_add(1, SeqCst));
                let start = Instant::now();
                let socket = raw_from("127.0.0.9", self.address);
                let client = Client::upgraded(socket, &path, "Sec-WebSocket-Protocol: parlor.v1\r\n").unwrap();
                let took = start.elapsed();
                client.cut();
                took
            })
            .collect();
        self.within("newcomers are in", &mut took, LET_IN);
    }

    /// Somebody chats on.
    fn hears(&self, ann: &mut Client) {
        let mut took: Vec<Duration> = (0..40)
            .map(|n| {
                let start = Instant::now();
                ann.post("lobby", &format!("{n}-{start:?}"), "hello");
                while ann.hear("message")["from"] != "ann" {}
                start.elapsed()
            })
            .collect();
        self.within("words are back", &mut took, HEARD);
    }

    fn within(&self, what: &str, took: &mut [Duration], bound: Duration) {
        took.sort();
        let (half, most) = (took[took.len() / 2], took[took.len() - 1]);
        println!("{}: {what} within {half:.1?}, all within {most:.1?}", self.name);
        assert!(half < bound, "{}: {what} within {took:?}", self.name);
    }

    /// At no time it held more than `most` MiB above what it held at first.
    fn held(&self, most: usize) {
        let held = self.program.memory("VmHWM").saturating_sub(self.before);
        println!("{}: {held} MiB at the most, of {most}; after {:.1?}", self.name, self.began.elapsed());
        assert!(held <= most, "{}: it held {held} MiB more than before, and should hold {most} at the most", self.name);
    }
}

/// A frame as a client sends it, under a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ ..126 => bytes.push(0x80 | short as u8),
        middle => {
            bytes.push(0x80 | 126);
            bytes.extend((middle as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
