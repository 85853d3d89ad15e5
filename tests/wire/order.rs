//! Order: who may be muted, shown out, banned and deleted by whom, and what each of them and the others see of it.

use crate::common::*;
use parlor::{Builder, Server, Start, Synchronous};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;

const PASSWORD: &str = "correct horse";

/// Somebody with an account, and a cookie that shows it.
struct Account<'a> {
    server: &'a TestServer,
    cookie: String,
}

impl<'a> Account<'a> {
    fn new(server: &'a TestServer, name: &str, invite: Option<&str>) -> Account<'a> {
        let mut fields = json!({"name": name, "password": PASSWORD});
        if let Some(token) = invite {
            fields["invite"] = token.into();
        }
        let account = Account { server, cookie: String::new() };
        let answer = account.raw(raw(server.address), "POST", "/api/register", &fields);
        let set =
            answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap_or_else(|| panic!("{answer}"));
        Account { server, cookie: set.split(';').next().unwrap().to_owned() }
    }

    /// Somebody with a role that was given by link.
    fn invited(&self, name: &str, role: &str) -> Account<'a> {
        let (_, link) = self.ask("POST", "/api/invitations", json!({"role": role}));
        Account::new(self.server, name, link["token"].as_str())
    }

    fn raw(&self, mut socket: TcpStream, method: &str, path: &str, body: &Value) -> String {
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nCookie: {}\r\n\r\n{body}",
            self.server.address,
            body.len(),
            self.cookie
        );
        socket.write_all(request.as_bytes()).unwrap();
        all_of(&mut socket)
    }

    fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_from("127.0.0.1", method, path, body)
    }

    fn ask_from(&self, source: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let answer = self.raw(raw_from(source, self.server.address), method, path, &body);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status(&answer), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Does something to somebody.
    #[track_caller]
    fn does(&self, act: &str, name: &str, terms: Value) -> Value {
        let (status, said) = self.ask("POST", &format!("/api/people/{name}/{act}"), terms);
        assert_eq!(status, 200, "{act} {name}: {said}");
        said
    }

    #[track_caller]
    fn lifts(&self, act: &str, name: &str) {
        assert_eq!(self.ask("DELETE", &format!("/api/people/{name}/{act}"), json!({})).0, 204);
    }

    #[track_caller]
    fn is_refused(&self, act: &str, name: &str, status: u16, code: &str) {
        let (found, said) = self.ask("POST", &format!("/api/people/{name}/{act}"), json!({}));
        assert_eq!((found, &said["error"]["code"]), (status, &json!(code)), "{act} {name}: {said}");
    }

    fn connect(&self) -> Result<Client, u16> {
        connect_from("127.0.0.1", self.server, "/ws", &format!("Cookie: {}\r\n", self.cookie))
    }

    fn in_lobby(&self) -> Client {
        let mut client = self.connect().unwrap();
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
        client
    }

    fn book(&self) -> Vec<Value> {
        let (status, page) = self.ask("GET", "/api/audit", json!({}));
        assert_eq!(status, 200, "{page}");
        page["deeds"].as_array().unwrap().clone()
    }
}

fn connect_from(source: &str, server: &TestServer, path: &str, more: &str) -> Result<Client, u16> {
    let more = format!("{more}Sec-WebSocket-Protocol: parlor.v1\r\n");
    Client::upgraded(raw_from(source, server.address), path, &more)
}

/// A server, and the token that makes its owner.
fn owned(builder: Builder) -> (TestServer, String) {
    let server = builder.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let token = server.owner_invitation().unwrap().unwrap();
    let handle = server.spawn().unwrap();
    (TestServer { address: handle.address(), handle }, token)
}

/// What is refused with an error, and which.
#[track_caller]
fn refused(client: &mut Client, frame: Value) -> Value {
    client.send(frame.clone());
    let mut told = client
        .everything_until(|told| told["type"] == "error" || told["id"] == frame["id"] && frame["id"] != Value::Null);
    let error = told.pop().unwrap();
    assert_eq!(error["type"], "error", "{frame}");
    error
}

