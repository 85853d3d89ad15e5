//! One line over all nodes.

use crate::common::*;
use crate::engines;
use crate::hub::Redis;
use parlor::{Builder, Server, Synchronous};
use serde_json::{Value, json};

/// A database of its own and a Redis; None: this machine has not both.
pub fn ground() -> Option<(String, Redis)> {
    Some((engines::postgres()?.fresh(), Redis::start()?))
}

pub fn node_with(database: &str, cluster: &str, settings: impl FnOnce(Builder) -> Builder) -> TestServer {
    server_with(settings(Server::builder().database(database, Synchronous::Normal).cluster(cluster)))
}

pub fn node(database: &str, cluster: &str) -> TestServer {
    node_with(database, cluster, |builder| builder)
}

/// The next messages, so many.
pub fn messages(client: &mut Client, count: usize) -> Vec<Value> {
    (0..count).map(|_| client.hear("message")).collect()
}

#[test]
fn what_is_said_at_one_node_is_heard_at_the_others_in_the_same_order() {
    let Some((database, redis)) = ground() else { return };
    talk_at_three(&database, &redis);
}

#[cfg(feature = "mysql")]
#[test]
fn the_same_in_mariadb() {
    let (Some(engine), Some(redis)) = (engines::mariadb(), Redis::start()) else { return };
    talk_at_three(&engine.fresh(), &redis);
}

fn talk_at_three(database: &str, redis: &Redis) {
    let nodes: Vec<TestServer> = (0..3).map(|_| node(database, &redis.url())).collect();
    let mut clients: Vec<Client> = nodes.iter().zip(["ann", "bob", "eve"]).map(|(n, name)| n.in_lobby(name)).collect();
    for n in 0..20 {
        for (at, client) in clients.iter_mut().enumerate() {
            client.post("lobby", &format!("{at}-{n}"), "hello");
        }
    }
    let heard: Vec<Vec<Value>> = clients.iter_mut().map(|client| messages(client, 60)).collect();
    assert_eq!(heard[0].iter().map(|m| m["rev"].as_i64().unwrap()).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    assert!(heard[1] == heard[0] && heard[2] == heard[0]);
    clients[1].send(json!({"type": "react", "room": "lobby", "seq": 7, "emoji": "👍", "on": true}));
    let changed = messages(&mut clients[2], 1).remove(0);
    assert_eq!(
        (&changed["seq"], &changed["rev"], &changed["reactions"][0]["people"][0]),
        (&json!(7), &json!(61), &json!("bob"))
    );
    for client in &mut clients[..2] {
        assert_eq!(messages(client, 1)[0], changed);
    }
}
