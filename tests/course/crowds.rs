//! 09 to 12: many clients.

use crate::common::DEADLINE;
use crate::example;
use serde_json::{Value, json};
use std::net::TcpStream;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message, WebSocket, connect};

#[test]
fn the_broadcast_reaches_everyone_in_one_order() {
    let mut server = example("09_broadcast", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut clients: Vec<_> = (0..3).map(|_| connect(&address).unwrap().0).collect();
    for _ in 0..3 {
        assert!(server.line().ends_with("joined\n"));
    }
    clients[1].send(Message::text("to all")).unwrap();
    let heard: Vec<Message> = clients.iter_mut().map(|client| client.read().unwrap()).collect();
    let Message::Text(text) = &heard[0] else { panic!("{heard:?}") };
    assert!(text.starts_with("Client ") && text.ends_with(": to all"), "{text}");
    assert!(heard.iter().all(|other| *other == heard[0]));
    drop(clients.remove(0));
    server.after(" left");
    clients[0].send(Message::text("still here")).unwrap();
    assert_eq!(clients[0].read().unwrap(), clients[1].read().unwrap());
}

/// Reads one message; a client that hears nothing is a failed test.
fn hear(client: &mut Client) -> String {
    match client.read() {
        Ok(Message::Text(text)) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

type Client = WebSocket<MaybeTlsStream<TcpStream>>;

fn client(address: &str) -> Client {
    let (client, _) = connect(address).unwrap();
    let MaybeTlsStream::Plain(stream) = client.get_ref() else { unreachable!() };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    client
}

#[test]
fn the_slow_client_is_measured_in_three_ways() {
    let mut program = example("10_slow_client", &["localhost:0"]);
    program.after("treatment");
    // name, longest wait in ms, queued in KiB, what the slow one got, and what it had in the end
    let mut row = |name: &str| -> [u64; 4] {
        let row = program.after(name);
        let numbers: Vec<u64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        numbers.try_into().unwrap_or_else(|_| panic!("{name}: {row}"))
    };
    let [blocked, queued, got, in_the_end] = row("write and wait");
    assert!(blocked >= 1000 && queued == 0 && got < 1500 && in_the_end == got, "{blocked} {queued} {got} {in_the_end}");
    let [wait, queued, got, in_the_end] = row("unbounded queue");
    assert!(wait < blocked && queued > 1024, "{wait} {queued}");
    assert_eq!((got, in_the_end), (1500, 1500));
    let [wait, queued, got, in_the_end] = row("bounded queue");
    assert!(wait < blocked && queued == 512 && got < 1500, "{wait} {queued} {got}");
    assert_eq!(in_the_end, 1500, "it came back and has the rest");
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn what_is_said_in_a_room_stays_in_it() {
    let mut server = example("11_rooms", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut enter = |room: &str| {
        let client = client(&format!("{address}/{room}"));
        let joined = server.line();
        assert!(joined.ends_with(&format!("joined {room}\n")), "{joined}");
        client
    };
    let (mut ann, mut ben, mut kim) = (enter("garden"), enter("garden"), enter("kitchen"));
    ann.send(Message::text("tulips")).unwrap();
    assert_eq!((hear(&mut ann), hear(&mut ben)), ("Client 1: tulips".into(), "Client 1: tulips".into()));
    // Had the kitchen heard of the tulips, it would be the first thing it heard.
    kim.send(Message::text("soup")).unwrap();
    assert_eq!(hear(&mut kim), "Client 3: soup");
    ben.close(None).unwrap();
    assert_eq!(server.line(), "Client 2 left garden\n");
    ann.send(Message::text("roses")).unwrap();
    assert_eq!(hear(&mut ann), "Client 1: roses");
}

#[test]
fn a_path_that_is_no_room_is_refused_while_it_is_still_http() {
    let mut server = example("11_rooms", &["localhost:0"]);
    let address = server.after("Listening on ");
    for path in ["", "/", "/a/b", "/?garden", "/%2e%2e", &format!("/{}", "x".repeat(33))] {
        let error = connect(format!("{address}{path}")).unwrap_err();
        let Error::Http(response) = error else { panic!("{path}: {error}") };
        assert_eq!(response.status(), 404, "{path}");
    }
    connect(format!("{address}/{}", "x".repeat(32))).unwrap();
}

/// The numbers of what it hears, up to and with this text.
fn numbers_until(client: &mut Client, text: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let message: Value = serde_json::from_str(&hear(client)).unwrap();
        numbers.push(message["seq"].as_u64().unwrap_or_else(|| panic!("{message}")));
        if message["text"] == text {
            return numbers;
        }
    }
}

#[test]
fn who_comes_back_with_its_number_misses_nothing() {
    let mut server = example("12_history", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut ann = client(&address);
    let mut say = |text: &str| {
        ann.send(Message::text(text)).unwrap();
        hear(&mut ann)
    };
    assert_eq!(say("one"), r#"{"seq":1,"text":"one"}"#);
    let mut ben = client(&format!("{address}/?since=0"));
    assert_eq!(hear(&mut ben), r#"{"seq":1,"text":"one"}"#);
    drop(ben);
    say("two");
    say("three");
    let mut ben = client(&format!("{address}/?since=1"));
    assert_eq!(numbers_until(&mut ben, "three"), [2, 3]);
    // Who gives no number wants only what comes, and who has all gets nothing twice.
    let (mut new, mut same) = (client(&address), client(&format!("{address}/?since=3")));
    // It says so itself: whoever reads what it says has let it in before.
    new.send(Message::text("four")).unwrap();
    assert_eq!(hear(&mut new), r#"{"seq":4,"text":"four"}"#);
    assert_eq!(hear(&mut same), r#"{"seq":4,"text":"four"}"#);
}

#[test]
fn who_was_away_for_too_long_is_told_how_much_is_missing() {
    let mut server = example("12_history", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut ann = client(&address);
    for number in 1..=130 {
        ann.send(Message::text(number.to_string())).unwrap();
        hear(&mut ann);
    }
    let mut late = client(&format!("{address}/?since=10"));
    assert_eq!(hear(&mut late), r#"{"missed":20}"#);
    assert_eq!(numbers_until(&mut late, "130"), (31..=130).collect::<Vec<_>>());
    let mut just = client(&format!("{address}/?since=30"));
    assert_eq!(numbers_until(&mut just, "130"), (31..=130).collect::<Vec<_>>());
}

#[test]
fn stepping_onto_the_moving_line_leaves_no_gap_and_repeats_nothing() {
    let mut server = example("12_history", &["localhost:0"]);
    let address = server.after("Listening on ");
    const ALL: u64 = 3000;
    let mut ann = client(&address);
    let talk = std::thread::spawn(move || {
        for number in 1..=ALL {
            ann.send(Message::text(number.to_string())).unwrap();
            hear(&mut ann);
        }
    });
    // It comes and goes while the line moves, each time with the last number it saw.
    let (mut seen, mut heard, mut visits) = (0, 0, 0);
    while seen < ALL {
        let mut client = client(&format!("{address}/?since={seen}"));
        visits += 1;
        for _ in 0..150 {
            if seen == ALL {
                break;
            }
            let text = match client.read() {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(_)) => break, // too slow
                other => panic!("{other:?}"),
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            if let Some(missed) = message["missed"].as_u64() {
                seen += missed; // it was away for more than the server keeps
                continue;
            }
            seen += 1;
            heard += 1;
            assert_eq!(message, json!({ "seq": seen, "text": seen.to_string() }), "visit {visits}");
        }
    }
    assert!(heard > ALL / 3, "{heard} heard in {visits} visits");
    talk.join().unwrap();
}

#[test]
fn who_does_not_read_the_history_is_sent_away_and_comes_back_for_the_rest() {
    let mut server = example("12_history", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut slow = client(&format!("{address}/?since=0"));
    let mut ann = client(&address);
    let long = "x".repeat(60_000);
    for _ in 0..400 {
        ann.send(Message::text(&long)).unwrap(); // 24 MB: more than the buffers of the system and its outbox hold
        hear(&mut ann);
    }
    let mut seen = 0;
    let frame = loop {
        match slow.read().unwrap() {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                seen += 1;
                assert_eq!(message["seq"], seen);
            }
            Message::Close(frame) => break frame.unwrap(),
            other => panic!("{other}"),
        }
    };
    assert!(u16::from(frame.code) == 4000 && seen < 400, "{frame} after {seen}");
    let mut back = client(&format!("{address}/?since={seen}"));
    assert_eq!(hear(&mut back), json!({ "missed": 300 - seen }).to_string());
    assert!(hear(&mut back).starts_with(r#"{"seq":301,"#));
}
