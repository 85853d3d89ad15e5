//! What one does with a message that is there: edit, delete, react, reply; and who is spoken to.

use crate::common::*;
use parlor::{Server, Synchronous};
use serde_json::{Value, json};

fn change(client: &mut Client, kind: &str, seq: i64, more: Value) {
    let mut frame = json!({"type": kind, "room": "lobby", "seq": seq});
    for (name, value) in more.as_object().unwrap() {
        frame[name] = value.clone();
    }
    client.send(frame);
}

fn react(client: &mut Client, seq: i64, emoji: &str, on: bool) {
    change(client, "react", seq, json!({"emoji": emoji, "on": on}));
}

/// Everything that a newcomer is shown of the lobby.
fn shown(server: &TestServer, name: &str) -> Vec<Value> {
    let mut client = server.json(name);
    client.send(json!({"type": "join", "room": "lobby"}));
    let mut messages = Vec::new();
    loop {
        let frame = client.next();
        match frame["type"].as_str().unwrap() {
            "message" => messages.push(frame),
            "joined" => return messages,
            _ => {}
        }
    }
}

#[test]
fn a_change_is_shown_to_all_as_the_message_now_stands() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("bob"));
    ann.post("lobby", "a", "helo");
    change(&mut ann, "edit", 1, json!({"body": "hello"}));
    react(&mut ann, 1, "🎉", true);
    let mut seen = [&mut ann, &mut bob].map(|client| [(); 3].map(|()| client.expect("message")));
    assert_eq!(seen[0], seen[1], "the same for everyone");
    let [first, edited, reacted] = seen[1].clone();
    assert_eq!((&first["body"], &first["rev"], &first["edited_at"]), (&json!("helo"), &json!(1), &Value::Null));
    let mut expected = first.clone();
    (expected["body"], expected["rev"]) = (json!("hello"), json!(2));
    expected["edited_at"] = edited["edited_at"].clone();
    assert_eq!(edited, expected);
    assert!(edited["edited_at"].as_str().unwrap() >= edited["at"].as_str().unwrap());
    (expected["rev"], expected["reactions"]) = (json!(3), json!([{"emoji": "🎉", "people": ["ann"]}]));
    assert_eq!(reacted, expected);
    react(&mut bob, 1, "🎉", true);
    assert_eq!(ann.expect("message")["reactions"], json!([{"emoji": "🎉", "people": ["ann", "bob"]}]));
    let now = bob.expect("message");
    assert_eq!(shown(&server, "eve"), [now]);
    change(&mut ann, "delete", 1, json!({}));
    seen[1][0] = bob.expect("message");
    let gone = json!({"type": "message", "room": "lobby", "seq": 1, "rev": 5, "id": "a", "from": "ann", "at": first["at"],
        "body": "", "deleted": true, "edited_at": edited["edited_at"]});
    assert_eq!(seen[1][0], gone);
    assert_eq!(shown(&server, "dan"), [gone]);
    let told = server.handle.metrics();
    assert!(told.contains("\nparlor_messages_stored_total 1\n"), "a change is no message more: {told}");
}

#[test]
fn one_changes_ones_own_and_nothing_that_is_gone() {
    let server = server();
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("bob"));
    ann.post("lobby", "a", "mine");
    bob.expect("message");
    for (kind, seq, more, code, word) in [
        ("edit", 1, json!({"body": "yours"}), "not_allowed", "somebody else"),
        ("delete", 1, json!({}), "not_allowed", "somebody else"),
        ("edit", 2, json!({"body": "x"}), "bad_field", "\"seq\""),
        ("react", 0, json!({"emoji": "👍", "on": true}), "bad_field", "\"seq\""),
        ("react", 1, json!({"emoji": "yes", "on": true}), "bad_field", "\"emoji\""),
        ("edit", 1, json!({"body": " "}), "bad_field", "\"body\""),
        ("edit", 1, json!({"body": "x".repeat(8193)}), "too_long", "8192"),
    ] {
        let mut more = more;
        more["ref"] = json!("r1");
        change(&mut bob, kind, seq, more);
        let error = bob.expect("error");
        assert_eq!((&error["code"], &error["ref"], &error["room"]), (&json!(code), &json!("r1"), &json!("lobby")));
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    bob.send(json!({"type": "edit", "room": "attic", "seq": 1, "body": "x", "ref": 2}));
    let error = bob.expect("error");
    assert_eq!((&error["code"], &error["ref"]), (&json!("no_such_room"), &json!(2)));
    change(&mut ann, "delete", 1, json!({}));
    assert_eq!(bob.expect("message")["deleted"], true);
    ann.expect("message");
    ann.expect("message");
    for (kind, more) in [("edit", json!({"body": "back"})), ("react", json!({"emoji": "👍", "on": true}))] {
        change(&mut ann, kind, 1, more);
        assert_eq!(ann.expect("error")["code"], "not_allowed");
    }
    assert_eq!(bob.so_far(), Vec::<Value>::new(), "what is refused is shown to nobody");
}

#[test]
fn what_changes_nothing_is_answered_with_nothing() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    ann.post("lobby", "a", "hello");
    react(&mut ann, 1, "👍", true);
    react(&mut ann, 1, "👍", true);
    react(&mut ann, 1, "🎉", false);
    change(&mut ann, "edit", 1, json!({"body": "hello"}));
    ann.post("lobby", "b", "next");
    let revs: Vec<Value> = (0..3).map(|_| ann.expect("message")["rev"].clone()).collect();
    assert_eq!(revs, [1, 2, 3]);
    assert_eq!(ann.so_far(), Vec::<Value>::new());
}

