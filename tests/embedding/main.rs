//! The line alone, as a program that embeds it gets it: these tests run without any feature, too.

mod api;
#[path = "../common/cable.rs"]
mod cable;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod handle;
mod hooks;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
#[path = "../common/tls_before.rs"]
mod tls_before;

use common::*;
use serde_json::json;

#[test]
fn two_people_chat_and_one_comes_back_to_where_it_was() {
    let server = server();
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.plain("bob"));
    ann.post("lobby", "1", "hello");
    assert_eq!(ann.expect("message")["rev"], 1);
    assert_eq!(bob.text(), "ann: hello");
    ann.cut();
    bob.say("are you there?");
    assert_eq!(bob.text(), "bob: are you there?");
    let mut ann = server.json("ann2");
    ann.send(json!({"type": "join", "room": "lobby", "since": 1}));
    assert_eq!(ann.expect("message")["body"], "are you there?");
}

#[test]
fn the_handle_reaches_it_from_any_thread() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    let handle = server.handle.clone();
    let stopper = std::thread::spawn(move || {
        handle.shutdown();
        handle.join().unwrap();
    });
    assert_eq!(ann.close_code(), Some(1001));
    stopper.join().unwrap();
}

/// The page is a feature; its absence is said.
#[test]
#[cfg(not(feature = "http"))]
fn without_the_page_a_browser_is_told_so() {
    let server = server();
    let answer = server.get("/");
    assert_eq!(status(&answer), 404);
    assert!(answer.contains("only the chat here"), "{answer}");
}
