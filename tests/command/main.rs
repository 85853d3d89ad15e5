//! The executable as an operator meets it.

#[path = "../common/mod.rs"]
mod common;

mod accounts;
mod admin;
mod backup;
mod bench;
mod classroom;
mod completions;
mod connect;
mod databases;
mod descriptors;
#[path = "../common/engines.rs"]
mod engines;
mod order;
mod project;
mod proxies;
mod sanctions;
mod shown;
mod supply;
mod tls;
#[path = "../common/tls_before.rs"]
mod tls_before;
mod tokens;

use common::program::Program;
use common::*;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

fn parlor(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_")) {
        command.env_remove(name);
    }
    command.args(args);
    command
}

/// Runs to the end, and gives the exit code, standard output and standard error.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = parlor(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn it_says_where_to_go_where_the_data_is_and_how_many_fit() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("made/for/it");
    let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]));
    let address = program.after("open  http://");
    assert_eq!(program.after("data  "), format!("{}/parlor.db (SQLite, synchronous=full)", data.display()));
    let room = program.after("room  for ");
    assert!(room.contains(" clients, set by "), "{room}");
    let mut ann = Client::json(address.parse().unwrap(), "ann");
    ann.send(serde_json::json!({"type": "join", "room": "lobby"}));
    ann.expect("joined");
    program.signal("TERM");
    assert_eq!(ann.close_code(), Some(1001));
    assert_eq!(program.end().code(), Some(0));
    let log = program.errors();
    assert!(log.contains("INFO") && log.contains("client 1 127.0.0.1:") && log.contains("is ann (parlor.v1)"), "{log}");
    assert!(!log.contains('\u{1b}'), "no colours where nobody sees them: {log}");
}

#[test]
fn with_no_arguments_it_uses_the_current_folder_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = parlor(&[]);
    command.current_dir(&folder).env("PARLOR_LISTEN", "127.0.0.1:0").env("PARLOR_LOG", "off");
    let mut program = Program::start(&mut command);
    assert!(program.after("data  ").contains("/parlor-data/parlor.db"));
    assert!(folder.path().join("parlor-data/parlor.db").is_file());
    program.signal("INT");
    assert_eq!(program.end().code(), Some(0));
    let said = program.errors();
    assert!(said.starts_with("Stopping.") && said.lines().count() == 1, "{said}");
}

