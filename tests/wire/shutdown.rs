//! The end of a server: everyone is told, what was received is kept, every thread is joined.

use crate::common::*;
use parlor::{Server, Synchronous};
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};

#[test]
fn the_open_hear_1001_and_the_half_open_503() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    let mut echo = Client::connect(server.address, "/echo", None).unwrap();
    let mut half = raw(server.address);
    half.write_all(b"GET /ws HTTP/1.1\r\nHost:").unwrap();
    let mut silent = raw(server.address);
    // The server has seen all four once it answers a fifth.
    server.get("/healthz");
    server.handle.shutdown();
    assert_eq!(ann.close_code(), Some(1001));
    assert_eq!(echo.close_code(), Some(1001));
    for socket in [&mut half, &mut silent] {
        let answer = all_of(socket);
        assert_eq!(status(&answer), 503);
        assert!(answer.contains("Retry-After"), "{answer}");
    }
    server.stop();
    assert!(std::net::TcpStream::connect(server.address).is_err(), "nobody listens any more");
}

#[test]
fn what_was_received_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Server::builder().sqlite(folder.path(), Synchronous::Full);
    let server = server_with(settings());
    let mut ann = server.in_lobby("ann");
    for n in 1..=200 {
        ann.post("lobby", &n.to_string(), "x");
    }
    // The answer to a ping comes when all before it was received, though perhaps not yet stored.
    ann.send(json!({"type": "ping", "t": 0}));
    while ann.next()["type"] != "pong" {}
    server.stop();
    let server = server_with(settings());
    assert_eq!(server.json("ann").welcome["rooms"][0]["head"], 200);
}

#[test]
fn clients_that_do_not_answer_hold_it_up_for_less_than_five_seconds() {
    let server = server();
    let _deaf: Vec<Client> = (0..20).map(|n| server.in_lobby(&format!("deaf{n}"))).collect();
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_never_ran_can_be_dropped() {
    let address = "127.0.0.1:0".parse().unwrap();
    let server = Server::builder().listen(address).bind().unwrap();
    let taken = server.address();
    drop(server);
    let again = Server::builder().listen(taken).bind().unwrap();
    assert_eq!(again.address(), taken);
}

#[test]
fn two_servers_live_in_one_process() {
    let (one, two) = (server(), server());
    let (mut ann, mut other) = (one.in_lobby("ann"), two.in_lobby("ann"));
    ann.post("lobby", "1", "here");
    ann.expect("message");
    assert_eq!(other.so_far(), Vec::<serde_json::Value>::new());
}
