//! The threads of a server, and its descriptors, end with it.

use crate::common::{Client, eventually, status};
use parlor::{Server, Start, Synchronous};
use std::process::Command;

/// In a process of its own, where no other test has threads.
#[test]
#[cfg(target_os = "linux")]
fn servers_that_have_ended_leave_nothing_behind() {
    let own = std::env::current_exe().unwrap();
    let inner = ["--exact", "--ignored", "threads::a_few_servers_in_a_process_of_their_own"];
    let run = Command::new(own).args(inner).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by the test above"]
fn a_few_servers_in_a_process_of_their_own() {
    let (threads, descriptors) = (names(), descriptors());
    for n in 0..4 {
        // One that never runs has some threads, too.
        drop(Server::builder().listen("127.0.0.1:0".parse().unwrap()).bind().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let builder = Server::builder().listen("127.0.0.1:0".parse().unwrap());
        let builder = if n % 2 == 0 { builder.sqlite(folder.path(), Synchronous::Normal) } else { builder };
        let server = builder.bind().unwrap().spawn().unwrap();
        let mut ann = Client::json(server.address(), "ann");
        let bob = server.client("bob").unwrap();
        bob.join("lobby", Start::Last(1)).unwrap();
        bob.post("lobby", "hello").unwrap();
        let mut page = crate::common::raw(server.address());
        std::io::Write::write_all(&mut page, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(status(&crate::common::all_of(&mut page)), 200);
        // Without one of its own a thread has the name of the one that started it; each has, until it runs.
        eventually("all threads have names of their own", || {
            names().iter().filter(|name| !is_named(name)).count() == threads.len()
        });
        server.shutdown();
        assert_eq!(ann.close_code(), Some(1001));
        server.join().unwrap();
        drop((ann, bob));
    }
    eventually(&format!("no other threads than {threads:?}"), || names().len() == threads.len());
    eventually("no more descriptors than before", || self::descriptors() <= descriptors);
}

/// What the server or its client has called so.
fn is_named(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "parlor",
        "parlor client",
        "listener",
        "recorder",
        "dispatcher",
        "flusher",
        "reader",
        "http",
        "password",
        "client",
        "webhooks",
        "indexer",
        "control",
    ];
    NAMES.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end())
}

fn names() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim_end().to_owned()).collect()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