fn post(id: &str) -> Value {
    json!({"type": "post", "room": "lobby", "id": id, "body": id})
}

#[test]
fn whoever_is_muted_says_nothing_anywhere_and_knows_until_when() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mut bob = server.in_lobby("bob");
    let mut ann = server.in_lobby("ann");
    bob.post("lobby", "before", "before");
    ann.hear("message");
    bob.hear("message");
    let muted = host.does("mute", "BOB", json!({"seconds": 600, "reason": "shouting"}));
    assert_eq!((&muted["name"], &muted["penalty"], &muted["by"]), (&json!("bob"), &json!("mute"), &json!("host")));
    let you = bob.hear("you");
    assert_eq!((&you["name"], &you["muted"]["reason"]), (&json!("bob"), &json!("shouting")));
    assert_eq!(you["muted"]["until"], muted["until"]);
    for frame in [
        post("x"),
        json!({"type": "edit", "room": "lobby", "seq": 1, "body": "x"}),
        json!({"type": "react", "room": "lobby", "seq": 1, "emoji": "👍", "on": true}),
        json!({"type": "typing", "room": "lobby"}),
        json!({"type": "create", "room": "den", "title": "Listen to me"}),
    ] {
        let error = refused(&mut bob, frame);
        assert_eq!((&error["code"], &error["until"]), (&json!("muted"), &muted["until"]), "{error}");
        assert!(error["message"].as_str().unwrap().contains("you are muted until 20"), "{error}");
    }
    // Another device knows as well; what was said can be taken back.
    bob.cut();
    let mut bob = server.eventually_json("bob");
    assert_eq!(bob.welcome["you"]["muted"]["reason"], "shouting");
    bob.send(json!({"type": "join", "room": "lobby", "last": 0}));
    bob.hear("joined");
    bob.send(json!({"type": "delete", "room": "lobby", "seq": 1}));
    assert_eq!(bob.hear("message")["deleted"], true);
    assert_eq!(ann.hear("message")["deleted"], true, "nothing else of his has come");
    server.handle.post("lobby", "bob's friend", "the program speaks").unwrap();
    ann.hear("message");
    host.lifts("mute", "bob");
    assert_eq!(bob.hear("you")["muted"], Value::Null);
    bob.post("lobby", "after", "after");
    assert_eq!(ann.hear("message")["body"], "after");
    let again = host.ask("DELETE", "/api/people/bob/mute", json!({}));
    assert_eq!((again.0, &again.1["error"]["code"]), (404, &json!("no_such_sanction")));
}

#[test]
fn a_mute_is_over_by_itself() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mut bob = server.in_lobby("bob");
    host.does("mute", "bob", json!({"seconds": 1}));
    bob.hear("you");
    assert_eq!(refused(&mut bob, post("a"))["code"], "muted");
    let mut count = 0;
    eventually("he may speak again", || {
        count += 1;
        bob.post("lobby", &count.to_string(), "x");
        bob.so_far().iter().any(|frame| frame["type"] == "message")
    });
}

