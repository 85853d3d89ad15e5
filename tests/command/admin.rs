//! What is looked after from the shell: users, rooms, exports and imports, with a server on the folder and without.

use super::accounts::{ask, cookie};
use super::connect::terminal::Terminal;
use super::{parlor, run};
use crate::common::program::Program;
use crate::common::*;
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

/// A data folder, and perhaps a server on it.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub program: Option<Program>,
    pub address: SocketAddr,
}

impl Place {
    pub fn without_server() -> Place {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Place { folder: tempfile::tempdir().unwrap(), program: None, address }
    }

    pub fn with_server() -> Place {
        let mut place = Place::without_server();
        place.start();
        place
    }

    pub fn data(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub fn start(&mut self) {
        let mut command = parlor(&["--listen", "127.0.0.1:0", "--data", self.data(), "--log", "off", "--rate", "off"]);
        let mut program = Program::start(&mut command);
        self.address = program.after("open  http://").parse().unwrap();
        program.after("stop  ");
        self.program = Some(program);
    }

    pub fn stop(&mut self) {
        let mut program = self.program.take().unwrap();
        program.signal("TERM");
        assert_eq!(program.end().code(), Some(0));
    }

    /// Gives a command on this folder, with something to read, and gives what came of it.
    pub fn give(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let mut command = parlor(args);
        command.args(["--data", self.data()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may refuse before it has read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The same for one that must go well.
    #[track_caller]
    pub fn done(&self, args: &[&str]) -> String {
        let (code, out, err) = self.give(args, "correct horse\n");
        assert_eq!(code, 0, "{args:?}: {err}");
        out
    }

    /// The same for one that is refused with these words.
    #[track_caller]
    pub fn refused(&self, args: &[&str], word: &str) -> String {
        let (code, out, err) = self.give(args, "correct horse\n");
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}: {err}");
        assert!(err.lines().last().unwrap().starts_with("parlor: ") && err.contains(word), "{args:?}: {err}");
        err
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[args, &["--json"]].concat())).unwrap()
    }

    pub fn signed_in(&self, name: &str, password: &str) -> String {
        let asked = json!({"name": name, "password": password});
        let answer = ask(self.address, "POST", "/api/session", "", &asked);
        assert_eq!(status(&answer), 200, "{answer}");
        cookie(&answer)
    }

    /// Connects with a cookie, or gives the status with which that was refused.
    pub fn connected(&self, cookie: &str) -> Result<Client, u16> {
        self.connected_with("cookie", cookie)
    }

    /// The same with another field of the head.
    pub fn connected_with(&self, field: &'static str, value: &str) -> Result<Client, u16> {
        use tungstenite::client::IntoClientRequest;
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "parlor.v1".parse().unwrap());
        request.headers_mut().insert(field, value.parse().unwrap());
        match tungstenite::client(request, raw(self.address)) {
            Ok((socket, _)) => {
                let mut client = Client { socket, welcome: Value::Null };
                client.welcome = client.next();
                Ok(client)
            }
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(refused))) => {
                Err(refused.status().as_u16())
            }
            Err(e) => panic!("{e}"),
        }
    }

    pub fn in_room(&self, name: &str, room: &str) -> Client {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let mut client = Client::json(self.address, &encoded);
        client.send(json!({"type": "join", "room": room}));
        client.hear("joined");
        client
    }
}

/// Two servers must not number the same messages.
#[test]
fn a_folder_is_one_servers_and_free_again_when_it_is_gone_however() {
    let mut place = Place::with_server();
    let (code, _, err) = run(&["--listen", "127.0.0.1:0", "--data", place.data()]);
    let process = place.program.as_ref().unwrap().child.id();
    assert!(code == 1 && err.contains(&format!("already (process {process})")) && err.contains("--data"), "{err}");
    let socket = place.folder.path().join("parlor.sock");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    place.program.as_mut().unwrap().child.kill().unwrap();
    place.program.as_mut().unwrap().child.wait().unwrap();
    assert!(socket.exists(), "what a killed server leaves behind");
    assert!(!place.done(&["user", "add", "ann"]).contains("server"));
    place.start();
    assert!(place.done(&["user", "add", "bob"]).contains("; the server that runs knows it"));
    place.stop();
    assert!(!socket.exists());
}

