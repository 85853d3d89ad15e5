//! The handshake: who gets in, who does not, and what each is told.

use crate::common::*;
use parlor::Server;
use std::io::Write;
use std::time::{Duration, Instant};

fn refused(server: &TestServer, path: &str) -> u16 {
    Client::connect(server.address, path, Some("parlor.v1")).err().unwrap_or(101)
}

#[test]
fn each_refusal_has_its_status_and_says_why() {
    let server = server();
    let ask = |path: &str, more: &str| server.raw(upgrade(server.address, path, more).as_bytes());
    let cases = [
        (ask("/ws", ""), 401, "unknown_credentials", "?name=NAME"),
        (ask("/ws?name=", ""), 400, "bad_field", "at least one character"),
        (ask("/ws?name=a%00b", ""), 400, "bad_field", "control"),
        (ask(&format!("/ws?name={}", "x".repeat(33)), ""), 400, "bad_field", "32 characters"),
        (ask("/ws?name=ann", "Authorization: Bearer x\r\n"), 401, "unknown_credentials", "token"),
        (ask("/ws?name=ann", "Cookie: parlor_session=x\r\n"), 401, "unknown_credentials", "session"),
        (ask("/ws?name=ann", "Origin: https://elsewhere.example\r\n"), 403, "origin_not_allowed", "--allow-origin"),
        (ask("/ws?name=ann", "Origin: null\r\n"), 403, "origin_not_allowed", "--allow-origin"),
        (ask("/elsewhere?name=ann", ""), 404, "not_found", "/ws"),
        (ask("/ws?name=ann", "Sec-WebSocket-Protocol: chat\r\n"), 400, "unknown_subprotocol", "parlor.v1"),
        (server.get("/ws?name=ann"), 426, "upgrade_required", "ws://"),
        (server.get("/echo"), 426, "upgrade_required", "ws://"),
    ];
    for (answer, expected, code, word) in cases {
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")) && answer.contains(word), "{answer}");
        assert!(answer.contains("Content-Type: application/json"), "{answer}");
    }
}

#[test]
fn a_handshake_that_is_none_is_refused() {
    let server = server();
    let good = upgrade(server.address, "/ws?name=ann", "");
    for (from, to, expected) in [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", 400),
        ("Connection: Upgrade\r\n", "", 400),
        ("GET ", "POST ", 400),
        ("HTTP/1.1", "HTTP/1.0", 400),
        ("GET /ws", "GET ws", 400),
    ] {
        let answer = server.raw(good.replacen(from, to, 1).as_bytes());
        assert_eq!(status(&answer), expected, "{to}: {answer}");
    }
}

#[test]
fn the_page_of_this_server_may_connect_and_others_if_allowed() {
    let server = server_with(Server::builder().allow_origin("https://friend.example/"));
    for origin in [format!("http://{}", server.address), "https://FRIEND.example".into()] {
        let mut socket = raw(server.address);
        socket.write_all(upgrade(server.address, "/echo", &format!("Origin: {origin}\r\n")).as_bytes()).unwrap();
        let mut head = [0; 12];
        std::io::Read::read_exact(&mut socket, &mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 101", "{origin}");
    }
}

#[test]
fn a_name_is_one_guests_at_a_time_and_a_key_takes_it_over() {
    let server = server();
    let ann = server.json("Ann");
    assert_eq!(refused(&server, "/ws?name=ann"), 409);
    assert_eq!(refused(&server, "/ws?name=ann&key=other"), 409);
    drop(ann);
    let first = Client::try_json(server.address, "/ws?name=bob&key=secret").unwrap();
    assert_eq!(refused(&server, "/ws?name=bob"), 409);
    assert_eq!(refused(&server, "/ws?name=bob&key=other"), 409);
    // The line broke and the server does not know yet: it is let in at once.
    let second = Client::try_json(server.address, "/ws?name=bob&key=secret");
    assert!(second.is_ok());
    drop(first);
}

#[test]
fn a_half_sent_handshake_has_a_deadline() {
    let server = server_with(Server::builder().handshake_time(Duration::from_millis(300)));
    for part in [
        &b""[..],
        b"GET / HT",
        b"GET /ws?name=ann HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/session HTTP/1.1\r\nContent-Length: 10\r\n\r\n{",
    ] {
        let start = Instant::now();
        let answer = server.raw(part);
        assert_eq!(status(&answer), 408, "{answer}");
        assert!(start.elapsed() >= Duration::from_millis(250) && start.elapsed() < DEADLINE / 2);
    }
}

#[test]
fn a_byte_at_a_time_does_not_stretch_the_deadline() {
    let server = server_with(Server::builder().handshake_time(Duration::from_millis(300)));
    let mut socket = raw(server.address);
    let start = Instant::now();
    let mut sender = socket.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        for byte in b"GET / HTTP/1.1\r\nHost: ".iter().chain(std::iter::repeat(&b'x')) {
            if start.elapsed() > DEADLINE || sender.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    });
    assert_eq!(status(&all_of(&mut socket)), 408);
    assert!(start.elapsed() < DEADLINE / 2);
    drop(socket);
    trickle.join().unwrap();
}

#[test]
fn frames_that_come_with_the_handshake_are_read() {
    let server = server();
    let mut socket = raw(server.address);
    let mut bytes = upgrade(server.address, "/echo", "").into_bytes();
    bytes.extend_from_slice(&[0x81, 0x85, 0, 0, 0, 0, b'e', b'a', b'r', b'l', b'y']);
    socket.write_all(&bytes).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 512];
    while !answer.ends_with(b"\x81\x05early") {
        let count = std::io::Read::read(&mut socket, &mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn one_more_than_fits_is_told_to_come_back() {
    let server = server_with(Server::builder().max_clients(3));
    let clients: Vec<Client> = (0..3).map(|n| server.json(&format!("p{n}"))).collect();
    let answer = server.get("/");
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("Retry-After: 5") && answer.contains("holds 3 clients"), "{answer}");
    assert_eq!(refused(&server, "/ws?name=late"), 503);
    drop(clients);
    // As soon as a thread has ended there is room again.
    let start = Instant::now();
    while refused(&server, "/ws?name=late") == 503 {
        assert!(start.elapsed() < DEADLINE);
        std::thread::yield_now();
    }
}
