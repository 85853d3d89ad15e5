//! The page in a real browser: people who sit at it, a server behind it, and a line between the two that can break.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod accounts;
mod api;
mod browser;
#[path = "../common/cable.rs"]
mod cable;
mod chat;
mod devices;
mod devtools;
mod fit;
mod harness;
mod keyboard;
mod line;
mod log;
mod markup;
mod messages;
mod order;
mod packed;
mod rooms;
mod screens;
mod search;
mod wire;

use browser::Window;
use common::{Client, TestServer};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// What the server keeps in a room: the number, the author and the text of each message.
fn kept(server: &TestServer, room: &str) -> Vec<(i64, String, String)> {
    static AUDITS: AtomicUsize = AtomicUsize::new(0);
    let mut auditor = server.json(&format!("auditor{}", AUDITS.fetch_add(1, SeqCst)));
    auditor.send(json!({"type": "join", "room": room, "since": 0}));
    let mut all = Vec::new();
    loop {
        let frame = auditor.next();
        let text = |field: &str| frame[field].as_str().unwrap().to_owned();
        match frame["type"].as_str().unwrap() {
            "message" => all.push((frame["seq"].as_i64().unwrap(), text("from"), text("body"))),
            "joined" => return all,
            _ => {}
        }
    }
}

/// Every window shows exactly what the server keeps in the lobby, in the same order, and that is `bodies` in some order.
#[track_caller]
fn all_have_the_same(server: &TestServer, windows: &[&Window], bodies: &[&str]) {
    let kept = kept(server, "lobby");
    for window in windows {
        // Others may have a message before its sender's page has drawn it.
        let count = kept.len();
        window.wait_for(&format!(
            "$$('.message[data-state=sent]').length === {count} && $$('.message').length === {count}"
        ));
        let shown = window.messages();
        let shown: Vec<_> = shown.into_iter().map(|one| (one.seq.unwrap(), one.from, one.body)).collect();
        assert_eq!(shown, kept);
    }
    let mut found: Vec<&str> = kept.iter().map(|(_, _, body)| body.as_str()).collect();
    let mut bodies = bodies.to_vec();
    found.sort_unstable();
    bodies.sort_unstable();
    assert_eq!(found, bodies);
}

/// Posts, and waits until it is stored.
fn post(client: &mut Client, room: &str, body: &str) {
    static POSTS: AtomicUsize = AtomicUsize::new(0);
    let id = format!("post-{}", POSTS.fetch_add(1, SeqCst));
    client.post(room, &id, body);
    while heard(client, "message")["id"] != *id {}
}

/// The next frame of that type, whatever else comes in between.
fn heard(client: &mut Client, kind: &str) -> Value {
    loop {
        let frame = client.next();
        if frame["type"] == kind {
            return frame;
        }
    }
}

/// Makes a room and is in it.
fn create(client: &mut Client, room: &str, title: &str) {
    client.send(json!({"type": "create", "room": room, "title": title}));
    heard(client, "joined");
}