#[test]
fn accounts_are_made_listed_changed_and_closed() {
    for place in [Place::without_server(), Place::with_server()] {
        for (name, role) in [("ann", "owner"), ("👩‍🚀 Zoë", "member"), ("日本", "moderator")] {
            place.done(&["user", "add", name, "--role", role]);
        }
        let list = place.json(&["user", "list"]);
        assert_eq!(list[1], json!({"name": "👩‍🚀 Zoë", "role": "member", "sessions": 0, "seen_at": null}));
        assert_eq!(list.as_array().unwrap().len(), 3);
        let shown = place.done(&["user", "list"]);
        assert!(shown.starts_with("NAME ") && shown.contains("\nann     owner "), "{shown}");
        place.refused(&["user", "add", "ANN"], "has an account already");
        place.refused(&["user", "add", "a:b"], "no colon");
        place.refused(&["user", "role", "bob", "owner"], "nobody called bob has an account");
        place.refused(&["user", "passwd", "bob"], "nobody called bob has an account");
        place.refused(&["user", "role", "ann", "member"], "make another owner first");
        place.refused(&["user", "remove", "ann"], "make another owner first");
        place.done(&["user", "role", "日本", "owner"]);
        place.done(&["user", "remove", "Ann"]);
        place.refused(&["user", "remove", "ann"], "nobody called ann");
        let (code, _, err) = place.give(&["user", "add", "eve"], "short\n");
        assert!(code == 1 && err.contains("8 characters at least"), "{err}");
        let (code, _, err) = place.give(&["user", "add", "eve"], "");
        assert!(code == 1 && err.contains("standard input, and there is none"), "{err}");
        let (code, _, err) = place.give(&["user", "role", "ann", "guest"], "");
        assert!(code == 2 && err.contains("member, moderator or owner"), "{err}");
        assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 2);
    }
}

#[test]
fn where_there_is_nothing_to_look_after_it_is_said() {
    let place = Place::without_server();
    for args in [&["user", "list"][..], &["room", "list"], &["export", "lobby"], &["backup", "b.db"]] {
        place.refused(args, "there is no database in");
    }
    assert!(!place.folder.path().join("parlor.db").exists());
    let (code, _, err) = place.give(&["user", "add", "ann"], "correct horse");
    assert!(code == 0 && err.contains("it is made"), "{err}");
    let (code, _, err) = run(&["--data", place.data(), "user", "list"]);
    assert!(code == 2 && err.contains("the command stands first"), "{err}");
    // The environment names the folder as it does for the server.
    let output = parlor(&["user", "list"]).env("PARLOR_DATA", place.data()).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("\nann "));
}

#[test]
fn a_running_server_knows_of_roles_passwords_and_accounts_at_once() {
    let place = Place::with_server();
    let mut bob = Client::json(place.address, "bob");
    let mut bystander = Client::json(place.address, "eve");
    place.done(&["user", "add", "ann"]);
    place.done(&["user", "add", "Bob"]);
    assert_eq!(bob.close_code(), Some(4001), "the name of an account is no guest's");
    let session = place.signed_in("ann", "correct horse");
    let mut ann = place.connected(&session).unwrap();
    assert_eq!(ann.welcome["you"], json!({"name": "ann", "role": "member"}));

    place.done(&["user", "role", "ann", "moderator"]);
    assert_eq!(ann.close_code(), Some(4002));
    let mut ann = place.connected(&session).unwrap();
    assert_eq!(ann.welcome["you"]["role"], "moderator");
    place.done(&["user", "role", "bob", "owner"]);
    assert!(ann.so_far().is_empty(), "what is another's is no news");

    let (code, out, err) = place.give(&["user", "passwd", "ann"], "another horse\r\n");
    assert!(code == 0 && out.starts_with("ann has another password now; 1 session ended"), "{out}{err}");
    assert_eq!(ann.close_code(), Some(4001));
    assert_eq!(place.connected(&session).err(), Some(401));
    let session = place.signed_in("ann", "another horse");
    let mut ann = place.connected(&session).unwrap();
    assert_eq!(place.json(&["user", "list"])[0]["sessions"], 1);

    place.done(&["user", "remove", "ann"]);
    assert_eq!(ann.close_code(), Some(4001));
    assert_eq!(place.connected(&session).err(), Some(401));
    assert!(bystander.so_far().is_empty());
}

