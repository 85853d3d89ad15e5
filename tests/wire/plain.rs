//! Plain text: any WebSocket tool is a chat client; and the echo.

use crate::common::*;
use serde_json::json;
use tungstenite::Message;

#[test]
fn each_line_is_a_message_and_comes_back_with_the_name() {
    let server = server();
    let mut ann = server.plain("ann");
    let mut bob = server.in_lobby("bob");
    ann.say("hello");
    assert_eq!(ann.text(), "ann: hello");
    assert_eq!(bob.expect("message")["body"], "hello");
    bob.post("lobby", "1", "two\nlines");
    assert_eq!(ann.text(), "bob: two\nlines");
}

#[test]
fn the_last_twenty_come_first_or_as_many_as_asked_for() {
    let server = server();
    let mut ann = server.plain("ann");
    for n in 1..=30 {
        ann.say(&format!("{n}"));
        ann.text();
    }
    let mut bob = server.plain("bob");
    assert_eq!(bob.text(), "ann: 11");
    let mut eve = server.plain("eve&last=1");
    assert_eq!(eve.text(), "ann: 30");
    ann.say("31");
    assert_eq!(eve.text(), "ann: 31");
}

#[test]
fn a_room_is_chosen_in_the_address() {
    let server = server();
    let mut ann = server.json("ann");
    ann.send(json!({"type": "create", "room": "garden"}));
    ann.expect("room");
    ann.expect("joined");
    let mut bob = server.plain("bob&room=garden");
    bob.say("hi");
    assert_eq!(ann.expect("message")["room"], "garden");
    assert_eq!(Client::connect(server.address, "/ws?name=x&room=nowhere", None).err(), Some(404));
    assert_eq!(Client::connect(server.address, "/ws?name=x&room=No%20Where", None).err(), Some(400));
    assert_eq!(Client::connect(server.address, "/ws?name=x&last=many", None).err(), Some(400));
}

#[test]
fn an_error_is_a_line_with_an_exclamation_mark() {
    let server = server();
    let mut ann = server.plain("ann");
    ann.say(&"x".repeat(8193));
    let error = ann.text();
    assert!(error.starts_with("! ") && error.contains("8193 bytes; 8192 is the most"), "{error}");
    ann.say("   ");
    assert_eq!(ann.text(), "! \"body\" is empty");
    ann.say(&"x".repeat(8192));
    assert_eq!(ann.text().len(), "ann: ".len() + 8192);
}

#[test]
fn names_may_be_emoji() {
    let server = server();
    let mut rocket = server.plain("%F0%9F%91%A9%E2%80%8D%F0%9F%9A%80");
    rocket.say("liftoff");
    assert_eq!(rocket.text(), "👩‍🚀: liftoff");
}

#[test]
fn the_echo_gives_everything_back_as_it_came() {
    let server = server();
    let mut client = Client::connect(server.address, "/echo", None).unwrap();
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::binary(vec![0, 255, 128]),
        Message::text("é".repeat(32 * 1024)),
        Message::binary(vec![7; 64 * 1024]),
    ] {
        client.socket.send(message.clone()).unwrap();
        assert_eq!(client.socket.read().unwrap(), message);
    }
    client.socket.send(Message::binary(vec![7; 64 * 1024 + 1])).unwrap();
    assert_eq!(client.close_code(), Some(1009));
}

#[test]
fn the_echo_does_not_read_from_who_does_not_read() {
    let server = server();
    let mut client = Client::connect(server.address, "/echo", None).unwrap();
    // More than all buffers on the way hold; the reader starts late and gets it all, in order.
    let writer = client.socket.get_ref().try_clone().unwrap();
    let mut writer = tungstenite::WebSocket::from_raw_socket(writer, tungstenite::protocol::Role::Client, None);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..400u32 {
                let mut body = vec![0; 60_000];
                body[..4].copy_from_slice(&n.to_be_bytes());
                writer.send(Message::binary(body)).unwrap();
            }
        });
        for n in 0..400u32 {
            let Message::Binary(body) = client.socket.read().unwrap() else { panic!() };
            assert_eq!((body.len(), &body[..4]), (60_000, &n.to_be_bytes()[..]));
        }
    });
}
