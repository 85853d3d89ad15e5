//! TLS on the one port: every promise holds within it, and nobody waits for anybody.

use crate::common::tls::*;
use crate::common::*;
use parlor::{DialError, Incoming, Server, WebSocket};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// A client of the chat within TLS.
struct Within {
    socket: WebSocket,
}

impl Within {
    fn lobby(server: &TestServer, pem: &str, name: &str) -> Within {
        let dialer = dialer(server.address, pem, &format!("/ws?name={name}")).subprotocol("parlor.v1");
        let client = Within { socket: dialer.connect().unwrap() };
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        while client.next()["type"] != "joined" {}
        client
    }

    fn send(&self, frame: Value) {
        self.socket.send_text(&frame.to_string()).unwrap();
    }

    fn post(&self, id: &str, body: &str) {
        self.send(json!({"type": "post", "room": "lobby", "id": id, "body": body}));
    }

    fn next(&self) -> Value {
        match self.socket.read().unwrap() {
            Incoming::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn message(&self) -> (i64, String) {
        loop {
            let frame = self.next();
            if frame["type"] == "message" {
                return (frame["rev"].as_i64().unwrap(), frame["body"].as_str().unwrap().to_owned());
            }
        }
    }
}

fn server(builder: parlor::Builder) -> (TestServer, Made) {
    let made = made();
    (server_with(builder.tls(made.certificate.clone())), made)
}

#[test]
fn ten_thousand_messages_reach_everyone_once_and_in_the_same_order() {
    const PEOPLE: usize = 4;
    const EACH: usize = 2500;
    let folder = tempfile::tempdir().unwrap();
    // Everyone talks at once and reads what the three others said: more may wait than for people.
    let builder = Server::builder().sqlite(folder.path(), parlor::Synchronous::Normal).outbox_limit(16 * 1024 * 1024);
    let (server, made) = server(builder);
    let clients: Vec<Within> = (0..PEOPLE).map(|n| Within::lobby(&server, &made.pem, &format!("p{n}"))).collect();
    let seen: Vec<Vec<(i64, String)>> = std::thread::scope(|scope| {
        let readers: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(n, client)| {
                scope.spawn(move || {
                    for k in 0..EACH {
                        client.post(&format!("{n}-{k}"), &format!("{n} says {k}"));
                    }
                });
                scope.spawn(move || (0..PEOPLE * EACH).map(|_| client.message()).collect())
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert!(seen[0].iter().map(|(rev, _)| *rev).eq(1..=(PEOPLE * EACH) as i64));
    assert!(seen[1..].iter().all(|other| *other == seen[0]));
    for n in 0..PEOPLE {
        let own = seen[0].iter().map(|(_, body)| body).filter(|body| body.starts_with(&format!("{n} ")));
        assert!(own.eq((0..EACH).map(|k| format!("{n} says {k}")).collect::<Vec<_>>().iter()));
    }
}

#[test]
fn who_stops_reading_is_sent_away_and_slows_nobody() {
    let (server, made) = server(Server::builder().outbox_limit(128 * 1024));
    let slow = Within::lobby(&server, &made.pem, "slow");
    let talker = Within::lobby(&server, &made.pem, "talker");
    let mut said = 0;
    let mut left = false;
    while !left {
        said += 1;
        talker.post(&said.to_string(), &"x".repeat(4000));
        loop {
            let frame = talker.next();
            left |= frame["left"] == json!(["slow"]);
            if frame["type"] == "message" {
                break assert_eq!(frame["rev"], said);
            }
        }
        assert!(said < 20_000, "nobody was sent away");
    }
    // What was on its way arrives without a gap, and behind it the reason.
    let mut last = 0;
    let closed = loop {
        match slow.socket.read() {
            Ok(Incoming::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == "message" {
                    last += 1;
                    assert_eq!(frame["rev"], last);
                }
            }
            Err(DialError::Closed(code, _)) => break code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(closed, 4000);
    assert!(0 < last && last < said, "{last} of {said}");
}

#[test]
fn half_a_handshake_ends_at_the_deadline() {
    let (server, made) = server(Server::builder().handshake_time(Duration::from_millis(300)));
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut socket = raw(server.address);
        let start = Instant::now();
        socket.write_all(bytes).unwrap();
        let _ = socket.read_to_end(&mut Vec::new());
        let took = start.elapsed();
        assert!(took > Duration::from_millis(250) && took < Duration::from_secs(3), "{bytes:x?}: {took:?}");
    }
    // TLS is agreed on, and no request follows: the same deadline.
    let mut stream = secure(server.address, &made.pem);
    let start = Instant::now();
    stream.flush().unwrap();
    let mut told = Vec::new();
    let _ = stream.read_to_end(&mut told);
    assert!(String::from_utf8_lossy(&told).starts_with("HTTP/1.1 408"), "{}", String::from_utf8_lossy(&told));
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn plain_http_is_told_where_to_go() {
    let (server, _made) = server(Server::builder());
    let answer = server.raw(b"GET /js/main.js?x=1 HTTP/1.1\r\nHost: chat.example:8080\r\n\r\n");
    assert_eq!(status(&answer), 307, "{answer}");
    assert!(answer.contains("Location: https://chat.example:8080/js/main.js?x=1\r\n"), "{answer}");
    for request in [
        upgrade(server.address, "/ws?name=ann", ""),
        "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x/\"><b>\r\n\r\n".into(),
        "GET / HTTP/1.0\r\n\r\n".into(),
    ] {
        let answer = server.raw(request.as_bytes());
        assert_eq!(status(&answer), 400, "{answer}");
        assert!(answer.contains("https:// and wss://") && !answer.contains("Location"), "{answer}");
    }
    assert!(server.handle.metrics().contains("parlor_refused_total{reason=\"tls_required\"} 5"));
}

#[test]
fn the_page_the_api_and_the_chat_are_there_and_the_cookie_is_for_tls_alone() {
    let (server, made) = server(Server::builder());
    let ask = |request: &str| ask(server.address, &made.pem, request);
    let page = ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(status(&page) == 200 && page.ends_with("</html>\n"), "{page}");
    let body = r#"{"name":"Ann"}"#;
    let sign_in = format!(
        "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         X-Forwarded-Proto: http\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(&sign_in);
    let cookie = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let ended = ask(&format!("DELETE /api/session HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"));
    assert!(ended.contains("Max-Age=0; Secure"), "{ended}");
    // Without TLS what a client says of itself does not count.
    let plain = server_with(Server::builder());
    let answer = plain.raw(sign_in.replace("Proto: http", "Proto: https").as_bytes());
    assert!(answer.contains("Set-Cookie") && !answer.contains("Secure"), "{answer}");
}

#[test]
fn a_new_certificate_is_shown_to_whoever_comes_and_drops_nobody() {
    let (server, old) = server(Server::builder());
    let ann = Within::lobby(&server, &old.pem, "ann");
    let new = made();
    server.handle.renew(&new.certificate).unwrap();
    let bob = Within::lobby(&server, &new.pem, "bob");
    let refused = dialer(server.address, &old.pem, "/echo").connect().unwrap_err();
    assert!(refused.to_string().contains("TLS failed"), "{refused}");
    bob.post("1", "from another key");
    assert_eq!(ann.message(), (1, "from another key".into()));
    ann.post("2", "still here");
    assert_eq!(bob.message(), (1, "from another key".into()));
    assert_eq!(bob.message(), (2, "still here".into()));
    let plain = server_with(Server::builder());
    assert!(plain.handle.renew(&new.certificate).unwrap_err().to_string().contains("speaks no TLS"));
}
