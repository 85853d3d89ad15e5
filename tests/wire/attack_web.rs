//! What another site, a planted cookie or a path might get out of the page's server.

use crate::api::{Description, Program, filled, ownable, owned};
use crate::common::*;
use parlor::Server;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

/// What pages elsewhere may say that they are.
fn hostile(server: &TestServer) -> [String; 6] {
    let (address, ip) = (server.address, server.address.ip());
    [
        "https://elsewhere.example".into(),
        "null".into(),
        // A sandboxed page, and others that look like this one.
        format!("http://{address}.elsewhere.example"),
        format!("http://{ip}:1"),
        format!("http://elsewhere.example/http://{address}"),
        String::new(),
    ]
}

/// All that can be read there, but for when somebody was seen.
fn all_of_it(host: &mut Program, description: &Description) -> String {
    let mut read = Vec::new();
    for (_, path) in
        description.operations().iter().filter(|(method, path)| method == "GET" && path.starts_with("/api/"))
    {
        let path = filled(path).replace("search", "search?q=hello");
        let (status, said) = host.send("GET", &path, "", "", b"");
        read.push(format!("{path} {status} {said}"));
    }
    let all = read.join("\n");
    let mut without = String::new();
    for part in all.split("\"seen_at\":\"") {
        let known = if without.is_empty() { part } else { part.split_once('"').unwrap().1 };
        without += known;
    }
    without
}

#[test]
fn no_page_of_another_site_changes_anything_by_any_route() {
    let (server, invite) = ownable(Server::builder());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    host.done("POST", "/api/bots", json!({"name": "oven"}));
    host.done("POST", "/api/rooms", json!({"room": "den", "kind": "private"}));
    host.done("POST", "/api/rooms/den/messages", json!({"body": "hello"}));
    host.done("PUT", "/api/rooms/den/members/oven", Value::Null);
    host.done("POST", "/api/people/oven/mute", json!({}));
    let before = all_of_it(&mut host, &description);
    let mut routes = 0;
    for (method, path) in description.operations().iter().filter(|(method, _)| method != "GET") {
        routes += 1;
        let place = filled(path);
        let content = &description.text["paths"][path][method.to_lowercase()]["requestBody"]["content"];
        let kind = content.as_object().and_then(|kinds| kinds.keys().next()).map_or("", String::as_str);
        let body = json!({"name": "x", "role": "member", "password": PASSWORD, "old": PASSWORD, "new": "another horse",
            "body": "x", "title": "x", "room": "x", "people": ["oven"], "rev": 1, "label": "x", "url": "http://192.0.2.1/",
            "paused": true});
        for origin in hostile(&server) {
            let origin = format!("Origin: {origin}\r\n");
            let (status, said) = host.send(method, &place, kind, &origin, body.to_string().as_bytes());
            let code = &said["error"]["code"];
            assert_eq!((status, code), (403, &json!("origin_not_allowed")), "{method} {place} {origin}: {said}");
        }
        // Of two the API would see none.
        let twice = format!(
            "{method} {place} HTTP/1.1\r\nHost: {}\r\n{}Origin: null\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n",
            server.address, host.fields
        );
        assert_eq!(status(&server.raw(twice.as_bytes())), 400, "{twice}");
        // What a form can send without asking first, from a browser so old that it does not say from where. Plain text is said
        // by programs; there the cookie's SameSite holds.
        if method == "POST" {
            for form in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"] {
                if content[form].is_null() {
                    let (status, said) = host.send(method, &place, form, "", body.to_string().as_bytes());
                    assert_eq!(status, 415, "{place} {form}: {said}");
                }
            }
        }
    }
    assert!(routes >= 37, "{routes}");
    assert_eq!(all_of_it(&mut host, &description), before);
}

/// The secret that a browser holds after this.
fn cookie(answer: &str) -> &str {
    let line = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: parlor_session=")).expect("a cookie");
    assert!(line.contains("; HttpOnly; SameSite=Lax"), "{line}");
    line.split(';').next().unwrap()
}

fn post(server: &TestServer, path: &str, cookie: &str, body: Value) -> String {
    let body = body.to_string();
    server.raw(
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: parlor_session={cookie}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    )
}

fn who(server: &TestServer, cookie: &str) -> Value {
    let answer = server
        .raw(format!("GET /api/session HTTP/1.1\r\nHost: x\r\nCookie: parlor_session={cookie}\r\n\r\n").as_bytes());
    let said = serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    said["name"].clone()
}

#[test]
fn a_planted_cookie_never_becomes_anybody_elses() {
    let server = server();
    let account = |name: &str| json!({"name": name, "password": PASSWORD});
    assert_eq!(status(&post(&server, "/api/register", "", account("ann"))), 200);
    assert_eq!(status(&post(&server, "/api/register", "", account("mallory"))), 200);
    let made_up = "0123456789abcdef".repeat(4);
    let mallorys = cookie(&post(&server, "/api/session", "", account("mallory"))).to_owned();
    let guests = cookie(&post(&server, "/api/session", "", json!({"name": "gus"}))).to_owned();
    let mut seen = vec![made_up.clone(), mallorys.clone(), guests.clone()];
    for (n, planted) in [made_up, mallorys, guests].iter().enumerate() {
        for (path, body, name) in [
            ("/api/session", account("ann"), "ann".to_owned()),
            ("/api/session", json!({"name": format!("guest{n}")}), format!("guest{n}")),
            ("/api/register", account(&format!("new{n}")), format!("new{n}")),
        ] {
            let answer = post(&server, path, planted, body);
            let own = cookie(&answer).to_owned();
            assert!(own.len() == 64 && !seen.contains(&own), "{path}: a new one each time");
            assert_eq!(who(&server, &own), json!(name), "{path}");
            assert_ne!(who(&server, planted), json!(name), "{path}");
            seen.push(own);
        }
        // Nor by any other way in which a program might show it.
        for path in ["/ws?name=x&parlor_session=", "/ws?name=x&token=", "/ws?session="] {
            let mut client =
                Client::connect(server.address, &format!("{path}{}", seen.last().unwrap()), Some("parlor.v1"));
            assert!(client.as_mut().map_or(true, |client| client.next()["you"]["role"] == "guest"), "{path}");
        }
    }
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "the secret").unwrap();
    std::fs::create_dir_all(folder.path().join("www/js")).unwrap();
    std::fs::write(folder.path().join("www/index.html"), "the page").unwrap();
    let from_folder = server_with(Server::builder().www(&folder.path().join("www")));
    let compiled_in = server();
    let absolute = folder.path().join("secret").display().to_string();
    for up in ["..", "%2e%2e", ".%2e", "%2E.", "..%00", "%252e%252e", "..%c0%af", "\u{2025}", "..;"] {
        for slash in ["/", "%2f", "%2F", "\\", "%5c", "//", "/./"] {
            for start in ["/", "/js/", "/api/", "/js/..", "/index.html/"] {
                let path = format!("{start}{up}{slash}secret");
                for server in [&from_folder, &compiled_in] {
                    let answer = server.get(&path);
                    assert!(
                        [400, 404].contains(&status(&answer)) && !answer.contains("the secret"),
                        "{path}: {answer}"
                    );
                }
            }
        }
    }
    for path in [&absolute, &format!("/{absolute}"), &format!("//{absolute}"), "/js", "/js/", "/."] {
        for server in [&from_folder, &compiled_in] {
            let answer = server.get(path);
            assert!([400, 404].contains(&status(&answer)) && !answer.contains("the secret"), "{path}: {answer}");
        }
    }
    assert!(from_folder.get("/").ends_with("the page"));
}