#[test]
fn a_reply_names_what_it_answers() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    ann.post("lobby", "a", "tea?");
    ann.send(json!({"type": "post", "room": "lobby", "id": "b", "body": "yes", "reply_to": 1}));
    assert_eq!(ann.expect("message")["reply_to"], Value::Null);
    assert_eq!(ann.expect("message")["reply_to"], 1);
    ann.send(json!({"type": "post", "room": "lobby", "id": "c", "body": "what?", "reply_to": 7}));
    let error = ann.expect("error");
    assert_eq!((&error["code"], &error["id"]), (&json!("bad_field"), &json!("c")));
    assert!(error["message"].as_str().unwrap().contains("\"reply_to\""), "{error}");
    ann.send(json!({"type": "history", "room": "lobby", "before": 99}));
    assert_eq!(ann.expect("history")["messages"][1]["reply_to"], 1);
}

/// Promise 4, with changes: each message that was changed after the number, once, as it now stands, in rising `rev`.
#[test]
fn who_comes_back_is_told_of_each_change_once() {
    for kept in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let builder = Server::builder();
        let builder = if kept { builder.sqlite(folder.path(), Synchronous::Normal) } else { builder };
        let server = server_with(builder);
        let mut ann = server.in_lobby("ann");
        for n in 1..=6 {
            ann.post("lobby", &n.to_string(), &format!("message {n}"));
        }
        change(&mut ann, "edit", 2, json!({"body": "second"}));
        react(&mut ann, 1, "👍", true);
        change(&mut ann, "edit", 2, json!({"body": "again"}));
        change(&mut ann, "delete", 5, json!({}));
        for _ in 0..10 {
            ann.expect("message");
        }
        let mut back = server.json("back");
        for (since, expected) in [
            (0, vec![(3, 3), (4, 4), (6, 6), (1, 8), (2, 9), (5, 10)]),
            (6, vec![(1, 8), (2, 9), (5, 10)]),
            (8, vec![(2, 9), (5, 10)]),
            (10, vec![]),
        ] {
            back.send(json!({"type": "join", "room": "lobby", "since": since}));
            let mut seen = Vec::new();
            loop {
                let frame = back.next();
                match frame["type"].as_str().unwrap() {
                    "message" => seen.push((frame["seq"].as_i64().unwrap(), frame["rev"].as_i64().unwrap())),
                    "joined" => break,
                    _ => {}
                }
            }
            // What the server still remembers of the line it may tell as it happened.
            let as_it_happened: Vec<i64> = (since + 1..=10).collect();
            let revs: Vec<i64> = seen.iter().map(|(_, rev)| *rev).collect();
            assert!(seen == expected || revs == as_it_happened, "since {since}: {seen:?}");
        }
    }
}

#[test]
fn in_plain_text_what_was_said_is_not_said_again() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    let mut bob = server.plain("bob");
    ann.post("lobby", "a", "helo");
    assert_eq!(bob.text(), "ann: helo");
    change(&mut ann, "edit", 1, json!({"body": "hello"}));
    react(&mut ann, 1, "👍", true);
    ann.post("lobby", "b", "oops");
    assert_eq!(bob.text(), "ann: oops");
    change(&mut ann, "delete", 4, json!({}));
    ann.post("lobby", "c", "bye");
    assert_eq!(bob.text(), "ann: bye");
    let mut late = server.plain("late");
    assert_eq!((late.text(), late.text()), ("ann: hello".into(), "ann: bye".into()));
}

#[test]
fn who_was_spoken_to_finds_it_counted() {
    let server = server();
    let connect = |name: &str| Client::try_json(server.address, &format!("/ws?name={name}&key=k")).unwrap();
    let mut ann = connect("ann");
    ann.send(json!({"type": "join", "room": "lobby", "last": 0}));
    ann.expect("joined");
    ann.send(json!({"type": "read", "room": "lobby", "rev": 0}));
    ann.so_far();
    let mut bob = server.in_lobby("bob");
    for (n, body) in ["hello", "hello @Ann, are you there?", "ann@example.org bounced"].iter().enumerate() {
        bob.post("lobby", &n.to_string(), body);
        bob.expect("message");
    }
    let counts = |client: &Client| {
        (client.welcome["rooms"][0]["unread"].clone(), client.welcome["rooms"][0]["mentions"].clone())
    };
    assert_eq!(counts(&connect("ann")), (json!(3), json!(1)));
    let mut other = connect("ann");
    other.send(json!({"type": "join", "room": "lobby", "last": 0}));
    other.expect("joined");
    other.send(json!({"type": "read", "room": "lobby", "rev": 2}));
    while ann.next()["type"] != "read" {}
    assert_eq!(counts(&connect("ann")), (json!(1), json!(0)), "read on one device is read on all");
    assert_eq!(counts(&bob), (json!(0), json!(0)));
}

#[test]
fn what_the_program_forbids_to_say_it_forbids_to_edit_in() {
    let server = server_with(Server::builder().on_message(|post| {
        post.body = post.body.replace("damn", "d—n");
        if post.body.contains("spam") { Err("no spam".into()) } else { Ok(()) }
    }));
    let mut ann = server.in_lobby("ann");
    ann.post("lobby", "a", "fine");
    ann.expect("message");
    change(&mut ann, "edit", 1, json!({"body": "spam"}));
    assert_eq!(ann.expect("error")["message"], "no spam");
    change(&mut ann, "edit", 1, json!({"body": "damn"}));
    assert_eq!(ann.expect("message")["body"], "d—n");
}
