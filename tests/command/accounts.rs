//! The owner's link, and what no log may hold.

use super::parlor;
use crate::common::program::Program;
use crate::common::*;
use serde_json::json;
use std::net::SocketAddr;

/// Asks the API, and gives the answer.
pub fn ask(address: SocketAddr, method: &str, path: &str, cookie: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cookie: {cookie}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = raw(address);
    std::io::Write::write_all(&mut socket, request.as_bytes()).unwrap();
    all_of(&mut socket)
}

pub fn cookie(answer: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap_or_else(|| panic!("{answer}"));
    line.split(';').next().unwrap().to_owned()
}

#[test]
fn the_owners_link_is_told_at_each_start_until_it_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = || {
        let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--data", data, "--log", "off"]));
        let address: SocketAddr = program.after("open  http://").parse().unwrap();
        program.after("stop  ");
        let own = program.line();
        (program, address, own)
    };
    let token = |own: &str| own.split_once("/#invite=").unwrap_or_else(|| panic!("{own:?}")).1.trim().to_owned();
    let (mut program, _, own) = start();
    let first = token(&own);
    program.signal("TERM");
    program.end();
    let (mut program, address, own) = start();
    assert!(own.trim().starts_with(&format!("own   http://{address}/#invite=")), "{own}");
    let wanted = |token: &str| json!({"name": "host", "password": "correct horse", "invite": token});
    assert_eq!(
        status(&ask(address, "POST", "/api/register", "", &wanted(&first))),
        403,
        "the one before is worth nothing"
    );
    let made = ask(address, "POST", "/api/register", "", &wanted(&token(&own)));
    assert!(status(&made) == 200 && made.contains("owner"), "{made}");
    program.signal("TERM");
    program.end();
    let (_program, _, own) = start();
    assert_eq!(own.trim(), "");
}

#[test]
fn who_may_come_in_is_a_matter_of_flags() {
    let mut program = Program::start(
        parlor(&["--memory", "--listen", "127.0.0.1:0", "--guests", "off"]).env("PARLOR_JOIN", "closed"),
    );
    let address: SocketAddr = program.after("open  http://").parse().unwrap();
    program.after("own   http://");
    let register = json!({"name": "ann", "password": "correct horse"});
    assert_eq!(status(&ask(address, "POST", "/api/register", "", &register)), 403);
    assert_eq!(Client::connect(address, "/ws?name=ann", None).err(), Some(403));
    for (flag, word) in [("--join", "everyone"), ("--guests", "some")] {
        let (code, _, err) = super::run(&[flag, word]);
        assert!(code == 2 && err.contains("say o"), "{err}");
    }
}

/// Everything that is a secret goes through the server once, in ways that work and in ways that do not.
#[test]
fn no_secret_is_in_a_log_however_much_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--data", data, "--log", "trace"]));
    let address: SocketAddr = program.after("open  http://").parse().unwrap();
    let owners = program.after("/#invite=");
    let mut secrets =
        vec![owners.clone(), "first-password".into(), "second-password".into(), "a-wrong-password".into()];

    let post = |path: &str, cookie: &str, body| ask(address, "POST", path, cookie, &body);
    let made = post("/api/register", "", json!({"name": "host", "password": "first-password", "invite": owners}));
    let host = cookie(&made);
    post("/api/register", "", json!({"name": "late", "password": "first-password", "invite": owners}));
    post("/api/register", "", json!({"name": "host:", "password": "first-password"}));
    let invited = post("/api/invitations", &host, json!({}));
    let invited: serde_json::Value = serde_json::from_str(invited.split_once("\r\n\r\n").unwrap().1).unwrap();
    secrets.push(invited["token"].as_str().unwrap().to_owned());
    post("/api/session", "", json!({"name": "host", "password": "a-wrong-password"}));
    post("/api/session", "", json!({"name": "host", "password": 7, "x": "a-wrong-password"}));
    let again = post("/api/session", "", json!({"name": "host", "password": "first-password"}));
    let changed = post("/api/me/password", &host, json!({"old": "first-password", "new": "second-password"}));
    assert_eq!(status(&changed), 204, "{changed}");
    let guest = cookie(&post("/api/session", "", json!({"name": "guest"})));
    let guests = |line: &str| format!("Cookie: {line}\r\nSec-WebSocket-Protocol: parlor.v1\r\n");
    for (path, more) in [
        ("/ws", guests(&guest)),
        ("/ws", guests("parlor_session=no-session-at-all")),
        ("/ws?name=host&key=the-key-of-a-guest", String::new()),
        ("/ws?name=eve&key=the-key-of-a-guest", "Authorization: Bearer a-bearer-token\r\n".into()),
        ("/nowhere?key=the-key-of-a-guest", String::new()),
    ] {
        let mut socket = raw(address);
        std::io::Write::write_all(&mut socket, upgrade(address, path, &more).as_bytes()).unwrap();
        let mut head = [0; 12];
        std::io::Read::read_exact(&mut socket, &mut head).unwrap();
    }
    let _eve = Client::json(address, "eve&key=the-key-of-a-guest");
    secrets.extend(["no-session-at-all", "the-key-of-a-guest", "a-bearer-token"].map(str::to_owned));
    secrets.extend([host, cookie(&again), guest].map(|cookie| cookie.split_once('=').unwrap().1.to_owned()));

    program.signal("TERM");
    program.end();
    let log = program.errors();
    // Something was logged, and of all this.
    for word in ["host has an account now (owner)", "host signed in", "is guest (parlor.v1)", "POST /api/session 401"] {
        assert!(log.contains(word), "{word}: {log}");
    }
    for secret in secrets {
        assert!(secret.len() > 8 && !log.contains(&secret), "{secret} in {log}");
    }
    assert!(!log.contains("argon2id"), "{log}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_that_passwords_took_is_given_back() {
    let mut program = Program::start(&mut parlor(&["--memory", "--listen", "127.0.0.1:0", "--log", "off"]));
    let address: SocketAddr = program.after("open  http://").parse().unwrap();
    program.after("stop  ");
    let before = super::resident(program.child.id());
    let sign_in = |path: &str, n: usize| {
        let answer = ask(address, "POST", path, "", &json!({"name": format!("p{n}"), "password": "correct horse"}));
        assert_eq!(status(&answer), 200, "{answer}");
    };
    std::thread::scope(|scope| {
        for n in 0..6 {
            scope.spawn(move || {
                sign_in("/api/register", n);
                sign_in("/api/session", n);
            });
        }
    });
    eventually("the memory is free", || super::resident(program.child.id()) < before + 16 * 1024);
}
