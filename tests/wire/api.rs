//! The API for programs: tokens, bots, rooms and messages; and that each answer is what the description says.

use crate::common::*;
use parlor::Server;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;

const PASSWORD: &str = "correct horse";

/// What the server says that it serves, and what of it a test has seen.
pub struct Description {
    pub text: Value,
    seen: RefCell<BTreeSet<String>>,
}

impl Description {
    pub fn of(server: &TestServer) -> Description {
        let answer = server.get("/api");
        assert!(answer.contains("Content-Type: application/vnd.oai.openapi+json"), "{answer}");
        let text = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        Description { text, seen: RefCell::default() }
    }

    /// The shapes of what is said.
    pub fn components(&self) -> &Value {
        &self.text["components"]
    }

    /// The path as it is described.
    fn path(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
        let fits = |known: &&String| {
            let known: Vec<&str> = known.split('/').collect();
            let same = |(known, part): (&&str, &&str)| known.starts_with('{') || known == part;
            known.len() == parts.len() && known.iter().zip(&parts).all(same)
        };
        let mut found: Vec<&String> = self.text["paths"].as_object().unwrap().keys().filter(fits).collect();
        found.sort_by_key(|known| known.matches('{').count());
        found.first().map(|known| known.to_string())
    }

    /// Every answer of these routes is one that is described, to the last field.
    #[track_caller]
    pub fn check(&self, method: &str, path: &str, status: u16, kind: &str, body: &Value) {
        let Some(path) = self.path(path) else { return };
        let operation = &self.text["paths"][&path][method.to_lowercase()];
        if operation.is_null() || method == "HEAD" {
            return;
        }
        let mut described = &operation["responses"][status.to_string()];
        if let Some(reference) = described["$ref"].as_str() {
            described = self.text.pointer(reference.trim_start_matches('#')).unwrap();
        }
        assert!(!described.is_null(), "{method} {path} does not say {status}: {body}");
        if status < 300 {
            self.seen.borrow_mut().insert(format!("{method} {path}"));
        }
        let Some(content) = described["content"].as_object() else {
            assert!(body.is_null(), "{method} {path} {status} has no body: {body}");
            return;
        };
        let schema =
            content.get(kind).unwrap_or_else(|| panic!("{method} {path} {status} is no {kind}"))["schema"].clone();
        if !kind.starts_with("application/json") {
            return;
        }
        let schema = json!({"allOf": [schema], "unevaluatedProperties": false, "components": self.text["components"]});
        let wrong: Vec<String> =
            jsonschema::validator_for(&schema).unwrap().iter_errors(body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:?}: {body}");
    }

    /// The operations that nothing has succeeded in.
    fn unseen(&self) -> Vec<String> {
        let all = self.operations().into_iter().map(|(method, path)| format!("{method} {path}"));
        all.filter(|one| !self.seen.borrow().contains(one)).collect()
    }

    /// All methods and paths.
    pub fn operations(&self) -> Vec<(String, String)> {
        let paths = self.text["paths"].as_object().unwrap();
        let each = paths.iter().flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        });
        each.collect()
    }
}

/// A program: it has a token, or a browser's cookie, or nothing.
pub struct Program<'a> {
    server: &'a TestServer,
    description: &'a Description,
    /// Header fields that go with each request.
    pub fields: String,
    pub head: String,
}