#[test]
fn a_running_server_shows_rooms_to_those_who_may_see_them() {
    let place = Place::with_server();
    let (mut ann, mut eve) = (Client::json(place.address, "ann"), Client::json(place.address, "eve"));
    place.done(&["room", "add", "garden", "--title", "The garden", "--topic", "what grows"]);
    for client in [&mut ann, &mut eve] {
        let room = client.expect("room");
        assert_eq!((&room["room"], &room["topic"]), (&json!("garden"), &json!("what grows")));
    }
    place.done(&["room", "add", "den", "--private", "--member", "ann"]);
    assert_eq!(ann.expect("room")["kind"], "private");
    assert!(eve.so_far().is_empty());
    ann.send(json!({"type": "join", "room": "den"}));
    ann.expect("joined");
    place.done(&["room", "invite", "den", "eve", "zoe"]);
    assert_eq!(eve.expect("room")["room"], "den");
    assert_eq!(place.json(&["room", "members", "den"]), json!(["ann", "eve", "zoe"]));
    place.done(&["room", "remove", "den", "ANN"]);
    let heard = ann.everything_until(|frame| frame["gone"] == true);
    assert_eq!(heard.last().unwrap()["room"], "den");
    ann.post("den", "1", "still here?");
    assert_eq!(ann.hear_error()["code"], "no_such_room");

    place.done(&["room", "change", "garden", "--title", "Allotment"]);
    assert_eq!(ann.hear("room")["title"], "Allotment");
    place.done(&["room", "archive", "garden"]);
    assert_eq!(ann.hear("room")["archived"], true);
    ann.send(json!({"type": "join", "room": "garden"}));
    ann.hear("joined");
    ann.post("garden", "2", "more?");
    assert_eq!(ann.hear_error()["code"], "not_allowed");
    place.done(&["room", "reopen", "garden"]);
    ann.hear("room");
    ann.post("garden", "3", "more");
    assert_eq!(ann.hear("message")["seq"], 1);

    place.refused(&["room", "add", "garden"], "there is a room \"garden\" already");
    place.refused(&["room", "archive", "lobby"], "stays open");
    place.refused(&["room", "invite", "garden", "ann"], "a public room has no members");
    place.refused(&["room", "remove", "den", "nobody"], "no member of");
    place.refused(&["room", "members", "nowhere"], "there is no room \"nowhere\"");
    for (args, word) in [
        (&["room", "add", "x", "--member", "ann"][..], "--private"),
        (&["room", "change", "garden"], "--title"),
        (&["room", "invite", "den"], "say whom"),
    ] {
        let (code, _, err) = place.give(args, "");
        assert!(code == 2 && err.contains(word), "{err}");
    }
    let shown = place.done(&["room", "list"]);
    assert!(shown.contains("\ngarden  public   1            -        -      Allotment\n"), "{shown}");
}

/// Of everything that can become of a message, one; in a private room with names of every kind.
fn lively(place: &Place) -> String {
    place.done(&["room", "add", "den", "--private", "--member", "👩‍🚀", "--member", "Zoë", "--title", "The «den»"]);
    let (mut ann, mut zoe) = (place.in_room("👩‍🚀", "den"), place.in_room("Zoë", "den"));
    let big = "ä\t\"\\\u{1d11e}\n".repeat(819) + "ab";
    for (id, body) in [("1", "first"), ("2", &big), ("3", "to be gone"), ("4", "@Zoë *look*: https://example.org")] {
        ann.post("den", id, body);
        ann.hear("message");
    }
    // Each is stored before the next is sent.
    for (rev, (is_anns, change)) in (5..).zip([
        (true, json!({"type": "edit", "room": "den", "seq": 1, "body": "the first"})),
        (false, json!({"type": "react", "room": "den", "seq": 1, "emoji": "🎉", "on": true})),
        (true, json!({"type": "react", "room": "den", "seq": 1, "emoji": "👍", "on": true})),
        (true, json!({"type": "react", "room": "den", "seq": 1, "emoji": "🎉", "on": true})),
        (true, json!({"type": "delete", "room": "den", "seq": 3})),
        (false, json!({"type": "post", "room": "den", "id": "1", "body": "to the gone one", "reply_to": 3})),
    ]) {
        let client = if is_anns { &mut ann } else { &mut zoe };
        client.send(change);
        client.everything_until(|frame| frame["type"] == "message" && frame["rev"] == rev);
    }
    place.done(&["export", "den"])
}

