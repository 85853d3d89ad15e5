//! Handshakes that are late, not quite right, or two in one. Crowds of them are in `tests/siege/`.

use crate::common::*;
use parlor::Server;
use std::io::Write;
use std::time::{Duration, Instant};

#[test]
fn whoever_is_late_is_sent_away_even_if_he_never_stops() {
    let server = server_with(Server::builder().handshake_time(Duration::from_millis(400)));
    let mut socket = raw(server.address);
    let start = Instant::now();
    for byte in b"GET / HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
        if socket.write(&[*byte]).is_err() || start.elapsed() > Duration::from_secs(5) {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(server.handle.metrics().contains("parlor_refused_total{reason=\"too_late\"} 1"));
}

#[test]
fn an_upgrade_that_is_not_quite_one_is_refused() {
    let server = server();
    let right = upgrade(server.address, "/ws?name=ann", "");
    for (from, to, expected) in [
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "", 400),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Kee", 400),
        ("Version: 13", "Version: 12", 426),
        ("Version: 13", "Version: 013", 426),
        ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 8", 426),
        ("Connection: Upgrade", "Connection: close", 400),
        ("GET", "POST", 400),
        ("HTTP/1.1", "HTTP/1.0", 400),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("/ws?", "/wss?", 404),
    ] {
        assert!(right.contains(from));
        let answer = server.raw(right.replacen(from, to, 1).as_bytes());
        assert_eq!(status(&answer), expected, "{to}: {answer}");
    }
}

/// Two readings of where a request ends are how one is smuggled past a proxy: whatever is unclear gets one answer at most,
/// and the connection ends.
#[test]
fn nothing_is_smuggled_behind_a_request() {
    let server = server();
    let hidden = "GET /api/people HTTP/1.1\r\nHost: x\r\n\r\n";
    for (head, expected) in [
        (format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: chunked", hidden.len()), 411),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked".into(), 411),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tchunked".into(), 411),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked".into(), 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked".into(), 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0".into(), 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0".into(), 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0,0".into(), 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length:".into(), 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length\0: 0".into(), 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d".into(), 400),
        ("GET  / HTTP/1.1\r\nHost: x".into(), 400),
        ("GET / HTTP/1.1 x\r\nHost: x".into(), 400),
        ("GET http://elsewhere/ HTTP/1.1\r\nHost: x".into(), 400),
        // These are clear, and what follows is not looked at.
        ("GET /healthz HTTP/1.1\r\nHost: x".into(), 200),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0".into(), 405),
    ] {
        let answer = server.raw(format!("{head}\r\n\r\n{hidden}").as_bytes());
        assert_eq!(status(&answer), expected, "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
}
