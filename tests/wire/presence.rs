//! Who is here, who is writing, who has read what.

use crate::common::*;
use serde_json::{Value, json};

/// The next presence frame of the room.
fn presence(client: &mut Client) -> Value {
    let frame = client.next();
    assert_eq!(frame["type"], "presence", "{frame}");
    frame
}

#[test]
fn those_in_a_room_are_told_who_comes_and_goes() {
    let server = server();
    let mut ann = server.json("ann");
    ann.send(json!({"type": "join", "room": "lobby"}));
    let joined = ann.next();
    assert_eq!((&joined["count"], &joined["members"]), (&json!(1), &json!(["ann"])));
    assert_eq!(presence(&mut ann)["joined"], json!(["ann"]));
    let bob = server.in_lobby("bob");
    let came = presence(&mut ann);
    assert_eq!((&came["count"], &came["joined"], &came["left"]), (&json!(2), &json!(["bob"]), &Value::Null));
    bob.cut();
    let went = presence(&mut ann);
    assert_eq!((&went["count"], &went["joined"], &went["left"]), (&json!(1), &Value::Null, &json!(["bob"])));
}

#[test]
fn two_connections_of_one_guest_are_one_person() {
    let server = server();
    let first = Client::try_json(server.address, "/ws?name=ann&key=k").unwrap();
    let mut second = Client::try_json(server.address, "/ws?name=ann&key=k").unwrap();
    let mut first = first;
    for client in [&mut first, &mut second] {
        client.send(json!({"type": "join", "room": "lobby"}));
        assert_eq!(client.expect("joined")["count"], 1);
    }
    first.cut();
    let mut bob = server.json("bob");
    bob.send(json!({"type": "join", "room": "lobby"}));
    assert_eq!(bob.expect("joined")["members"], json!(["ann", "bob"]), "the other connection is still here");
}

#[test]
fn a_room_of_more_than_a_hundred_has_a_count_and_no_names() {
    let server = server();
    let mut crowd: Vec<Client> = (0..=100).map(|n| server.in_lobby(&format!("p{n}"))).collect();
    let mut last = server.json("last");
    last.send(json!({"type": "join", "room": "lobby"}));
    let joined = last.expect("joined");
    assert_eq!((&joined["count"], &joined["members"]), (&json!(102), &Value::Null));
    loop {
        let told = presence(&mut last);
        assert_eq!(told["joined"], Value::Null);
        if told["count"] == 102 {
            break;
        }
    }
    last.send(json!({"type": "typing", "room": "lobby"}));
    let heard = crowd[0].so_far();
    assert_eq!(heard, Vec::<Value>::new(), "nor who is writing");
    crowd.truncate(50);
    loop {
        let told = presence(&mut last);
        if told["count"] == 51 {
            assert_eq!(told["joined"].as_array().map(Vec::len), Some(51), "all names again: {told}");
            break;
        }
    }
}

#[test]
fn the_others_are_told_who_writes_and_not_too_often() {
    let server = server();
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("bob"));
    ann.send(json!({"type": "typing", "room": "lobby"}));
    assert_eq!(bob.expect("typing"), json!({"type": "typing", "room": "lobby", "from": "ann"}));
    ann.send(json!({"type": "typing", "room": "lobby"}));
    let heard = ann.so_far();
    assert_eq!((heard.len(), &heard[0]["code"]), (1, &json!("rate_limited")));
    assert_eq!(bob.so_far(), Vec::<Value>::new());
}

#[test]
fn what_a_person_has_read_counts_on_every_device() {
    let server = server();
    let mut bob = server.in_lobby("bob");
    let connect = || Client::try_json(server.address, "/ws?name=ann&key=k").unwrap();
    let (mut desk, mut phone) = (connect(), connect());
    for n in 1..=5 {
        bob.post("lobby", &n.to_string(), "x");
        bob.expect("message");
    }
    desk.send(json!({"type": "join", "room": "lobby", "last": 0}));
    desk.expect("joined");
    desk.send(json!({"type": "read", "room": "lobby", "rev": 3}));
    assert_eq!(phone.expect("read"), json!({"type": "read", "room": "lobby", "rev": 3}));
    assert_eq!(desk.so_far(), Vec::<Value>::new());
    assert_eq!(connect().welcome["rooms"][0]["unread"], 2);
    assert_eq!(server.json("eve").welcome["rooms"][0]["unread"], 0);
}
