//! Rooms that are not open to all: made, entered, left for good; and what is said of a room.

use crate::common::*;
use parlor::Server;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

fn private(maker: &mut Client, room: &str, members: &[&str]) {
    maker.send(json!({"type": "create", "room": room, "kind": "private", "members": members}));
    maker.hear("joined");
}

fn join(client: &mut Client, room: &str) {
    client.send(json!({"type": "join", "room": room}));
    while client.hear("joined")["room"] != *room {}
}

/// The direct room with these people.
fn direct(client: &mut Client, people: &[&str]) -> Value {
    client.send(json!({"type": "direct", "people": people, "ref": "d"}));
    loop {
        let room = client.hear("room");
        if room["ref"] == "d" {
            return room;
        }
    }
}

fn code(client: &mut Client) -> Value {
    client.hear("error")["code"].clone()
}

#[test]
fn a_private_room_is_its_members() {
    let server = server();
    let (mut ann, mut bob) = (server.json("ann"), server.json("bob"));
    ann.send(json!({"type": "create", "room": "den", "title": "The den", "topic": "Quiet", "kind": "private",
        "members": ["BOB", "ann"]}));
    let made = json!({"type": "room", "room": "den", "title": "The den", "topic": "Quiet", "kind": "private", "maker": "ann",
        "head": 0});
    assert_eq!(ann.expect("room"), made);
    ann.expect("joined");
    assert_eq!(bob.expect("room"), made);
    join(&mut bob, "den");
    bob.post("den", "1", "hi");
    assert_eq!(ann.hear("message")["body"], "hi");
    ann.send(json!({"type": "members", "room": "den", "ref": 7}));
    assert_eq!(ann.hear("members"), json!({"type": "members", "room": "den", "people": ["ann", "bob"], "ref": 7}));
    // On another device, and in plain text, he is in as well.
    drop(bob);
    let mut again = server.eventually_json("bob");
    assert_eq!(again.welcome["rooms"][1]["room"], "den");
    join(&mut again, "den");
    drop(again);
    let mut plain = server.eventually_plain("bob&room=den");
    assert_eq!(plain.text(), "bob: hi");
}

#[test]
fn who_is_invited_hears_of_it_and_the_others_do_too() {
    let server = server();
    let (mut ann, mut bob, mut eve) = (server.json("ann"), server.json("bob"), server.json("eve"));
    private(&mut ann, "den", &[]);
    ann.send(json!({"type": "invite", "room": "den", "name": "Bob"}));
    assert_eq!(bob.hear("room")["room"], "den");
    let added = json!({"type": "members", "room": "den", "added": "bob"});
    assert_eq!((ann.hear("members"), bob.hear("members")), (added.clone(), added));
    // Only who made it may invite, and remove others.
    bob.send(json!({"type": "invite", "room": "den", "name": "eve"}));
    assert_eq!(code(&mut bob), "not_allowed");
    bob.send(json!({"type": "remove", "room": "den", "name": "ann", "ref": 5}));
    let refused = bob.hear("error");
    assert_eq!((&refused["code"], &refused["ref"]), (&json!("not_allowed"), &json!(5)));
    ann.send(json!({"type": "invite", "room": "den", "name": "nobody"}));
    let refused = ann.hear("error");
    assert!(refused["code"] == "bad_field" && refused["message"].as_str().unwrap().contains("\"name\""), "{refused}");
    ann.send(json!({"type": "invite", "room": "den", "name": "bob"}));
    assert_eq!(ann.hear("members")["people"], json!(["ann", "bob"]), "he is in already");
    ann.send(json!({"type": "remove", "room": "den", "name": "eve"}));
    assert_eq!(code(&mut ann), "bad_field");
    for frame in [
        json!({"type": "invite", "room": "lobby", "name": "bob"}),
        json!({"type": "quit", "room": "lobby"}),
        json!({"type": "members", "room": "lobby"}),
    ] {
        ann.send(frame);
        assert_eq!(code(&mut ann), "not_allowed", "everyone may be in a public room");
    }
    assert_eq!(eve.so_far(), Vec::<Value>::new());
}

#[test]
fn what_came_while_one_was_away_is_unread_from_the_invitation_on() {
    let server = server();
    let (mut ann, bob) = (server.json("ann"), server.json("bob"));
    private(&mut ann, "den", &[]);
    ann.post("den", "1", "before");
    ann.send(json!({"type": "invite", "room": "den", "name": "bob"}));
    ann.hear("members");
    drop(bob);
    ann.post("den", "2", "after");
    while ann.hear("message")["body"] != "after" {}
    let bob = server.eventually_json("bob");
    assert_eq!((&bob.welcome["rooms"][1]["room"], &bob.welcome["rooms"][1]["unread"]), (&json!("den"), &json!(1)));
}