impl<'a> Program<'a> {
    pub fn new(server: &'a TestServer, description: &'a Description, fields: &str) -> Program<'a> {
        Program { server, description, fields: fields.into(), head: String::new() }
    }

    #[track_caller]
    pub fn send(&mut self, method: &str, path: &str, kind: &str, more: &str, body: &[u8]) -> (u16, Value) {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{kind}Content-Length: {}\r\n{}{more}\r\n",
            self.server.address,
            body.len(),
            self.fields
        )
        .into_bytes();
        request.extend_from_slice(body);
        let answer = self.server.raw(&request);
        let (head, said) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        self.head = head.to_owned();
        let said: Value = serde_json::from_str(said).unwrap_or(if said.is_empty() { Value::Null } else { said.into() });
        let kind = self.field("Content-Type").unwrap_or_default();
        self.description.check(method, path, status(&answer), &kind, &said);
        (status(&answer), said)
    }

    pub fn field(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    }

    #[track_caller]
    pub fn ask(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        if body.is_null() {
            return self.send(method, path, "", "", b"");
        }
        self.send(method, path, "application/json", "", body.to_string().as_bytes())
    }

    /// What is asked for is done.
    #[track_caller]
    pub fn done(&mut self, method: &str, path: &str, body: Value) -> Value {
        let (status, said) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {said}");
        said
    }

    #[track_caller]
    pub fn get(&mut self, path: &str) -> Value {
        self.done("GET", path, Value::Null)
    }

    #[track_caller]
    pub fn refused(&mut self, method: &str, path: &str, body: Value, status: u16, code: &str) -> String {
        let (found, said) = self.ask(method, path, body);
        assert_eq!((found, &said["error"]["code"]), (status, &json!(code)), "{method} {path}: {said}");
        said["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// A server with an owner, whose browser it gives.
pub fn owned<'a>(server: &'a TestServer, token: &str, description: &'a Description) -> Program<'a> {
    signed_in(server, description, "host", Some(token))
}

/// Somebody who makes an account.
pub fn signed_in<'a>(
    server: &'a TestServer,
    description: &'a Description,
    name: &str,
    invite: Option<&str>,
) -> Program<'a> {
    let mut browser = Program::new(server, description, "");
    let mut asked = json!({"name": name, "password": PASSWORD});
    if let Some(invite) = invite {
        asked["invite"] = invite.into();
    }
    browser.done("POST", "/api/register", asked);
    let cookie = browser.field("Set-Cookie").unwrap();
    browser.fields = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    browser
}

/// A server, and the token that makes its owner.
pub fn ownable(builder: parlor::Builder) -> (TestServer, String) {
    let bound = builder.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let token = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    (TestServer { address: handle.address(), handle }, token)
}

fn bearer(token: &Value) -> String {
    format!("Authorization: Bearer {}\r\n", token.as_str().unwrap())
}

/// A bot of that name, with its token.
pub fn bot<'a>(owner: &mut Program<'a>, name: &str) -> Program<'a> {
    owner.done("POST", "/api/bots", json!({"name": name}));
    let made = owner.done("POST", &format!("/api/bots/{name}/tokens"), json!({"label": "test"}));
    Program::new(owner.server, owner.description, &bearer(&made["token"]))
}

/// Connects with a token, or gives the status with which that was refused.
fn connect(server: &TestServer, fields: &str) -> Result<Client, u16> {
    let more = format!("{fields}Sec-WebSocket-Protocol: parlor.v1\r\n");
    Client::upgraded(raw(server.address), "/ws", &more)
}

