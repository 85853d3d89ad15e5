exercise!(bridge, "yours to make pass: examples/exercises/bridge.rs");

use parlor::{Handle, Server, Subscription};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(300);

/// So many of the next messages of a node, sorted: who is first is for chance to say.
fn hear(node: usize, messages: &mut Subscription, count: usize) -> Vec<String> {
    let next = |_| messages.next_within(LONG).unwrap_or_else(|| panic!("node {node} has not heard everything"));
    let mut heard: Vec<String> = (0..count).map(next).map(|m| format!("{}: {}", m.from, m.body)).collect();
    heard.sort();
    heard
}

fn check(bridge: impl Fn(&[Handle])) {
    let node = |_| Server::builder().listen("127.0.0.1:0".parse().unwrap()).bind().unwrap().spawn().unwrap();
    let nodes: Vec<Handle> = (0..3).map(node).collect();
    bridge(&nodes);
    let mut lobbies: Vec<Subscription> = nodes.iter().map(|node| node.subscribe_since("lobby", 0).unwrap()).collect();
    let people = ["ann", "bob", "cy"];
    for (node, person) in nodes.iter().zip(people) {
        node.post("lobby", person, "hello").unwrap();
    }
    for (at, lobby) in lobbies.iter_mut().enumerate() {
        let mut expected: Vec<String> = (0..3)
            .map(|n| if n == at { format!("{}: hello", people[n]) } else { format!("bridge: {}: hello", people[n]) })
            .collect();
        expected.sort();
        assert_eq!(hear(at, lobby, 3), expected, "node {at}");
    }
    for (at, lobby) in lobbies.iter_mut().enumerate() {
        let more = lobby.next_within(SHORT);
        assert!(more.is_none(), "node {at} hears more than was said: {more:?}. Does it go in circles?");
    }

    nodes[1].shutdown();
    nodes[1].join().unwrap();
    nodes[0].post("lobby", "ann", "still there?").unwrap();
    assert_eq!(hear(2, &mut lobbies[2], 1), ["bridge: ann: still there?"], "one node less");
    nodes[2].post("lobby", "cy", "yes").unwrap();
    assert_eq!(hear(0, &mut lobbies[0], 2), ["ann: still there?", "bridge: cy: yes"], "one node less");
    nodes.iter().for_each(Handle::shutdown);
    nodes.iter().for_each(|node| node.join().unwrap());
}