#[test]
fn who_is_removed_is_off_the_line_at_once_on_all_connections() {
    let server = server();
    let mut ann = server.json("ann");
    let device = || Client::try_json(server.address, "/ws?name=bob&key=k").unwrap();
    let (mut desk, mut phone) = (device(), device());
    private(&mut ann, "den", &["bob"]);
    let mut plain = Client::connect(server.address, "/ws?name=bob&key=k&room=den", None).unwrap();
    for client in [&mut desk, &mut phone] {
        join(client, "den");
    }
    let talking = AtomicBool::new(true);
    std::thread::scope(|scope| {
        // Others talk all the time, in the room and in the lobby.
        let talker = scope.spawn(|| {
            let mut eve = server.in_lobby("eve");
            server.handle.invite("den", "eve").unwrap();
            join(&mut eve, "den");
            let mut said = 0;
            while talking.load(SeqCst) {
                said += 1;
                eve.post("den", &format!("d{said}"), &said.to_string());
                while eve.hear("message")["id"] != format!("d{said}") {}
            }
            // What is said last is said when he is gone for sure.
            eve.post("lobby", "last", "last");
            eve.hear("message");
            said
        });
        while desk.hear("message")["room"] != "den" {}
        ann.send(json!({"type": "remove", "room": "den", "name": "bob"}));
        while ann.hear("members")["removed"] != "bob" {}
        // All that is stored from here on is after it.
        server.handle.post("den", "Clock", "tick").unwrap();
        talking.store(false, SeqCst);
        assert!(talker.join().unwrap() > 0);
        for client in [&mut desk, &mut phone] {
            let mut last = 0;
            loop {
                let frame = client.next();
                match frame["type"].as_str().unwrap() {
                    "message" => {
                        assert!(last == 0 || frame["rev"] == last + 1, "in order to the end: {frame}");
                        last = frame["rev"].as_i64().unwrap();
                        assert_ne!(frame["from"], "Clock");
                    }
                    "room" if frame["gone"] == true => break assert_eq!(frame["room"], "den"),
                    _ => {}
                }
            }
            assert_eq!(client.so_far(), Vec::<Value>::new(), "nothing at all comes after it");
            client.post("den", "late", "still here?");
            assert_eq!(code(client), "no_such_room");
        }
    });
    let closed = plain.closed().unwrap();
    assert_eq!((u16::from(closed.code), closed.reason.as_str()), (1008, "you are not in this room any more"));
    assert!(server.handle.people("den").unwrap().iter().all(|person| person.name != "bob"));
}

#[test]
fn who_is_removed_while_joining_does_not_get_in() {
    let server = server();
    let mut ann = server.json("ann");
    let mut bob = server.json("bob");
    private(&mut ann, "den", &[]);
    for round in 0..30 {
        server.handle.invite("den", "bob").unwrap();
        bob.send(json!({"type": "join", "room": "den"}));
        server.handle.remove("den", "bob").unwrap();
        let id = format!("r{round}");
        ann.post("den", &id, &id);
        while ann.hear("message")["id"] != id {}
        let heard = bob.so_far();
        assert!(heard.iter().all(|frame| frame["body"] != id), "round {round}: {heard:?}");
        assert_eq!(heard.iter().filter(|frame| frame["gone"] == true).count(), 1);
    }
    // Invited again, he has to join again; what he was in before does not count.
    server.handle.invite("den", "bob").unwrap();
    bob.post("den", "x", "me again");
    assert_eq!(code(&mut bob), "not_a_member");
    join(&mut bob, "den");
    bob.post("den", "x", "me again");
    while bob.hear("message")["body"] != "me again" {}
}

#[test]
fn whoever_quits_is_out_and_the_room_goes_on() {
    let server = server();
    let (mut ann, mut bob) = (server.json("ann"), server.json("bob"));
    private(&mut ann, "den", &["bob"]);
    join(&mut bob, "den");
    ann.send(json!({"type": "quit", "room": "den"}));
    while ann.hear("room")["gone"] != true {}
    assert_eq!(bob.hear("members")["removed"], "ann");
    // It is his now.
    bob.send(json!({"type": "change", "room": "den", "title": "Mine"}));
    let changed = bob.hear("room");
    assert_eq!((&changed["title"], &changed["maker"]), (&json!("Mine"), &json!("bob")));
    bob.send(json!({"type": "invite", "room": "den", "name": "ann"}));
    assert_eq!(ann.hear("room")["title"], "Mine");
    // What was said under an id stays what it was; it is told to no one who may not see it any more.
    join(&mut ann, "den");
    ann.post("den", "once", "in the den");
    while ann.hear("message")["id"] != "once" {}
    ann.send(json!({"type": "quit", "room": "den"}));
    while ann.hear("room")["gone"] != true {}
    join(&mut ann, "lobby");
    ann.post("lobby", "once", "in the lobby");
    let refused = ann.hear("error");
    assert_eq!((&refused["code"], &refused["id"]), (&json!("no_such_room"), &json!("once")));
}

