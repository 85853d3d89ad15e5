//! A thousand clients that never read.

use crate::common::*;
use parlor::{Capacity, Server};
use serde_json::json;
use std::time::{Duration, Instant};

const CROWD: usize = 1000;

/// Half of what is said in their room is back with its author within this.
const BOUND: Duration = Duration::from_millis(250);

#[test]
fn a_thousand_who_never_read_are_sent_away_and_hold_up_nobody() {
    Capacity::raise_descriptor_limit();
    // So little that it is soon reached: the kernel holds more than that for each.
    let server = server_with(Server::builder().outbox_limit(64 * 1024));
    let _crowd: Vec<Client> = (0..CROWD)
        .map(|n| {
            let mut client = server.json(&format!("stuck{n}"));
            client.send(json!({"type": "join", "room": "lobby", "last": 0}));
            client
        })
        .collect();
    let mut ann = server.in_lobby("ann");
    eventually("all are in", || server.handle.people("lobby").unwrap().len() == CROWD + 1);
    let gone = || {
        let metrics = server.handle.metrics();
        let line = metrics.lines().find_map(|line| line.strip_prefix("parlor_evictions_total ")).unwrap();
        line.parse::<usize>().unwrap()
    };
    let mut took = Vec::new();
    while gone() < CROWD {
        let start = Instant::now();
        ann.post("lobby", &took.len().to_string(), &"x".repeat(8000));
        ann.expect("message");
        took.push(start.elapsed());
        assert!(took.len() < 2000, "{} of {CROWD} were sent away", gone());
    }
    took.sort();
    assert!(took[took.len() / 2] < BOUND, "{:?} of {}", took[took.len() / 2], took.len());
    assert!(server.handle.people("lobby").unwrap().iter().any(|person| person.name == "ann"));
}
