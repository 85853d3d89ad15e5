//! `parlor connect`: in pipes, over real processes.

pub mod terminal;

use super::parlor;
use crate::common::program::Program;
use crate::common::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use tungstenite::Message;

/// `parlor connect`, as ann, to the server of a test.
fn connect(address: SocketAddr, args: &[&str]) -> Command {
    let mut command = parlor(&["connect", &format!("ws://{address}"), "--name", "ann"]);
    command.args(args);
    command
}

/// `parlor connect --raw`.
fn raw(url: &str, args: &[&str]) -> Command {
    let mut command = parlor(&["connect", "--raw", url]);
    command.args(args);
    command
}

/// Runs to the end of `input`, and gives the exit code, standard output and standard error.
fn piped(command: &mut Command, input: impl AsRef<[u8]>) -> (i32, String, String) {
    let mut program = Program::start(command);
    // It may end before it has read everything.
    let _ = program.child.stdin.take().unwrap().write_all(input.as_ref());
    let mut out = String::new();
    program.out.read_to_string(&mut out).unwrap();
    let code = program.end().code().unwrap();
    (code, out, program.errors())
}

/// What was said in the lobby, as another client reads it.
fn said(server: &TestServer) -> Vec<String> {
    let mut reader = server.json("reader");
    reader.send(json!({"type": "join", "room": "lobby", "since": 0}));
    let mut bodies = Vec::new();
    loop {
        let frame = reader.next();
        match frame["type"].as_str().unwrap() {
            "message" => bodies.push(frame["body"].as_str().unwrap().to_owned()),
            "joined" => return bodies,
            _ => {}
        }
    }
}

#[test]
fn lines_are_messages_and_all_are_stored_when_it_leaves() {
    let server = server();
    let lines: Vec<String> = (1..=600).map(|n| format!("line {n}")).collect();
    let (code, out, err) = piped(&mut connect(server.address, &[]), lines.join("\n"));
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out.lines().map(|line| line.strip_prefix("ann: ").unwrap()).collect::<Vec<_>>(), lines);
    assert_eq!(said(&server), lines);
}

#[test]
fn the_output_is_messages_alone_and_nothing_in_them_looks_like_another() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    ben.post("lobby", "1", "one\nann: two \u{1b}[31mred");
    ben.expect("message");
    let (code, out, err) = piped(&mut connect(server.address, &["--last", "5"]), "");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "ben: one\n  ann: two ␛[31mred\n", ""));
    let (code, out, err) = piped(&mut connect(server.address, &["--since", "1"]), "");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
}

