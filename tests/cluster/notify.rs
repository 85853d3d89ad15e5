//! PostgreSQL alone, without Redis.

use crate::engines;
use crate::line::{messages, node};
use serde_json::json;

#[test]
fn with_postgresql_alone_the_nodes_wake_each_other() {
    let Some(database) = engines::postgres().map(engines::Engine::fresh) else { return };
    let nodes = [node(&database, "postgres"), node(&database, "postgres")];
    let (mut ann, mut bob) = (nodes[0].in_lobby("ann"), nodes[1].in_lobby("bob"));
    for n in 0..50 {
        ann.post("lobby", &format!("a{n}"), "hello");
        bob.post("lobby", &format!("b{n}"), "hello");
    }
    let heard = messages(&mut ann, 100);
    assert_eq!(heard, messages(&mut bob, 100));
    assert_eq!(heard.iter().map(|m| m["rev"].as_i64().unwrap()).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
    bob.send(json!({"type": "typing", "room": "lobby"}));
    assert_eq!(ann.hear("typing")["from"], "bob");
    // Sooner than the heads are compared.
    let mut waits: Vec<u128> = (0..20)
        .map(|n| {
            let begin = std::time::Instant::now();
            ann.post("lobby", &format!("c{n}"), "hello");
            bob.hear("message");
            begin.elapsed().as_millis()
        })
        .collect();
    waits.sort_unstable();
    assert!(waits[10] < 500, "{waits:?}");
}

#[test]
fn with_another_database_that_is_refused() {
    let builder = || parlor::Server::builder().listen("127.0.0.1:0".parse().unwrap());
    for (builder, word) in [
        (builder().cluster("redis://127.0.0.1:1"), "--database"),
        (builder().cluster("postgres"), "--database"),
        (builder().cluster("http://127.0.0.1"), "redis://HOST"),
    ] {
        let refused = builder.bind().err().unwrap();
        assert!(matches!(&refused, parlor::Error::Setting(what) if what.contains(word)), "{word}: {refused}");
    }
}