#[test]
fn everything_that_is_described_can_be_done_and_answers_as_it_is_described() {
    let (server, invite) = ownable(Server::builder().open_metrics(true).webhook_allow("192.0.2.0/24"));
    let description = Description::of(&server);
    let mut stranger = Program::new(&server, &description, "");
    for path in ["/api", "/healthz", "/metrics", "/api/door", "/api/session"] {
        stranger.get(path);
    }
    let mut host = owned(&server, &invite, &description);
    let mut ann = signed_in(&server, &description, "ann", None);
    let mut guest = Program::new(&server, &description, "");
    guest.done("POST", "/api/session", json!({"name": "gus"}));
    guest.fields = format!("Cookie: {}\r\n", guest.field("Set-Cookie").unwrap().split(';').next().unwrap());
    let mut other = Program::new(&server, &description, "");
    other.done("POST", "/api/session", json!({"name": "ann", "password": PASSWORD}));
    other.fields = format!("Cookie: {}\r\n", other.field("Set-Cookie").unwrap().split(';').next().unwrap());

    for path in ["/api/me", "/api/session", "/api/me/sessions", "/api/people", "/api/bots", "/api/invitations"] {
        host.get(path);
    }
    let session =
        ann.get("/api/me/sessions").as_array().unwrap().iter().find(|one| one["current"] == false).unwrap()["id"]
            .clone();
    ann.done("DELETE", &format!("/api/me/sessions/{}", session.as_str().unwrap()), Value::Null);
    ann.done("DELETE", "/api/me/sessions", Value::Null);
    ann.done("POST", "/api/me/password", json!({"old": PASSWORD, "new": "another horse"}));
    ann.done("PATCH", "/api/me", json!({"name": "Ann"}));
    ann.send("PUT", "/api/me/avatar", "image/png", "", b"\x89PNG\r\n\x1a\n...");
    assert_eq!(ann.send("GET", "/api/people/ann/avatar", "", "", b"").0, 200);
    ann.done("DELETE", "/api/me/avatar", Value::Null);
    host.done("PATCH", "/api/people/ann", json!({"role": "moderator"}));
    let invited = host.done("POST", "/api/invitations", json!({}));
    host.done("DELETE", &format!("/api/invitations/{}", invited["id"].as_str().unwrap()), Value::Null);

    let made = ann.done("POST", "/api/me/tokens", json!({"label": "laptop"}));
    assert_eq!(ann.get("/api/me/tokens")[0]["used_at"], Value::Null);
    let mut oven = bot(&mut host, "oven");
    let listed = host.get("/api/bots/oven/tokens");
    let mut program = Program::new(&server, &description, &bearer(&made["token"]));

    program.done("POST", "/api/rooms", json!({"room": "den", "kind": "private", "members": ["oven"], "topic": "t"}));
    assert_eq!(program.field("Location").as_deref(), Some("/api/rooms/den"));
    program.done("PATCH", "/api/rooms/den", json!({"title": "The den"}));
    program.done("PUT", "/api/rooms/den/members/host", Value::Null);
    assert_eq!(program.get("/api/rooms/den/members"), json!({"people": ["Ann", "host", "oven"]}));
    assert_eq!(program.get("/api/rooms/den/members/OVEN"), json!({"name": "oven"}));
    let said = program.done("POST", "/api/rooms/den/messages", json!({"body": "hello"}));
    assert_eq!((&said["seq"], &said["from"], &said["room"]), (&json!(1), &json!("Ann"), &json!("den")));
    let reply = oven.done("POST", "/api/rooms/den/messages", json!({"body": "hi", "reply_to": 1}));
    assert_eq!(reply["reply_to"], 1);
    program.done("PATCH", "/api/rooms/den/messages/1", json!({"body": "hello, all"}));
    let emoji = "/api/rooms/den/messages/1/reactions/%F0%9F%8E%89";
    let shown = oven.done("PUT", emoji, Value::Null);
    assert_eq!(shown["reactions"], json!([{"emoji": "🎉", "people": ["oven"]}]));
    assert_eq!(oven.done("DELETE", emoji, Value::Null)["reactions"], Value::Null);
    assert_eq!(program.get("/api/rooms/den/messages/1")["body"], "hello, all");
    program.done("POST", "/api/rooms/den/read", json!({"rev": 2}));
    program.done("DELETE", "/api/rooms/den/messages/1", Value::Null);
    assert_eq!(program.get("/api/rooms/den/messages")["messages"].as_array().unwrap().len(), 2);
    let rooms = oven.get("/api/rooms");
    assert_eq!((rooms["rooms"].as_array().unwrap().len(), &rooms["more"]), (2, &json!(false)));
    assert_eq!(oven.get("/api/rooms/den")["title"], "The den");
    program.done("DELETE", "/api/rooms/den/members/oven", Value::Null);
    let direct = oven.ask("POST", "/api/direct", json!({"people": ["ann"]}));
    assert_eq!((direct.0, &direct.1["title"]), (201, &json!("Ann")));
    assert_eq!(oven.ask("POST", "/api/direct", json!({"people": ["ann"]})).0, 200);

    program.done("POST", "/api/rooms/lobby/messages", json!({"body": "what has been said of cakes"}));
    let found = oven.get("/api/search?q=cake*");
    assert_eq!((&found["hits"][0]["room"], &found["more"]), (&json!("lobby"), &json!(false)));
    let muted = host.done("POST", "/api/people/gus/mute", json!({"seconds": 60, "reason": "loud"}));
    assert_eq!(host.get("/api/sanctions"), json!([muted]));
    assert_eq!(guest.ask("POST", "/api/rooms/lobby/messages", json!({"body": "x"})).1["error"]["code"], "muted");
    host.done("DELETE", "/api/people/gus/mute", Value::Null);
    guest.done("POST", "/api/rooms/lobby/messages", json!({"body": "y"}));
    assert_eq!(host.done("POST", "/api/people/gus/kick", json!({})), json!({"connections": 0}));
    assert_eq!(host.done("POST", "/api/people/gus/purge", json!({})), json!({"deleted": 1, "more": false}));
    host.done("POST", "/api/people/gus/ban", json!({"reason": "louder", "addresses": true}));
    host.done("DELETE", "/api/people/gus/ban", Value::Null);
    assert_eq!(host.get("/api/audit?limit=2")["deeds"][0]["act"], "unban");

    let hook = host.done("POST", "/api/webhooks", json!({"url": "http://192.0.2.1/", "bot": "oven"}));
    let place = format!("/api/webhooks/{}", hook["id"].as_str().unwrap());
    assert_eq!(oven.get("/api/webhooks")[0]["of"], "oven");
    assert_eq!(host.done("PATCH", &place, json!({"paused": true}))["paused"], true);
    host.done("DELETE", &place, Value::Null);

    host.done("DELETE", &format!("/api/bots/oven/tokens/{}", listed[0]["id"].as_str().unwrap()), Value::Null);
    ann.done("DELETE", &format!("/api/me/tokens/{}", made["id"].as_str().unwrap()), Value::Null);
    host.done("DELETE", "/api/session", Value::Null);
    assert_eq!(description.unseen(), Vec::<String>::new());
}

