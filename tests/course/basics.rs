//! 01 to 08: a connection between two.

use crate::common::DEADLINE;
use crate::common::program::Program;
use crate::{built, example};
use headless_chrome::{Browser, LaunchOptions};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// A client that fails rather than wait longer than the deadline.
fn client(address: &str) -> Socket {
    let (mut socket, _) = connect(address).unwrap();
    give_up_after(&mut socket, DEADLINE);
    socket
}

fn give_up_after(socket: &mut Socket, time: Duration) {
    let MaybeTlsStream::Plain(stream) = socket.get_mut() else { unreachable!() };
    stream.set_read_timeout(Some(time)).unwrap();
}

fn text(socket: &mut Socket) -> String {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return text.as_str().to_owned();
        }
    }
}

/// Runs an example to its end.
fn output(name: &str, arguments: &[&str], colors: &[(&str, &str)]) -> Output {
    let mut command = Command::new(built(name));
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(colors.iter().copied());
    command.output().unwrap()
}

fn said(output: &[u8]) -> &str {
    str::from_utf8(output).unwrap()
}

#[test]
fn the_echo_server_and_its_client_talk() {
    let mut server = example("01_echo_server", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut client = example("02_echo_client", &[&address]);
    let mut typed = client.child.stdin.take().unwrap();
    writeln!(typed, "hello").unwrap();
    assert_eq!(
        client.line(),
        "Type a message to send to the server: Received response: Server received your message: hello\n"
    );
    assert_eq!(server.line(), "Received message: hello\n");
    writeln!(typed, "näher am Ende").unwrap();
    assert!(client.line().ends_with("Received response: Server received your message: näher am Ende\n"));
    drop(typed);
    assert_eq!(client.end().code(), Some(0));
}

#[test]
fn a_client_without_a_server_says_so() {
    let mut client = example("02_echo_client", &["ws://127.0.0.1:1"]);
    assert_ne!(client.end().code(), Some(0));
    let said = client.errors();
    assert!(said.contains("UnableToConnect"), "{said}");
}

#[test]
fn one_port_serves_the_page_and_the_echo() {
    let mut server = example("03_echo_page", &["localhost:0"]);
    let address = server.after("Listening on ");
    let mut stream = TcpStream::connect(address.trim_start_matches("ws://")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    // In pieces, as a slow line brings it.
    for piece in ["GET / HT", "TP/1.1\r\nHost: local", "host\r\n\r", "\n"] {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let page = include_str!("../../examples/03_echo_page.html");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(page), "{answer}");
    assert!(page.lines().count() <= 20);
    let mut socket = client(&address);
    socket.send(Message::text("hello")).unwrap();
    assert_eq!(text(&mut socket), "Server received your message: hello");
}

#[test]
fn the_page_echoes_in_a_browser() {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let places: Vec<_> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let mut programs = names.iter().flat_map(|name| places.iter().map(move |place| place.join(name)));
    let Some(program) = programs.find(|program| program.is_file()) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no Chromium on the PATH, and CI=true needs one");
        eprintln!("SKIPPED: no chromium, chromium-browser or google-chrome on the PATH");
        return;
    };
    let mut server = example("03_echo_page", &["localhost:0"]);
    let address = server.after("Open ").replace(" in a browser.", "");
    // Whatever the browser leaves behind, it leaves there.
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let places = ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].map(|place| (place.into(), home.into()));
    let options = LaunchOptions::default_builder()
        .path(Some(program))
        .sandbox(false)
        .user_data_dir(Some(folder.path().join("profile")))
        .process_envs(Some(HashMap::from(places)))
        .build()
        .unwrap();
    let browser = Browser::new(options).unwrap();
    let tab = browser.new_tab().unwrap();
    tab.set_default_timeout(DEADLINE);
    tab.navigate_to(&address).unwrap();
    let line = |number| tab.wait_for_element(&format!("li:nth-child({number})")).unwrap().get_inner_text().unwrap();
    assert_eq!(line(1), "open");
    tab.find_element("input").unwrap().type_into("grüße").unwrap();
    tab.press_key("Enter").unwrap();
    assert_eq!(line(2), "Server received your message: grüße");
    drop(server);
    assert_eq!(line(3), "closed, code 1006");
}

#[test]
fn the_handshake_by_hand_is_understood() {
    let mut server = example("01_echo_server", &["localhost:0"]);
    let address = server.after("Listening on ");
    let output = output("04_handshake", &[&address], &[]);
    let said = said(&output.stdout);
    assert!(output.status.success(), "{said}");
    let after = |word: &str| said.split_once(word).unwrap().1.split_whitespace().next().unwrap();
    let wanted = tungstenite::handshake::derive_accept_key(after("Sec-WebSocket-Key: ").as_bytes());
    assert_eq!(after("sec-websocket-accept: "), wanted);
    assert_eq!(said.matches(&wanted).count(), 2, "as it came, and as computed: {said}");
    assert!(said.contains("Server received your message: hello"), "{said}");
    assert!(said.trim_end().ends_with("← 88 00"), "{said}");
    assert_eq!(server.line(), "Received message: hello\n");
}

