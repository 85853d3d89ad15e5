//! Frames: what a client may ask, what is answered when it asks wrongly, and how a connection ends.

use crate::common::*;
use parlor::Server;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use tungstenite::Message;

#[test]
fn the_welcome_tells_what_a_client_needs() {
    let server = server();
    let welcome = server.json("ann").welcome;
    assert_eq!(welcome["you"], json!({"name": "ann", "role": "guest"}));
    assert_eq!(
        welcome["rooms"],
        json!([{"room": "lobby", "title": "Lobby", "kind": "public", "head": 0, "unread": 0, "mentions": 0}])
    );
    assert_eq!(welcome["limits"]["body"], 8192);
    assert!(welcome["server"].as_str().unwrap().starts_with("parlor/"));
}

#[test]
fn a_room_is_made_told_to_all_and_entered() {
    let server = server();
    let (mut ann, mut bob) = (server.json("ann"), server.json("bob"));
    ann.send(json!({"type": "create", "room": "garden", "title": "The garden"}));
    let made =
        json!({"type": "room", "room": "garden", "title": "The garden", "kind": "public", "maker": "ann", "head": 0});
    assert_eq!(ann.expect("room"), made);
    assert_eq!(ann.expect("joined")["members"], json!(["ann"]));
    assert_eq!(bob.expect("room"), made);
    ann.post("garden", "1", "first");
    assert_eq!(ann.expect("message")["rev"], 1);
    bob.send(json!({"type": "create", "room": "garden"}));
    let refused = bob.expect("error");
    assert_eq!((&refused["code"], &refused["room"]), (&json!("room_exists"), &json!("garden")));
    assert_eq!(server.json("eve").welcome["rooms"][1]["title"], "The garden");
}

#[test]
fn there_are_only_so_many_rooms() {
    let server = server_with(Server::builder().max_rooms(2));
    let mut ann = server.json("ann");
    ann.send(json!({"type": "create", "room": "one"}));
    ann.expect("room");
    ann.expect("joined");
    ann.send(json!({"type": "create", "room": "two"}));
    assert_eq!(ann.expect("error")["code"], "not_allowed");
}