/// In a path, what stands for what.
pub fn filled(path: &str) -> String {
    let parts = [("{room}", "den"), ("{seq}", "1"), ("{emoji}", "%F0%9F%8E%89"), ("{name}", "oven"), ("{id}", "0")];
    parts.iter().fold(path.to_owned(), |path, (part, value)| path.replace(part, value))
}

#[test]
fn every_route_refuses_what_it_does_not_understand_in_the_same_form() {
    let (server, invite) = ownable(Server::builder().open_metrics(true));
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    host.done("POST", "/api/bots", json!({"name": "oven"}));
    host.done("POST", "/api/rooms", json!({"room": "den", "kind": "private"}));
    host.done("POST", "/api/rooms/den/messages", json!({"body": "hello"}));
    let mut stranger = Program::new(&server, &description, "");
    let mut unknown = Program::new(&server, &description, "Authorization: Bearer parlor_nothing\r\n");
    let operations = description.operations();
    assert!(operations.len() > 45, "{}", operations.len());
    let mut bodies = 0;
    for (method, path) in &operations {
        let of_path: BTreeSet<&str> = operations.iter().filter(|(_, p)| p == path).map(|(m, _)| m.as_str()).collect();
        let (operation, place) = (&description.text["paths"][path][method.to_lowercase()], filled(path));
        for wrong in ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|one| !of_path.contains(one)) {
            host.refused(wrong, &place, json!({}), 405, "method_not_allowed");
            let allowed = host.field("Allow").unwrap_or_else(|| panic!("{wrong} {path}: no Allow"));
            let allowed: BTreeSet<&str> = allowed.split(", ").filter(|one| *one != "HEAD").collect();
            assert_eq!(allowed, of_path, "{wrong} {path}");
        }
        let (status, code) = if path.starts_with("/api") { (404, "not_found") } else { (405, "method_not_allowed") };
        host.refused("POST", &format!("{place}/and/more/than/there/is"), json!({}), status, code);
        if operation["security"].is_null() && path != "/api/session" {
            let body = if operation["requestBody"].is_null() { Value::Null } else { json!({}) };
            stranger.refused(method, &place, body.clone(), 401, "unknown_credentials");
            unknown.refused(method, &place, body, 401, "unknown_credentials");
            assert_eq!(unknown.field("WWW-Authenticate").as_deref(), Some("Bearer"));
        }
        if operation["requestBody"]["content"]["application/json"].is_null() {
            continue;
        }
        bodies += 1;
        let mut refused = |kind: &str, more: &str, body: &[u8]| {
            let (status, said) = host.send(method, &place, kind, more, body);
            assert!(said["error"]["message"].is_string(), "{method} {path}: {said}");
            (status, said["error"]["code"].as_str().unwrap().to_owned())
        };
        assert_eq!(
            refused("application/x-www-form-urlencoded", "", b"a=b"),
            (415, "bad_content_type".into()),
            "{path}"
        );
        assert_eq!(refused("", "", b"{}"), (415, "bad_content_type".into()), "{path}");
        for nonsense in [&b"{"[..], b"[1]", b"7", b""] {
            assert_eq!(refused("application/json", "", nonsense), (400, "bad_json".into()), "{path}");
        }
        let (status, code) = refused("application/json", "", b"{\"a\": \"\xff\"}");
        assert!(status == 400 && (code == "bad_json" || code == "bad_encoding"), "{path}: {code}");
        assert_eq!(refused("application/json", "", &[b' '; 64 * 1024 + 1]), (413, "too_large".into()), "{path}");
        let (status, _) = refused("application/json", "Origin: https://elsewhere.example\r\n", b"{}");
        assert_eq!(status, 403, "{method} {path}");
    }
    assert!(bodies > 15, "{bodies}");
    for path in ["/api/", "/api/nothing", "/api/rooms/", "/api/rooms/den/nothing", "/api/me/tokens/a/b"] {
        host.refused("GET", path, Value::Null, 404, "not_found");
    }
}

