//! Requests that are large, wrong, or dear.

use super::*;
use serde_json::Value;

#[test]
fn heads_and_bodies_as_large_as_may_be_that_never_end_are_bounded() {
    const CROWD: usize = 1000;
    let siege = Siege::of("1,000 large requests that never end", &["--handshake-time", "600"]);
    let head = format!(
        "POST /api/session HTTP/1.1\r\nHost: x\r\nX-Fill: {}\r\nContent-Length: 65536\r\n\r\n",
        "x".repeat(15_000)
    );
    let request = [head.as_bytes(), &[b'x'; 65_000]].concat();
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut socket = siege.raw();
            socket.write_all(&request).unwrap();
            socket
        })
        .collect();
    siege.lets_newcomers_in();
    // A head, a body, and a thread.
    siege.held(CROWD * (16 + 64 + 48) / 1024);
    drop(crowd);
}

#[test]
fn whatever_is_no_request_leaves_nothing_behind() {
    let siege = Siege::of("4,000 requests that are none", &[]);
    let bad = [
        "POST / HTTP/1.1\r\nContent-Length: 200000000000\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(20_000)),
        format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100)),
        upgrade(siege.address, "/ws?name=x", "").replace("dGhl", "d"),
        upgrade(siege.address, "/ws?name=x", "").replace(": 13", ": 12"),
        upgrade(siege.address, "/ws?name=x", "Origin: https://elsewhere.example\r\n"),
        "\u{0}\u{1}\r\n\r\n".to_owned(),
    ];
    std::thread::scope(|scope| {
        for part in bad.chunks(2) {
            let siege = &siege;
            scope.spawn(move || {
                for request in part.iter().cycle().take(1000) {
                    let mut socket = siege.raw();
                    let _ = socket.write_all(request.as_bytes());
                    assert!((400..500).contains(&status(&all_of(&mut socket))), "{request}");
                }
            });
        }
        siege.lets_newcomers_in();
    });
    siege.held(24);
}

#[test]
fn a_hundred_passwords_at_once_are_hashed_two_at_a_time() {
    const CROWD: usize = 100;
    let siege = Siege::of("100 passwords at once", &["--logins", "off"]);
    let body = json!({"name": "nobody", "password": "a guess of mine"}).to_string();
    let request = format!(
        "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut crowd: Vec<TcpStream> = (0..CROWD)
        .map(|_| {
            let mut socket = siege.raw();
            socket.write_all(request.as_bytes()).unwrap();
            socket
        })
        .collect();
    siege.lets_newcomers_in();
    // Those at the end wait longer than that is worth here.
    let answers: Vec<u16> = crowd.iter_mut().take(4).map(|socket| status(&all_of(socket))).collect();
    assert!(answers.iter().all(|status| [401, 503].contains(status)), "{answers:?}");
    assert!(answers.contains(&401));
    // 46 MiB each.
    siege.held(2 * 46 + 24);
}

fn post(siege: &Siege, path: &str, cookie: &str, body: &Value) -> String {
    let body = body.to_string();
    let mut socket = siege.raw();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: {cookie}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    all_of(&mut socket)
}

/// By the time that the process was at work, which does not depend on what else the machine does.
#[test]
fn how_long_it_takes_tells_nobody_which_names_there_are() {
    const TIMES: usize = 8;
    let siege = Siege::of("wrong passwords", &["--logins", "off"]);
    let account = json!({"name": "host", "password": "correct horse", "invite": siege.invite});
    let registered = post(&siege, "/api/register", "", &account);
    let cookie = registered.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")?.split(';').next()).unwrap();
    assert_eq!(status(&post(&siege, "/api/bots", cookie, &json!({"name": "oven"}))), 201);
    let mut took = [0; 4];
    // In turns, so that what else the machine does falls on all alike.
    for _ in 0..TIMES {
        for (name, took) in ["host", "nobody", "oven", ""].iter().zip(&mut took) {
            let before = siege.program.ticks();
            let answer = post(&siege, "/api/session", "", &json!({"name": name, "password": "wrong horse"}));
            assert_eq!(status(&answer), if name.is_empty() { 400 } else { 401 }, "{answer}");
            *took += siege.program.ticks() - before;
        }
    }
    let [known, unknown, bot, nothing] = took;
    println!(
        "{}: {TIMES} of a name that is known {known}0 ms, unknown {unknown}0, a bot's {bot}0, none {nothing}0",
        siege.name
    );
    for (what, took) in [("unknown names", unknown), ("a bot", bot)] {
        assert!(2 * took > known && took < 2 * known, "{what} takes {took} hundredths, a wrong password {known}");
    }
    assert!(known > 3 * nothing, "a password is not hashed: {known} against {nothing}");
}
