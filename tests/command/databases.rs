//! `--database`, and `parlor migrate`.

use super::{engines, parlor, run};
use crate::common::program::Program;
use crate::common::*;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// Starts a server on a database, posts, and ends it; gives what it said of its data.
fn lived(address: &str, id: &str) -> String {
    let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--database", address]));
    let place = program.after("open  http://");
    let data = program.after("data  ");
    let mut ann = Client::json(place.parse().unwrap(), "ann");
    ann.send(json!({"type": "join", "room": "lobby", "last": 0}));
    while ann.next()["type"] != "joined" {}
    ann.post("lobby", id, "hello");
    ann.expect("message");
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
    data
}

#[test]
fn a_chat_moves_from_one_database_into_others() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let postgres = if cfg!(feature = "postgres") { engines::postgres() } else { None };
    let mariadb = if cfg!(feature = "mysql") { engines::mariadb() } else { None };
    let shared = postgres.into_iter().chain(mariadb).map(engines::Engine::fresh);
    let all: Vec<String> = [sqlite("one.db")].into_iter().chain(shared).chain([sqlite("two.db")]).collect();
    lived(&all[0], "1");
    for (n, pair) in all.windows(2).enumerate() {
        let (code, out, err) = run(&["migrate", &pair[0], &pair[1]]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        let messages = out.lines().find(|line| line.starts_with("messages")).unwrap();
        let words: Vec<&str> = messages.split_whitespace().collect();
        assert_eq!(words[1], (n + 1).to_string(), "{out}");
        assert!(words.last().unwrap().len() == 64 && out.contains("--database"), "{out}");
        let data = lived(&pair[1], &format!("{}", n + 2));
        assert!(!data.contains("secret") && !data.contains('@'), "{data}");
    }
}

#[test]
fn what_stands_in_the_way_of_a_database_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("sqlite:{}", folder.path().join("none.db").display());
    let at = |url: &'static str, feature: bool, name: &'static str| match feature {
        true => (1, ["cannot be reached", "127.0.0.1:1/chat"]),
        false => (2, [name, if url.starts_with("mysql") { "--features mysql" } else { "--features postgres" }]),
    };
    let (postgres, mysql) = ("postgres://ann:secret@127.0.0.1:1/chat", "mysql://ann:secret@127.0.0.1:1/chat");
    let cases = [
        (vec!["--database", "redis://localhost"], (2, ["redis://localhost is no database", "sqlite:PATH"])),
        (vec!["--database", "postgres"], (2, ["postgres needs a host and a database", "postgres://USER@HOST/NAME"])),
        (vec!["--database", "sqlite:"], (2, ["sqlite:parlor.db", "path"])),
        (vec!["--database", postgres], at(postgres, cfg!(feature = "postgres"), "PostgreSQL")),
        (vec!["--database", mysql], at(mysql, cfg!(feature = "mysql"), "MySQL")),
        (vec!["--sync", "normal", "--database", postgres], (2, ["--sync normal is for SQLite", "people have seen"])),
        (vec!["migrate", &missing, "sqlite:x.db"], (2, ["there is no database at", "none.db"])),
        (vec!["migrate", &missing], (2, ["to", "migrate --help"])),
    ];
    for (args, (code, words)) in cases {
        let (exit, out, err) =
            run(&[&["--listen", "127.0.0.1:0"][..], &args[..]].concat()[if args[0] == "migrate" { 2 } else { 0 }..]);
        assert_eq!((exit, out.as_str()), (code, ""), "{args:?}: {err}");
        for word in words {
            assert!(err.contains(word), "{args:?}: {err}");
        }
        assert!(!err.contains("secret") && !err.contains("panicked"), "{err}");
    }
}