#[test]
fn a_token_is_who_comes_with_it_until_it_is_revoked() {
    let (server, invite) = ownable(Server::builder());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let mut oven = bot(&mut host, "Oven");
    assert_eq!(oven.get("/api/me"), json!({"name": "Oven", "role": "member", "avatar": false}));
    let people = host.get("/api/people");
    let bots: Vec<&Value> = people.as_array().unwrap().iter().filter(|one| one["bot"] == true).collect();
    assert_eq!((people.as_array().unwrap().len(), bots.len(), &bots[0]["name"]), (2, 1, &json!("Oven")));

    let mut client = connect(&server, &oven.fields).unwrap();
    assert_eq!(client.welcome["you"], json!({"name": "Oven", "role": "member"}));
    assert!(connect(&server, &oven.fields).is_ok(), "as often as it likes");
    assert_eq!(connect(&server, "Authorization: Bearer x\r\n").err(), Some(401));
    let both = format!("{}{}", oven.fields, host.fields);
    assert_eq!(connect(&server, &both).unwrap().welcome["you"]["name"], "Oven", "before the cookie");
    assert_eq!(Program::new(&server, &description, &both).get("/api/session")["name"], "Oven");

    // It makes nothing that would outlive it.
    oven.refused("POST", "/api/me/tokens", json!({"label": "mine"}), 403, "not_allowed");
    oven.refused("POST", "/api/bots", json!({"name": "other"}), 403, "not_allowed");
    let mut of_host = host.done("POST", "/api/me/tokens", json!({"label": "script"}));
    let mut script = Program::new(&server, &description, &bearer(&of_host["token"].take()));
    script.refused("POST", "/api/bots", json!({"name": "other"}), 403, "not_allowed");

    let tokens = host.get("/api/bots/oven/tokens");
    assert_eq!(tokens[0]["label"], "test");
    assert!(tokens[0]["used_at"].is_string() && tokens[0]["token"].is_null());
    let place = format!("/api/bots/oven/tokens/{}", tokens[0]["id"].as_str().unwrap());
    let mut ann = signed_in(&server, &description, "ann", None);
    ann.refused("DELETE", &place, Value::Null, 403, "not_allowed");
    host.done("DELETE", &place, Value::Null);
    assert_eq!(client.close_code(), Some(4001));
    assert_eq!(connect(&server, &oven.fields).err(), Some(401));
    oven.refused("GET", "/api/me", Value::Null, 401, "unknown_credentials");
    host.refused("DELETE", &place, Value::Null, 404, "no_such_token");
    host.refused("POST", "/api/bots", json!({"name": "OVEN"}), 409, "name_taken");
    let mut door = Program::new(&server, &description, "");
    door.refused("POST", "/api/session", json!({"name": "Oven", "password": "!"}), 401, "unknown_credentials");
    host.refused("PATCH", "/api/people/oven", json!({"role": "owner"}), 400, "bad_field");
}

