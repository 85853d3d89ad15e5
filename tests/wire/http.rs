//! The page and the API; and the requests that would break tiny_http if they reached it.

use crate::common::*;
use parlor::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn session(server: &TestServer, method: &str, content: &str, more: &str) -> String {
    server.raw(
        format!(
            "{method} /api/session HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n{content}",
            server.address,
            content.len()
        )
        .as_bytes(),
    )
}

fn cookie(answer: &str) -> &str {
    let line = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).expect("a cookie");
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax") && line.contains("Path=/"), "{line}");
    line.split(';').next().unwrap()
}

#[test]
fn the_page_comes_with_its_policy_an_etag_and_packed() {
    let server = server();
    let page = server.get("/");
    assert_eq!(status(&page), 200);
    assert!(page.contains("Content-Type: text/html"), "{page}");
    let policy = page.lines().find(|line| line.starts_with("Content-Security-Policy:")).unwrap();
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains(&format!("ws://{}", server.address)), "{policy}");
    assert!(!page.contains("<script>") && !page.contains(" style=\""), "nothing inline");

    let etag = page.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
    let again = format!("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: {etag}\r\n\r\n");
    let again = server.raw(again.as_bytes());
    assert_eq!((status(&again), body(&again)), (304, ""));

    let plain = body(&page).len();
    let mut packed = raw(server.address);
    std::io::Write::write_all(&mut packed, b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut packed, &mut bytes).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("Content-Encoding: gzip"));
    assert!(bytes.len() < plain, "{} of {plain}", bytes.len());
    assert!(body(&page).trim_end().ends_with("</html>"), "unpacked for who does not take it packed");
    assert_eq!(body(&server.raw(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")), "");
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let server = server();
    let page = server.get("/");
    let named: Vec<&str> = page.split('"').filter(|part| part.starts_with('/') && part.contains('.')).collect();
    assert!(named.len() >= 3, "{named:?}");
    for file in named {
        assert_eq!(status(&server.get(file.split('#').next().unwrap())), 200, "{file}");
    }
}

/// A module that is found only when another has arrived costs a round trip; the page names them all.
#[test]
fn every_module_of_the_page_is_preloaded() {
    let server = server();
    let page = server.get("/");
    let (mut reached, mut next) = (BTreeSet::new(), vec!["main.js".to_owned()]);
    while let Some(module) = next.pop() {
        let source = server.get(&format!("/js/{module}"));
        assert_eq!(status(&source), 200, "{module}");
        let imported = source.split(" from './").skip(1).filter_map(|rest| rest.split('\'').next());
        next.extend(imported.filter(|name| !reached.contains(*name)).map(str::to_owned).collect::<Vec<_>>());
        reached.insert(module);
    }
    reached.remove("main.js");
    let preloaded: BTreeSet<String> = page
        .split("rel=\"modulepreload\" href=\"/js/")
        .skip(1)
        .filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
        .collect();
    assert_eq!(preloaded, reached);
}

#[test]
fn what_is_not_there_is_not_found_and_nothing_outside_the_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    std::fs::create_dir(folder.path().join("www")).unwrap();
    std::fs::write(folder.path().join("www/index.html"), "from the folder").unwrap();
    let server = server_with(Server::builder().www(&folder.path().join("www")));
    assert!(server.get("/").ends_with("from the folder"));
    std::fs::write(folder.path().join("www/index.html"), "changed").unwrap();
    assert!(server.get("/").ends_with("changed"), "read anew each time");
    for path in
        ["/nothing", "/../secret", "/%2e%2e/secret", "/./../secret", "//etc/passwd", "/index.html/..", "/api/nothing"]
    {
        let answer = server.get(path);
        assert_eq!(status(&answer), 404, "{path}: {answer}");
    }
    assert_eq!(status(&server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")), 405);
}

#[test]
fn health_is_told() {
    let server = server();
    let answer = server.get("/healthz");
    assert_eq!(status(&answer), 200);
    assert_eq!(serde_json::from_str::<Value>(body(&answer)).unwrap()["status"], "ok");
}

#[test]
fn a_guest_signs_in_and_the_cookie_is_who_he_is() {
    let server = server();
    let nobody = server.get("/api/session");
    assert_eq!((status(&nobody), body(&nobody).trim()), (200, "null"));
    let opened = session(&server, "POST", r#"{"name":"Ann"}"#, "");
    assert_eq!(
        (status(&opened), serde_json::from_str::<Value>(body(&opened)).unwrap()),
        (200, json!({"name": "Ann", "role": "guest"}))
    );
    let cookie = format!("Cookie: {}\r\n", cookie(&opened));
    let shown = session(&server, "GET", "", &cookie);
    assert_eq!((status(&shown), body(&shown).contains("Ann")), (200, true));

    let connect = || {
        let mut socket = raw(server.address);
        let request = upgrade(server.address, "/ws", &format!("{cookie}Sec-WebSocket-Protocol: parlor.v1\r\n"));
        std::io::Write::write_all(&mut socket, request.as_bytes()).unwrap();
        let mut head = vec![0; 12];
        std::io::Read::read_exact(&mut socket, &mut head).unwrap();
        (socket, String::from_utf8(head).unwrap())
    };
    let (first, head) = connect();
    assert_eq!(head, "HTTP/1.1 101");
    assert_eq!(connect().1, "HTTP/1.1 101", "two tabs are one guest");
    assert_eq!(status(&session(&server, "POST", r#"{"name":"ANN"}"#, "")), 409, "she is here");
    assert_eq!(status(&session(&server, "POST", r#"{"name":"ann"}"#, &cookie)), 200, "it is her own");
    drop(first);

    let ended = session(&server, "DELETE", "", &cookie);
    assert_eq!(status(&ended), 204);
    assert!(ended.contains("parlor_session=; ") && ended.contains("Max-Age=0"), "{ended}");
    assert_eq!(connect().1, "HTTP/1.1 401");
}

/// A page cannot see the status of a refused WebSocket; it asks here.
#[test]
fn a_guest_whose_name_another_has_taken_is_told_so() {
    let server = server();
    let opened = session(&server, "POST", r#"{"name":"Ann"}"#, "");
    let cookie = format!("Cookie: {}\r\n", cookie(&opened));
    let other = server.json("ann");
    let asked = session(&server, "GET", "", &cookie);
    assert_eq!((status(&asked), asked.contains("name_taken")), (409, true), "{asked}");
    let request = upgrade(server.address, "/ws", &format!("{cookie}Sec-WebSocket-Protocol: parlor.v1\r\n"));
    assert_eq!(status(&server.raw(request.as_bytes())), 409);
    drop(other);
}

#[test]
fn a_session_asked_for_wrongly_is_refused() {
    let server = server();
    for (content, more, expected) in [
        ("", "", 400),
        ("name=ann", "", 400),
        (r#"{"name":7}"#, "", 400),
        (r#"{"name":"  "}"#, "", 400),
        (r#"{"name":"a\u202eb"}"#, "", 400),
        (r#"{"name":"ann"}"#, "Origin: https://elsewhere.example\r\n", 403),
    ] {
        let answer = session(&server, "POST", content, more);
        assert_eq!(status(&answer), expected, "{content} {more}: {answer}");
        assert!(answer.contains("\"message\""), "{answer}");
    }
    let form = "POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\n{\"name\":\"ann\"}";
    assert_eq!(status(&server.raw(form.as_bytes())), 415);
    assert_eq!(status(&session(&server, "PATCH", "{}", "")), 405);
}

/// Each of these aborts, starves or confuses a bare tiny_http 0.12.
#[test]
fn what_breaks_tiny_http_never_reaches_it() {
    let server = server();
    let huge = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    for (request, expected) in [
        ("POST / HTTP/1.1\r\nContent-Length: 200000000000\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
        ("POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello", 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\nhello", 411),
        ("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("BREW /coffee HTTP/1.1\r\n\r\n", 405),
        ("CONNECT elsewhere:443 HTTP/1.1\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA: \u{e4}\u{0}\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("\r\n\r\n\r\n{}\r\n", 400),
        (&huge, 431),
        (&many, 431),
    ] {
        let answer = server.raw(request.as_bytes());
        let request: String = request.chars().take(60).collect();
        assert_eq!(status(&answer), expected, "{request:?}: {answer}");
    }
    // A request behind another is not read: one a connection.
    let two = server.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(two.matches("HTTP/1.1 200").count(), 1, "{two}");
    assert_eq!(status(&server.get("/healthz")), 200, "the server lives");
}

#[test]
fn more_requests_at_once_than_relays_all_get_their_answer() {
    let server = server();
    std::thread::scope(|scope| {
        let ask = |_| scope.spawn(|| status(&server.get("/")));
        let asked: Vec<_> = (0..200).map(ask).collect();
        for answer in asked {
            assert_eq!(answer.join().unwrap(), 200);
        }
    });
}