#[test]
fn nobody_acts_on_their_like_or_on_who_stands_above() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mods = [host.invited("mia", "moderator"), host.invited("max", "moderator")];
    let member = Account::new(&server, "ann", None);
    let mut guest = server.in_lobby("bob");
    let cookie = |name: &str| {
        let asked = Account { server: &server, cookie: String::new() };
        let answer = asked.raw(raw(server.address), "POST", "/api/session", &json!({"name": name}));
        let set = answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap().to_owned();
        Account { server: &server, cookie: set.split(';').next().unwrap().to_owned() }
    };
    let eve = cookie("eve");
    let stranger = Account { server: &server, cookie: String::new() };
    for act in ["mute", "ban", "kick", "purge"] {
        stranger.is_refused(act, "bob", 401, "unknown_credentials");
        for low in [&eve, &member] {
            low.is_refused(act, "bob", 403, "not_allowed");
        }
        for name in ["host", "max", "mia"] {
            mods[0].is_refused(act, name, 403, "not_allowed");
        }
        host.is_refused(act, "host", 403, "not_allowed");
        host.is_refused(act, "nobody", 404, "no_such_person");
        let (status, _) = host.ask("PATCH", &format!("/api/people/bob/{act}"), json!({}));
        assert_eq!(status, 405);
    }
    for path in ["/api/sanctions", "/api/audit"] {
        assert_eq!(member.ask("GET", path, json!({})).0, 403);
    }
    assert_eq!(mods[0].ask("GET", "/api/audit", json!({})).0, 403, "the book is the owner's to read");
    assert_eq!(mods[0].ask("GET", "/api/sanctions", json!({})), (200, json!([])));
    let bad = json!({"reason": "x".repeat(201)});
    assert_eq!(host.ask("POST", "/api/people/bob/mute", bad).1["error"]["code"], "bad_field");
    assert_eq!(host.ask("POST", "/api/people/bob/mute", json!({"seconds": 0})).1["error"]["code"], "bad_field");
    server.handle.post("lobby", "Oven", "180 °C").unwrap();
    host.is_refused("mute", "Oven", 403, "not_allowed");
    mods[0].does("mute", "ann", json!({}));
    host.does("mute", "max", json!({}));
    mods[0].does("kick", "bob", json!({}));
    assert_eq!(guest.close_code(), Some(1008));
}

#[test]
fn who_is_kicked_hears_why_and_may_come_back() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mut phone = connect_from("127.0.0.1", &server, "/ws?name=bob&key=k", "").unwrap();
    let mut desk = connect_from("127.0.0.1", &server, "/ws?name=bob&key=k", "").unwrap();
    let mut ann = server.in_lobby("ann");
    assert_eq!(host.does("kick", "bob", json!({"reason": "cool down"})), json!({"connections": 2}));
    for client in [&mut phone, &mut desk] {
        let frame = client.closed().unwrap();
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "cool down"));
    }
    let mut bob = server.eventually_json("bob");
    bob.send(json!({"type": "join", "room": "lobby"}));
    bob.hear("joined");
    bob.post("lobby", "back", "back");
    assert_eq!(ann.hear("message")["body"], "back");
    assert_eq!(host.does("kick", "bob", json!({}))["connections"], 1);
    assert!(bob.closed().unwrap().reason.contains("asks you to leave"));
}

#[test]
fn who_is_banned_stays_out_also_after_a_restart_until_that_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Server::builder().sqlite(folder.path(), Synchronous::Normal);
    let (server, token) = owned(builder());
    let host = Account::new(&server, "host", Some(&token));
    let eve = Account::new(&server, "Eve", None);
    let mut connected = eve.connect().unwrap();
    host.does("ban", "eve", json!({"reason": "spam"}));
    let frame = connected.closed().unwrap();
    assert_eq!(u16::from(frame.code), 1008);
    assert!(frame.reason.contains("banned") && frame.reason.ends_with("spam"), "{frame:?}");
    let is_out = |server: &TestServer| {
        let eve = Account { server, cookie: eve.cookie.clone() };
        assert_eq!(eve.connect().err(), Some(403));
        let refused = server.raw(upgrade(server.address, "/ws", &format!("Cookie: {}\r\n", eve.cookie)).as_bytes());
        assert!(refused.contains("\"code\":\"banned\"") && refused.contains(": spam"), "{refused}");
        for (method, path, body) in [
            ("GET", "/api/session", json!({})),
            ("GET", "/api/me", json!({})),
            ("GET", "/api/people", json!({})),
            ("POST", "/api/session", json!({"name": "EVE", "password": PASSWORD})),
        ] {
            let (status, said) = eve.ask(method, path, body);
            assert_eq!((status, &said["error"]["code"]), (403, &json!("banned")), "{method} {path}: {said}");
        }
    };
    is_out(&server);
    let host_cookie = host.cookie.clone();
    server.stop();
    let server = server_with(builder());
    is_out(&server);
    let host = Account { server: &server, cookie: host_cookie };
    let (_, all) = host.ask("GET", "/api/sanctions", json!({}));
    assert_eq!(
        (&all[0]["name"], &all[0]["reason"], all[0].get("until")),
        (&json!("Eve"), &json!("spam"), None),
        "{all}"
    );
    host.lifts("ban", "eve");
    let eve = Account { server: &server, cookie: eve.cookie.clone() };
    assert_eq!(eve.connect().unwrap().welcome["you"]["name"], "Eve");
    let acts: Vec<Value> = host.book().into_iter().map(|deed| deed["act"].clone()).collect();
    assert_eq!(acts, ["unban", "ban"]);
}

