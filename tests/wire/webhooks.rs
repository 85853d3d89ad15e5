//! Webhooks: what is sent, how it is signed, what becomes of it when it is not taken, and where it may not be sent.

use crate::api::{Description, Program, bot, ownable, owned, signed_in};
use crate::common::*;
use parlor::Server;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Something that was sent.
struct Sent {
    head: String,
    body: String,
    socket: TcpStream,
}

impl Sent {
    fn field(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.unwrap_or_else(|| panic!("no {name}: {}", self.head))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Answers with that status and body.
    fn answer(mut self, status: &str, body: &str) -> Value {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        self.socket.write_all(answer.as_bytes()).unwrap();
        serde_json::from_str(&self.body).unwrap()
    }

    fn said(self) -> String {
        self.answer("204 No Content", "")["message"]["body"].as_str().unwrap().to_owned()
    }
}

/// A program that is sent to.
struct Receiving {
    url: String,
    sent: Receiver<Sent>,
}

impl Receiving {
    fn new() -> Receiving {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (tell, sent) = channel();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                receive(socket.unwrap(), &tell);
            }
        });
        Receiving { url, sent }
    }

    #[track_caller]
    fn next(&self) -> Sent {
        self.sent.recv_timeout(DEADLINE).expect("something is sent within the deadline")
    }

    /// Nothing is on its way.
    fn is_quiet(&self) -> bool {
        self.sent.try_recv().is_err()
    }
}

fn receive(socket: TcpStream, tell: &Sender<Sent>) {
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let length = head.to_lowercase().split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let _ = tell.send(Sent { head, body: String::from_utf8(body).unwrap(), socket });
}

/// A server that may send to this machine, soon again where it fails, three times in all.
fn local() -> parlor::Builder {
    Server::builder().webhook_allow("127.0.0.1").webhook_retries(3, Duration::from_millis(20))
}