#[test]
fn the_same_people_find_the_same_direct_room() {
    let server = server();
    let (mut ann, mut bob, mut eve) = (server.json("ann"), server.json("bob"), server.json("eve"));
    let room = direct(&mut ann, &["bob", "Ann", "BOB"]);
    assert_eq!(
        (&room["kind"], &room["title"], &room["people"]),
        (&json!("direct"), &json!("bob"), &json!(["ann", "bob"]))
    );
    ann.hear("joined");
    let name = room["room"].as_str().unwrap();
    assert_eq!(bob.hear("room")["title"], "ann", "a title for each: the others");
    ann.post(name, "1", "between us");
    ann.hear("message");
    assert_eq!(direct(&mut bob, &["ann"])["room"], *name);
    assert_eq!(bob.hear("message")["body"], "between us");
    bob.hear("joined");
    assert_ne!(direct(&mut bob, &["ann", "eve"])["room"], *name);
    assert_eq!(eve.hear("room")["title"], "ann, bob");
    for frame in [
        json!({"type": "change", "room": name, "title": "x"}),
        json!({"type": "invite", "room": name, "name": "eve"}),
        json!({"type": "remove", "room": name, "name": "bob"}),
        json!({"type": "quit", "room": name}),
    ] {
        ann.send(frame);
        assert_eq!(code(&mut ann), "not_allowed");
    }
    for (people, reference) in [(json!(["ann"]), 1), (json!(["nobody"]), 2)] {
        ann.send(json!({"type": "direct", "people": people, "ref": reference}));
        let refused = ann.hear("error");
        assert_eq!((&refused["code"], &refused["ref"]), (&json!("bad_field"), &json!(reference)), "{refused}");
    }
    // Who was away finds it in the list, with what is new.
    drop(bob);
    let bob = server.eventually_json("bob");
    let listed = bob.welcome["rooms"].as_array().unwrap().iter().find(|room| room["room"] == name).unwrap();
    assert_eq!((&listed["title"], &listed["unread"]), (&json!("ann"), &json!(1)));
}

#[test]
fn what_is_said_of_a_room_is_its_makers_to_change_and_all_hear_it() {
    let server = server();
    let (mut ann, mut bob) = (server.json("ann"), server.json("bob"));
    ann.send(json!({"type": "create", "room": "garden"}));
    ann.hear("joined");
    bob.hear("room");
    ann.send(json!({"type": "change", "room": "garden", "title": "The garden", "topic": "Weeds"}));
    let changed = json!({"type": "room", "room": "garden", "title": "The garden", "topic": "Weeds", "kind": "public",
        "maker": "ann", "head": 0});
    assert_eq!(ann.hear("room"), changed);
    assert_eq!(bob.hear("room"), changed);
    bob.send(json!({"type": "change", "room": "garden", "topic": "Flowers"}));
    assert_eq!(code(&mut bob), "not_allowed");
    ann.send(json!({"type": "change", "room": "lobby", "title": "Mine"}));
    assert_eq!(code(&mut ann), "not_allowed");
    assert_eq!(server.json("eve").welcome["rooms"][1]["topic"], "Weeds");
}

#[test]
fn an_archived_room_can_be_read_and_not_posted_to() {
    let server = server();
    let (mut ann, mut bob) = (server.json("ann"), server.json("bob"));
    ann.send(json!({"type": "create", "room": "garden"}));
    ann.hear("joined");
    ann.post("garden", "1", "kept");
    ann.hear("message");
    ann.send(json!({"type": "change", "room": "garden", "archived": true}));
    while bob.hear("room")["archived"] != true {}
    bob.send(json!({"type": "join", "room": "garden"}));
    assert_eq!(bob.hear("message")["body"], "kept");
    bob.hear("joined");
    for client in [&mut ann, &mut bob] {
        client.post("garden", "2", "too late");
        let refused = client.hear("error");
        assert_eq!((&refused["code"], &refused["id"]), (&json!("not_allowed"), &json!("2")));
        assert!(refused["message"].as_str().unwrap().contains("archived"), "{refused}");
    }
    assert!(server.handle.post("garden", "Clock", "tick").is_err(), "nor by the program");
    ann.send(json!({"type": "change", "room": "garden", "archived": false}));
    while ann.hear("room")["archived"] == true {}
    ann.post("garden", "2", "again");
    assert_eq!(ann.hear("message")["body"], "again");
}

#[test]
fn a_membership_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Server::builder().sqlite(folder.path(), parlor::Synchronous::Full);
    let server = server_with(settings());
    let mut ann = server.json("ann");
    let _bob = server.json("bob");
    private(&mut ann, "den", &["bob"]);
    let name = direct(&mut ann, &["bob"])["room"].as_str().unwrap().to_owned();
    server.stop();
    let server = server_with(settings());
    assert_eq!(server.handle.members("den").unwrap(), ["ann", "bob"]);
    let mut bob = server.json("bob");
    assert_eq!(bob.welcome["rooms"].as_array().map(Vec::len), Some(3));
    assert_eq!(direct(&mut bob, &["ann"])["room"], *name);
    let mut eve = server.json("eve");
    assert_eq!(eve.welcome["rooms"].as_array().map(Vec::len), Some(1));
    eve.send(json!({"type": "join", "room": "den"}));
    assert_eq!(code(&mut eve), "no_such_room");
}
