//! Redis that is watched by sentinels, and Redis over TLS.

use crate::common::tls::made;
use crate::common::*;
use crate::engines;
use crate::hub::Redis;
use crate::line::{messages, node};
use crate::program::Node;
use serde_json::json;
use std::process::Command;

/// Each says something, and both hear it.
#[track_caller]
fn talk(ann: &mut Client, bob: &mut Client, what: &str) {
    ann.post("lobby", &format!("a {what}"), what);
    assert_eq!(messages(bob, 1)[0]["body"], what);
    bob.post("lobby", &format!("b {what}"), what);
    assert_eq!(messages(ann, 2)[1]["from"], "bob");
    messages(bob, 1);
}

#[test]
fn the_nodes_follow_the_redis_that_sentinels_name() {
    let Some(database) = engines::postgres().map(engines::Engine::fresh) else { return };
    let (Some(mut first), Some(second)) = (Redis::start(), Redis::start()) else { return };
    let port = first.address.port().to_string();
    second.say(&["REPLICAOF", "127.0.0.1", &port]);
    eventually("it follows", || second.say(&["INFO", "replication"]).contains("master_link_status:up"));
    let sentinel = first.sentinel("chat");
    let url = format!("redis+sentinel://{}/chat", sentinel.address);
    let nodes = [node(&database, &url), node(&database, &url)];
    let (mut ann, mut bob) = (nodes[0].in_lobby("ann"), nodes[1].in_lobby("bob"));
    talk(&mut ann, &mut bob, "at the first");
    eventually("the sentinel knows both", || sentinel.say(&["SENTINEL", "replicas", "chat"]).contains("flags"));
    first.kill();
    eventually("the other takes over", || second.say(&["ROLE"]).starts_with("master"));
    talk(&mut ann, &mut bob, "at the second");
    eventually("the nodes meet there", || {
        // Typing is told over Redis alone.
        second.say(&["KEYS", "parlor:*"]).starts_with("parlor:")
            && second.say(&["XLEN", &second.say(&["KEYS", "parlor:*"])]).parse::<i64>().is_ok_and(|letters| letters > 0)
    });
    let before: i64 = second.say(&["XLEN", &second.say(&["KEYS", "parlor:*"])]).parse().unwrap();
    eventually("they tell each other something there", || {
        second.say(&["XLEN", &second.say(&["KEYS", "parlor:*"])]).parse::<i64>().unwrap() > before
    });
}

#[test]
fn redis_is_reached_over_tls() {
    let Some(database) = engines::postgres().map(engines::Engine::fresh) else { return };
    let (folder, made) = (tempfile::tempdir().unwrap(), made());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cert.pem"), &made.pem).unwrap();
    std::fs::write(path("key.pem"), &made.key).unwrap();
    let Some(redis) = Redis::with_tls(&path("cert.pem"), &path("key.pem")) else { return };
    let url = format!("rediss://localhost:{}", redis.address.port());
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command.args(["--listen", "127.0.0.1:0", "--database", &database, "--cluster", &url]);
        // Whom this machine trusts, as far as this process is concerned.
        Node::of(command.env("SSL_CERT_FILE", path("cert.pem")))
    };
    let nodes = [start(), start()];
    let mut people: Vec<Client> =
        nodes.iter().zip(["ann", "bob"]).map(|(n, name)| Client::json(n.address, name)).collect();
    for client in &mut people {
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
    }
    let [ann, bob] = &mut people[..] else { panic!() };
    ann.send(json!({"type": "typing", "room": "lobby"}));
    assert_eq!(bob.hear("typing")["from"], "ann");
    talk(ann, bob, "encrypted");
}
