//! A stranger walks past closed doors: whatever is asked about a private or direct room, it is as if there were none.

use crate::common::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PROTOCOL: &str = include_str!("../../src/protocol/README.md");

/// Of a room's name and what is said and shown in it, words that no stranger may ever hear.
const SECRETS: [&str; 4] = ["cellar", "Wine & Co", "vintages", "a barrel of 1961"];

/// A private room with ann and bob in it, who made it and said something there; and the direct room of both.
fn furnish(server: &TestServer) -> (Client, Client, String) {
    let mut ann = server.in_lobby("ann");
    let mut bob = server.in_lobby("bob");
    ann.send(json!({"type": "create", "room": "cellar", "title": "Wine & Co", "topic": "vintages", "kind": "private",
        "members": ["bob"]}));
    ann.hear("joined");
    bob.send(json!({"type": "join", "room": "cellar"}));
    bob.hear("joined");
    ann.send(json!({"type": "direct", "people": ["bob"], "ref": 1}));
    let direct = loop {
        let room = ann.hear("room");
        if room["ref"] == 1 {
            break room["room"].as_str().unwrap().to_owned();
        }
    };
    ann.hear("joined");
    bob.send(json!({"type": "join", "room": direct}));
    bob.hear("joined");
    for room in ["cellar", &direct] {
        ann.post(room, room, "a barrel of 1961");
        assert_eq!(ann.hear("message")["room"], *room);
        assert_eq!(bob.hear("message")["room"], *room);
    }
    (ann, bob, direct)
}

