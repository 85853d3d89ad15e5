//! Clients that send what no client should, or too much of what they may.

use crate::common::*;
use parlor::Server;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A frame as a client sends it, under a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ ..126 => bytes.push(0x80 | short as u8),
        middle => {
            bytes.push(0x80 | 126);
            bytes.extend((middle as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

fn open(server: &TestServer, path: &str) -> TcpStream {
    let mut socket = raw(server.address);
    socket.write_all(upgrade(server.address, path, "").as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    socket
}

/// Reads to the close frame, and gives its code. Nothing: it ended without one.
fn close_code(socket: &mut TcpStream) -> Option<u16> {
    loop {
        let mut header = [0; 2];
        socket.read_exact(&mut header).ok()?;
        let mut read = |count: usize| {
            let mut bytes = vec![0; count];
            socket.read_exact(&mut bytes).ok().map(|()| bytes)
        };
        let length = match header[1] {
            126 => read(2)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
            127 => panic!("no frame of this server is so long"),
            short => short.into(),
        };
        let payload = read(length)?;
        if header[0] == 0x88 {
            return payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
        }
    }
}

#[test]
fn what_breaks_the_rules_is_answered_with_its_code_and_nobody_else_is_disturbed() {
    let server = server();
    let mut bystander = server.in_lobby("bystander");
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("RSV1", frame(0xc1, b"x"), 1002),
        ("RSV2", frame(0xa1, b"x"), 1002),
        ("RSV3", frame(0x91, b"x"), 1002),
        ("opcode 3", frame(0x83, b"x"), 1002),
        ("opcode 11", frame(0x8b, b"x"), 1002),
        ("no mask", b"\x81\x01x".to_vec(), 1002),
        ("a long ping", frame(0x89, &[0; 126]), 1002),
        ("a ping in fragments", frame(0x09, b"x"), 1002),
        ("a fragment of nothing", frame(0x80, b"x"), 1002),
        ("a message within another", [frame(0x01, b"x"), frame(0x81, b"y")].concat(), 1002),
        ("a close of one byte", frame(0x88, b"x"), 1002),
        ("a close code that is none", frame(0x88, &999u16.to_be_bytes()), 1002),
        ("2^63 bytes", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0".to_vec(), 1009),
        ("a megabyte", b"\x81\xff\0\0\0\0\0\x10\0\0\0\0\0\0".to_vec(), 1009),
    ];
    for (number, (what, bytes, expected)) in cases.into_iter().enumerate() {
        for path in ["/echo", &format!("/ws?name=ann{number}")] {
            let mut socket = open(&server, path);
            let _ = socket.write_all(&bytes);
            assert_eq!(close_code(&mut socket), Some(expected), "{what} at {path}");
        }
    }
    assert_eq!(bystander.so_far().len(), 0);
}

#[test]
fn text_that_is_no_utf_8_is_found_wherever_it_is_cut() {
    let server = server();
    for wrong in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98"] {
        for before in [0, 1, 123, 125, 126, 1000] {
            let text = [&vec![b'a'; before], wrong].concat();
            for cut in (0..=wrong.len()).map(|n| before + n) {
                let mut socket = open(&server, "/echo");
                let (begin, end) = text.split_at(cut);
                // In one piece, and in two fragments that are cut within the character.
                let sent =
                    if cut == before { frame(0x81, &text) } else { [frame(0x01, begin), frame(0x80, end)].concat() };
                socket.write_all(&sent).unwrap();
                assert_eq!(close_code(&mut socket), Some(1007), "{wrong:x?} behind {before}, cut at {cut}");
            }
        }
    }
}

#[test]
fn fragments_without_end_are_cut_at_the_limit() {
    let server = server_with(Server::builder().message_limit(64 * 1024));
    let mut socket = open(&server, "/echo");
    let mut sent = 0;
    let mut first = 0x01;
    while socket.write_all(&frame(first, &[b'x'; 1000])).is_ok() {
        sent += 1000;
        first = 0x00;
        assert!(sent < 64 * 1024 * 1024, "it takes all of it");
        if sent > 128 * 1024 {
            break;
        }
    }
    assert_eq!(close_code(&mut socket), Some(1009));
    // Empty ones cost the sender more than the server: its memory stays, and others are served.
    let mut socket = open(&server, "/echo");
    socket.write_all(&frame(0x01, b"")).unwrap();
    let many: Vec<u8> = frame(0x00, b"").repeat(20_000);
    socket.write_all(&many).unwrap();
    socket.write_all(&frame(0x80, b"end")).unwrap();
    let mut answer = [0; 5];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\x81\x03end");
}