#[test]
fn a_handshake_that_fails_says_why() {
    let answer_with = |answer: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let output = output("04_handshake", &[&address], &[]);
        server.join().unwrap();
        assert_eq!(output.status.code(), Some(1));
        said(&output.stderr).to_owned()
    };
    let wrong = answer_with("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: nonsense\r\n\r\n");
    assert!(wrong.contains("the server has not understood"), "{wrong}");
    let page = answer_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(page.contains("does not switch protocols"), "{page}");
    let silence = answer_with("220 mail.example.org ESMTP\r\n");
    assert!(silence.contains("this is no HTTP"), "{silence}");
    let nobody = output("04_handshake", &["127.0.0.1:1"], &[]);
    assert!(said(&nobody.stderr).contains("Is 01_echo_server running?"));
}

/// The lines of an explanation, with single spaces.
fn lines(explained: &str) -> Vec<String> {
    explained.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn frames_are_taken_apart_bit_by_bit() {
    let masked = output("05_frame", &["81 85", "37fa213d", "7f9f4d5158"], &[]);
    let wanted = [
        "Yours",
        "81 1... .... FIN: the message ends with this frame",
        ".000 .... RSV: for extensions such as compression; 000 is none",
        ".... 0001 opcode 1: text",
        "85 1... .... MASK: masked, as from a client",
        ".000 0101 length 5",
        "37 fa 21 3d the mask",
        "7f 9f 4d 51 58 the payload as sent: each byte XORed with one of the mask",
        "48 65 6c 6c 6f \"Hello\"",
        "",
    ];
    assert_eq!(lines(said(&masked.stdout)), wanted);
    let tour = output("05_frame", &[], &[]);
    let tour = lines(said(&tour.stdout));
    for line in
        ["01 2c the real length: 300", "01 0... .... no FIN: the message goes on", "03 e8 62 79 65 code 1000, \"bye\""]
    {
        assert!(tour.iter().any(|shown| shown == line), "{line}: {tour:#?}");
    }
    let half = output("05_frame", &["81", "7e", "01"], &[]);
    assert!(said(&half.stdout).contains("81 7e 01: no whole frame"));
    let claim = output("05_frame", &["82ff", &"ff".repeat(20)], &[]);
    assert!(said(&claim.stdout).contains("no whole frame"), "a length of 2^64 - 1 is waited for");
    let letters = output("05_frame", &["hello"], &[]);
    assert!(said(&letters.stderr).contains("two hexadecimal digits"));
}

#[test]
fn colors_are_for_terminals_and_only_for_who_wants_them() {
    let colored = |colors: &[(&str, &str)]| output("05_frame", &["8100"], colors).stdout.contains(&0x1b);
    assert!(!colored(&[]), "this is no terminal");
    assert!(colored(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn who_answers_pings_stays_and_closes_in_order() {
    let mut server = example("06_ping_pong_close", &["localhost:0", "300"]);
    let address = server.after("Listening on ");
    let mut lively = example("06_ping_pong_close", &[&address]);
    assert_eq!(server.line(), "Client 1 joined: 1 here\n");
    for _ in 0..4 {
        assert_eq!(server.line(), "Client 1 silent: ping\n");
        assert!(server.line().starts_with("Client 1 pong, after "));
    }
    lively.after("Ping 5");
    lively.after("Closed by both");
    assert_eq!(lively.end().code(), Some(0));
    server.after("Client 1 closed with 1000, \"that was enough\": 0 here");
}

#[test]
fn each_end_of_a_connection_is_told_from_the_others() {
    let mut server = example("06_ping_pong_close", &["localhost:0", "300"]);
    let address = server.after("Listening on ");
    // It is connected, but reads nothing, so it answers nothing.
    let dead = client(&address);
    server.after("Client 1 does not answer, and is let go: 0 here");
    drop(dead);

    let cut = client(&address);
    server.after("Client 2 joined");
    drop(cut);
    server.after("Client 2 is gone without a close");

    let mut polite = client(&address);
    polite.send(Message::text("bye")).unwrap();
    let close = loop {
        if let Message::Close(frame) = polite.read().unwrap() {
            break frame.unwrap();
        }
    };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Normal, "you said bye"));
    while polite.read().is_ok() {}
    server.after("Client 3 was closed by us with 1000");
}

#[test]
fn without_pings_the_dead_stay() {
    let mut server = example("06_ping_pong_close", &["localhost:0", "0"]);
    let address = server.after("Listening on ");
    let mut dead = client(&address);
    assert_eq!(server.line(), "Client 1 joined: 1 here\n");
    give_up_after(&mut dead, Duration::from_millis(300));
    assert!(matches!(dead.read(), Err(tungstenite::Error::Io(_))), "no ping comes");
    let _other = client(&address);
    assert_eq!(server.line(), "Client 2 joined: 2 here\n");
}

/// A wiretap before an echo server, and the address to connect to.
fn tapped(commands: &[&str]) -> (Program, Program, String) {
    let mut server = example("01_echo_server", &["localhost:0"]);
    let address = server.after("Listening on ws://");
    let mut tap = example("07_wiretap", &[&["localhost:0", &address], commands].concat());
    let line = tap.after("Listening on ");
    let address = line.split(',').next().unwrap().to_owned();
    (server, tap, address)
}

#[test]
fn the_wiretap_shows_the_handshake_and_every_frame() {
    let (_server, mut tap, address) = tapped(&[]);
    let mut socket = client(&address);
    assert_eq!(tap.line(), "#1 client → server: handshake\n");
    tap.after("Sec-WebSocket-Key: ");
    tap.after("#1 server → client: handshake");
    assert_eq!(tap.line(), "  HTTP/1.1 101 Switching Protocols\n");
    socket.send(Message::text("hello")).unwrap();
    assert_eq!(text(&mut socket), "Server received your message: hello");
    tap.after("#1 client → server: text, 11 bytes");
    tap.after("masked, as from a client");
    tap.after("\"hello\"");
    tap.after("#1 server → client: text, 37 bytes");
    tap.after("\"Server received your message: hello\"");
    // More than one read brings, and less than the server can print while nobody reads it.
    socket.send(Message::text("x".repeat(20_000))).unwrap();
    assert_eq!(text(&mut socket).len(), 20_030);
    tap.after("the real length: 20000");
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
    tap.after("opcode 8: close");
    tap.after("server → client: nothing more comes");
}

#[test]
fn the_wiretap_passes_a_page_on() {
    let mut server = example("03_echo_page", &["localhost:0"]);
    let address = server.after("Listening on ws://");
    let mut tap = example("07_wiretap", &["localhost:0", &address]);
    let line = tap.after("Listening on ws://");
    let mut stream = TcpStream::connect(line.split(',').next().unwrap()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(include_str!("../../examples/03_echo_page.html")), "{answer}");
}

#[test]
fn the_wiretap_delays_drops_corrupts_and_cuts() {
    let (_server, mut tap, address) = tapped(&["delay", "60"]);
    let mut typed = tap.child.stdin.take().unwrap();
    tap.after("from now on: delay 60");
    let mut order = |tap: &mut Program, line: &str| {
        writeln!(typed, "{line}").unwrap();
        tap.after(line);
    };
    let mut socket = client(&address);
    let start = Instant::now();
    socket.send(Message::text("slow")).unwrap();
    text(&mut socket);
    assert!(start.elapsed() >= Duration::from_millis(120), "there and back: {:?}", start.elapsed());
    order(&mut tap, "delay 0");

    order(&mut tap, "drop 1");
    socket.send(Message::text("lost")).unwrap();
    socket.send(Message::text("kept")).unwrap();
    assert_eq!(text(&mut socket), "Server received your message: kept");
    tap.after("dropped");

    order(&mut tap, "nonsense");
    order(&mut tap, "corrupt");
    socket.send(Message::text("broken")).unwrap();
    tap.after("one bit of it is turned");
    assert!(socket.read().is_err(), "what is no UTF-8 ends the connection");

    let mut socket = client(&address);
    socket.send(Message::text("before")).unwrap();
    text(&mut socket);
    order(&mut tap, "cut");
    assert!(
        matches!(socket.read(), Err(tungstenite::Error::Protocol(_) | tungstenite::Error::Io(_))),
        "no close frame"
    );
    // Who comes anew is served.
    let mut socket = client(&address);
    socket.send(Message::text("after")).unwrap();
    assert_eq!(text(&mut socket), "Server received your message: after");
}

#[test]
fn the_wiretap_says_when_there_is_no_server() {
    let mut tap = example("07_wiretap", &["localhost:0", "127.0.0.1:1"]);
    let line = tap.after("Listening on ");
    assert!(connect(line.split(',').next().unwrap()).is_err());
    tap.after("nobody answers at 127.0.0.1:1");
}

#[test]
fn polling_is_late_or_costly_and_a_websocket_neither() {
    let output = output("08_polling", &["localhost:0"], &[]);
    let table = said(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty(), "{table}{}", said(&output.stderr));
    // The name, then: requests, bytes sent, received, for each, mean, worst.
    let row = |name: &str| -> Vec<&str> {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {table}"));
        line[25..].split_whitespace().collect()
    };
    let number = |name: &str, column: usize| row(name)[column].parse::<usize>().unwrap();
    let (seldom, often, long, socket) = ("polling every 800", "polling every 40", "long polling", "WebSocket");
    assert_eq!(number(socket, 0), 1);
    assert!(number(long, 0) <= 21 && number(seldom, 0) < 10 && number(often, 0) > 21, "{table}");
    for other in [seldom, often, long] {
        assert!(number(socket, 1) < number(other, 1) && number(socket, 2) < number(other, 2), "{table}");
    }
    // Late by half the time between two questions, more or less.
    assert!(row(seldom)[4].trim_end_matches("ms").parse::<f64>().is_ok_and(|mean| mean > 100.0), "{table}");
}