#[test]
fn a_ban_of_addresses_shuts_out_who_comes_from_there_but_nobody_who_keeps_order() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mia = host.invited("mia", "moderator");
    let from = |source: &str, name: &str| connect_from(source, &server, &format!("/ws?name={name}"), "");
    let mut troll = from("127.0.0.2", "troll").unwrap();
    let mut neighbour = from("127.0.0.2", "neighbour").unwrap();
    let mut elsewhere = from("127.0.0.3", "elsewhere").unwrap();
    let banned = host.does("ban", "troll", json!({"addresses": true, "seconds": 3600}));
    assert_eq!(banned["addresses"], json!(["127.0.0.2/32"]));
    assert_eq!((troll.close_code(), neighbour.close_code()), (Some(1008), Some(1008)));
    assert_eq!(from("127.0.0.2", "another-name").err(), Some(403));
    assert_eq!(connect_from("127.0.0.2", &server, "/echo", "").err(), Some(403));
    let nobody = Account { server: &server, cookie: String::new() };
    for (path, body) in
        [("/api/session", json!({"name": "x"})), ("/api/register", json!({"name": "x", "password": PASSWORD}))]
    {
        assert_eq!(nobody.ask_from("127.0.0.2", "POST", path, body).1["error"]["code"], "banned", "{path}");
    }
    assert_eq!(from("127.0.0.3", "troll").err(), Some(403), "the name is banned everywhere");
    elsewhere.send(json!({"type": "ping", "t": 1}));
    elsewhere.hear("pong");
    assert_eq!(mia.ask_from("127.0.0.2", "GET", "/api/me", json!({})).0, 200);
    let sign_in = json!({"name": "mia", "password": PASSWORD});
    assert_eq!(nobody.ask_from("127.0.0.2", "POST", "/api/session", sign_in).0, 200);
    // The page itself is served, or it could not say why.
    assert!(
        status(&all_of(&mut {
            let mut socket = raw_from("127.0.0.2", server.address);
            socket.write_all(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).as_bytes()).unwrap();
            socket
        })) == 200
    );
    mia.lifts("ban", "troll");
    from("127.0.0.2", "troll").unwrap();
    // From where who bans is, too, nobody is shut out: behind a proxy that is everyone.
    let mut near = from("127.0.0.1", "near").unwrap();
    assert_eq!(host.does("ban", "near", json!({"addresses": true})).get("addresses"), None);
    assert_eq!(near.close_code(), Some(1008));
    from("127.0.0.1", "nearby").unwrap();
}

