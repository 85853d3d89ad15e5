//! A fault of the server's own, in what one client asked for: that one is told, it is counted, and all others are served as ever.

use crate::common::*;
use serde_json::{Value, json};
use std::sync::Once;

/// What is logged about this goes wrong, on the thread that does it.
const WORD: &str = "mishap";

struct Trap;

impl log::Log for Trap {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        assert!(!record.args().to_string().contains(WORD), "a fault that the test made");
    }

    fn flush(&self) {}
}

fn set_the_trap() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Trap).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

fn panics(server: &TestServer) -> u64 {
    let metrics = server.handle.metrics();
    let told = metrics.lines().find_map(|line| line.strip_prefix("parlor_panics_total ")).unwrap();
    told.parse().unwrap()
}

#[test]
fn a_client_whose_thread_panics_is_closed_with_1011_and_counted() {
    set_the_trap();
    let server = server();
    let mut bystander = server.in_lobby("bystander");
    for n in 1..=3 {
        let mut client = server.eventually_json("ann");
        client.send(json!({"type": "create", "room": format!("{WORD}-{n}")}));
        assert_eq!(client.close_code(), Some(1011));
        eventually("it is counted", || panics(&server) == n);
        bystander.post("lobby", &n.to_string(), "still here");
        assert_eq!(bystander.hear("message")["body"], "still here");
    }
    eventually("only one is here", || server.handle.people("lobby").unwrap().len() == 1);
}

/// Sends JSON, and gives the status, the answer and the cookie that came with it.
fn ask(server: &TestServer, method: &str, path: &str, cookie: &str, body: Value) -> (u16, Value, String) {
    let body = body.to_string();
    let answer = server.raw(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: {cookie}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    let cookie = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")?.split(';').next());
    let said = answer.split_once("\r\n\r\n").unwrap().1;
    (status(&answer), serde_json::from_str(said).unwrap_or_default(), cookie.unwrap_or_default().to_owned())
}

/// More often than there are threads that answer, and that hash passwords.
#[test]
fn a_request_that_panics_is_answered_with_500_and_the_page_goes_on() {
    set_the_trap();
    let server = server();
    let account =
        |name: &str| ask(&server, "POST", "/api/register", "", json!({"name": name, "password": "correct horse"}));
    let (_, _, cookie) = account("ann");
    for n in 0..6 {
        let name = json!({"name": format!("{WORD}{n}")});
        let (status, said, _) = ask(&server, "PATCH", "/api/me", &cookie, name);
        assert_eq!((status, &said["error"]["code"]), (500, &json!("fault")), "{said}");
    }
    for n in 6..9 {
        assert_eq!(account(&format!("{WORD}{n}")).0, 500);
    }
    assert_eq!(panics(&server), 9);
    assert_eq!(account("bob").0, 200);
    assert_eq!(status(&server.get("/")), 200);
}
