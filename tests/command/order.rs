//! The rate at which a person may write: on by default, set and turned off by a flag, and honoured by `parlor connect`.

use super::{parlor, run};
use crate::common::program::Program;
use crate::common::*;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;

/// A server with these flags, and where it is.
fn serve(flags: &[&str]) -> (Program, SocketAddr) {
    let mut program = Program::start(parlor(&["--listen", "127.0.0.1:0", "--memory", "--log", "off"]).args(flags));
    let address = program.after("open  http://").parse().unwrap();
    (program, address)
}

/// How many of so many posts at once are stored, and how many come too soon.
fn flood(address: SocketAddr, count: usize) -> (usize, usize) {
    let mut bob = Client::json(address, "bob");
    bob.send(json!({"type": "join", "room": "lobby", "last": 0}));
    bob.hear("joined");
    for n in 0..count {
        bob.post("lobby", &n.to_string(), "x");
    }
    let (mut stored, mut refused) = (0, 0);
    while stored + refused < count {
        match bob.next() {
            frame if frame["type"] == "message" => stored += 1,
            frame if frame["code"] == "rate_limited" => refused += 1,
            _ => {}
        }
    }
    (stored, refused)
}

#[test]
fn twenty_at_once_are_taken_unless_a_flag_says_otherwise() {
    let (_program, address) = serve(&[]);
    assert_eq!(flood(address, 30), (20, 10));
    let (_program, address) = serve(&["--rate", "1/4"]);
    assert_eq!(flood(address, 10), (4, 6));
    let (_program, address) = serve(&["--rate", "off"]);
    assert_eq!(flood(address, 100), (100, 0));
    let (code, _, error) = run(&["--rate", "much"]);
    assert!(code == 2 && error.contains("such as 5/20, or off"), "{error}");
}

#[test]
fn what_a_script_says_too_fast_is_said_a_little_later_and_in_order() {
    let (_program, address) = serve(&["--rate", "50/5"]);
    let mut connect = Program::start(&mut parlor(&["connect", &format!("ws://{address}"), "--name", "ci"]));
    let lines: Vec<String> = (0..40).map(|n| format!("line {n}")).collect();
    connect.child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    assert_eq!(connect.end().code(), Some(0));
    let mut ann = Client::json(address, "ann");
    ann.send(json!({"type": "join", "room": "lobby", "since": 0}));
    let told = ann.everything_until(|frame| frame["type"] == "joined");
    let said: Vec<&str> = told.iter().filter_map(|frame| frame["body"].as_str()).collect();
    assert_eq!(said, lines);
}
