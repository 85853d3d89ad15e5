//! A process that runs out of descriptors while it serves: nothing dies, and it recovers.

use super::parlor;
use crate::common::program::Program;
use crate::common::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

/// An answer, or nothing where there was none in time.
fn ask(address: SocketAddr) -> String {
    let mut answer = Vec::new();
    if let Ok(mut socket) = TcpStream::connect(address) {
        let _ = socket.set_read_timeout(Some(Duration::from_millis(500)));
        let _ = socket.write_all(b"GET /js/words.js HTTP/1.1\r\nHost: x\r\n\r\n");
        let _ = socket.read_to_end(&mut answer);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
#[cfg(target_os = "linux")]
fn out_of_descriptors_nothing_dies_and_it_recovers() {
    let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--memory"]));
    let address: SocketAddr = program.after("open  http://").parse().unwrap();
    assert!(ask(address).starts_with("HTTP/1.1 200"));
    let mut ann = Client::json(address, "ann");
    ann.send(serde_json::json!({"type": "join", "room": "lobby", "last": 0}));
    ann.expect("joined");
    let pid = program.child.id();
    let open = || std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let limit = |soft: usize| {
        // The hard limit stays, so that it can be raised again.
        let soft = format!("--nofile={soft}:");
        assert!(Command::new("prlimit").args(["--pid", &pid.to_string(), &soft]).status().unwrap().success());
    };
    let before = open();
    let held = program.memory("VmRSS");
    // With one more each time, another step of serving a page is the one that fails.
    for spare in 0..8 {
        limit(before + spare);
        for _ in 0..3 {
            ask(address);
        }
        // Who is here is served as ever.
        ann.post("lobby", &spare.to_string(), "still here");
        assert_eq!(ann.expect("message")["body"], "still here");
        limit(10_000);
        eventually("pages are served again", || ask(address).starts_with("HTTP/1.1 200"));
    }
    let mut bob = Client::json(address, "bob");
    bob.send(serde_json::json!({"type": "join", "room": "lobby", "last": 1}));
    assert_eq!(bob.expect("message")["body"], "still here");
    eventually("descriptors are given back", || open() <= before + 2);
    let more = program.memory("VmHWM").saturating_sub(held);
    println!("out of descriptors: {more} MiB at the most, of 16");
    assert!(more <= 16, "it held {more} MiB more than before");
}
