//! The line is the same whatever database it is kept in, and goes on when it moves into another.

use crate::cable::Cable;
use crate::common::*;
use crate::engines;
use parlor::{Server, Synchronous};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn started(address: &str) -> TestServer {
    server_with(Server::builder().database(address, Synchronous::Normal))
}

/// The databases that this build knows and this machine has, each empty; SQLite in `folder`.
fn databases(folder: &std::path::Path) -> Vec<String> {
    let sqlite = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let postgres = if cfg!(feature = "postgres") { engines::postgres() } else { None };
    let mariadb = if cfg!(feature = "mysql") { engines::mariadb() } else { None };
    let shared = postgres.into_iter().chain(mariadb).map(engines::Engine::fresh);
    [sqlite("one.db")].into_iter().chain(shared).chain([sqlite("two.db")]).collect()
}

/// What a client that comes back with `since` is sent, up to `joined`.
fn resumed(client: &mut Client, since: i64) -> (Vec<Value>, Value) {
    client.send(json!({"type": "join", "room": "lobby", "since": since}));
    let mut messages = Vec::new();
    loop {
        let frame = client.next();
        match frame["type"].as_str().unwrap() {
            "message" => messages.push(frame),
            "joined" => return (messages, frame),
            _ => {}
        }
    }
}

#[test]
fn a_client_resumes_from_another_database_as_if_nothing_had_happened() {
    let folder = tempfile::tempdir().unwrap();
    let all = databases(folder.path());
    let first = started(&all[0]);
    let mut ann = first.in_lobby("ann");
    for n in 1..=5 {
        ann.post("lobby", &n.to_string(), &format!("message {n}"));
        ann.expect("message");
    }
    ann.send(json!({"type": "edit", "room": "lobby", "seq": 1, "body": "changed"}));
    assert_eq!(ann.expect("message")["rev"], 6);
    let epoch = ann.welcome["epoch"].clone();
    let (missed, _) = resumed(&mut first.json("bob"), 3);
    assert_eq!(missed.iter().map(|message| message["rev"].as_i64().unwrap()).collect::<Vec<_>>(), [4, 5, 6]);
    first.stop();
    let mut head = 6;
    for pair in all.windows(2) {
        parlor::copy_database(&pair[0], &pair[1], |_| {}).unwrap();
        let server = started(&pair[1]);
        let mut bob = server.json("bob");
        assert_eq!(bob.welcome["epoch"], epoch, "his numbers mean the same");
        let (again, joined) = resumed(&mut bob, 3);
        assert_eq!((&again[..3], &joined["head"]), (&missed[..], &json!(head)));
        let mut ann = server.in_lobby("ann");
        ann.post("lobby", "5", "message 5");
        assert_eq!(ann.expect("message")["rev"], 5, "posting twice is posting once");
        head += 1;
        ann.post("lobby", &format!("in {head}"), "and it goes on");
        assert_eq!(
            (ann.expect("message")["rev"].as_i64(), bob.expect("message")["rev"].as_i64()),
            (Some(head), Some(head))
        );
        server.stop();
    }
}

/// A database that hangs answers nobody, and hangs up on nobody either.
fn hangs(engine: &engines::Engine) {
    let url = engine.fresh();
    let cable = Cable::to(engine.address);
    let by_cable = engine.url(url.rsplit('/').next().unwrap(), cable.address);
    let server = server_with(Server::builder().database(&by_cable, Synchronous::Normal).rate(1000, 1000));
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("bob"));
    ann.post("lobby", "1", "before");
    assert_eq!(bob.expect("message")["rev"], 1);
    cable.hold();
    ann.post("lobby", "2", "meanwhile");
    ann.send(json!({"type": "typing", "room": "lobby"}));
    // Who is here goes on.
    bob.hear("typing");
    let refused = ann.hear_error();
    assert_eq!((&refused["code"], &refused["id"]), (&json!("unavailable"), &json!("2")));
    // And the next one at once.
    let begin = Instant::now();
    ann.post("lobby", "3", "away");
    assert_eq!(ann.hear_error()["code"], "unavailable");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    cable.release();
    let deadline = Instant::now() + DEADLINE;
    loop {
        ann.post("lobby", "2", "meanwhile");
        let answer = ann.everything_until(|frame| frame["type"] == "message" || frame["type"] == "error");
        if answer.last().unwrap()["type"] == "message" {
            break;
        }
        assert!(Instant::now() < deadline, "it does not come back");
    }
    ann.post("lobby", "4", "after");
    let heard: Vec<Value> = (2..=3).map(|_| bob.hear("message")).collect();
    let heard: Vec<(i64, &str)> =
        heard.iter().map(|m| (m["rev"].as_i64().unwrap(), m["body"].as_str().unwrap())).collect();
    assert_eq!(heard, [(2, "meanwhile"), (3, "after")]);
    let (all, joined) = resumed(&mut server.json("carl"), 0);
    assert_eq!((all.len(), &joined["head"]), (3, &json!(3)), "nothing is lost, and nothing there twice");
    server.stop();
}

#[test]
fn while_postgres_hangs_posters_are_told_and_all_goes_on_afterwards() {
    if cfg!(feature = "postgres") {
        engines::postgres().into_iter().for_each(hangs);
    }
}

#[test]
fn while_mariadb_hangs_posters_are_told_and_all_goes_on_afterwards() {
    if cfg!(feature = "mysql") {
        engines::mariadb().into_iter().for_each(hangs);
    }
}