#[test]
fn for_programs_each_event_is_an_object_and_so_may_be_a_line_of_input() {
    let server = server();
    let mut ben = server.in_lobby("ben");
    ben.send(json!({"type": "create", "room": "ops"}));
    while ben.next()["type"] != "joined" {}
    let mut program = Program::start(&mut connect(server.address, &["--json"]));
    let mut input = program.child.stdin.take().unwrap();
    let next = |program: &mut Program, kind: &str| -> Value {
        loop {
            let event: Value = serde_json::from_str(&program.line()).unwrap();
            if event["type"] == kind {
                return event;
            }
        }
    };
    let welcome = next(&mut program, "connected");
    assert_eq!((&welcome["name"], &welcome["rooms"][0]["room"]), (&json!("ann"), &json!("lobby")));
    assert_eq!(next(&mut program, "joined")["members"], json!(["ann", "ben"]));
    writeln!(input, "plain").unwrap();
    writeln!(input, r#"{{"body": "two\nlines"}}"#).unwrap();
    writeln!(input, r#"{{"room": "ops", "body": "elsewhere"}}"#).unwrap();
    drop(input);
    assert_eq!(next(&mut program, "message")["body"], "plain");
    assert_eq!(next(&mut program, "message")["body"], "two\nlines");
    let elsewhere = next(&mut program, "message");
    assert_eq!((&elsewhere["room"], &elsewhere["body"]), (&json!("ops"), &json!("elsewhere")));
    assert_eq!(program.end().code(), Some(0));
    let (code, _, err) = piped(&mut connect(server.address, &["--json"]), "{oops\n");
    assert!(code == 2 && err.contains("is no JSON"), "{err}");
}

#[test]
fn with_follow_it_goes_on_and_ctrl_c_ends_it() {
    let server = server();
    let mut program = Program::start(&mut connect(server.address, &["--follow", "--room", "lobby", "--json"]));
    program.child.stdin.take();
    program.after(r#""type":"joined""#);
    let mut ben = server.in_lobby("ben");
    ben.post("lobby", "1", "still there?");
    assert!(program.after(r#""body":"#).starts_with(r#""still there?""#));
    program.signal("INT");
    assert_eq!(program.end().code(), Some(130));
    assert_eq!(program.errors(), "");
    // It has said goodbye: the others hear of it.
    while ben.next()["left"] != json!(["ann"]) {}
}

#[test]
fn it_leaves_when_nobody_reads_its_output_any_more() {
    let server = server();
    let mut program = Program::start(&mut connect(server.address, &["--follow", "--json"]));
    program.after(r#""type":"joined""#);
    drop(std::mem::replace(&mut program.out, BufReader::new(pipe())));
    assert_eq!(program.end().code(), Some(0));
}

/// The output of a program that is over.
fn pipe() -> std::process::ChildStdout {
    Command::new("true").stdout(Stdio::piped()).spawn().unwrap().stdout.take().unwrap()
}

#[test]
fn one_message_is_sent_or_heard() {
    let server = server();
    let (code, out, _) = piped(&mut connect(server.address, &["--one"]), "first\nsecond\n");
    assert_eq!((code, out.as_str()), (0, "ann: first\n"));
    assert_eq!(said(&server), ["first"]);
    let mut program = Program::start(&mut connect(server.address, &["-1"]));
    program.child.stdin.take();
    let mut ben = server.in_lobby("ben");
    // It may not be in the room yet when this is said: it is told what comes after that.
    while !ben.next().to_string().contains("\"ann\"") {}
    ben.post("lobby", "1", "ping");
    assert_eq!(program.line(), "ben: ping\n");
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn the_exit_code_says_what_went_wrong() {
    let server = server();
    let _ben = server.in_lobby("ben");
    let url = format!("ws://{}", server.address);
    let echo = format!("{url}/echo");
    let cases: [(&[&str], &str, i32, &[&str]); 12] = [
        (&["ws://127.0.0.1:1"], "", 1, &["nothing answers at 127.0.0.1:1"]),
        (&["--raw", "ws://127.0.0.1:1"], "", 1, &["nothing answers at 127.0.0.1:1"]),
        (&[&echo], "", 1, &["--raw"]),
        (&["ftp://here"], "", 2, &["no URL of a WebSocket"]),
        (&["--colour"], "", 2, &["--colour", "Try: parlor connect --help"]),
        (&["--binary"], "", 2, &["--binary is for --raw"]),
        (&[&url, "--name", "ben"], "", 3, &["ben", "--name"]),
        (&[&url, "--name", "a:b"], "", 3, &["colon"]),
        (&[&url, "--room", "nowhere"], "", 3, &["nowhere"]),
        (&["--raw", &format!("{url}/nowhere")], "", 3, &["404"]),
        (&[&url, "--name", "x"], &"x".repeat(9000), 3, &["8192 bytes at most", "1 message was not taken"]),
        (&["--raw", &echo], "\u{0}\u{1b}", 0, &[]),
    ];
    for (args, input, code, words) in cases {
        let (exit, _, err) = piped(parlor(&["connect"]).args(args), input);
        assert_eq!(exit, code, "{args:?}: {err}");
        for word in words {
            assert!(err.contains(word), "{args:?}: {err}");
        }
        assert!(code == 0 || err.starts_with("parlor: ") && !err.contains("panicked"), "{err}");
    }
    let (code, out, err) = piped(&mut parlor(&["conect"]), "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("no command \"conect\"; there is connect, bench, user,") && err.contains("parlor --help"),
        "{err}"
    );
}

#[test]
fn the_url_and_the_name_may_come_from_the_environment() {
    let server = server();
    let mut command = parlor(&["connect"]);
    command.env("PARLOR_URL", format!("ws://{}", server.address)).env("PARLOR_NAME", "env").env("PARLOR_LOG", "loud");
    assert_eq!(
        piped(&mut command, "hello"),
        (0, "env: hello\n".into(), String::new()),
        "a server's variables are its own"
    );
    let mut command = parlor(&["connect", &format!("ws://{}/ws?name=url&room=lobby", server.address)]);
    assert_eq!(piped(&mut command, "hello").1, "url: hello\n");
}

#[test]
fn it_outlives_its_server_and_says_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = |listen: &str| Program::start(&mut parlor(&["--listen", listen, "--data", data, "--log", "off"]));
    let mut server = start("127.0.0.1:0");
    let address: SocketAddr = server.after("open  http://").parse().unwrap();
    let mut program = Program::start(&mut connect(address, &["--follow"]));
    let mut input = program.child.stdin.take().unwrap();
    writeln!(input, "before").unwrap();
    assert_eq!(program.line(), "ann: before\n");
    server.child.kill().unwrap();
    server.end();
    // Written while there is no server: kept until there is one.
    let mut stderr = BufReader::new(program.child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("parlor: connection lost, trying again in 0."), "{line}");
    writeln!(input, "meanwhile").unwrap();
    let mut server = start(&address.to_string());
    server.after("open  http://");
    assert_eq!(program.line(), "ann: meanwhile\n");
    let mut ben = Client::json(address, "ben");
    ben.send(json!({"type": "join", "room": "lobby", "last": 0}));
    ben.post("lobby", "1", "after");
    assert_eq!(program.line(), "ben: after\n");
    drop(input);
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(143));
}

#[test]
fn text_to_any_server_comes_back_from_an_echo() {
    let server = server();
    let echo = format!("ws://{}/echo", server.address);
    let (code, out, err) = piped(&mut raw(&echo, &[]), "one\ntwo\n\u{1b}[31mas it is");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "one\ntwo\n\u{1b}[31mas it is\n", ""));
    let (code, out, _) = piped(&mut raw(&echo, &["-1"]), "one\ntwo\n");
    assert_eq!((code, out.as_str()), (0, "one\n"));
    let plain = format!("ws://{}/ws?room=lobby&name=plain", server.address);
    assert_eq!(
        piped(&mut raw(&plain, &[]), "hello").1,
        "plain: hello\n",
        "the chat in plain text is a server like any"
    );
    let mut program = Program::start(&mut raw(&echo, &["--binary"]));
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let (mut input, all) = (program.child.stdin.take().unwrap(), bytes.clone());
    let writer = std::thread::spawn(move || input.write_all(&all).unwrap());
    let mut back = Vec::new();
    program.out.read_to_end(&mut back).unwrap();
    writer.join().unwrap();
    assert!(back == bytes, "{} bytes", back.len());
    assert_eq!(program.end().code(), Some(0));
}

/// A server that is no Parlor: it answers each message with `answer`, slowly, after its pongs; `close` ends it.
fn stranger(answer: fn(&str) -> Message) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut socket = tungstenite::accept(socket).unwrap();
        while let Ok(message) = socket.read() {
            if let Message::Text(text) = message {
                match text.as_str() {
                    "close" => {
                        drop(socket.close(Some(tungstenite::protocol::CloseFrame {
                            code: 1011.into(),
                            reason: "fault".into(),
                        })))
                    }
                    text => socket.send(answer(text)).unwrap(),
                }
            }
        }
    });
    url
}