/// The types of frames that a client may send, as the protocol's table has them; a unit test sees to it that none is
/// missing.
fn types() -> BTreeSet<&'static str> {
    let table = PROTOCOL.split("| client sends |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().skip(2).filter_map(|row| row.split('|').nth(1));
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// Frames of a type that are about `room`; for a type that is about none, nothing.
fn about(kind: &str, room: &str) -> Vec<Value> {
    match kind {
        "join" => vec![
            json!({"type": "join", "room": room}),
            json!({"type": "join", "room": room, "since": 0}),
            json!({"type": "join", "room": room, "last": 5}),
        ],
        "leave" | "typing" | "quit" => vec![json!({"type": kind, "room": room})],
        "members" => vec![json!({"type": "members", "room": room, "ref": 1})],
        "post" => vec![json!({"type": "post", "room": room, "id": "x", "body": "x"})],
        "edit" => vec![json!({"type": "edit", "room": room, "seq": 1, "body": "x"})],
        "delete" => vec![json!({"type": "delete", "room": room, "seq": 1})],
        "react" => vec![json!({"type": "react", "room": room, "seq": 1, "emoji": "👍", "on": true})],
        "read" => vec![json!({"type": "read", "room": room, "rev": 1})],
        "history" => vec![
            json!({"type": "history", "room": room, "before": 99, "ref": "h"}),
            json!({"type": "history", "room": room, "after": 0, "ref": "h"}),
        ],
        "search" => vec![
            json!({"type": "search", "query": format!("in:{room}"), "ref": "s"}),
            json!({"type": "search", "query": format!("barrel in:{room} in:lobby"), "ref": "s"}),
        ],
        "change" => vec![
            json!({"type": "change", "room": room, "title": "Mine"}),
            json!({"type": "change", "room": room, "archived": true}),
            json!({"type": "change", "room": room, "slow": 5}),
            json!({"type": "change", "room": room, "read_only": true}),
        ],
        "invite" | "remove" => vec![
            json!({"type": kind, "room": room, "name": "ann"}),
            json!({"type": kind, "room": room, "name": "eve"}),
            json!({"type": kind, "room": room, "name": "nobody"}),
        ],
        // Of `create` there is a test of its own: that a name is taken cannot be hidden.
        "create" | "direct" | "ping" => vec![],
        other => panic!("no frame of type {other} here: say what a stranger may try with it"),
    }
}

#[test]
fn every_frame_is_answered_as_for_a_room_that_is_not_there() {
    let server = server();
    let (mut ann, mut bob, direct) = furnish(&server);
    // A stranger, a member who was removed, and one who never gave a name that was invited.
    ann.send(json!({"type": "invite", "room": "cellar", "name": "bob"}));
    let mut mallory = server.in_lobby("mallory");
    ann.send(json!({"type": "invite", "room": "cellar", "name": "mallory"}));
    assert_eq!(mallory.hear("room")["title"], "Wine & Co");
    mallory.send(json!({"type": "join", "room": "cellar"}));
    mallory.hear("joined");
    ann.send(json!({"type": "remove", "room": "cellar", "name": "mallory"}));
    assert_eq!(mallory.hear("room")["gone"], true);
    let mut eve = server.in_lobby("eve");
    let kinds = types();
    assert!(kinds.len() >= 14, "{kinds:?}");
    for stranger in [&mut eve, &mut mallory] {
        let mut answers = |room: &str| {
            let mut all = Vec::new();
            for frame in kinds.iter().flat_map(|kind| about(kind, room)) {
                stranger.send(frame.clone());
                let answered: Vec<Value> = stranger.so_far();
                assert_eq!(answered.len(), 1, "{frame}: {answered:?}");
                assert_eq!(answered[0]["code"], "no_such_room", "{frame}: {answered:?}");
                all.push(answered[0].to_string().replace(room, "ROOM"));
            }
            all
        };
        let nowhere = answers("nowhere");
        assert_eq!(answers("cellar"), nowhere);
        assert_eq!(answers(&direct), nowhere);
    }
    // Nothing of it has changed anything.
    ann.send(json!({"type": "members", "room": "cellar"}));
    loop {
        let told = ann.hear("members");
        if !told["people"].is_null() {
            break assert_eq!(told["people"], json!(["ann", "bob"]));
        }
    }
    bob.post("cellar", "after", "as before");
    while ann.hear("message")["body"] != "as before" {}
}

#[test]
fn nothing_that_happens_there_reaches_a_stranger() {
    let server = server();
    let mut eve = server.in_lobby("eve");
    let (mut ann, mut bob, direct) = furnish(&server);
    let mut late = server.in_lobby("late");
    let mut plain = server.plain("plain");
    for room in ["cellar", &direct] {
        bob.send(json!({"type": "typing", "room": room}));
        bob.send(json!({"type": "read", "room": room, "rev": 1}));
        bob.send(json!({"type": "leave", "room": room}));
        bob.send(json!({"type": "join", "room": room}));
        // One "typing" in 3 s is enough, it is told in between.
        bob.everything_until(|frame| frame["type"] == "joined");
    }
    for frame in [
        json!({"type": "change", "room": "cellar", "topic": "vintages of old", "archived": true}),
        json!({"type": "change", "room": "cellar", "archived": false}),
        json!({"type": "remove", "room": "cellar", "name": "bob"}),
        json!({"type": "invite", "room": "cellar", "name": "bob"}),
        json!({"type": "quit", "room": "cellar"}),
    ] {
        ann.send(frame);
    }
    while ann.hear("room")["gone"] != true {}
    // What is said in the lobby comes after all that, and is all that they hear.
    ann.post("lobby", "fence", "to all");
    for stranger in [&mut eve, &mut late] {
        let welcome = stranger.welcome.to_string();
        let heard = stranger.everything_until(|frame| frame["body"] == "to all");
        for text in heard.iter().map(Value::to_string).chain([welcome]) {
            assert!(SECRETS.iter().all(|secret| !text.contains(secret)) && !text.contains(&direct), "{text}");
        }
        assert_eq!(stranger.welcome["rooms"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(plain.text(), "ann: to all");
}

#[test]
fn a_name_that_is_taken_is_all_that_create_tells() {
    let server = server();
    let (mut ann, _bob, direct) = furnish(&server);
    ann.send(json!({"type": "create", "room": "open"}));
    ann.hear("joined");
    let mut eve = server.in_lobby("eve");
    let mut refusal = |room: &str, kind: &str| {
        eve.send(json!({"type": "create", "room": room, "kind": kind}));
        eve.hear("error").to_string().replace(room, "ROOM")
    };
    assert!(refusal("open", "public").contains("room_exists"));
    assert_eq!(refusal("cellar", "public"), refusal("open", "public"), "a private room is not told from a public one");
    assert_eq!(refusal("cellar", "private"), refusal("open", "private"));
    assert_eq!(
        refusal(&direct, "public"),
        refusal("d-00000000000000000000", "public"),
        "nobody can try direct rooms out"
    );
}

#[test]
fn a_plain_text_handshake_is_answered_as_for_a_room_that_is_not_there() {
    let server = server();
    let (_ann, _bob, direct) = furnish(&server);
    for who in ["name=eve", "name=ann", "name=", "name=a%00b", "nobody=1"] {
        let answer = |room: &str| {
            let request = upgrade(server.address, &format!("/ws?room={room}&{who}"), "");
            server.raw(request.as_bytes()).replace(room, "ROOM").replace(&format!("Content-Length: {}", room.len()), "")
        };
        // Of equal length, so that the answer is.
        assert_eq!(answer("cellar"), answer("nowher"), "{who}");
        assert_eq!(answer(&direct), answer("d-00000000000000000000"), "{who}");
    }
    assert_eq!(Client::connect(server.address, "/ws?room=cellar&name=eve", None).err(), Some(404));
}

#[test]
fn no_route_tells_of_it() {
    let server = server();
    let (_ann, _bob, direct) = furnish(&server);
    let routes: BTreeSet<&str> = PROTOCOL
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| {
            let path = code.strip_prefix("GET ").or_else(|| code.strip_prefix("POST ")).unwrap_or(code);
            path.starts_with('/').then_some(path)
        })
        .collect();
    assert!(
        routes.contains("/api/session") && routes.contains("/healthz") && routes.contains("/metrics"),
        "{routes:?}"
    );
    let also = ["/api/", "/api/rooms", "/api/rooms/cellar", "/cellar", "/files/cellar", "/?room=cellar"];
    for route in routes.iter().copied().chain(also) {
        for method in ["GET", "HEAD", "POST", "DELETE"] {
            let request = format!(
                "{method} {route} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 2\r\n\r\n{{}}"
            );
            let answer = server.raw(request.as_bytes());
            let told = answer.replace(route, "");
            assert!(
                SECRETS.iter().all(|secret| !told.contains(secret)) && !told.contains(&direct),
                "{route}: {answer}"
            );
        }
    }
    let answers = |room: &str| {
        ["/api/rooms/", "/files/", "/api/", "/"].map(|at| {
            let answer = server.get(&format!("{at}{room}"));
            // Without the date: the one may be asked for a second later than the other.
            let told: Vec<&str> = answer.lines().filter(|line| !line.starts_with("Date: ")).collect();
            (status(&answer), told.join("\n").replace(room, "ROOM"))
        })
    };
    assert_eq!(answers("cellar"), answers("nowher"));
}
