//! Behind a proxy: whoever is trusted is believed, nobody else is, and the true address counts.

use crate::common::*;
use parking_lot::Mutex;
use parlor::{Builder, Server};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

/// A server that writes down from where each WebSocket came.
fn watched(builder: Builder) -> (TestServer, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let own = seen.clone();
    let builder = builder.authenticate(move |handshake| {
        own.lock().push(handshake.address().unwrap().to_string());
        Ok(None)
    });
    (server_with(builder), seen)
}

fn trusting() -> Builder {
    Server::builder().trust_proxy("127.0.0.1").unwrap().trust_proxy("10.0.0.0/8").unwrap()
}

fn answer(server: &TestServer, bytes: &[u8]) -> String {
    let mut socket = raw(server.address);
    socket.write_all(bytes).unwrap();
    let mut head = [0; 12];
    let _ = std::io::Read::read_exact(&mut socket, &mut head);
    String::from_utf8_lossy(&head).into_owned()
}

/// Version 2 of the PROXY protocol, from 192.0.2.9 over TLS.
fn binary_preface() -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14".to_vec();
    bytes.extend([192, 0, 2, 9, 10, 0, 0, 1, 0x10, 0x92, 1, 0xbb]);
    bytes.extend([0x20, 0, 5, 1, 0, 0, 0, 0]);
    bytes
}

#[test]
fn a_trusted_proxy_is_believed_in_a_line_in_bytes_and_in_header_fields() {
    let (server, seen) = watched(trusting());
    let echo = |more: &str| upgrade(server.address, "/echo", more);
    let plain = echo("");
    for (bytes, from) in [
        (format!("PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n{plain}").into_bytes(), "192.0.2.7:4711"),
        (format!("PROXY TCP6 2001:db8::7 ::1 4711 443\r\n{plain}").into_bytes(), "[2001:db8::7]:4711"),
        ([&binary_preface()[..], plain.as_bytes()].concat(), "192.0.2.9:4242"),
        (echo("X-Forwarded-For: 6.6.6.6, 192.0.2.8, 10.1.1.1\r\n").into_bytes(), "192.0.2.8:0"),
        // Who came with a line said all of it there.
        (
            format!("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n{}", echo("X-Forwarded-For: 6.6.6.6\r\n")).into_bytes(),
            "192.0.2.7:1",
        ),
    ] {
        assert_eq!(answer(&server, &bytes), "HTTP/1.1 101", "{from}");
        assert_eq!(seen.lock().pop().as_deref(), Some(from));
    }
    assert_eq!(answer(&server, format!("PROXY UNKNOWN\r\n{plain}").as_bytes()), "HTTP/1.1 101");
    assert!(seen.lock().pop().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(answer(&server, b"PROXY TCP4 nobody 10.0.0.1 1 2\r\n"), "HTTP/1.1 400");
}

#[test]
fn nobody_else_is_believed() {
    let (server, seen) = watched(Server::builder().trust_proxy("10.0.0.0/8").unwrap());
    let request = upgrade(server.address, "/echo", "X-Forwarded-For: 192.0.2.8\r\n");
    assert_eq!(answer(&server, request.as_bytes()), "HTTP/1.1 101");
    assert!(seen.lock().pop().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(answer(&server, format!("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n{request}").as_bytes()), "HTTP/1.1 400");
    let wrong = Server::builder().trust_proxy("the proxy").err().unwrap().to_string();
    assert!(wrong.contains("--trust-proxy") && wrong.contains("the proxy"), "{wrong}");
}

#[test]
fn the_cookie_is_for_tls_alone_where_the_proxy_says_that_there_is_tls() {
    let server = server_with(trusting());
    let sign_in = |name: &str, more: &str| {
        let body = format!(r#"{{"name":"{name}"}}"#);
        format!(
            "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let secure = |request: &[u8]| {
        let answer = server.raw(request);
        answer.lines().find(|line| line.starts_with("Set-Cookie")).unwrap().ends_with("; Secure")
    };
    assert!(secure(sign_in("ann", "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n").as_bytes()));
    assert!(secure(&[&binary_preface()[..], sign_in("bob", "").as_bytes()].concat()));
    assert!(!secure(sign_in("cid", "X-Forwarded-Proto: http\r\n").as_bytes()));
    assert!(!secure(sign_in("dan", "").as_bytes()));
}

#[test]
fn an_address_has_its_share_of_connections_and_no_more() {
    let server = server_with(trusting().per_address(Some(3)));
    let come = |from: &str| {
        let mut socket = raw(server.address);
        let request = upgrade(server.address, "/echo", "");
        socket.write_all(format!("PROXY TCP6 {from} ::1 1 2\r\n{request}").as_bytes()).unwrap();
        let mut head = [0; 12];
        std::io::Read::read_exact(&mut socket, &mut head).unwrap();
        (String::from_utf8_lossy(&head[9..]).into_owned(), socket)
    };
    let here: Vec<_> = (1..=3).map(|n| come(&format!("2001:db8::{n}"))).collect();
    assert!(here.iter().all(|(status, _)| status == "101"));
    assert_eq!(come("2001:db8::4").0, "429");
    assert_eq!(come("2001:db8:1::1").0, "101", "another network");
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db8::5\r\n\r\n";
    assert_eq!(status(&server.raw(request.as_bytes())), 429, "by a header field, too");
    assert!(server.handle.metrics().contains("parlor_refused_total{reason=\"crowded\"} 2"));
    drop(here);
    eventually("there is room again", || come("2001:db8::6").0 == "101");
}

/// Comes from another address of this machine.
fn from(source: &str, to: SocketAddr) -> TcpStream {
    let own = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&own, &SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    connect(&own, &to).unwrap();
    let stream = TcpStream::from(own);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

#[test]
#[cfg(target_os = "linux")]
fn whoever_comes_straight_is_turned_away_before_a_thread_is_spent() {
    let server = server_with(Server::builder().per_address(Some(5)));
    let here: Vec<TcpStream> = (0..5).map(|_| from("127.0.0.2", server.address)).collect();
    // They are accepted in the order in which they came, and say nothing: only the sixth hears something.
    let answer = all_of(&mut from("127.0.0.2", server.address));
    assert!(status(&answer) == 429 && answer.contains("--per-address") && answer.contains("Retry-After"), "{answer}");
    assert!(server.handle.metrics().contains("parlor_open_connections 5\n"));
    from("127.0.0.3", server.address).write_all(b"GET").unwrap();
    assert_eq!(status(&server.get("/healthz")), 200, "this machine itself is not counted");
    drop(here);
    eventually("there is room again", || {
        let mut socket = from("127.0.0.2", server.address);
        let _ = socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        status(&all_of(&mut socket)) == 200
    });
}
