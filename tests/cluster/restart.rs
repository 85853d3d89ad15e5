//! A node that stops hands its clients over to the others.

use crate::common::*;
use crate::line::ground;
use crate::program::Node;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_node_that_is_told_to_stop_sends_its_clients_away_one_after_the_other() {
    let Some((database, redis)) = ground() else { return };
    let mut one = Node::start(&database, &redis.url(), &["--drain", "3"]);
    let two = Node::start(&database, &redis.url(), &[]);
    let join = |client: &mut Client, since: i64| {
        client.send(json!({"type": "join", "room": "lobby", "since": since}));
        client.hear("joined");
    };
    let mut eve = Client::json(two.address, "eve");
    join(&mut eve, 0);
    let clients: Vec<Client> = (0..6)
        .map(|n| {
            let mut client = Client::try_json(one.address, &format!("/ws?name=n{n}&key=k{n}")).unwrap();
            join(&mut client, 0);
            client
        })
        .collect();
    one.program.signal("TERM");
    let begin = Instant::now();
    let mut gone = Vec::new();
    for (n, mut client) in clients.into_iter().enumerate() {
        // Until it is sent away it is served.
        client.post("lobby", &format!("last {n}"), "before");
        let mut seen = 0;
        let closed = loop {
            match client.socket.read().unwrap() {
                tungstenite::Message::Text(text) => {
                    let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
                    seen = frame["rev"].as_i64().unwrap_or(seen);
                }
                tungstenite::Message::Close(frame) => break frame.unwrap(),
                _ => {}
            }
        };
        gone.push(begin.elapsed());
        assert_eq!(u16::from(closed.code), 1001);
        assert!(closed.reason.starts_with("come back at once"), "{}", closed.reason);
        let mut client = Client::try_json(two.address, &format!("/ws?name=n{n}&key=k{n}")).unwrap();
        client.send(json!({"type": "join", "room": "lobby", "since": seen}));
        client.post("lobby", &format!("last {n}"), "before");
        client.post("lobby", &format!("first {n}"), "after");
        while client.hear("message")["id"] != format!("first {n}") {}
    }
    assert!(gone[5] > Duration::from_secs(2) && gone[0] < gone[5], "{gone:?}");
    assert_eq!(one.program.end().code(), Some(0));
    let mut ids: Vec<String> = (0..12).map(|_| eve.hear("message")["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    let expected: Vec<String> =
        ["first", "last"].iter().flat_map(|w| (0..6).map(move |n| format!("{w} {n}"))).collect();
    assert_eq!(ids, expected, "each once");
}

#[test]
fn the_client_of_the_library_comes_back_at_once_where_others_go_on() {
    let server = server_with(parlor::Server::builder().drain(Duration::from_millis(1)));
    let client = parlor::Client::connect(&format!("ws://{}", server.address), "ann").unwrap();
    server.handle.shutdown();
    let wait = loop {
        if let parlor::Event::Lost { retry_in, .. } = client.events().recv_timeout(DEADLINE).unwrap() {
            break retry_in;
        }
    };
    assert_eq!(wait, Duration::ZERO);
    client.close();
}