#[test]
fn a_server_that_is_no_parlor_is_spoken_to_raw() {
    let url = stranger(|_| Message::binary(vec![0, 27, 255]));
    assert_eq!(piped(&mut raw(&url, &[]), "give").1, "00 1b ff\n", "binary messages are shown as hex");
    let url = stranger(|text| Message::text(text.to_uppercase()));
    let (code, out, err) = piped(&mut raw(&url, &["--follow"]), "give\nclose\n");
    assert_eq!((code, out.as_str()), (1, "GIVE\n"));
    assert!(err.contains("1011: fault"), "{err}");
    let url = stranger(|text| Message::text(text));
    let (code, _, err) = piped(&mut connect(url[5..].parse().unwrap(), &[]), "");
    assert!(code == 1 && err.contains("--raw speaks to servers that are no Parlor"), "{err}");
}

#[test]
fn a_server_behind_tls_is_reached_if_it_is_trusted() {
    let server = server();
    let (port, certificate) = crate::tls_before::tls_before(server.address);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certificate.pem");
    std::fs::write(&file, certificate).unwrap();
    let url = format!("wss://localhost:{port}");
    let trust = ["--trust", file.to_str().unwrap()];
    let (code, out, err) = piped(&mut raw(&format!("{url}/echo"), &trust), "secret");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "secret\n", ""));
    let (code, out, _) = piped(parlor(&["connect", &url, "--name", "ann"]).args(trust), "secret");
    assert_eq!((code, out.as_str()), (0, "ann: secret\n"));
    let (code, _, err) = piped(&mut parlor(&["connect", &url]), "secret");
    assert!(code == 1 && err.contains("TLS failed"), "{err}");
    std::fs::write(&file, "nothing").unwrap();
    let (code, _, err) = piped(parlor(&["connect", &url]).args(trust), "secret");
    assert!(code == 2 && err.contains("no certificate"), "{err}");
}

#[test]
fn heads_and_frames_are_shown_on_standard_error() {
    let server = server();
    let echo = format!("ws://{}/echo", server.address);
    let flags = ["--wire", "--headers", "-H", "X-Lesson: 7"];
    let (_, out, err) = piped(&mut raw(&echo, &flags), "hello");
    assert_eq!(out, "hello\n");
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines[0], "> GET /echo HTTP/1.1");
    assert!(lines.contains(&"< HTTP/1.1 101 Switching Protocols"), "{err}");
    assert!(lines.iter().any(|line| line.eq_ignore_ascii_case("> x-lesson: 7")), "{err}");
    let frame = |start: &str, end: &str| {
        assert!(lines.iter().any(|line| line.starts_with(start) && line.ends_with(end)), "{start} … {end}: {err}");
    };
    frame("> text FIN, mask ", r#", 5 B  "hello""#);
    frame("< text FIN, no mask, 5 B", r#"  "hello""#);
    frame("> close FIN, mask ", "  1000");
    frame("< close FIN, no mask, 2 B", "  1000");
    let (_, _, err) = piped(&mut connect(server.address, &["--wire"]), "hello");
    assert!(err.contains(r#""type":"welcome""#) && err.contains(r#""type":"post""#), "{err}");
    let (code, _, err) = piped(&mut raw(&format!("ws://{}/ws", server.address), &["--headers"]), "");
    assert!(code == 3 && err.contains("> GET /ws HTTP/1.1") && err.contains("< HTTP/1.1 4"), "{err}");
}
