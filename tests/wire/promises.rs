//! The promises of the protocol, in its own numbers.

use crate::common::*;
use diesel::prelude::*;
use parlor::{Server, Synchronous};
use serde_json::{Value, json};
use std::collections::HashSet;

fn sqlite(folder: &tempfile::TempDir) -> parlor::Builder {
    Server::builder().sqlite(folder.path(), Synchronous::Normal)
}

/// 1. In a room everyone gets the same messages in the same order; from `joined` on, `rev` rises by exactly 1.
#[test]
fn everyone_gets_the_same_messages_in_the_same_order() {
    const PEOPLE: usize = 8;
    const EACH: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(sqlite(&folder));
    let clients: Vec<Client> = (0..PEOPLE).map(|n| server.in_lobby(&format!("p{n}"))).collect();
    let seen: Vec<Vec<(i64, String)>> = std::thread::scope(|scope| {
        let talk = |(n, mut client): (usize, Client)| {
            scope.spawn(move || {
                let mut seen = Vec::new();
                for k in 0..EACH {
                    client.post("lobby", &format!("{n}-{k}"), &format!("{n} says {k}"));
                }
                while seen.len() < PEOPLE * EACH {
                    let message = client.expect("message");
                    seen.push((message["rev"].as_i64().unwrap(), message["body"].as_str().unwrap().to_owned()));
                }
                seen
            })
        };
        let talking: Vec<_> = clients.into_iter().enumerate().map(talk).collect();
        talking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (place, (rev, _)) in seen[0].iter().enumerate() {
        assert_eq!(*rev, place as i64 + 1);
    }
    for other in &seen[1..] {
        assert_eq!(*other, seen[0]);
    }
    // Each person's own messages stand in the order in which they were sent.
    for n in 0..PEOPLE {
        let own: Vec<&String> = seen[0].iter().map(|(_, b)| b).filter(|b| b.starts_with(&format!("{n} "))).collect();
        assert_eq!(own, (0..EACH).map(|k| format!("{n} says {k}")).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    }
}

/// 2. A message is shown only after it is stored; the sender's own copy is its receipt.
#[test]
fn what_cannot_be_stored_is_refused_and_shown_to_nobody() {
    use diesel::connection::{Connection, SimpleConnection};
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(sqlite(&folder));
    let mut ann = server.in_lobby("ann");
    let mut bob = server.in_lobby("bob");
    let url = folder.path().join("parlor.db").to_string_lossy().into_owned();
    let mut lock = diesel::SqliteConnection::establish(&url).unwrap();
    lock.batch_execute("BEGIN IMMEDIATE").unwrap();
    ann.post("lobby", "1", "while another program holds the database");
    let refused = ann.expect("error");
    assert_eq!((&refused["code"], &refused["id"]), (&json!("unavailable"), &json!("1")));
    assert_eq!(bob.so_far(), Vec::<Value>::new());
    lock.batch_execute("ROLLBACK").unwrap();
    ann.post("lobby", "1", "when it is free again");
    let receipt = ann.expect("message");
    assert_eq!((&receipt["id"], &receipt["rev"]), (&json!("1"), &json!(1)));
    assert_eq!(bob.expect("message"), receipt);
    let told = server.handle.metrics();
    for line in [
        "parlor_store_failures_total 1",
        "parlor_errors_total{code=\"unavailable\"} 1",
        "parlor_messages_stored_total 1",
        "parlor_commit_seconds_count 2",
    ] {
        assert!(told.lines().any(|other| other == line), "no {line} in\n{told}");
    }
}

#[test]
fn a_receipt_means_that_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(sqlite(&folder));
    let mut ann = server.in_lobby("ann");
    for n in 0..20 {
        ann.post("lobby", &n.to_string(), "x");
        ann.expect("message");
        let mut database = SqliteConnection::establish(&folder.path().join("parlor.db").to_string_lossy()).unwrap();
        let stored = diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT max(seq) FROM messages");
        assert_eq!(stored.get_result::<i64>(&mut database).unwrap(), n + 1, "another process finds it in the database");
    }
}

/// 3. The same `id` from the same person is stored once; sending it again brings the receipt again, to that sender alone.
#[test]
fn posting_twice_is_posting_once() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    let mut bob = server.in_lobby("bob");
    ann.post("lobby", "same", "once");
    let receipt = ann.expect("message");
    ann.post("lobby", "same", "once");
    assert_eq!(ann.expect("message"), receipt);
    assert_eq!(bob.so_far(), std::slice::from_ref(&receipt));
    bob.post("lobby", "same", "another person's id is another message");
    assert_eq!(bob.expect("message")["rev"], 2);
    ann.cut();
    let mut ann = Client::json(server.address, "ann2");
    ann.send(json!({"type": "join", "room": "lobby", "last": 0}));
    ann.expect("joined");
    ann.post("lobby", "same", "and another's");
    assert_eq!(ann.expect("message")["rev"], 3);
}

#[test]
fn a_post_repeated_after_the_line_broke_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(sqlite(&folder));
    let path = "/ws?name=ann&key=secret";
    let mut ann = Client::try_json(server.address, path).unwrap();
    ann.send(json!({"type": "join", "room": "lobby"}));
    ann.expect("joined");
    ann.post("lobby", "a", "sent, and the line breaks before the receipt");
    ann.cut();
    let mut ann = Client::try_json(server.address, path).unwrap();
    ann.send(json!({"type": "join", "room": "lobby", "since": 0}));
    ann.post("lobby", "a", "sent, and the line breaks before the receipt");
    let mut bodies = Vec::new();
    for frame in {
        ann.post("lobby", "b", "next");
        std::iter::from_fn(|| Some(ann.next()))
    } {
        if frame["type"] == "message" {
            bodies.push((frame["rev"].as_i64().unwrap(), frame["id"].as_str().unwrap().to_owned()));
            if frame["id"] == "b" {
                break;
            }
        }
    }
    let distinct: HashSet<_> = bodies.iter().collect();
    assert_eq!(distinct.len(), 2, "{bodies:?}");
    assert_eq!(bodies.last().unwrap().0, 2, "{bodies:?}");
}

/// 4. Another epoch tells that numbers mean nothing here; the same database keeps it.
#[test]
fn the_epoch_is_the_databases() {
    let folder = tempfile::tempdir().unwrap();
    let epoch = |server: &TestServer| server.json("ann").welcome["epoch"].as_str().unwrap().to_owned();
    let first = server_with(sqlite(&folder));
    let kept = epoch(&first);
    first.stop();
    assert_eq!(epoch(&server_with(sqlite(&folder))), kept);
    assert_ne!(epoch(&server()), epoch(&server()));
}