fn say(client: &mut Client, room: &str, body: &str) -> Value {
    static IDS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let id = format!("say-{}", IDS.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
    client.post(room, &id, body);
    loop {
        let message = client.hear("message");
        if message["id"] == *id {
            return message;
        }
    }
}

fn hook(program: &mut Program, asked: Value) -> (String, Value) {
    let made = program.done("POST", "/api/webhooks", asked);
    (format!("/api/webhooks/{}", made["id"].as_str().unwrap()), made)
}

#[test]
fn who_is_mentioned_is_sent_the_message_signed_and_may_answer() {
    let (server, invite) = ownable(local());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let mut oven = bot(&mut host, "oven");
    let program = Receiving::new();
    let mut ann = server.in_lobby("ann");
    say(&mut ann, "lobby", "@oven before");
    let (place, made) = hook(&mut oven, json!({"url": program.url}));
    assert_eq!((&made["of"], &made["room"]), (&json!("oven"), &Value::Null));
    say(&mut ann, "lobby", "nothing of yours");
    let message = say(&mut ann, "lobby", "@oven, how warm?");

    let sent = program.next();
    assert!(sent.head.starts_with("POST /hook HTTP/1.1"), "{}", sent.head);
    let told = sent.json();
    assert_eq!(told["message"]["body"], "@oven, how warm?");
    for field in ["seq", "rev", "id", "from", "at", "room"] {
        assert_eq!(told["message"][field], message[field], "{field}");
    }
    assert_eq!(
        (&told["event"], &told["room"]["title"], &told["webhook"]),
        (&json!("message"), &json!("Lobby"), &made["id"])
    );
    assert_eq!(told["delivery"], sent.field("X-Parlor-Delivery"));
    let signed = format!("{}.{}", sent.field("X-Parlor-Timestamp"), sent.body);
    assert_eq!(sent.field("X-Parlor-Signature"), signature(made["secret"].as_str().unwrap(), &signed));
    let schema = json!({"$ref": "#/components/schemas/Delivery", "components": description.components()});
    assert!(jsonschema::is_valid(&schema, &told), "{told}");
    sent.answer("200 OK", r#"{"body": "180 degrees"}"#);
    let answer = ann.hear("message");
    assert_eq!((&answer["from"], &answer["body"]), (&json!("oven"), &json!("180 degrees")));
    eventually("it is noted that it was taken", || oven.get("/api/webhooks")[0]["delivered_at"].is_string());

    // What is said by the bot itself is not sent to it, and a longer name is another's.
    oven.done("POST", "/api/rooms/lobby/messages", json!({"body": "I am @oven"}));
    say(&mut server.in_lobby("oven%20mitt"), "lobby", "here");
    say(&mut ann, "lobby", "@oven mitt, catch");
    let edited = say(&mut ann, "lobby", "nobody");
    ann.send(json!({"type": "edit", "room": "lobby", "seq": edited["seq"], "body": "@oven after all"}));
    let told = program.next().answer("204 No Content", "");
    assert_eq!((&told["event"], &told["message"]["body"]), (&json!("change"), &json!("@oven after all")));
    oven.done("DELETE", &place, Value::Null);
    say(&mut ann, "lobby", "@oven again");
    assert!(program.is_quiet());
}

/// As `openssl dgst -sha256 -hmac` makes it.
fn signature(secret: &str, text: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    format!("sha256={}", mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[test]
fn all_of_a_room_is_sent_in_order_and_nothing_is_lost_when_it_is_not_taken() {
    let (server, invite) = ownable(local());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let program = Receiving::new();
    let (_, made) = hook(&mut host, json!({"url": program.url, "room": "lobby"}));
    assert_eq!(made["room"], "lobby");
    let mut ann = server.in_lobby("ann");
    say(&mut ann, "lobby", "1");
    let first = program.next();
    let id = first.field("X-Parlor-Delivery").to_owned();
    // While it is at that, the chat goes on.
    for n in 2..=30 {
        say(&mut ann, "lobby", &n.to_string());
    }
    first.answer("500 Internal Server Error", "");
    let again = program.next();
    assert_eq!(again.field("X-Parlor-Delivery"), id, "the same, sent again");
    assert_eq!(again.said(), "1");
    let said: Vec<String> = (2..=30).map(|_| program.next().said()).collect();
    assert_eq!(said, (2..=30).map(|n| n.to_string()).collect::<Vec<_>>());
    ann.send(json!({"type": "delete", "room": "lobby", "seq": 1}));
    let told = program.next().answer("200 OK", "thanks");
    assert_eq!((&told["event"], &told["message"]["deleted"]), (&json!("change"), &json!(true)));
    assert!(program.is_quiet());
}

#[test]
fn one_that_fails_too_often_is_paused_and_goes_on_where_it_stopped() {
    let (server, invite) = ownable(local());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let (program, other) = (Receiving::new(), Receiving::new());
    let (place, _) = hook(&mut host, json!({"url": program.url, "room": "lobby"}));
    hook(&mut host, json!({"url": other.url, "room": "lobby"}));
    let mut ann = server.in_lobby("ann");
    say(&mut ann, "lobby", "1");
    // A redirect could lead anywhere.
    program.next().answer("302 Found\r\nLocation: http://127.0.0.1:1/", "");
    drop(program.next());
    program.next().answer("503 Service Unavailable", "");
    let shown = |host: &mut Program| host.get("/api/webhooks")[0].clone();
    eventually("it is paused", || shown(&mut host)["paused"] == true);
    let paused = shown(&mut host);
    assert_eq!((&paused["attempts"], &paused["delivered_at"]), (&json!(3), &Value::Null));
    assert!(paused["error"].as_str().unwrap().contains("503"), "{paused}");
    say(&mut ann, "lobby", "2");
    assert_eq!([other.next().said(), other.next().said()], ["1", "2"], "others go on");
    assert!(program.is_quiet());
    assert_eq!(host.done("PATCH", &place, json!({"paused": false}))["error"], Value::Null);
    assert_eq!([program.next().said(), program.next().said()], ["1", "2"]);
}

#[test]
fn what_was_not_sent_when_the_server_stopped_is_sent_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let kept =
        || local().sqlite(folder.path(), parlor::Synchronous::Normal).webhook_retries(9, Duration::from_secs(60));
    let program = Receiving::new();
    {
        let (server, invite) = ownable(kept());
        let description = Description::of(&server);
        let mut host = owned(&server, &invite, &description);
        hook(&mut host, json!({"url": program.url, "room": "lobby"}));
        let mut ann = server.in_lobby("ann");
        say(&mut ann, "lobby", "1");
        assert_eq!(program.next().said(), "1");
        say(&mut ann, "lobby", "2");
        program.next().answer("500 Internal Server Error", "");
        say(&mut ann, "lobby", "3");
        eventually("that is noted", || host.get("/api/webhooks")[0]["attempts"] == 1);
    }
    let server = server_with(kept());
    assert_eq!([program.next().said(), program.next().said()], ["2", "3"]);
    drop(server);
}

#[test]
fn nothing_is_sent_to_this_machine_or_a_private_network_unless_the_operator_allows_it() {
    let (server, invite) = ownable(Server::builder().webhook_retries(1, Duration::from_millis(1)));
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let program = Receiving::new();
    for url in [&program.url, "http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "ftp://example.org", "nothing"] {
        host.refused("POST", "/api/webhooks", json!({"url": url, "room": "lobby"}), 400, "bad_field");
    }
    // A name is looked up when it is sent to, and what it then means is what counts.
    let named = program.url.replace("127.0.0.1", "localhost");
    hook(&mut host, json!({"url": named, "room": "lobby"}));
    say(&mut server.in_lobby("ann"), "lobby", "secret");
    let shown = |host: &mut Program| host.get("/api/webhooks")[0].clone();
    eventually("it is refused", || shown(&mut host)["paused"] == true);
    assert!(shown(&mut host)["error"].as_str().unwrap().contains("--webhook-allow"));
    assert!(program.is_quiet());
}

#[test]
fn a_room_is_sent_by_who_looks_after_it_and_to_nobody_who_is_not_in_it() {
    let (server, invite) = ownable(local());
    let description = Description::of(&server);
    let mut host = owned(&server, &invite, &description);
    let mut ann = signed_in(&server, &description, "ann", None);
    let mut bob = signed_in(&server, &description, "bob", None);
    let _oven = bot(&mut host, "oven");
    let program = Receiving::new();
    let url = program.url.clone();
    ann.done("POST", "/api/rooms", json!({"room": "den", "kind": "private", "members": ["bob"]}));
    bob.refused("POST", "/api/webhooks", json!({"url": url, "room": "den"}), 403, "not_allowed");
    bob.refused("POST", "/api/webhooks", json!({"url": url, "room": "lobby"}), 403, "not_allowed");
    host.refused("POST", "/api/webhooks", json!({"url": url, "room": "den"}), 404, "no_such_room");
    ann.refused("POST", "/api/webhooks", json!({"url": url, "bot": "oven"}), 403, "not_allowed");
    host.refused("POST", "/api/webhooks", json!({"url": url, "bot": "ann"}), 404, "no_such_bot");
    let direct = ann.done("POST", "/api/direct", json!({"people": ["bob"]}));
    ann.refused("POST", "/api/webhooks", json!({"url": url, "room": direct["room"]}), 403, "not_allowed");

    let (own, _) = hook(&mut bob, json!({"url": url}));
    let (of_room, _) = hook(&mut ann, json!({"url": url, "room": "den"}));
    bob.refused("DELETE", &of_room, Value::Null, 404, "no_such_webhook");
    host.refused("DELETE", &own, Value::Null, 404, "no_such_webhook");
    assert_eq!(host.get("/api/webhooks"), json!([]));
    ann.done("DELETE", &of_room, Value::Null);
    ann.done("POST", "/api/rooms/den/messages", json!({"body": "@bob 1"}));
    assert_eq!(program.next().said(), "@bob 1");
    ann.done("DELETE", "/api/rooms/den/members/bob", Value::Null);
    ann.done("POST", "/api/rooms/den/messages", json!({"body": "@bob 2"}));
    ann.done("POST", "/api/rooms/lobby/messages", json!({"body": "@bob 3"}));
    assert_eq!(program.next().said(), "@bob 3", "of the den he hears nothing any more");
}