#[test]
fn a_message_is_posted_once_however_often_it_is_sent() {
    let (server, invite) = ownable(Server::builder());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let mut oven = bot(&mut host, "oven");
    let mut ann = server.in_lobby("ann");
    let place = "/api/rooms/lobby/messages";
    let key = "Idempotency-Key: bake-1\r\n";
    let first = oven.send("POST", place, "application/json", key, br#"{"body": "180 degrees"}"#);
    assert_eq!((first.0, oven.field("Location").as_deref()), (201, Some("/api/rooms/lobby/messages/1")));
    let again = oven.send("POST", place, "text/plain", key, b"whatever");
    assert_eq!((again.0, &again.1), (200, &first.1));
    let plain = oven.send("POST", place, "text/plain; charset=utf-8", "", "grün\nund rot\n".as_bytes());
    assert_eq!((plain.0, &plain.1["body"]), (201, &json!("grün\nund rot")));
    let heard: Vec<Value> = (0..2).map(|_| ann.expect("message")).collect();
    assert_eq!((&heard[0]["id"], &heard[0]["from"], &heard[1]["seq"]), (&json!("bake-1"), &json!("oven"), &json!(2)));

    host.done("POST", "/api/rooms", json!({"room": "den"}));
    let elsewhere = oven.send("POST", "/api/rooms/den/messages", "text/plain", key, b"x");
    assert_eq!((elsewhere.0, &elsewhere.1["error"]["code"]), (409, &json!("key_used")));
    for (kind, more, body, status, code) in [
        ("text/plain", "", &b" \n"[..], 400, "bad_field"),
        ("text/plain", "", b"\xff", 400, "bad_encoding"),
        ("text/plain", "Content-Encoding: gzip\r\n", b"x", 415, "bad_content_encoding"),
        ("text/plain", "", &[b'x'; 8193], 413, "too_long"),
        (
            "text/plain",
            "Idempotency-Key: 12345678901234567890123456789012345678901234567890123456789012345\r\n",
            b"x",
            400,
            "bad_field",
        ),
        ("application/json", "", br#"{"body": 7}"#, 400, "bad_field"),
        ("application/json", "", br#"{"body": "x", "reply_to": 99}"#, 400, "bad_field"),
    ] {
        let (found, said) = oven.send("POST", place, kind, more, body);
        assert_eq!((found, &said["error"]["code"]), (status, &json!(code)), "{said}");
    }
    oven.refused("PATCH", "/api/rooms/lobby/messages/99", json!({"body": "x"}), 404, "no_such_message");
    oven.refused("GET", "/api/rooms/lobby/messages/x", Value::Null, 404, "no_such_message");
    ann.post("lobby", "1", "mine");
    ann.hear("message");
    oven.refused("DELETE", "/api/rooms/lobby/messages/3", Value::Null, 403, "not_allowed");
    host.done("DELETE", "/api/rooms/lobby/messages/3", Value::Null);
    oven.refused("PUT", "/api/rooms/lobby/messages/1/reactions/ab", Value::Null, 400, "bad_field");
}

#[test]
fn history_comes_from_either_end_and_by_what_changed() {
    let server = server();
    let description = Description::of(&server);
    let mut ann = signed_in(&server, &description, "ann", None);
    for n in 1..=5 {
        ann.done("POST", "/api/rooms/lobby/messages", json!({"body": n.to_string()}));
    }
    ann.done("PATCH", "/api/rooms/lobby/messages/2", json!({"body": "two"}));
    let mut read = |query: &str| {
        let page = ann.get(&format!("/api/rooms/lobby/messages{query}"));
        let bodies = page["messages"].as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap().to_owned());
        (bodies.collect::<Vec<_>>().join(" "), page["more"].as_bool().unwrap())
    };
    for (query, bodies, more) in [
        ("", "1 two 3 4 5", false),
        ("?last=2", "4 5", true),
        ("?limit=1", "5", true),
        ("?before=4&limit=2", "two 3", true),
        ("?before=3", "1 two", false),
        ("?since=0", "1 3 4 5 two", false),
        ("?since=3&limit=2", "4 5", true),
        ("?since=6", "", false),
    ] {
        assert_eq!(read(query), (bodies.to_owned(), more), "{query}");
    }
    for query in ["?before=x", "?since=-1", "?since=1&before=2", "?last=1&last=2", "?after=1"] {
        ann.refused("GET", &format!("/api/rooms/lobby/messages{query}"), Value::Null, 400, "bad_field");
    }
}

#[test]
fn for_a_stranger_a_closed_room_is_not_there() {
    let server = server();
    let description = Description::of(&server);
    let mut ann = signed_in(&server, &description, "ann", None);
    let mut eve = signed_in(&server, &description, "eve", None);
    ann.done("POST", "/api/rooms", json!({"room": "cellar", "kind": "private", "title": "Wine & Co"}));
    ann.done("POST", "/api/rooms/cellar/messages", json!({"body": "a barrel of 1961"}));
    let mut asked = 0;
    for (method, path) in description.operations().iter().filter(|(_, path)| path.starts_with("/api/rooms/{room}")) {
        let body = if ["POST", "PATCH"].contains(&method.as_str()) {
            json!({"body": "x", "title": "x", "rev": 1})
        } else {
            Value::Null
        };
        let mut say = |room: &str| {
            let place = filled(&path.replace("{room}", room)).replace("oven", "ann");
            eve.refused(method, &place, body.clone(), 404, "no_such_room").replace(room, "ROOM")
        };
        assert_eq!(say("cellar"), say("attic"), "{method} {path}");
        asked += 1;
    }
    assert!(asked >= 14, "{asked}");
    let rooms = eve.get("/api/rooms").to_string();
    assert!(!rooms.contains("cellar") && !rooms.contains("Wine"), "{rooms}");
    eve.refused("GET", "/api/rooms/A%20B", Value::Null, 404, "no_such_room");
}

#[test]
fn what_is_read_over_http_is_read_on_all_devices() {
    let server = server();
    let description = Description::of(&server);
    let mut ann = signed_in(&server, &description, "ann", None);
    let mut bob = signed_in(&server, &description, "bob", None);
    let mut client = connect(&server, &bob.fields).unwrap();
    bob.done("POST", "/api/rooms/lobby/read", json!({"rev": 0}));
    assert_eq!(client.expect("read"), json!({"type": "read", "room": "lobby", "rev": 0}));
    ann.done("POST", "/api/rooms/lobby/messages", json!({"body": "@bob?"}));
    let lobby = |bob: &mut Program| bob.get("/api/rooms")["rooms"][0].clone();
    assert_eq!((&lobby(&mut bob)["unread"], &lobby(&mut bob)["mentions"]), (&json!(1), &json!(1)));
    bob.done("POST", "/api/rooms/lobby/read", json!({"rev": 1}));
    assert_eq!(lobby(&mut bob)["unread"], 0);
}

/// A guest's cookie is good for the API, as long as nobody else has the name.
#[test]
fn a_guest_may_ask_as_long_as_the_name_is_his() {
    let server = server();
    let description = Description::of(&server);
    let mut gus = Program::new(&server, &description, "");
    gus.done("POST", "/api/session", json!({"name": "gus"}));
    gus.fields = format!("Cookie: {}\r\n", gus.field("Set-Cookie").unwrap().split(';').next().unwrap());
    gus.done("POST", "/api/rooms/lobby/messages", json!({"body": "hello"}));
    gus.refused("GET", "/api/me/tokens", Value::Null, 403, "not_allowed");
    let other = server.json("Gus");
    gus.refused("POST", "/api/rooms/lobby/messages", json!({"body": "hello"}), 409, "name_taken");
    drop(other);
}
