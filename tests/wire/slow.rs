//! A client that stops reading: it alone pays for it, and loses nothing.

use crate::common::*;
use parlor::Server;
use serde_json::json;
use tungstenite::Message;

const LIMIT: usize = 128 * 1024;

/// Talks until `until` is told that somebody has left, and gives the number of messages said by then.
pub fn talk_until_left(talker: &mut Client, who: &str) -> i64 {
    let mut said = 0;
    loop {
        for _ in 0..50 {
            said += 1;
            talker.post("lobby", &said.to_string(), &"x".repeat(2000));
        }
        let mut own = 0;
        while own < 50 {
            let frame = talker.next();
            own += i32::from(frame["type"] == "message");
            if frame["left"] == json!([who]) {
                while own < 50 {
                    own += i32::from(talker.next()["type"] == "message");
                }
                return said;
            }
        }
        assert!(said < 50_000, "nobody was evicted");
    }
}

#[test]
fn who_stops_reading_is_sent_away_with_4000_and_finds_everything_later() {
    let server = server_with(Server::builder().outbox_limit(LIMIT));
    let mut slow = server.in_lobby("slow");
    let mut talker = server.in_lobby("talker");
    let said = talk_until_left(&mut talker, "slow");
    // Now it reads what was on its way: without a gap, and at the end the reason.
    let mut last = 0;
    let closed = loop {
        match slow.socket.read().unwrap() {
            Message::Text(text) => {
                let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == "message" {
                    last += 1;
                    assert_eq!(frame["rev"], last);
                }
            }
            Message::Close(frame) => break frame.unwrap(),
            _ => {}
        }
    };
    assert_eq!((u16::from(closed.code), closed.reason.as_str()), (4000, "too slow: come back with since"));
    assert!(last < said);
    let mut back = server.json("slow2");
    back.send(json!({"type": "join", "room": "lobby", "since": last}));
    for rev in last + 1..=said {
        assert_eq!(back.expect("message")["rev"], rev);
    }
    assert_eq!(back.expect("joined")["head"], said);
}

#[test]
fn a_slow_client_makes_nobody_wait() {
    let server = server_with(Server::builder().outbox_limit(LIMIT));
    let _slow: Vec<Client> = (0..20).map(|n| server.in_lobby(&format!("slow{n}"))).collect();
    let mut talker = server.in_lobby("talker");
    let mut reader = server.in_lobby("reader");
    for n in 1..=3000 {
        talker.post("lobby", &n.to_string(), &"x".repeat(2000));
        assert_eq!(talker.expect("message")["rev"], n);
        assert_eq!(reader.expect("message")["rev"], n);
    }
}

#[test]
fn a_long_replay_waits_for_its_reader_and_evicts_nobody() {
    let server = server_with(Server::builder().outbox_limit(LIMIT));
    let mut talker = server.in_lobby("talker");
    for n in 1..=4000 {
        talker.post("lobby", &n.to_string(), &"x".repeat(2000));
        if n % 20 == 0 {
            for _ in 0..20 {
                talker.expect("message");
            }
        }
    }
    // Eight megabytes for an outbox of 128 KiB: they come as they are read.
    let mut reader = server.json("reader");
    reader.send(json!({"type": "join", "room": "lobby", "since": 0}));
    for n in 1..=4000 {
        assert_eq!(reader.expect("message")["rev"], n);
    }
    reader.expect("joined");
}
