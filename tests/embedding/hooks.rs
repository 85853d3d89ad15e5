//! Where the program has a say.

use crate::common::*;
use crossbeam_channel::unbounded;
use parlor::Server;
use serde_json::json;

#[test]
fn the_program_says_who_comes_in_and_as_whom() {
    let server =
        server_with(Server::builder().authenticate(|handshake| match handshake.parameter("ticket").as_deref() {
            Some("4711") => Ok(Some("Ann".into())),
            Some("guest") => Ok(None),
            Some("faulty") => Ok(Some("no:name".into())),
            _ => Err(format!("no ticket for {} in {}", handshake.path(), handshake.header("host").unwrap_or("?"))),
        }));
    let with = |query: &str| Client::try_json(server.address, &format!("/ws?{query}"));
    let ann = with("ticket=4711&name=ignored").unwrap();
    assert_eq!(ann.welcome["you"]["name"], "Ann");
    let _on_another_device = with("ticket=4711").unwrap();
    assert_eq!(with("ticket=guest&name=bob").unwrap().welcome["you"]["name"], "bob");
    assert_eq!(with("ticket=guest&name=ann").err(), Some(409), "no guest is taken for somebody that was vouched for");
    assert_eq!(with("name=bob").err(), Some(401));
    assert_eq!(with("ticket=faulty").err(), Some(500));
    assert_eq!(Client::connect(server.address, "/echo", None).err(), Some(401));
    let answer = server.raw(upgrade(server.address, "/echo", "").as_bytes());
    assert!(answer.contains(&format!("no ticket for /echo in {}", server.address)), "{answer}");
}

#[test]
fn the_program_changes_messages_and_drops_them() {
    let server = server_with(Server::builder().on_message(|post| {
        if post.body.contains("secret") {
            return Err(format!("{} must not say that in {}", post.from, post.room));
        }
        post.body = post.body.replace("darn", "****");
        if post.body == "nothing" {
            post.body.clear();
        }
        Ok(())
    }));
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.plain("bob"));
    ann.post("lobby", "1", "darn it");
    assert_eq!(ann.expect("message")["body"], "**** it");
    assert_eq!(bob.text(), "ann: **** it");
    ann.post("lobby", "2", "a secret");
    let refused = ann.expect("error");
    assert_eq!(
        (&refused["code"], &refused["id"], &refused["room"]),
        (&json!("not_allowed"), &json!("2"), &json!("lobby"))
    );
    assert_eq!(refused["message"], "ann must not say that in lobby");
    bob.say("my secret");
    assert_eq!(bob.text(), "! bob must not say that in lobby");
    ann.post("lobby", "3", "nothing");
    assert_eq!(ann.expect("error")["code"], "bad_field", "what a hook makes of a message must be one");
    assert_eq!(
        server.handle.post("lobby", "Weather", "a darn secret").unwrap().body,
        "a darn secret",
        "the program's own"
    );
}

#[test]
fn each_join_is_told_and_has_exactly_one_leave() {
    let (tell, told) = unbounded();
    let note = |tell: crossbeam_channel::Sender<String>, what: &'static str| {
        move |person: &str, room: &str| drop(tell.send(format!("{person} {what} {room}")))
    };
    let builder = Server::builder().on_join(note(tell.clone(), "joins")).on_leave(note(tell, "leaves"));
    let server = server_with(builder);
    let next = || told.recv_timeout(DEADLINE).unwrap();
    let mut ann = server.in_lobby("ann");
    assert_eq!(next(), "ann joins lobby");
    ann.send(json!({"type": "create", "room": "den"}));
    assert_eq!(next(), "ann joins den");
    ann.send(json!({"type": "leave", "room": "den"}));
    assert_eq!(next(), "ann leaves den");
    ann.cut();
    assert_eq!(next(), "ann leaves lobby");
    let _bob = server.plain("bob");
    assert_eq!(next(), "bob joins lobby");
    server.stop();
    assert_eq!(next(), "bob leaves lobby");
    assert!(told.is_empty());
}

#[test]
fn a_hook_that_panics_harms_only_whoever_it_was_asked_about() {
    let server = server_with(
        Server::builder()
            .authenticate(|handshake| {
                assert_ne!(handshake.parameter("name").as_deref(), Some("jinx"));
                Ok(None)
            })
            .on_message(|post| {
                assert_ne!(post.body, "boom");
                Ok(())
            })
            .on_join(|person, _| assert_ne!(person, "eve")),
    );
    assert_eq!(Client::try_json(server.address, "/ws?name=jinx").err(), Some(401));
    let (mut ann, mut eve) = (server.in_lobby("ann"), server.in_lobby("eve"));
    ann.post("lobby", "1", "boom");
    assert_eq!(ann.expect("error")["code"], "unavailable");
    ann.post("lobby", "2", "and on");
    assert_eq!(ann.expect("message")["rev"], 1);
    assert_eq!(eve.expect("message")["body"], "and on");
}
