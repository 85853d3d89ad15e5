//! What is true of people, is true at all nodes.

use crate::common::*;
use crate::line::{ground, node, node_with};
use serde_json::{Value, json};

/// In the lobby, as a guest who can show that two connections are the same guest's.
fn guest(node: &TestServer, name: &str) -> Client {
    let mut client = Client::try_json(node.address, &format!("/ws?name={name}&key=key-of-{name}")).unwrap();
    client.send(json!({"type": "join", "room": "lobby", "last": 0}));
    client.hear("joined");
    client
}

/// Asks the API, as the page of that node would; gives the status and the body.
pub fn ask(node: &TestServer, method: &str, path: &str, cookie: &str, body: Value) -> (u16, String) {
    let (address, body) = (node.address, body.to_string());
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = node.raw(format!("{head}{body}").as_bytes());
    (status(&answer), answer)
}

/// Makes an account, and gives its cookie.
pub fn register(node: &TestServer, name: &str, invitation: Option<&str>) -> String {
    let body = json!({"name": name, "password": "long enough", "invite": invitation});
    let (status, answer) = ask(node, "POST", "/api/register", "", body);
    assert_eq!(status, 200, "{answer}");
    let (_, cookie) = answer.split_once("Set-Cookie: ").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// In the lobby, with an account.
fn member(node: &TestServer, cookie: &str) -> Client {
    let more = format!("Sec-WebSocket-Protocol: parlor.v1\r\nCookie: {cookie}\r\n");
    let mut client = Client::upgraded(raw(node.address), "/ws", &more).unwrap();
    client.send(json!({"type": "join", "room": "lobby", "last": 0}));
    client.hear("joined");
    client
}

fn presence_until(client: &mut Client, is_so: impl Fn(&Value) -> bool) {
    while !is_so(&client.hear("presence")) {}
}

#[test]
fn who_is_here_and_who_writes_is_told_over_all_nodes() {
    let Some((database, redis)) = ground() else { return };
    let nodes = [node(&database, &redis.url()), node(&database, &redis.url())];
    let mut ann = guest(&nodes[0], "ann");
    let mut bob = guest(&nodes[1], "bob");
    presence_until(&mut ann, |told| told["count"] == 2 && told["joined"] == json!(["bob"]));
    bob.send(json!({"type": "typing", "room": "lobby"}));
    assert_eq!(ann.hear("typing")["from"], "bob");
    let mut late = None;
    eventually("a node that starts knows who is at the others", || {
        let three = late.get_or_insert_with(|| node(&database, &redis.url()));
        let mut eve = three.json("eve");
        eve.send(json!({"type": "join", "room": "lobby", "last": 0}));
        eve.hear("joined")["members"] == json!(["ann", "bob", "eve"])
    });
    bob.cut();
    presence_until(&mut ann, |told| told["left"].as_array().is_some_and(|left| left.contains(&json!("bob"))));
}

#[test]
fn a_node_that_is_killed_takes_its_people_with_it_after_a_while() {
    let Some((database, redis)) = ground() else { return };
    let one = node(&database, &redis.url());
    let mut two = crate::program::Node::start(&database, &redis.url(), &[]);
    let mut ann = guest(&one, "ann");
    let mut bob = Client::try_json(two.address, "/ws?name=bob").unwrap();
    bob.send(json!({"type": "join", "room": "lobby", "last": 0}));
    presence_until(&mut ann, |told| told["count"] == 2);
    let killed = std::time::Instant::now();
    two.program.child.kill().unwrap();
    presence_until(&mut ann, |told| told["count"] == 1);
    assert!(killed.elapsed().as_secs() < 20, "{:?}", killed.elapsed());
    guest(&one, "bob");
}

#[test]
fn what_a_person_has_read_is_told_to_that_persons_connections_at_other_nodes() {
    let Some((database, redis)) = ground() else { return };
    let nodes = [node(&database, &redis.url()), node(&database, &redis.url())];
    let mut there = guest(&nodes[1], "ann");
    let mut here = guest(&nodes[0], "ann");
    here.post("lobby", "1", "hello");
    here.hear("message");
    here.send(json!({"type": "read", "room": "lobby", "rev": 1}));
    assert_eq!(there.hear("read")["rev"], 1);
}

#[test]
fn a_guests_name_is_that_guests_at_all_nodes() {
    let Some((database, redis)) = ground() else { return };
    let nodes = [node(&database, &redis.url()), node(&database, &redis.url())];
    let ann = guest(&nodes[0], "ann");
    eventually("the other node knows of her", || match Client::connect(nodes[1].address, "/ws?name=Ann", None) {
        Err(status) => status == 409,
        Ok(client) => {
            client.cut();
            false
        }
    });
    drop(guest(&nodes[1], "ann"));
    ann.cut();
    eventually("the name is free again", || Client::connect(nodes[1].address, "/ws?name=Ann", None).is_ok());
}

#[test]
fn sessions_names_and_penalties_hold_at_all_nodes() {
    let Some((database, redis)) = ground() else { return };
    let start = || {
        let server = parlor::Server::builder().database(&database, parlor::Synchronous::Normal).cluster(&redis.url());
        server.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap()
    };
    let first = start();
    let invitation = first.owner_invitation().unwrap().unwrap();
    let nodes = [first, start()].map(|server| {
        let handle = server.spawn().unwrap();
        TestServer { address: handle.address(), handle }
    });
    let host = register(&nodes[0], "host", Some(&invitation));
    let ann = register(&nodes[0], "ann", None);
    // Signed out at one, gone at the other.
    let mut at_other = member(&nodes[1], &ann);
    assert_eq!(ask(&nodes[0], "DELETE", "/api/session", &ann, json!({})).0, 204);
    assert_eq!(at_other.close_code(), Some(4001));
    // Another name, with which she is called back, and under which she speaks.
    let (_, answer) = ask(&nodes[1], "POST", "/api/session", "", json!({"name": "ann", "password": "long enough"}));
    let ann = answer.split_once("Set-Cookie: ").unwrap().1.split(';').next().unwrap().to_owned();
    let mut at_other = member(&nodes[1], &ann);
    assert_eq!(ask(&nodes[0], "PATCH", "/api/me", &ann, json!({"name": "Anna"})).0, 200);
    assert_eq!(at_other.close_code(), Some(4002));
    let mut at_other = member(&nodes[1], &ann);
    assert_eq!(at_other.welcome["you"]["name"], "Anna");
    // Muted at one, silent at the other; and told so.
    let muted = ask(&nodes[0], "POST", "/api/people/Anna/mute", &host, json!({"reason": "hush"}));
    assert_eq!(muted.0, 200, "{}", muted.1);
    assert_eq!(at_other.hear("you")["muted"]["reason"], "hush");
    at_other.post("lobby", "1", "hello");
    assert_eq!(at_other.hear_error()["code"], "muted");
    // Banned at one, gone from the other and not let in again.
    assert_eq!(ask(&nodes[0], "POST", "/api/people/Anna/ban", &host, json!({})).0, 200);
    assert_eq!(at_other.close_code(), Some(1008));
    let more = format!("Sec-WebSocket-Protocol: parlor.v1\r\nCookie: {ann}\r\n");
    assert_eq!(Client::upgraded(raw(nodes[1].address), "/ws", &more).err(), Some(403));
}

#[test]
fn the_rate_holds_over_all_nodes() {
    let Some((database, redis)) = ground() else { return };
    let slow = |builder: parlor::Builder| builder.rate(1, 10);
    let nodes = [node_with(&database, &redis.url(), slow), node_with(&database, &redis.url(), slow)];
    let (mut here, mut there) = (guest(&nodes[0], "ann"), guest(&nodes[1], "ann"));
    for n in 0..10 {
        here.post("lobby", &n.to_string(), "hello");
    }
    for _ in 0..10 {
        there.hear("message");
    }
    // Each of the ten was counted before it was stored, and told with it or with the next.
    here.send(json!({"type": "typing", "room": "lobby"}));
    eventually("the other node knows what she has spent", || {
        there.post("lobby", &format!("there {:?}", std::time::Instant::now()), "hello");
        there.everything_until(|frame| frame["type"] == "error" || frame["type"] == "message").pop().unwrap()["code"]
            == "rate_limited"
    });
}