#[test]
fn what_was_exported_is_imported_as_it_was() {
    let from = Place::with_server();
    let exported = lively(&from);
    let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["messages"], &lines[0]["head"]), (6, &json!(5), &json!(10)));
    assert_eq!(lines[1]["reactions"][0], json!({"emoji": "🎉", "people": ["Zoë", "👩‍🚀"]}));
    assert_eq!((&lines[2]["body"].as_str().unwrap().len(), &lines[3]["deleted"]), (&8192, &json!(true)));
    let file = from.folder.path().join("den.jsonl");
    from.done(&["export", "den", "--output", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), exported);
    from.refused(&["export", "den", "--output", file.to_str().unwrap()], "is there already");

    for to in [Place::without_server(), Place::with_server()] {
        assert!(to.done(&["import", file.to_str().unwrap()]).starts_with("the room den is here now, up to number 10"));
        assert_eq!(to.done(&["export", "den"]), exported);
        to.refused(&["import", file.to_str().unwrap()], "something was said in \"den\" already");
        // Beside itself, where its authors have used their ids.
        to.done(&["import", file.to_str().unwrap(), "--room", "den-2"]);
        let again = to.done(&["export", "den-2"]);
        let ids = |text: &str| {
            text.lines().skip(1).map(|line| line.split("\"id\"").nth(1).unwrap()[..4].to_owned()).collect::<Vec<_>>()
        };
        assert_ne!(ids(&again), ids(&exported));
        assert_eq!(again.lines().count(), exported.lines().count());
    }
}

/// What came in from outside stands on the line like all else: the next number is the next.
#[test]
fn an_import_is_shown_live_and_the_numbers_go_on() {
    let from = Place::with_server();
    let exported = lively(&from);
    // For everyone to see.
    let open = exported.replace("\"private\"", "\"public\"").replace("[\"👩‍🚀\",\"Zoë\"]},", "").replacen(
        "\"members\":[\"👩‍🚀\",\"Zoë\"]",
        "\"members\":[]",
        1,
    );
    let to = Place::with_server();
    let mut bob = to.in_room("bob", "lobby");
    let mut plain = Client::connect(to.address, "/ws?name=tool&room=lobby", None).unwrap();
    let (code, out, err) = to.give(&["import", "-", "--room", "lobby"], &open);
    assert!(code == 0 && out.contains("up to number 10"), "{out}{err}");
    let shown: Vec<(i64, i64)> = (0..5)
        .map(|_| bob.hear("message"))
        .map(|message| (message["seq"].as_i64().unwrap(), message["rev"].as_i64().unwrap()))
        .collect();
    assert_eq!(shown, [(2, 2), (4, 4), (1, 8), (3, 9), (10, 10)]);
    assert!(plain.text().ends_with("\nab"), "as it was said");
    bob.post("lobby", "next", "and on");
    assert_eq!(bob.hear("message")["rev"], 11);
    let mut late = Client::json(to.address, "late");
    late.send(json!({"type": "join", "room": "lobby", "since": 0}));
    let replayed = late.everything_until(|frame| frame["type"] == "joined");
    let revs: Vec<i64> = replayed.iter().filter_map(|frame| frame["rev"].as_i64()).collect();
    assert_eq!(revs, [2, 4, 8, 9, 10, 11]);
}

