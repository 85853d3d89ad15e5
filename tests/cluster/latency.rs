//! How long it takes from one node to another.

use crate::common::*;
use crate::line::ground;
use crate::program::Node;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Posts at 200 a second, over a node; heard at the other. Here it is a debug build on a machine that does other things, so the
/// bound is loose. To measure: `PARLOR_EXECUTABLE=target/release/parlor PARLOR_LATENCY=30 cargo test --features cluster,postgres
/// --test cluster soon -- --nocapture`, where the number is that of seconds.
#[test]
fn what_is_said_at_one_node_is_soon_heard_at_another() {
    let Some((database, redis)) = ground() else { return };
    let nodes = [Node::start(&database, &redis.url(), &[]), Node::start(&database, &redis.url(), &[])];
    let [mut ann, mut bob] = [(&nodes[0], "ann"), (&nodes[1], "bob")].map(|(node, name)| {
        let mut client = Client::json(node.address, name);
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
        client
    });
    let before = nodes[1].ticks();
    let seconds = std::env::var("PARLOR_LATENCY").map_or(3, |seconds| seconds.parse().expect("a number of seconds"));
    let (count, begin) = (seconds * 200, Instant::now());
    let listener = std::thread::spawn(move || {
        let mut waits = Vec::new();
        while waits.len() < count {
            let message: Value = bob.hear("message");
            let sent: u64 = message["body"].as_str().unwrap().parse().unwrap();
            waits.push(begin.elapsed().as_micros() as u64 - sent);
        }
        waits
    });
    for n in 0..count as u32 {
        let due = begin + Duration::from_millis(5) * n;
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
        let body = begin.elapsed().as_micros().to_string();
        ann.send(json!({"type": "post", "room": "lobby", "id": n.to_string(), "body": body}));
    }
    let mut waits = listener.join().unwrap();
    waits.sort_unstable();
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100] as f64 / 1000.0;
    let spent = (nodes[1].ticks() - before) as f64 * 10_000.0 / count as f64;
    println!("{spent:.0} µs of the processor a message at the node that hears it");
    println!("200 messages/s: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms", at(50), at(99), at(100));
    assert!(at(50) < 250.0, "p50 {} ms", at(50));
}
