//! What is sent elsewhere is sent by one node, whichever made the webhook and wherever something is said.

use crate::common::*;
use crate::line::{ground, node_with};
use crate::people::{ask, register};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A program that is sent to: its address, and what comes.
fn receiving() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, sent) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let (mut reader, mut length) = (BufReader::new(&socket), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(bytes) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = bytes.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            (&socket).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
            if tell.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, sent)
}

#[test]
fn a_webhook_is_sent_to_once_and_by_another_when_its_node_has_stopped() {
    let Some((database, redis)) = ground() else { return };
    let open = |builder: parlor::Builder| builder.webhook_allow("127.0.0.1").drain(Duration::ZERO);
    let bound = parlor::Server::builder().database(&database, parlor::Synchronous::Normal).cluster(&redis.url());
    let bound = open(bound).listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let invitation = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let one = TestServer { address: handle.address(), handle };
    let two = node_with(&database, &redis.url(), open);
    let host = register(&two, "host", Some(&invitation));
    let (url, sent) = receiving();
    let (status, answer) = ask(&two, "POST", "/api/webhooks", &host, json!({"url": url, "room": "lobby"}));
    assert_eq!(status, 201, "{answer}");
    let (mut ann, mut bob) = (one.in_lobby("ann"), two.in_lobby("bob"));
    let next = |body: &str| {
        let came = sent.recv_timeout(DEADLINE).unwrap();
        assert_eq!(came["message"]["body"], body, "{came}");
    };
    for n in 0..4 {
        let (who, body) =
            if n % 2 == 0 { (&mut ann, format!("{n} at one")) } else { (&mut bob, format!("{n} at two")) };
        who.post("lobby", &n.to_string(), &body);
        who.hear("message");
        next(&body);
        // The other has heard it too, and is not to take it for its own.
        let other = if n % 2 == 0 { &mut bob } else { &mut ann };
        assert_eq!(other.hear("message")["body"], body);
    }
    one.stop();
    bob.post("lobby", "last", "at the one that is left");
    next("at the one that is left");
    assert!(sent.try_recv().is_err());
}