#[test]
fn behind_a_trusted_proxy_a_ban_and_the_tries_of_passwords_are_of_the_address_that_it_says() {
    let (server, token) = owned(Server::builder().trust_proxy("127.0.0.1").unwrap());
    let host = Account::new(&server, "host", Some(&token));
    let nobody = Account { server: &server, cookie: String::new() };
    let from = |source: &str, name: &str| {
        connect_from("127.0.0.1", &server, &format!("/ws?name={name}"), &format!("X-Forwarded-For: {source}\r\n"))
    };
    let asks = |source: &str, path: &str, body: Value| {
        let mut socket = raw(server.address);
        socket.write_all(format!("PROXY TCP4 {source} 10.0.0.1 4711 443\r\n").as_bytes()).unwrap();
        nobody.raw(socket, "POST", path, &body)
    };
    let mut troll = from("192.0.2.7", "troll").unwrap();
    let mut neighbour = from("192.0.2.7", "neighbour").unwrap();
    let mut elsewhere = from("192.0.2.8", "elsewhere").unwrap();
    let banned = host.does("ban", "troll", json!({"addresses": true, "seconds": 3600}));
    assert_eq!(banned["addresses"], json!(["192.0.2.7/32"]));
    assert_eq!((troll.close_code(), neighbour.close_code()), (Some(1008), Some(1008)));
    assert_eq!(from("192.0.2.7", "another-name").err(), Some(403));
    let refused = asks("192.0.2.7", "/api/session", json!({"name": "another-name"}));
    assert!(status(&refused) == 403 && refused.contains("banned"), "{refused}");
    elsewhere.send(json!({"type": "ping", "t": 1}));
    elsewhere.hear("pong");
    from("192.0.2.7, 192.0.2.8", "forger").expect("the address that the proxy has seen counts, not what it was told");

    let guess =
        |source: &str| status(&asks(source, "/api/session", json!({"name": "nobody", "password": "wrong horse"})));
    let guess_another = |source: &str, n: usize| {
        status(&asks(source, "/api/session", json!({"name": format!("nobody{n}"), "password": "wrong horse"})))
    };
    for n in 0..10 {
        assert_eq!(guess_another("192.0.2.9", n), 401);
    }
    assert_eq!((guess("192.0.2.9"), guess("192.0.2.10")), (429, 401));
}

#[test]
fn a_purge_deletes_what_one_person_said_where_it_is_seen_and_tells_all() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mia = host.invited("mia", "moderator");
    let (mut eve, mut ann) = (server.in_lobby("eve"), server.in_lobby("ann"));
    for n in 0..150 {
        eve.post("lobby", &format!("e{n}"), "spam");
    }
    ann.post("lobby", "a", "an innocent word");
    let said: Vec<Value> = (0..151).map(|_| ann.hear("message")).collect();
    eve.send(json!({"type": "create", "room": "den", "kind": "private", "title": "Den"}));
    eve.hear("joined");
    eve.post("den", "d", "a secret");
    while eve.hear("message")["room"] != "den" {}
    assert_eq!(mia.does("purge", "eve", json!({"reason": "spam"})), json!({"deleted": 150, "more": false}));
    let head = said.iter().map(|message| message["rev"].as_i64().unwrap()).max().unwrap();
    for n in 1..=150 {
        let gone = ann.hear("message");
        assert_eq!(
            (&gone["deleted"], &gone["from"], gone["rev"].as_i64()),
            (&json!(true), &json!("eve"), Some(head + n))
        );
    }
    ann.post("lobby", "after", "after");
    assert_eq!(ann.hear("message")["body"], "after");
    let mut later = server.json("later");
    later.send(json!({"type": "join", "room": "lobby", "since": 0}));
    let all = later.everything_until(|frame| frame["type"] == "joined");
    let left: Vec<&Value> = all.iter().filter(|m| m["type"] == "message" && m["deleted"] != true).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(mia.does("purge", "eve", json!({})), json!({"deleted": 0, "more": false}), "mia sees no private room");
    assert_eq!(
        host.does("purge", "eve", json!({})),
        json!({"deleted": 1, "more": false}),
        "the owner's goes everywhere"
    );
    let told = eve.everything_until(|frame| frame["room"] == "den" && frame["deleted"] == true);
    assert!(!told.iter().any(|frame| frame["type"] == "error"));
    let book = host.book();
    assert_eq!(
        (&book[2]["act"], &book[2]["whom"], &book[2]["detail"]),
        (&json!("purge"), &json!("eve"), &json!("150 messages"))
    );
}

