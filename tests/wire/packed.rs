//! permessage-deflate over real sockets: agreed on, used for what is long, and no way to make the server hold more.

use crate::common::*;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use parlor::Server;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/// A client that reads its frames itself.
struct Raw {
    socket: TcpStream,
}

impl Raw {
    /// Connects, and gives the head of the answer too.
    fn connect(server: &TestServer, path: &str, more: &str) -> (Raw, String) {
        let mut socket = raw(server.address);
        socket.write_all(upgrade(server.address, path, more).as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        (Raw { socket }, String::from_utf8(head).unwrap())
    }

    fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | short as u8),
            middle @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.socket.write_all(&frame).unwrap();
    }

    /// The first byte of the next frame, and its payload as it is on the wire.
    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut header = [0; 2];
        self.socket.read_exact(&mut header).unwrap();
        let mut read = |count: usize| {
            let mut bytes = vec![0; count];
            self.socket.read_exact(&mut bytes).unwrap();
            bytes
        };
        let length = match header[1] {
            126 => read(2).iter().fold(0, |n, b| n << 8 | usize::from(*b)),
            127 => read(8).iter().fold(0, |n, b| n << 8 | usize::from(*b)),
            short => short.into(),
        };
        (header[0], read(length))
    }

    /// The next message, unpacked if it is packed, and how many bytes it took.
    fn message(&mut self) -> (bool, String, usize) {
        let (first, payload) = self.frame();
        let packed = first & 0x40 != 0;
        let took = payload.len();
        let text = if packed { unpack(&payload) } else { payload };
        (packed, String::from_utf8(text).unwrap(), took)
    }

    fn close_code(&mut self) -> u16 {
        loop {
            let (first, payload) = self.frame();
            if first == 0x88 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(text.len() + 100);
    Compress::new(Compression::best(), false).compress_vec(text, &mut packed, FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(1 << 20);
    let whole = [packed, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false).decompress_vec(&whole, &mut text, FlushDecompress::Sync).unwrap();
    text
}

#[test]
fn it_is_agreed_on_with_whoever_offers_it_and_can_be_switched_off() {
    let on = server();
    let (_raw, head) = Raw::connect(&on, "/echo", OFFER);
    let answer = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert!(head.contains(answer), "{head}");
    for none in ["", "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"] {
        assert!(!Raw::connect(&on, "/echo", none).1.contains("Extensions"), "{none}");
    }
    let off = server_with(Server::builder().compression(false));
    assert!(!Raw::connect(&off, "/echo", OFFER).1.contains("Extensions"));
}

#[test]
fn what_is_long_comes_packed_what_is_short_does_not_and_both_can_be_read() {
    let server = server();
    let more = format!("{OFFER}Sec-WebSocket-Protocol: parlor.v1\r\n");
    let (mut ann, _) = Raw::connect(&server, "/ws?name=ann", &more);
    let mut bob = server.in_lobby("bob");
    ann.send(0xc1, &pack(json!({"type": "join", "room": "lobby", "last": 0}).to_string().as_bytes()));
    let body = "all work and no play ".repeat(200);
    let post = |id: &str, body: &str| json!({"type": "post", "room": "lobby", "id": id, "body": body}).to_string();
    // Packed, in three fragments and with a ping between them; and plain.
    let wire = pack(post("1", &body).as_bytes());
    ann.send(0x41, &wire[..10]);
    ann.send(0x00, &wire[10..20]);
    ann.send(0x89, b"?");
    ann.send(0x80, &wire[20..]);
    ann.send(0x81, post("2", "short").as_bytes());
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let (first, payload) = ann.frame();
        if first == 0x8a {
            assert_eq!(payload, b"?");
            continue;
        }
        let packed = first & 0x40 != 0;
        let text = if packed { unpack(&payload) } else { payload.clone() };
        let frame: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(packed, text.len() + 4 >= 1024, "{frame}");
        if frame["type"] == "message" {
            assert!(payload.len() <= text.len());
            heard.push(frame["body"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(heard, [body.as_str(), "short"]);
    assert_eq!(bob.hear("message")["body"], *body, "who did not offer it gets it as ever");
    // This connection is told, and of the other there is nothing to tell.
    ann.send(0x81, br#"{"type":"ping","t":1}"#);
    let pong = loop {
        let frame: Value = serde_json::from_slice(&ann.frame().1).unwrap_or_default();
        if frame["type"] == "pong" {
            break frame;
        }
    };
    bob.send(json!({"type": "ping", "t": 1}));
    assert_eq!(bob.hear("pong"), json!({"type": "pong", "t": 1}));
    let metrics = server.handle.metrics();
    let saved = metrics.lines().find_map(|line| line.strip_prefix("parlor_packed_saved_bytes_total ")).unwrap();
    assert!(saved.parse::<usize>().unwrap() > 3000, "{saved}");
    assert!(metrics.contains("parlor_packed_frames_total 1\n"), "{metrics}");
    assert_eq!(pong["packed"], json!({"frames": 1, "saved": saved.parse::<u64>().unwrap()}));
}

#[test]
fn a_bomb_and_garbage_end_the_connection_and_nothing_else() {
    let server = server();
    let bomb = pack(&vec![b'x'; 40 * 1024 * 1024]);
    assert!(bomb.len() < 64 * 1024, "it fits as it is: {}", bomb.len());
    for (first, payload, code) in
        [(0xc1, &bomb[..], 1009), (0xc1, b"\xff\xff\xff", 1007), (0xc1, &pack(b"\xff\xfe"), 1007), (0xc9, b"x", 1002)]
    {
        let (mut raw, _) = Raw::connect(&server, "/echo", OFFER);
        raw.send(first, payload);
        assert_eq!(raw.close_code(), code);
    }
    let (mut raw, _) = Raw::connect(&server, "/echo", OFFER);
    raw.send(0x41, b"x");
    raw.send(0x81, b"another begins");
    assert_eq!(raw.close_code(), 1002);
    let (mut raw, _) = Raw::connect(&server, "/echo", OFFER);
    raw.send(0xc1, &pack("ok ".repeat(1000).as_bytes()));
    let (packed, text, took) = raw.message();
    assert!(packed && text == "ok ".repeat(1000) && took < 100, "{took}");
}