#[test]
fn for_a_network_it_shows_a_code_to_scan() {
    let mut program = Program::start(&mut parlor(&["--lan", "--memory", "--listen", "0.0.0.0:0"]));
    program.after("open  http://127.0.0.1:");
    let reachable = program.line();
    assert!(reachable.contains("http://") || reachable.contains("in no network"), "{reachable}");
    if reachable.contains("http://") {
        program.after("stop  with Ctrl-C");
        program.after("█");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--memory"]));
    let address = program.after("open  http://").parse().unwrap();
    // It does not answer the close frame, so an orderly end takes seconds.
    let _deaf = Client::json(address, "deaf");
    let start = Instant::now();
    program.signal("INT");
    let mut stderr = BufReader::new(program.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("Stopping") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
    }
    program.signal("INT");
    assert_eq!(program.end().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn what_stands_in_the_way_of_a_start_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let file = file.to_str().unwrap();
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (&["--memory", "--listen", &taken], 1, &["is taken by another program", "--listen"]),
        (&["--memory", "--listen", "192.0.2.1:80"], 1, &["cannot listen on 192.0.2.1:80", "address of this machine"]),
        (&["--listen", "127.0.0.1:0", "--data", file], 1, &["cannot write to the data folder", "--data", "--memory"]),
        (&["--colour"], 2, &["--colour", "parlor --help"]),
        (&["--listen", "here"], 2, &["listen", "here"]),
        (&["--max-clients", "0"], 2, &["--max-clients must be at least 1"]),
        (&["--sync", "never"], 2, &["full or normal"]),
        (&["--lan", "--listen", "127.0.0.1:80"], 2, &["--lan is for other machines"]),
        (&["--memory", "--www", "/nowhere"], 2, &["no index.html in /nowhere"]),
    ];
    for (args, code, words) in cases {
        let (exit, out, err) = run(args);
        assert_eq!((exit, out.as_str()), (code, ""), "{args:?}: {err}");
        for word in words {
            assert!(err.contains(word), "{args:?}: {err}");
        }
        assert!(err.starts_with("parlor: ") && !err.contains("panicked"), "{err}");
    }
}

#[test]
fn a_database_that_is_damaged_or_newer_is_left_alone() {
    use diesel::prelude::*;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = || run(&["--listen", "127.0.0.1:0", "--data", data]);
    std::fs::write(folder.path().join("parlor.db"), "no database at all ".repeat(99)).unwrap();
    let (code, _, err) = start();
    assert!(code == 1 && err.contains("not a database") && err.contains("parlor.db"), "{err}");
    std::fs::remove_file(folder.path().join("parlor.db")).unwrap();

    let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--data", data]));
    program.after("stop  ");
    program.signal("TERM");
    program.end();
    let mut database = SqliteConnection::establish(&format!("{data}/parlor.db")).unwrap();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101')")
        .execute(&mut database)
        .unwrap();
    let (code, _, err) = start();
    assert!(code == 1 && err.contains("newer Parlor") && err.contains("99990101"), "{err}");
}

#[test]
fn the_help_and_the_version_are_told_and_exit_well() {
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, 0);
    for word in ["Usage: parlor", "--listen", "--lan", "--memory", "PARLOR_MAX_CLIENTS", "Examples:"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let (code, version, _) = run(&["--version"]);
    assert_eq!((code, version.trim()), (0, concat!("parlor ", env!("CARGO_PKG_VERSION"))));
}

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_stops_reading_costs_less_than_a_megabyte() {
    const STUCK: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--data", data, "--sync", "normal", "--log", "off", "--rate", "off"];
    let mut program = Program::start(&mut parlor(&flags));
    let address = program.after("open  http://").parse().unwrap();
    let join = |name: String| {
        let mut client = Client::json(address, &name);
        client.send(serde_json::json!({"type": "join", "room": "lobby", "last": 0}));
        while client.next()["type"] != "joined" {}
        client
    };
    let stuck: Vec<Client> = (0..STUCK).map(|n| join(format!("stuck{n}"))).collect();
    let mut talker = join("talker".into());
    let before = resident(program.child.id());
    let (mut most, mut left) = (before, 0);
    // Each of them is sent more than the kernel and its outbox hold, until the last is sent away.
    for n in 0.. {
        talker.post("lobby", &n.to_string(), &"x".repeat(8000));
        let own = loop {
            let frame = talker.next();
            left += frame["left"].as_array().map_or(0, Vec::len);
            if frame["type"] == "message" {
                break frame["seq"].as_i64().unwrap();
            }
        };
        if own % 16 == 0 {
            most = most.max(resident(program.child.id()));
        }
        if left == STUCK {
            break;
        }
        assert!(n < 20_000, "{left} of {STUCK} were sent away");
    }
    assert!(most - before < STUCK * 1024, "{} KiB for {STUCK} clients", most - before);
    drop(stuck);
}

#[test]
fn killed_on_the_spot_it_has_every_message_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let start = || {
        let flags = ["--listen", "127.0.0.1:0", "--data", data, "--log", "off", "--rate", "off"];
        let mut program = Program::start(&mut parlor(&flags));
        let address = program.after("open  http://").parse().unwrap();
        (program, address)
    };
    let mut acknowledged = 0;
    for round in 0..5 {
        let (mut program, address) = start();
        let mut ann = Client::json(address, "ann");
        ann.send(serde_json::json!({"type": "join", "room": "lobby", "since": 0}));
        let mut replayed = Vec::new();
        loop {
            let frame = ann.next();
            match frame["type"].as_str().unwrap() {
                "message" => replayed.push(frame["rev"].as_i64().unwrap()),
                "joined" => break,
                _ => {}
            }
        }
        assert!(replayed.len() as i64 >= acknowledged, "round {round}: {acknowledged} were acknowledged");
        assert_eq!(replayed, (1..=replayed.len() as i64).collect::<Vec<_>>());
        for n in 0..100 {
            ann.post("lobby", &format!("{round}-{n}"), "kept?");
        }
        for _ in 0..50 + round {
            acknowledged = ann.expect("message")["rev"].as_i64().unwrap();
        }
        program.child.kill().unwrap();
        program.child.wait().unwrap();
    }
}