#[test]
fn a_slow_room_lets_each_speak_once_in_a_while_and_a_read_only_one_who_looks_after_it() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mut teacher = host.in_lobby();
    let (mut bob, mut ann) = (server.in_lobby("bob"), server.in_lobby("ann"));
    let denied = refused(&mut bob, json!({"type": "change", "room": "lobby", "slow": 10}));
    assert_eq!(denied["code"], "not_allowed");
    for bad in [json!(-1), json!(3601), json!("x")] {
        assert_eq!(refused(&mut teacher, json!({"type": "change", "room": "lobby", "slow": bad}))["code"], "bad_field");
    }
    teacher.send(json!({"type": "change", "room": "lobby", "slow": 3600}));
    assert_eq!(bob.hear("room")["slow"], 3600);
    ann.hear("room");
    bob.post("lobby", "one", "one");
    assert_eq!(ann.hear("message")["body"], "one");
    bob.hear("message");
    let error = refused(&mut bob, post("two"));
    let wait = error["retry_after"].as_u64().unwrap();
    assert_eq!((&error["code"], &error["id"]), (&json!("rate_limited"), &json!("two")));
    assert!((3_590_000..=3_600_001).contains(&wait), "{wait}");
    ann.post("lobby", "a", "each has a turn");
    ann.hear("message");
    bob.hear("message");
    for n in 0..3 {
        teacher.post("lobby", &format!("t{n}"), "who keeps order is never slow");
        ann.hear("message");
    }
    // What was said can be mended all the while; who comes later knows how it is.
    bob.send(json!({"type": "edit", "room": "lobby", "seq": 1, "body": "uno"}));
    while ann.hear("message")["body"] != "uno" {}
    assert_eq!(server.json("later").welcome["rooms"][0]["slow"], 3600);
    teacher.send(json!({"type": "change", "room": "lobby", "slow": 0, "read_only": true}));
    let room = ann.hear("room");
    assert_eq!((&room["slow"], &room["read_only"]), (&Value::Null, &json!(true)));
    for frame in [
        post("x"),
        json!({"type": "edit", "room": "lobby", "seq": 1, "body": "x"}),
        json!({"type": "react", "room": "lobby", "seq": 1, "emoji": "👍", "on": true}),
        json!({"type": "typing", "room": "lobby"}),
    ] {
        let error = refused(&mut bob, frame);
        assert!(error["code"] == "not_allowed" && error["message"].as_str().unwrap().contains("read only"), "{error}");
    }
    teacher.post("lobby", "t", "eyes on me");
    while ann.hear("message")["body"] != "eyes on me" {}
    server.handle.post("lobby", "Oven", "the program speaks anywhere").unwrap();
    teacher.send(json!({"type": "change", "room": "lobby", "read_only": false}));
    while ann.hear("room")["read_only"] == true {}
    bob.post("lobby", "free", "free");
    while ann.hear("message")["body"] != "free" {}
    // Who makes a room looks after it.
    bob.send(json!({"type": "create", "room": "club"}));
    bob.hear("joined");
    bob.send(json!({"type": "change", "room": "club", "read_only": true}));
    bob.post("club", "c", "mine");
    while bob.hear("message")["body"] != "mine" {}
    let acts: Vec<String> =
        host.book().iter().map(|deed| format!("{} {} {}", deed["act"], deed["detail"], deed["room"])).collect();
    let expected = [
        r#""read_only" "off" "lobby""#,
        r#""slow" "off" "lobby""#,
        r#""read_only" "on" "lobby""#,
        r#""slow" "3600 s" "lobby""#,
    ];
    let mut sorted = (acts.clone(), expected.map(str::to_owned).to_vec());
    sorted.0.sort();
    sorted.1.sort();
    assert_eq!(sorted.0, sorted.1);
}

