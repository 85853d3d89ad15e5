//! Each command of the executable that the README or a help shows is given, word by word, but for the ports.

use super::engines;
use crate::common::program::Program;
use crate::common::*;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// The commands in the README's blocks, without the comments behind them.
fn of_the_readme() -> Vec<String> {
    let readme = std::fs::read_to_string(format!("{}/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let blocks = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap().trim().to_owned());
    // Those of cargo are for the gate and the course.
    lines.filter(|line| !line.is_empty() && !line.starts_with("cargo ")).collect()
}

/// The examples in a help: they are indented twice, what they do is once.
fn of_the_help(command: &[&str]) -> Vec<String> {
    let (code, help, _) = super::run(&[command, &["--help"]].concat());
    assert_eq!(code, 0);
    let examples = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{command:?} has no example")).1;
    let lines = examples.lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| Some(line.strip_prefix("    ")?.to_owned())).collect()
}

/// The commands that look after a data folder.
const KEEPING: [&str; 7] = ["user", "token", "room", "export", "import", "backup", "restore"];

fn looks_after(line: &str) -> bool {
    KEEPING.iter().any(|word| line.starts_with(&format!("parlor {word} ")))
}

/// Gives a command that looks after the data in `folder` to a shell, with a password to read.
fn look_after(line: &str, folder: &Path) {
    let Some(line) = with_database(line, folder) else { return };
    let program = Path::new(env!("CARGO_BIN_EXE_parlor")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("echo correct horse | {line}")]).current_dir(folder).env("PATH", path);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Gives a command to a shell, in a folder of its own, with this server in the place of the one that it names.
fn give(line: &str, server: &TestServer) {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_parlor")).parent().unwrap();
    let places = ["127.0.0.1:8080", "192.168.1.4:8080"];
    let real = places.iter().fold(line.to_owned(), |line, place| line.replace(place, &server.address.to_string()));
    let Some(real) = with_database(&real, folder.path()) else { return };
    let serves = !["connect", "bench", "completions", "migrate", "curl"].iter().any(|word| line.contains(word));
    let goes_on = serves || line.contains("--follow");
    // In the place of the shell, so that a signal reaches it.
    let real = if goes_on { format!("exec {real}") } else { real };
    let mut shell = Command::new("bash");
    shell.args(["-c", &real]).current_dir(&folder).stdin(Stdio::null());
    shell.env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap()));
    // What is refused is a failure.
    std::fs::write(folder.path().join(".curlrc"), "fail\nsilent\nshow-error\n").unwrap();
    shell.env("CURL_HOME", folder.path()).env("TOKEN", token(server));
    shell.env("PARLOR_URL", format!("ws://{}", server.address));
    if serves && !line.contains("--listen") {
        shell.env("PARLOR_LISTEN", "0.0.0.0:0");
    }
    if !goes_on {
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let mut program = Program::start(&mut shell);
    if serves {
        program.after("open  http");
        program.signal("TERM");
        assert_eq!(program.end().code(), Some(0), "{line}");
    } else {
        eventually("the log is here", || {
            server.handle.people("lobby").unwrap().iter().any(|person| person.name == "log")
        });
        program.signal("INT");
        assert_eq!(program.end().code(), Some(130), "{line}");
    }
}

/// The same with a database that is here in the place of the one that it names, and a chat in the folder; nothing where this
/// build knows no such database.
fn with_database(line: &str, folder: &Path) -> Option<String> {
    let Some(url) =
        line.split_whitespace().find(|word| word.starts_with("postgres://") || word.starts_with("mysql://"))
    else {
        return Some(line.to_owned());
    };
    if line.contains("--cluster") && !cfg!(feature = "cluster") {
        return None;
    }
    let (is_known, engine) = match url.starts_with("postgres") {
        true => (cfg!(feature = "postgres"), engines::postgres as fn() -> Option<&'static engines::Engine>),
        false => (cfg!(feature = "mysql"), engines::mariadb as fn() -> _),
    };
    let fresh = if is_known { engine()?.fresh() } else { return None };
    let chat =
        |address: &str| drop(server_with(parlor::Server::builder().database(address, parlor::Synchronous::Normal)));
    match line.find("sqlite:") {
        // What is copied must be there.
        Some(at) if line.contains("migrate") && at > line.find(url)? => chat(&fresh),
        Some(_) => chat(&format!("sqlite:{}", folder.join("parlor-data/parlor.db").display())),
        None if line.contains("export") => chat(&fresh),
        None => {}
    }
    Some(line.replace(url, &fresh))
}

/// A token of somebody who has just made an account.
fn token(server: &TestServer) -> String {
    static PEOPLE: AtomicUsize = AtomicUsize::new(0);
    let name = format!("script {}", PEOPLE.fetch_add(1, SeqCst));
    let post = |path: &str, more: &str, body: Value| {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        server.raw(request.as_bytes())
    };
    let registered = post("/api/register", "", json!({"name": name, "password": "correct horse"}));
    let cookie = registered.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).expect(&registered);
    let made = post("/api/me/tokens", &format!("Cookie: {cookie}\r\n"), json!({"label": "script"}));
    let made: Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn every_command_of_the_readme_works() {
    let server = server();
    let mut commands = of_the_readme();
    assert!(commands.len() > 5, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    let keeping: Vec<String> = commands.iter().filter(|line| looks_after(line)).cloned().collect();
    commands.retain(|line| !looks_after(line));
    assert!(keeping.len() > 5, "{keeping:?}");
    keeping.iter().for_each(|line| look_after(line, folder.path()));
    let ours = |line: &&String| ["parlor ", "echo ", "curl "].iter().any(|word| line.starts_with(word));
    for line in commands.iter().filter(ours) {
        give(line, &server);
    }
    let said: Vec<_> = server.handle.subscribe_since("lobby", 0).unwrap().take(3).map(|message| message.body).collect();
    // One of the commands answers the first message with an emoji: so it changed last.
    assert_eq!(said, ["the bread is done", "so is the soup", "the build is green"]);
    let others: Vec<_> = commands.iter().filter(|line| !ours(line)).collect();
    assert!(others.is_empty(), "nobody runs {others:?}");
}

#[test]
fn every_example_of_every_help_works() {
    let server = server();
    for room in ["garden", "ops"] {
        server.handle.create_room(room, "").unwrap();
    }
    for command in [&[][..], &["connect"], &["bench"], &["completions"], &["migrate"]] {
        for line in of_the_help(command) {
            // What is for another shell is tested where there is one.
            if !line.contains("| source") {
                give(&line, &server);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    // What the examples name.
    std::fs::write(folder.path().join("password.txt"), "correct horse\n").unwrap();
    for line in
        ["parlor room add ops", "parlor export lobby --output garden.jsonl", "parlor backup parlor-2020-02-02.db"]
    {
        look_after(line, folder.path());
    }
    for command in KEEPING {
        of_the_help(&[command]).iter().for_each(|line| look_after(line, folder.path()));
    }
    let said: Vec<_> = server.handle.subscribe_since("ops", 0).unwrap().take(1).map(|message| message.body).collect();
    assert_eq!(said, ["deployed"]);
}
