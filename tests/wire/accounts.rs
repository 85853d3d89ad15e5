//! Accounts: made, signed in to, changed and signed out of; and who may do what.

use crate::common::*;
use parlor::{Join, Server};
use serde_json::{Value, json};

/// Somebody's browser: it keeps the cookie that it is given.
struct Browser<'a> {
    server: &'a TestServer,
    cookie: String,
    /// The head of the last answer.
    head: String,
}

impl<'a> Browser<'a> {
    fn new(server: &'a TestServer) -> Browser<'a> {
        Browser { server, cookie: String::new(), head: String::new() }
    }

    /// Somebody who has an account.
    fn with_account(server: &'a TestServer, name: &str) -> Browser<'a> {
        let mut browser = Browser::new(server);
        let (status, said) = browser.post("/api/register", json!({"name": name, "password": PASSWORD}));
        assert_eq!((status, &said["role"]), (200, &json!("member")), "{said}");
        browser
    }

    /// Somebody who came with an invitation, or with the owner's link.
    fn invited(server: &'a TestServer, name: &str, token: &str) -> Browser<'a> {
        let mut browser = Browser::new(server);
        let asked = json!({"name": name, "password": PASSWORD, "invite": token});
        let (status, said) = browser.post("/api/register", asked);
        assert_eq!(status, 200, "{said}");
        browser
    }

    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Test/1\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Cookie: {}\r\n\r\n",
            self.server.address,
            body.len(),
            self.cookie
        )
        .into_bytes();
        request.extend_from_slice(body);
        let answer = self.server.raw(&request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        if let Some(set) = head.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")) {
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        self.head = head.to_owned();
        (status(&answer), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "application/json", b"")
    }

    fn post(&mut self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", path, "application/json", body.to_string().as_bytes())
    }

    fn patch(&mut self, path: &str, body: Value) -> (u16, Value) {
        self.ask("PATCH", path, "application/json", body.to_string().as_bytes())
    }

    fn delete(&mut self, path: &str) -> (u16, Value) {
        self.ask("DELETE", path, "application/json", b"")
    }

    /// What a request that is refused is refused with.
    #[track_caller]
    fn refused(&mut self, method: &str, path: &str, body: Value, status: u16, code: &str) -> String {
        let (found, said) = self.ask(method, path, "application/json", body.to_string().as_bytes());
        assert_eq!((found, &said["error"]["code"]), (status, &json!(code)), "{method} {path} {body}: {said}");
        said["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Connects with the cookie, or gives the status with which that was refused.
    fn connect(&self) -> Result<Client, u16> {
        let address = self.server.address;
        let more = format!("Cookie: {}\r\nSec-WebSocket-Protocol: parlor.v1\r\n", self.cookie);
        Client::upgraded(raw(address), "/ws", &more)
    }
}

const PASSWORD: &str = "correct horse";

/// A server, and the token that makes its owner.
fn owned(builder: parlor::Builder) -> (TestServer, String) {
    let server = builder.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let token = server.owner_invitation().unwrap().unwrap();
    let handle = server.spawn().unwrap();
    (TestServer { address: handle.address(), handle }, token)
}

fn on_disk(test: impl Fn(&dyn Fn() -> parlor::Builder)) {
    test(&Server::builder);
    let folder = tempfile::tempdir().unwrap();
    test(&|| Server::builder().sqlite(folder.path(), parlor::Synchronous::Normal));
}

#[test]
fn one_registers_and_signs_in_from_two_devices() {
    on_disk(|builder| {
        let server = server_with(builder());
        let mut phone = Browser::with_account(&server, "Ann");
        assert_eq!(phone.get("/api/me"), (200, json!({"name": "Ann", "role": "member", "avatar": false})));
        let on_phone = phone.connect().unwrap();
        assert_eq!(on_phone.welcome["you"], json!({"name": "Ann", "role": "member"}));
        let mut desk = Browser::new(&server);
        desk.refused(
            "POST",
            "/api/session",
            json!({"name": "ann", "password": "wrong horse"}),
            401,
            "unknown_credentials",
        );
        desk.refused(
            "POST",
            "/api/session",
            json!({"name": "nobody", "password": PASSWORD}),
            401,
            "unknown_credentials",
        );
        let signed_in = desk.post("/api/session", json!({"name": "ANN", "password": PASSWORD}));
        assert_eq!(signed_in, (200, json!({"name": "Ann", "role": "member"})));
        assert_eq!(desk.get("/api/session"), signed_in);
        assert_eq!(desk.connect().unwrap().welcome["you"]["name"], "Ann", "while the other is there");
        assert_eq!(desk.delete("/api/session").0, 204);
        assert_eq!(desk.get("/api/session"), (200, Value::Null));
        assert_eq!(desk.get("/api/me").0, 401);
        drop(on_phone);
    });
}

#[test]
fn accounts_and_sessions_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let start = || server_with(Server::builder().sqlite(folder.path(), parlor::Synchronous::Normal));
    let server = start();
    let cookie = Browser::with_account(&server, "ann").cookie;
    drop(server);
    let server = start();
    let mut ann = Browser { cookie, ..Browser::new(&server) };
    assert_eq!(ann.get("/api/me").0, 200);
    assert!(ann.connect().is_ok());
    assert_eq!(Browser::new(&server).post("/api/session", json!({"name": "ann", "password": PASSWORD})).0, 200);
}

#[test]
fn no_guest_has_the_name_of_an_account_nor_one_like_it() {
    let server = server();
    let _ann = Browser::with_account(&server, "Ann");
    let mut guest = Browser::new(&server);
    // In Greek capitals it looks the same; a Cyrillic letter among Latin ones is refused as what it is.
    for (name, status) in [("Ann", 409), ("ANN", 409), ("\u{391}\u{39d}\u{39d}", 409), ("\u{430}nn", 400)] {
        assert_eq!(guest.post("/api/session", json!({"name": name})).0, status, "{name}");
        let (registered, said) = guest.post("/api/register", json!({"name": name, "password": PASSWORD}));
        assert_eq!(registered, status, "{name}: {said}");
    }
    let refused = |name: &str| Client::connect(server.address, &format!("/ws?name={name}"), Some("parlor.v1")).err();
    assert_eq!((refused("ann"), refused("%CE%91%CE%9D%CE%9D"), refused("bob")), (Some(409), Some(409), None));
    let answer = server.raw(upgrade(server.address, "/ws?name=ann", "").as_bytes());
    assert!(answer.contains("has an account here"), "{answer}");
}

#[test]
fn a_name_in_use_is_claimed_by_its_guest_alone() {
    let server = server();
    let mut guest = Browser::new(&server);
    assert_eq!(guest.post("/api/session", json!({"name": "ann"})).0, 200);
    let mut tab = guest.connect().unwrap();
    let wanted = json!({"name": "ann", "password": PASSWORD});
    Browser::new(&server).refused("POST", "/api/register", wanted.clone(), 409, "name_taken");
    assert_eq!(guest.post("/api/register", wanted).0, 200);
    assert_eq!(tab.close_code(), Some(4001), "the guest is no more");
    assert_eq!(guest.connect().unwrap().welcome["you"]["role"], "member");

    let mut bob = Client::try_json(server.address, "/ws?name=bob&key=secret").unwrap();
    let wanted = |claim: &str| json!({"name": "bob", "password": PASSWORD, "claim": claim});
    Browser::new(&server).refused("POST", "/api/register", wanted("guessed"), 409, "name_taken");
    assert_eq!(Browser::new(&server).post("/api/register", wanted("secret")).0, 200);
    assert_eq!(bob.close_code(), Some(4001));
}

#[test]
fn nobody_makes_an_account_of_a_name_that_the_program_has() {
    let server = server_with(Server::builder().reserve("Oven"));
    for name in ["oven", "0ven"] {
        Browser::new(&server).refused(
            "POST",
            "/api/register",
            json!({"name": name, "password": PASSWORD}),
            409,
            "name_taken",
        );
    }
}

#[test]
fn a_session_that_is_revoked_is_closed_at_once() {
    on_disk(|builder| {
        let server = server_with(builder());
        let mut desk = Browser::with_account(&server, "ann");
        let mut phone = Browser::new(&server);
        phone.post("/api/session", json!({"name": "ann", "password": PASSWORD}));
        let (mut on_phone, mut on_desk) = (phone.connect().unwrap(), desk.connect().unwrap());
        let (_, listed) = desk.get("/api/me/sessions");
        let listed = listed.as_array().unwrap();
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert!(listed.iter().all(|one| one["agent"] == "Test/1" && one["seen_at"].as_str().unwrap().ends_with('Z')));
        let other = listed.iter().find(|one| one["current"] == false).unwrap()["id"].as_str().unwrap();
        assert_eq!(other.len(), 16);
        assert_eq!(desk.delete(&format!("/api/me/sessions/{other}")).0, 204);
        let closed = on_phone.closed().unwrap();
        assert_eq!(
            (u16::from(closed.code), closed.reason.as_str()),
            (4001, "this session was ended from another device")
        );
        assert_eq!((phone.get("/api/me").0, phone.connect().err()), (401, Some(401)));
        desk.refused("DELETE", &format!("/api/me/sessions/{other}"), Value::Null, 404, "no_such_session");
        assert!(on_desk.so_far().is_empty(), "this one goes on");

        phone.post("/api/session", json!({"name": "ann", "password": PASSWORD}));
        let mut on_phone = phone.connect().unwrap();
        assert_eq!(desk.delete("/api/me/sessions").0, 204);
        assert_eq!(on_phone.close_code(), Some(4001));
        assert_eq!(desk.delete("/api/session").0, 204);
        assert_eq!(on_desk.close_code(), Some(4001), "signing out closes, too");
    });
}

#[test]
fn another_password_ends_all_other_sessions() {
    let server = server();
    let mut desk = Browser::with_account(&server, "ann");
    let mut phone = Browser::new(&server);
    phone.post("/api/session", json!({"name": "ann", "password": PASSWORD}));
    let (mut on_phone, mut on_desk) = (phone.connect().unwrap(), desk.connect().unwrap());
    let new = "battery staple";
    desk.refused("POST", "/api/me/password", json!({"old": "wrong", "new": new}), 403, "wrong_password");
    desk.refused("POST", "/api/me/password", json!({"old": PASSWORD, "new": "short"}), 400, "bad_field");
    assert_eq!(desk.post("/api/me/password", json!({"old": PASSWORD, "new": new})).0, 204);
    assert_eq!(on_phone.close_code(), Some(4001));
    assert!(on_desk.so_far().is_empty());
    let mut again = Browser::new(&server);
    again.refused("POST", "/api/session", json!({"name": "ann", "password": PASSWORD}), 401, "unknown_credentials");
    assert_eq!(again.post("/api/session", json!({"name": "ann", "password": new})).0, 200);
}

#[test]
fn another_name_is_shown_to_all_and_the_old_one_is_free() {
    on_disk(|builder| {
        let server = server_with(builder());
        let mut ann = Browser::with_account(&server, "ann");
        let _bob = Browser::with_account(&server, "bob");
        let mut on_desk = ann.connect().unwrap();
        on_desk.send(json!({"type": "join", "room": "lobby"}));
        on_desk.expect("joined");
        on_desk.post("lobby", "1", "hello");
        on_desk.expect("message");
        let mut watcher = server.in_lobby("watcher");
        ann.refused("PATCH", "/api/me", json!({"name": "B0b"}), 409, "name_taken");
        ann.refused("PATCH", "/api/me", json!({"name": "watcher"}), 409, "name_taken");
        ann.refused("PATCH", "/api/me", json!({"name": "a:b"}), 400, "bad_field");
        assert_eq!(ann.patch("/api/me", json!({"name": "Anna"})), (200, json!({"name": "Anna", "role": "member"})));
        assert_eq!(on_desk.close_code(), Some(4002), "it is to come back");
        let mut back = ann.connect().unwrap();
        assert_eq!(back.welcome["you"]["name"], "Anna");
        back.send(json!({"type": "join", "room": "lobby", "since": 0}));
        assert_eq!(back.expect("message")["from"], "Anna", "what was said before, too");
        let tells = |frame: Value| frame["joined"].as_array().is_some_and(|joined| joined.contains(&json!("Anna")));
        while !tells(watcher.next()) {}
        assert_eq!(Client::try_json(server.address, "/ws?name=ann").map(drop), Ok(()));
    });
}

#[test]
fn roles_are_given_by_the_owner_and_there_is_always_one() {
    let (server, token) = owned(Server::builder());
    let mut owner = Browser::invited(&server, "host", &token);
    assert_eq!(owner.get("/api/me").1["role"], "owner");
    let mut ann = Browser::with_account(&server, "Ann Lee");
    let mut on_desk = ann.connect().unwrap();
    ann.refused("PATCH", "/api/people/host", json!({"role": "member"}), 403, "not_allowed");
    owner.refused("PATCH", "/api/people/host", json!({"role": "member"}), 409, "last_owner");
    owner.refused("PATCH", "/api/people/nobody", json!({"role": "member"}), 404, "no_such_person");
    owner.refused("PATCH", "/api/people/Ann%20Lee", json!({"role": "king"}), 400, "bad_field");
    owner.refused("PATCH", "/api/people/Ann%20Lee", json!({"role": "guest"}), 400, "bad_field");
    let made = owner.patch("/api/people/ann%20lee", json!({"role": "moderator"}));
    assert_eq!(made, (200, json!({"name": "Ann Lee", "role": "moderator"})));
    assert_eq!(on_desk.close_code(), Some(4002));
    assert_eq!(ann.connect().unwrap().welcome["you"]["role"], "moderator");
    let (_, people) = ann.get("/api/people");
    let host = json!({"name": "host", "role": "owner", "avatar": false});
    assert_eq!(people, json!([host, {"name": "Ann Lee", "role": "moderator", "avatar": false}]));
    assert_eq!(Browser::new(&server).get("/api/people").0, 401);
}

#[test]
fn the_owners_link_works_once_and_only_while_nobody_owns_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Server::builder().sqlite(folder.path(), parlor::Synchronous::Normal).join(Join::Closed);
    let (server, first) = owned(builder());
    drop(server);
    let (server, second) = owned(builder());
    assert_ne!(first, second);
    let mut late = Browser::new(&server);
    let with = |token: &str| json!({"name": "eve", "password": PASSWORD, "invite": token});
    late.refused("POST", "/api/register", with(&first), 403, "not_allowed");
    let owner = Browser::invited(&server, "host", &second);
    late.refused("POST", "/api/register", with(&second), 403, "not_allowed");
    drop(owner);
    drop(server);
    assert_eq!(builder().listen("127.0.0.1:0".parse().unwrap()).bind().unwrap().owner_invitation().unwrap(), None);
}

#[test]
fn whoever_is_invited_comes_in_and_nobody_else_where_that_is_the_rule() {
    let (server, token) = owned(Server::builder().join(Join::Invite).guests(false));
    let mut stranger = Browser::new(&server);
    assert_eq!(stranger.get("/api/door"), (200, json!({"join": "invite", "guests": false})));
    let why =
        stranger.refused("POST", "/api/register", json!({"name": "eve", "password": PASSWORD}), 403, "not_allowed");
    assert!(why.contains("by invitation"), "{why}");
    stranger.refused("POST", "/api/session", json!({"name": "eve"}), 403, "not_allowed");
    let answer = server.raw(upgrade(server.address, "/ws?name=eve", "").as_bytes());
    assert!(status(&answer) == 403 && answer.contains("only people with an account"), "{answer}");

    let mut owner = Browser::invited(&server, "host", &token);
    stranger.refused("POST", "/api/invitations", json!({}), 401, "unknown_credentials");
    for wrong in [
        json!({"role": "owner"}),
        json!({"role": "guest"}),
        json!({"days": 0}),
        json!({"days": "7"}),
        json!({"uses": 1001}),
    ] {
        let why = owner.refused("POST", "/api/invitations", wrong.clone(), 400, "bad_field");
        let named = wrong.as_object().unwrap().keys().next().unwrap();
        assert!(why.starts_with(&format!("\"{named}\"")), "{why}");
    }
    let (status, made) = owner.post("/api/invitations", json!({"uses": 2, "days": 3}));
    assert_eq!((status, &made["role"], &made["uses_left"]), (200, &json!("member"), &json!(2)), "{made}");
    let (token, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert_eq!(made["link"], format!("http://{}/#invite={token}", server.address));
    let rows = made["qr"].as_array().unwrap();
    assert!(rows.len() >= 21 && rows.iter().all(|row| row.as_str().unwrap().len() == rows.len()), "{made}");
    let mut ann = Browser::invited(&server, "ann", token);
    ann.refused("POST", "/api/invitations", json!({}), 403, "not_allowed");
    let (_, listed) = owner.get("/api/invitations");
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["uses_left"]), (1, &json!(1)), "{listed}");
    assert!(!listed.to_string().contains(token), "the token is told once");
    assert_eq!(owner.delete(&format!("/api/invitations/{id}")).0, 204);
    let with = json!({"name": "bob", "password": PASSWORD, "invite": token});
    stranger.refused("POST", "/api/register", with, 403, "not_invited");
    assert_eq!(ann.connect().unwrap().welcome["you"]["name"], "ann");
}

#[test]
fn a_picture_is_one_and_is_served_as_nothing_else() {
    let server = server();
    let mut ann = Browser::with_account(&server, "Ann Lee");
    let png = b"\x89PNG\r\n\x1a\nrest of it";
    for (body, status) in [(&b"<svg onload=alert(1)>"[..], 415), (b"", 415), (&[0xff; 64 * 1024 + 1], 413)] {
        assert_eq!(ann.ask("PUT", "/api/me/avatar", "image/png", body).0, status);
    }
    let mut ann_here = ann.connect().unwrap();
    let mut bob = server.in_lobby("bob");
    ann_here.send(json!({"type": "join", "room": "lobby"}));
    ann_here.hear("joined");
    assert_eq!(ann.ask("PUT", "/api/me/avatar", "text/html", png).0, 204);
    let person = |avatar: bool| json!({"type": "person", "name": "Ann Lee", "avatar": avatar});
    assert_eq!(bob.hear("person"), person(true), "who sees her is told");
    assert_eq!(ann.get("/api/me").1["avatar"], true);
    let mut guest = Browser::new(&server);
    assert_eq!(guest.get("/api/people/Ann%20Lee/avatar").0, 401, "only who is here sees it");
    guest.post("/api/session", json!({"name": "guest"}));
    assert_eq!(guest.get("/api/people/ann%20lee/avatar").0, 200);
    for field in ["Content-Type: image/png", "X-Content-Type-Options: nosniff", "sandbox", "Cache-Control: private"] {
        assert!(guest.head.contains(field), "{field}: {}", guest.head);
    }
    assert_eq!(guest.ask("PUT", "/api/me/avatar", "image/png", png).0, 403, "guests have a letter");
    assert_eq!(ann.delete("/api/me/avatar").0, 204);
    assert_eq!(bob.hear("person"), person(false));
    assert_eq!(guest.get("/api/people/ann%20lee/avatar").0, 404);
}

#[test]
fn each_field_is_checked_and_named() {
    let server = server();
    let mut browser = Browser::new(&server);
    let long = "x".repeat(257);
    for (body, field) in [
        (json!({"password": PASSWORD}), "name"),
        (json!({"name": 7, "password": PASSWORD}), "name"),
        (json!({"name": "x".repeat(33), "password": PASSWORD}), "name"),
        (json!({"name": "a\u{200b}b", "password": PASSWORD}), "name"),
        (json!({"name": "p\u{430}ul", "password": PASSWORD}), "name"),
        (json!({"name": "ann"}), "password"),
        (json!({"name": "ann", "password": "1234567"}), "password"),
        (json!({"name": "ann", "password": long}), "password"),
        (json!({"name": "ann", "password": ["x"]}), "password"),
        (json!({"name": "ann", "password": PASSWORD, "invite": ""}), "invite"),
        (json!({"name": "ann", "password": PASSWORD, "claim": long}), "claim"),
    ] {
        let why = browser.refused("POST", "/api/register", body, 400, "bad_field");
        assert!(why.starts_with(&format!("\"{field}\"")), "{field}: {why}");
    }
    for body in ["", "[]", "name=ann", "{\"name\":"] {
        assert_eq!(browser.ask("POST", "/api/register", "application/json", body.as_bytes()).0, 400, "{body}");
    }
    assert_eq!(browser.ask("POST", "/api/register", "text/plain", b"{}").0, 415);
    for (method, path, status) in [
        ("GET", "/api/register", 405),
        ("POST", "/api/me", 405),
        ("PUT", "/api/me/password", 405),
        ("GET", "/api/me/nothing", 404),
        ("GET", "/api/mechanic", 404),
        ("POST", "/api/people", 405),
        ("GET", "/api/people/a/b/c", 404),
        ("PUT", "/api/invitations", 405),
        ("POST", "/api/door", 405),
    ] {
        assert_eq!(browser.ask(method, path, "application/json", b"{}").0, status, "{method} {path}");
    }
}

#[test]
fn a_page_of_another_site_can_change_nothing() {
    let server = server();
    let ann = Browser::with_account(&server, "ann");
    for (method, path, body) in [
        ("POST", "/api/register", r#"{"name":"x","password":"correct horse"}"#),
        ("POST", "/api/session", r#"{"name":"ann","password":"correct horse"}"#),
        ("DELETE", "/api/session", ""),
        ("PATCH", "/api/me", r#"{"name":"x"}"#),
        ("POST", "/api/me/password", r#"{"old":"correct horse","new":"another horse"}"#),
        ("PUT", "/api/me/avatar", "GIF89a"),
        ("DELETE", "/api/me/avatar", ""),
        ("DELETE", "/api/me/sessions", ""),
        ("DELETE", "/api/me/sessions/0123456789abcdef", ""),
        ("POST", "/api/invitations", "{}"),
        ("DELETE", "/api/invitations/0123456789abcdef", ""),
        ("PATCH", "/api/people/ann", r#"{"role":"owner"}"#),
    ] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nOrigin: https://elsewhere.example\r\nCookie: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.address,
            ann.cookie,
            body.len()
        );
        let answer = server.raw(request.as_bytes());
        assert!(status(&answer) == 403 && answer.contains("origin_not_allowed"), "{method} {path}: {answer}");
    }
}

#[test]
fn whoever_guesses_is_told_to_wait() {
    let server = server();
    let _ann = Browser::with_account(&server, "ann");
    let mut guesser = Browser::new(&server);
    let guess = json!({"name": "ann", "password": "a guess of mine"});
    for _ in 0..10 {
        guesser.refused("POST", "/api/session", guess.clone(), 401, "unknown_credentials");
    }
    guesser.refused("POST", "/api/session", guess, 429, "too_many_tries");
    assert!(guesser.head.contains("Retry-After: "), "{}", guesser.head);
    // Whoever goes on with other names goes on from the same address.
    let other = json!({"name": "bob", "password": "a guess of mine"});
    guesser.refused("POST", "/api/session", other, 429, "too_many_tries");
    assert_eq!(guesser.post("/api/session", json!({"name": "guest"})).0, 200, "guests come in as ever");
}

#[test]
fn more_passwords_at_once_than_threads_all_get_their_answer() {
    let server = server();
    let _ann = Browser::with_account(&server, "ann");
    std::thread::scope(|scope| {
        let sign_in = |_| {
            scope.spawn(|| Browser::new(&server).post("/api/session", json!({"name": "ann", "password": PASSWORD})).0)
        };
        let asked: Vec<_> = (0..8).map(sign_in).collect();
        assert_eq!(status(&server.get("/")), 200, "the page does not wait");
        for answer in asked {
            assert_eq!(answer.join().unwrap(), 200);
        }
    });
}