#[test]
fn a_transcript_that_is_torn_or_wrong_changes_nothing_and_the_line_is_named() {
    let from = Place::with_server();
    let whole = lively(&from);
    let to = Place::without_server();
    to.done(&["room", "add", "other"]);
    let before = (to.done(&["room", "list", "--json"]), to.done(&["user", "list", "--json"]));
    let import = |text: &str| to.give(&["import", "-"], text);
    let ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at).collect();
    let cuts = [0, 1, ends[0] - 1, ends[0], ends[0] + 1, ends[2] - 40, ends[2], ends[4] + 10, whole.len() - 2];
    for cut in cuts.into_iter().filter(|cut| whole.is_char_boundary(*cut)) {
        let (code, out, err) = import(&whole[..cut]);
        let line = whole[..cut].lines().count().max(1);
        assert_eq!((code, out.as_str()), (1, ""), "{cut}: {err}");
        assert!(err.contains(&format!("parlor: -, line {line}: ")), "{cut}: {err}");
    }
    let lines: Vec<&str> = whole.lines().collect();
    let with = |at: usize, from: &str, to: &str| {
        let mut lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
        assert!(lines[at].contains(from), "{}", lines[at]);
        lines[at] = lines[at].replacen(from, to, 1);
        lines.join("\n")
    };
    for (text, line, word) in [
        (with(0, "\"version\":1", "\"version\":2"), 1, "version 2"),
        (with(0, "\"private\"", "\"secret\""), 1, "\"kind\""),
        (with(0, "\"room\":\"den\"", "\"room\":\"d-0123456789abcdef0123\""), 1, "direct rooms"),
        (with(0, "\"head\":10", "\"head\":9"), 6, "\"rev\" is 10"),
        (with(0, "\"messages\":5", "\"messages\":6"), 6, "after 5 messages, and there should be 6"),
        (with(2, "\"seq\":2", "\"seq\":1"), 3, "it must rise"),
        (with(2, "\"rev\":2", "\"rev\":8"), 3, "another message has the number"),
        (with(2, "\"rev\":2", "\"rev\":1"), 3, "\"rev\" is 1"),
        (with(4, "\"id\":\"4\"", "\"id\":\"1\""), 5, "has used the id"),
        (with(4, "\"from\":\"👩‍🚀\"", "\"from\":\"a:b\""), 5, "no colon"),
        (with(4, "\"at\":\"2", "\"at\":\"x2"), 5, "could not be parsed"),
        (with(3, "\"body\":\"\"", "\"body\":\"x\""), 4, "it was deleted"),
        (with(1, "🎉", "xx"), 2, "\"emoji\""),
        (with(1, "[\"Zoë\",\"👩‍🚀\"]", "[\"Zoë\",\"ZOË\"]"), 2, "twice"),
        (with(5, "\"reply_to\":3", "\"reply_to\":7"), 6, "\"reply_to\""),
        (with(1, lines[1], lines[0]), 2, "a second room"),
        (lines[1..].join("\n"), 1, "the room comes first"),
        (with(2, lines[2], "hello"), 3, "expected value"),
    ] {
        let (code, _, err) = import(&text);
        assert!(code == 1 && err.contains(&format!("-, line {line}: ")) && err.contains(word), "{word}: {err}");
    }
    assert_eq!((to.done(&["room", "list", "--json"]), to.done(&["user", "list", "--json"])), before);
    to.refused(&["import", "nowhere.jsonl"], "nowhere.jsonl: No such file");
    // And with nothing wrong it goes.
    assert_eq!(import(&whole).0, 0);
}

/// A command and a server write to one database at once: neither is refused, and no number is lost.
#[test]
fn a_server_that_is_written_to_meanwhile_refuses_nobody() {
    let place = Place::with_server();
    let mut ann = place.in_room("ann", "lobby");
    let mut shown = Vec::new();
    std::thread::scope(|scope| {
        let commands = scope.spawn(|| {
            for n in 0..4 {
                place.done(&["room", "add", &format!("room-{n}")]);
            }
        });
        for n in 0.. {
            if commands.is_finished() {
                break;
            }
            ann.post("lobby", &n.to_string(), "on and on");
            shown.push(ann.hear("message")["rev"].as_i64().unwrap());
        }
        commands.join().unwrap();
    });
    assert!(shown.len() > 20, "{}", shown.len());
    assert_eq!(shown, (1..=shown.len() as i64).collect::<Vec<_>>());
}

#[test]
fn a_page_has_everything_in_it() {
    let place = Place::with_server();
    lively(&place);
    let html = place.done(&["export", "den", "--html"]);
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    for word in
        ["The «den»", "the first", "🎉 2", "This message was deleted.", "<a href=\"https://example.org\"", "edited"]
    {
        assert!(html.contains(word), "{word}: {html}");
    }
    assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("@import"));
}

#[test]
fn at_a_terminal_a_password_is_asked_for_and_not_seen() {
    let place = Place::without_server();
    let add = |name: &str| Terminal::open(&mut parlor(&["user", "add", name, "--data", place.data()]));
    let has = |word: &'static str| move |rows: &[String]| rows.iter().any(|row| row.contains(word));
    let mut terminal = add("ann");
    terminal.until("question", has("Password:"));
    terminal.type_in("correct horse\n");
    terminal.until("second question", has("Once more:"));
    terminal.type_in("correct horse\n");
    let rows = terminal.until("account", has("ann has an account now, as a member"));
    assert!(!rows.iter().any(|row| row.contains("horse")), "{rows:?}");
    let mut terminal = add("bob");
    terminal.until("question", has("Password:"));
    terminal.type_in("correct horse\ncorrect hose\n");
    terminal.until("refusal", has("the two are not the same"));
    // Ctrl-C leaves a terminal that shows what is typed.
    let mut terminal = add("bob");
    terminal.until("question", has("Password:"));
    terminal.signal("INT");
    assert_eq!(terminal.end(), Some(130));
    assert!(terminal.echoes());
    assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert!(Path::new(place.data()).join("parlor.db").exists());
}
