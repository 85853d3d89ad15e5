//! What goes wrong between the nodes costs time, and nothing else.

use crate::common::*;
use crate::line::{ground, messages, node};
use crate::program::Node;
use serde_json::{Value, json};

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["body"].as_str().unwrap()).collect()
}

/// Both post in turn, and hear the same in the same order.
#[track_caller]
fn talk(ann: &mut Client, bob: &mut Client, what: &str) {
    for n in 0..5 {
        ann.post("lobby", &format!("{what} a{n}"), &format!("{what} a{n}"));
        bob.post("lobby", &format!("{what} b{n}"), &format!("{what} b{n}"));
    }
    let (heard, also) = (messages(ann, 10), messages(bob, 10));
    assert_eq!(bodies(&heard), bodies(&also));
    let revs: Vec<i64> = heard.iter().map(|message| message["rev"].as_i64().unwrap()).collect();
    assert!(revs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{what}: {revs:?}");
    assert!(heard.iter().all(|message| message["body"].as_str().unwrap().starts_with(what)), "{heard:?}");
}

#[test]
fn redis_may_be_killed_started_anew_emptied_and_full() {
    let Some((database, mut redis)) = ground() else { return };
    let nodes = [node(&database, &redis.url()), node(&database, &redis.url())];
    let (mut ann, mut bob) = (nodes[0].in_lobby("ann"), nodes[1].in_lobby("bob"));
    talk(&mut ann, &mut bob, "at first");
    redis.kill();
    talk(&mut ann, &mut bob, "without it");
    redis.run();
    talk(&mut ann, &mut bob, "with a new one");
    redis.say(&["FLUSHALL"]);
    talk(&mut ann, &mut bob, "emptied");
    redis.say(&["CONFIG", "SET", "maxmemory", "1"]);
    talk(&mut ann, &mut bob, "out of memory");
    redis.say(&["CONFIG", "SET", "maxmemory", "0"]);
    talk(&mut ann, &mut bob, "at last");
    // Who comes back gets the same.
    let mut eve = nodes[1].json("eve");
    eve.send(json!({"type": "join", "room": "lobby", "since": 0}));
    let all = messages(&mut eve, 60);
    assert_eq!(all.iter().map(|m| m["rev"].as_i64().unwrap()).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
}

#[test]
fn what_was_changed_while_redis_was_away_holds_at_all_nodes() {
    let Some((database, mut redis)) = ground() else { return };
    let nodes = [node(&database, &redis.url()), node(&database, &redis.url())];
    let mut ann = nodes[0].in_lobby("ann");
    let mut bob = nodes[1].in_lobby("bob");
    // Of a guest who has never said anything, the other node would know by Redis alone.
    bob.post("lobby", "1", "hello");
    ann.hear("message");
    redis.kill();
    ann.send(json!({"type": "create", "room": "den", "kind": "private", "title": "Den", "members": ["bob"]}));
    assert_eq!(bob.hear("room")["room"], "den");
    bob.send(json!({"type": "join", "room": "den", "last": 5}));
    bob.hear("joined");
    ann.post("den", "1", "hello");
    assert_eq!(bob.hear("message")["body"], "hello");
    ann.send(json!({"type": "remove", "room": "den", "name": "bob"}));
    assert_eq!(bob.hear("room")["gone"], true);
    bob.post("den", "1", "hello");
    assert_eq!(bob.hear_error()["code"], "no_such_room");
}

#[test]
fn that_the_nodes_cannot_talk_is_said_once_and_that_they_can_again() {
    let Some((database, mut redis)) = ground() else { return };
    let mut one = Node::start(&database, &redis.url(), &[]);
    let mut two = Node::start(&database, &redis.url(), &[]);
    let (mut ann, mut bob) = (Client::json(one.address, "ann"), Client::json(two.address, "bob"));
    for client in [&mut ann, &mut bob] {
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
    }
    redis.kill();
    for n in 0..3 {
        ann.post("lobby", &n.to_string(), "hello");
        ann.hear("message");
        bob.hear("message");
    }
    redis.run();
    talk(&mut ann, &mut bob, "again");
    for node in [&mut one, &mut two] {
        let said = node.log_until("the other nodes are told again");
        let count = |what: &str| said.lines().filter(|line| line.contains(what)).count();
        assert_eq!((count("cannot be told anything"), count("cannot be heard over")), (1, 1), "{said}");
        assert_eq!(count("ERROR"), 0, "{said}");
    }
}
