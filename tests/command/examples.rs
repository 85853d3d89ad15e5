//! Each example is run, and does what it says.

use crate::Program;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use tungstenite::{Message, connect};

fn example(name: &str, argument: &str) -> Program {
    // target/debug/deps/command-… stands beside target/debug/examples.
    let here = std::env::current_exe().unwrap();
    let profile = here.ancestors().nth(2).unwrap();
    let program = profile.join("examples").join(name);
    let source = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let written = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    // `cargo test` has built it; `cargo test --test command` alone has not.
    static BUILDING: Mutex<()> = Mutex::new(());
    let building = BUILDING.lock();
    if written(&program) < written(Path::new(&source)) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", name]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
    }
    drop(building);
    Program::start(Command::new(program).arg(argument))
}

#[test]
fn the_echo_server_and_its_client_talk() {
    let mut server = example("01_echo_server", "localhost:0");
    let address = server.after("Listening on ");
    let mut client = example("02_echo_client", &address);
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
    let mut client = example("02_echo_client", "ws://127.0.0.1:1");
    assert_ne!(client.end().code(), Some(0));
    let said = client.errors();
    assert!(said.contains("UnableToConnect"), "{said}");
}

#[test]
fn the_broadcast_reaches_everyone_in_one_order() {
    let mut server = example("03_broadcast", "localhost:0");
    let address = server.after("Listening on ");
    let mut clients: Vec<_> = (0..3).map(|_| connect(&address).unwrap().0).collect();
    for _ in 0..3 {
        assert!(server.line().ends_with("joined\n"));
    }
    clients[1].send(Message::text("to all")).unwrap();
    let heard: Vec<Message> = clients.iter_mut().map(|client| client.read().unwrap()).collect();
    let Message::Text(text) = &heard[0] else { panic!("{heard:?}") };
    assert!(text.starts_with("Client ") && text.ends_with(": to all"), "{text}");
    assert!(heard.iter().all(|other| *other == heard[0]));
    drop(clients.remove(0));
    server.after(" left");
    clients[0].send(Message::text("still here")).unwrap();
    assert_eq!(clients[0].read().unwrap(), clients[1].read().unwrap());
}

/// Short enough to be read in one sitting.
#[test]
fn the_examples_are_short() {
    for (name, lines) in [("01_echo_server", 40), ("02_echo_client", 40), ("03_broadcast", 100)] {
        let path = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let count = std::fs::read_to_string(path).unwrap().lines().count();
        assert!(count <= lines, "{name} has {count} lines");
    }
}