#[test]
fn the_book_has_roles_invitations_and_what_moderators_do_in_rooms_page_by_page() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mia = host.invited("mia", "moderator");
    let _ann = Account::new(&server, "ann", None);
    assert_eq!(host.ask("PATCH", "/api/people/ann", json!({"role": "moderator"})).0, 200);
    let mut bob = server.in_lobby("bob");
    bob.post("lobby", "b", "a bad word");
    bob.hear("message");
    let mut at_work = mia.in_lobby();
    at_work.send(json!({"type": "delete", "room": "lobby", "seq": 1}));
    bob.hear("message");
    at_work.send(json!({"type": "create", "room": "den", "kind": "private", "members": ["bob"]}));
    at_work.hear("joined");
    at_work.send(json!({"type": "remove", "room": "den", "name": "bob"}));
    while bob.hear("room")["gone"] != true {}
    at_work.send(json!({"type": "create", "room": "hall"}));
    at_work.hear("joined");
    at_work.send(json!({"type": "change", "room": "hall", "archived": true}));
    while bob.hear("room")["archived"] != true {}
    let mut book = Vec::new();
    eventually("all is in the book", || {
        book = host.book();
        book.len() == 5
    });
    let told = |deed: &Value| {
        [&deed["by"], &deed["act"], &deed["whom"], &deed["room"], &deed["detail"]]
            .map(|field| field.as_str().unwrap_or("-").to_owned())
            .join(" ")
    };
    let all: Vec<String> = book.iter().map(told).collect();
    assert_eq!(all[0], "mia archive - hall -");
    assert_eq!(all[1], "mia remove bob - -", "a private room is not named");
    assert_eq!(all[2], "mia delete bob lobby message 1");
    assert_eq!(all[3], "host role ann - moderator");
    assert!(all[4].starts_with("host invite - - moderator for 1, until 20"), "{all:?}");
    let (_, page) = host.ask("GET", "/api/audit?limit=2", json!({}));
    assert_eq!((page["deeds"].as_array().unwrap().len(), &page["more"]), (2, &json!(true)));
    let (_, rest) = host.ask("GET", &format!("/api/audit?limit=9&before={}", page["deeds"][1]["id"]), json!({}));
    assert_eq!((rest["deeds"].as_array().unwrap().as_slice(), &rest["more"]), (&book[2..], &json!(false)));
    assert_eq!(host.ask("GET", "/api/audit?before=x", json!({})).0, 400);
}

#[test]
fn a_person_is_held_to_a_rate_on_all_connections_together() {
    let server = server_with(Server::builder().rate(1, 5));
    let mut phone = connect_from("127.0.0.1", &server, "/ws?name=bob&key=k", "").unwrap();
    let mut desk = connect_from("127.0.0.1", &server, "/ws?name=bob&key=k", "").unwrap();
    let mut ann = server.in_lobby("ann");
    for client in [&mut phone, &mut desk] {
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        client.hear("joined");
    }
    for n in 0..3 {
        phone.post("lobby", &format!("p{n}"), "x");
        phone.hear("message");
    }
    desk.send(json!({"type": "react", "room": "lobby", "seq": 1, "emoji": "👍", "on": true}));
    desk.send(json!({"type": "create", "room": "den"}));
    while desk.hear("joined")["room"] != "den" {}
    let error = refused(&mut desk, json!({"type": "edit", "room": "lobby", "seq": 1, "body": "y", "ref": "e"}));
    assert_eq!((&error["code"], &error["ref"]), (&json!("rate_limited"), &json!("e")));
    assert!((1..=1001).contains(&error["retry_after"].as_u64().unwrap()), "{error}");
    let error = refused(&mut phone, post("late"));
    assert_eq!(
        (&error["code"], &error["id"], &error["room"]),
        (&json!("rate_limited"), &json!("late"), &json!("lobby"))
    );
    // What is behind waits for it, even when there would be room again; what only reads is free.
    phone.send(json!({"type": "history", "room": "lobby", "before": 99, "ref": 1}));
    phone.hear("history");
    eventually("it is taken", || {
        assert_eq!(refused(&mut phone, post("later"))["code"], "rate_limited");
        phone.send(post("late"));
        phone.everything_until(|frame| frame["id"] == "late").pop().unwrap()["type"] == "message"
    });
    ann.post("lobby", "a", "others are not held");
    ann.hear("message");
}

