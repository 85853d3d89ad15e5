//! The executable with a log that the test reads, and what a person asks of it.

use crate::common::program::Program;
use crate::common::{Client, all_of, eventually, raw};
use crate::disk::Disk;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;

/// A server in a process of its own.
pub struct Service {
    pub program: Program,
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub fn start(data: &Path, disk: Option<&Disk>) -> Service {
        let mut command = crate::parlor(data);
        command.args(["--log", "info"]);
        if let Some(disk) = disk {
            disk.under(&mut command);
        }
        let mut program = Program::start(&mut command);
        let address = program.after("open  http://").parse().unwrap();
        let (log, stderr) = (Arc::new(Mutex::new(Vec::new())), program.child.stderr.take().unwrap());
        let written = log.clone();
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| written.lock().push(line))
        });
        Service { program, address, log }
    }

    /// In the lobby, with everything so far let fall.
    pub fn in_lobby(&self, name: &str) -> Client {
        let mut client = Client::json(self.address, name);
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
        client
    }

    /// The lines of the log that have the word.
    pub fn logged(&self, word: &str) -> Vec<String> {
        self.log.lock().iter().filter(|line| line.contains(word)).cloned().collect()
    }

    /// Waits until the log has the word, and gives the lines that have.
    pub fn logs(&self, word: &str) -> Vec<String> {
        eventually(word, || !self.logged(word).is_empty());
        self.logged(word)
    }

    pub fn get(&self, path: &str) -> String {
        self.ask("GET", path, "", "")
    }

    pub fn ask(&self, method: &str, path: &str, fields: &str, body: &str) -> String {
        let mut socket = raw(self.address);
        let (host, length) = (self.address, body.len());
        let type_ = "Content-Type: application/json";
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{type_}\r\nContent-Length: {length}\r\n{fields}");
        socket.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        all_of(&mut socket)
    }

    /// Of what the metrics say.
    pub fn counts(&self, sample: &str) -> f64 {
        let text = self.get("/metrics");
        let found = text.lines().find_map(|line| line.strip_prefix(sample)?.trim().parse().ok());
        found.unwrap_or_else(|| panic!("no {sample} in {text}"))
    }

    pub fn stop(mut self) -> ExitStatus {
        self.program.signal("TERM");
        self.program.end()
    }
}

/// Posts, and gives what comes of it: the receipt or the refusal.
pub fn post(client: &mut Client, id: &str, body: &str) -> Value {
    client.post("lobby", id, body);
    loop {
        let frame = client.next();
        match frame["type"].as_str().unwrap() {
            "message" | "error" if frame["id"] == id => return frame,
            _ => {}
        }
    }
}

/// The numbers of all that is in the lobby.
pub fn all(client: &mut Client) -> Vec<i64> {
    client.send(json!({"type": "leave", "room": "lobby"}));
    client.so_far();
    client.send(json!({"type": "join", "room": "lobby", "since": 0}));
    let mut revs = Vec::new();
    loop {
        let frame = client.next();
        match frame["type"].as_str().unwrap() {
            "message" => revs.push(frame["rev"].as_i64().unwrap()),
            "joined" => return revs,
            "error" => panic!("{frame}"),
            _ => {}
        }
    }
}

/// Asks for a page of the lobby, and gives what comes of it.
pub fn history(client: &mut Client, before: i64) -> Value {
    client.send(json!({"type": "history", "room": "lobby", "before": before, "limit": 20, "ref": before}));
    loop {
        let frame = client.next();
        if frame["ref"] == before {
            return frame;
        }
    }
}