/// Gives a command on a database, with something to read.
fn give(args: &[&str], database: &str, data: &Path, input: &str) -> (i32, String, String) {
    let mut command = parlor(args);
    command.args(["--database", database, "--data"]).arg(data);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may refuse before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// An SQLite file that is in no data folder, and a new database of each other kind.
fn elsewhere(folder: &Path) -> Vec<String> {
    let postgres = if cfg!(feature = "postgres") { engines::postgres() } else { None };
    let mariadb = if cfg!(feature = "mysql") { engines::mariadb() } else { None };
    let shared = postgres.into_iter().chain(mariadb).map(engines::Engine::fresh);
    [format!("sqlite:{}", folder.join("chat.db").display())].into_iter().chain(shared).collect()
}

#[test]
fn commands_look_after_any_database_and_tell_the_server_that_runs_on_it() {
    let place = tempfile::tempdir().unwrap();
    for database in elsewhere(place.path()) {
        let folder = tempfile::tempdir().unwrap();
        let done = |args: &[&str], input: &str| {
            let (code, out, err) = give(args, &database, folder.path(), input);
            assert_eq!(code, 0, "{database}: {args:?}: {err}");
            out
        };
        // Before the first server.
        done(&["user", "add", "ann", "--role", "owner"], "correct horse\n");
        let data = folder.path().to_str().unwrap();
        let mut program =
            Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--database", &database, "--data", data]));
        let address = program.after("open  http://").parse().unwrap();
        program.after("stop  ");
        let mut bob = Client::json(address, "bob");
        let made = done(&["room", "add", "garden", "--title", "The garden"], "");
        assert!(made.ends_with("; the server that runs knows it\n"), "{made}");
        assert_eq!(bob.hear("room")["room"], "garden");
        bob.send(json!({"type": "join", "room": "garden"}));
        bob.hear("joined");
        bob.post("garden", "1", "a rose");
        bob.hear("message");
        let people: Value = serde_json::from_str(&done(&["user", "list", "--json"], "")).unwrap();
        assert_eq!((&people[0]["name"], &people[0]["role"]), (&json!("ann"), &json!("owner")));
        let token = done(&["token", "make", "ann"], "");
        assert!(token.trim().len() > 20, "{token}");
        let garden = done(&["export", "garden"], "");
        assert!(garden.contains("a rose"), "{garden}");
        done(&["import", "-", "--room", "flowers"], &garden);
        assert_eq!(bob.hear("room")["room"], "flowers");
        done(&["user", "ban", "bob"], "");
        assert_eq!(bob.close_code(), Some(1008));
        program.signal("TERM");
        assert_eq!(program.end().code(), Some(0));
    }
}

#[test]
fn a_command_that_no_server_hears_says_so() {
    let place = tempfile::tempdir().unwrap();
    for database in elsewhere(place.path()) {
        let folder = tempfile::tempdir().unwrap();
        // A server on another database has the folder.
        let data = folder.path().to_str().unwrap();
        let mut program = Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--data", data]));
        program.after("stop  ");
        let (code, out, err) = give(&["room", "add", "garden"], &database, folder.path(), "");
        assert_eq!((code, err.as_str()), (0, ""));
        let is_shared = !database.starts_with("sqlite");
        let end = if is_shared { "; a server that runs elsewhere knows it once it is started anew\n" } else { "now\n" };
        assert!(out.ends_with(end), "{out}");
    }
}

#[test]
fn an_address_at_which_there_is_no_chat_is_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    for database in elsewhere(place.path()) {
        for _ in 0..2 {
            let (code, out, err) = give(&["user", "list"], &database, place.path(), "");
            assert_eq!((code, out.as_str()), (1, ""), "{err}");
            assert!(err.contains("there is no chat in ") && !err.contains("secret"), "{err}");
        }
    }
}

#[test]
fn a_backup_of_another_database_is_its_own_tools_affair() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("copy");
    let cases = [
        ("postgres://ann:secret@127.0.0.1:1/chat", "pg_dump", "pg_restore"),
        ("mysql://ann:secret@127.0.0.1:1/chat", "mysqldump", "use mysql"),
        ("sqlite:elsewhere.db", "parlor migrate", "parlor migrate"),
    ];
    for (database, backup, restore) in cases {
        for (command, word) in [("backup", backup), ("restore", restore)] {
            let (code, _, err) = run(&[command, file.to_str().unwrap(), "--database", database]);
            assert_eq!(code, 1, "{err}");
            assert!(err.contains(word) && !err.contains("secret"), "{err}");
        }
    }
}