#[test]
fn the_library_sends_again_what_came_too_soon_and_nothing_is_lost_or_out_of_order() {
    let server = server_with(Server::builder().rate(100, 5));
    let bob = server.handle.client("bob").unwrap();
    bob.join("lobby", Start::Last(0)).unwrap();
    for n in 0..60 {
        bob.send("lobby", &n.to_string()).unwrap();
    }
    assert!(bob.flush(DEADLINE));
    let bodies: Vec<String> = bob.messages().take(60).map(|message| message.body).collect();
    assert_eq!(bodies, (0..60).map(|n| n.to_string()).collect::<Vec<_>>());
    for n in 0..40 {
        bob.edit("lobby", 1, &format!("edit {n}")).unwrap();
    }
    let last = bob.messages().find(|message| message.body == "edit 39");
    assert!(last.is_some());
    let mut ann = server.in_lobby("ann");
    ann.send(json!({"type": "history", "room": "lobby", "before": 2, "ref": 1}));
    assert_eq!(ann.hear("history")["messages"][0]["body"], "edit 39");
    for n in 0..200 {
        server.handle.post("lobby", "Oven", &n.to_string()).unwrap();
    }
}

#[test]
fn plain_text_is_told_to_slow_down() {
    let server = server_with(Server::builder().rate(1, 2));
    let mut bob = server.plain("bob");
    for text in ["one", "two", "three"] {
        bob.say(text);
    }
    let lines: Vec<String> = (0..3).map(|_| bob.text()).collect();
    assert!(lines.iter().any(|line| line.starts_with("! too fast: go on in ")), "{lines:?}");
}

#[test]
fn passwords_are_tried_ten_times_from_an_address_and_as_often_as_one_likes_where_that_is_off() {
    let limited = server();
    let ann = Account::new(&limited, "ann", None);
    let guess = |account: &Account, source: &str, name: &str, password: &str| {
        account.ask_from(source, "POST", "/api/session", json!({"name": name, "password": password})).0
    };
    for _ in 0..12 {
        assert_eq!(guess(&ann, "127.0.0.1", "ann", PASSWORD), 200, "who knows the password is not counted");
    }
    for n in 0..10 {
        assert_eq!(guess(&ann, "127.0.0.1", &format!("nobody{n}"), "wrong horse"), 401);
    }
    assert_eq!(guess(&ann, "127.0.0.1", "ann", PASSWORD), 429);
    assert_eq!(guess(&ann, "127.0.0.2", "ann", PASSWORD), 200);
    let free = server_with(Server::builder().logins(false));
    let eve = Account { server: &free, cookie: String::new() };
    for _ in 0..15 {
        assert_eq!(guess(&eve, "127.0.0.1", "ann", "wrong horse"), 401);
    }
}

#[test]
fn who_is_muted_learns_no_more_of_closed_rooms_than_anybody() {
    let (server, token) = owned(Server::builder());
    let host = Account::new(&server, "host", Some(&token));
    let mut ann = server.in_lobby("ann");
    ann.send(json!({"type": "create", "room": "cellar", "kind": "private"}));
    ann.hear("joined");
    let mut eve = server.in_lobby("eve");
    host.does("mute", "eve", json!({}));
    eve.hear("you");
    for room in ["cellar", "nowhere"] {
        for frame in [
            json!({"type": "post", "room": room, "id": "x", "body": "x"}),
            json!({"type": "change", "room": room, "title": "x"}),
            json!({"type": "invite", "room": room, "name": "ann"}),
            json!({"type": "react", "room": room, "seq": 1, "emoji": "👍", "on": true}),
            json!({"type": "typing", "room": room}),
        ] {
            assert_eq!(refused(&mut eve, frame.clone())["code"], "no_such_room", "{frame}");
        }
    }
    assert_eq!(refused(&mut eve, post("x"))["code"], "muted");
}