#[test]
fn every_mistake_has_its_error_and_the_line_stays_open() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    for (frame, code) in [
        ("hello", "bad_json"),
        ("", "bad_json"),
        ("[]", "bad_json"),
        (r#"{"type":"dance"}"#, "unknown_type"),
        (r#"{"type":"post","room":"lobby","body":"x"}"#, "bad_field"),
        (r#"{"type":"join","room":"The Lobby"}"#, "bad_field"),
        (r#"{"type":"join","room":"nowhere"}"#, "no_such_room"),
        (r#"{"type":"post","room":"nowhere","id":"1","body":"x"}"#, "no_such_room"),
        (r#"{"type":"leave","room":"nowhere"}"#, "no_such_room"),
        (r#"{"type":"history","room":"nowhere","before":1}"#, "no_such_room"),
        (r#"{"type":"create","room":"x","title":""}"#, "bad_field"),
    ] {
        ann.say(frame);
        let error = ann.expect("error");
        assert_eq!(error["code"], code, "{frame}: {error}");
        assert!(error["message"].as_str().is_some_and(|m| m.len() > 10), "{error}");
    }
    ann.post("lobby", "long", &"é".repeat(4097));
    let error = ann.expect("error");
    assert_eq!((&error["code"], &error["id"]), (&json!("too_long"), &json!("long")));
    ann.post("lobby", "right", &"é".repeat(4096));
    assert_eq!(ann.expect("message")["id"], "right");
}

#[test]
fn who_has_left_hears_nothing_more() {
    let server = server();
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("bob"));
    ann.send(json!({"type": "leave", "room": "lobby"}));
    assert_eq!(ann.so_far(), Vec::<serde_json::Value>::new());
    bob.post("lobby", "1", "x");
    bob.expect("message");
    assert_eq!(ann.so_far(), Vec::<serde_json::Value>::new());
    ann.post("lobby", "1", "x");
    assert_eq!(ann.expect("error")["code"], "not_a_member");
}

#[test]
fn what_ends_a_connection_has_its_close_code() {
    let server = server();
    let mut binary = server.json("binary");
    binary.socket.send(Message::binary(vec![1])).unwrap();
    assert_eq!(binary.close_code(), Some(1003));

    let mut big = server.json("big");
    big.socket.send(Message::text("x".repeat(65 * 1024))).unwrap();
    let closed = big.closed().unwrap();
    assert_eq!((u16::from(closed.code), closed.reason.as_str()), (1009, "a message has 65536 bytes at most"));

    for (name, frame, code) in [
        ("not-utf8", &[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28][..], 1007),
        ("reserved-bit", &[0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("reserved-opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        ("no-mask", &[0x81, 0x01, b'x'], 1002),
        ("fragmented-ping", &[0x09, 0x80, 0, 0, 0, 0], 1002),
        ("continues-nothing", &[0x80, 0x80, 0, 0, 0, 0], 1002),
    ] {
        let mut client = server.json(name);
        client.socket.get_mut().write_all(frame).unwrap();
        assert_eq!(client.close_code(), Some(code), "{name}");
    }
    // Nobody else was disturbed.
    assert_eq!(server.in_lobby("ann").so_far(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_close_is_answered_with_its_own_code_and_nothing_follows() {
    let server = server();
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("bob"));
    ann.socket.close(Some(tungstenite::protocol::CloseFrame { code: 4123.into(), reason: "enough".into() })).unwrap();
    bob.post("lobby", "1", "x");
    bob.expect("message");
    let answer = loop {
        match ann.socket.read() {
            Ok(Message::Close(frame)) => break frame.unwrap(),
            Ok(_) => {}
            Err(e) => panic!("{e}"),
        }
    };
    assert_eq!(u16::from(answer.code), 4123);
    assert!(ann.socket.read().is_err());
}

#[test]
fn a_ping_is_answered_by_a_pong_with_its_payload() {
    let server = server();
    let mut ann = server.json("ann");
    ann.socket.send(Message::Ping("payload".into())).unwrap();
    assert_eq!(ann.socket.read().unwrap(), Message::Pong("payload".into()));
    ann.send(json!({"type": "ping", "t": 12345}));
    assert_eq!(ann.next(), json!({"type": "pong", "t": 12345}));
}

#[test]
fn fragments_are_one_message_and_a_ping_may_come_between() {
    let server = server();
    let mut ann = server.plain("ann");
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    };
    let frames = [masked(0x01, b"in "), masked(0x89, b"?"), masked(0x00, b"three "), masked(0x80, b"parts")].concat();
    for byte in frames {
        ann.socket.get_mut().write_all(&[byte]).unwrap();
    }
    assert_eq!(ann.socket.read().unwrap(), Message::Pong("?".into()));
    assert_eq!(ann.text(), "ann: in three parts");
}

#[test]
fn who_does_not_answer_a_ping_is_let_go() {
    let server = server_with(Server::builder().keepalive(Duration::from_millis(500)));
    let mut bob = server.in_lobby("bob");
    // Connected, joined, and then as good as dead: it reads nothing, so it never answers.
    let mut dead = server.in_lobby("dead");
    assert_eq!(bob.next()["joined"], json!(["bob"]));
    loop {
        let presence = bob.next();
        assert_eq!(presence["type"], "presence");
        if presence["left"] == json!(["dead"]) {
            break;
        }
    }
    assert_eq!(dead.close_code(), None, "nobody was there to be told");
    assert_eq!(server.json("dead").welcome["you"]["name"], "dead", "the name is free again");
}

#[test]
fn welcome_lists_two_hundred_rooms_and_says_that_there_are_more() {
    let server = server();
    let mut ann = Client::try_json(server.address, "/ws?name=ann&key=k").unwrap();
    assert_eq!(ann.welcome["more"], Value::Null);
    for n in 1..=200 {
        ann.send(json!({"type": "create", "room": format!("r{n}")}));
        ann.expect("room");
        ann.expect("joined");
    }
    let lists = |client: &Client, name: &str| {
        client.welcome["rooms"].as_array().unwrap().iter().any(|room| room["room"] == name)
    };
    let bob = server.json("bob");
    assert_eq!((bob.welcome["rooms"].as_array().map(Vec::len), &bob.welcome["more"]), (Some(200), &json!(true)));
    assert!(lists(&bob, "r199") && !lists(&bob, "r200"));
    // Her other connection hears of the mark once it is kept.
    let mut other = Client::try_json(server.address, "/ws?name=ann&key=k").unwrap();
    ann.send(json!({"type": "read", "room": "r200", "rev": 0}));
    other.expect("read");
    let again = Client::try_json(server.address, "/ws?name=ann&key=k").unwrap();
    assert!(lists(&again, "r200") && !lists(&again, "r199"));
}
