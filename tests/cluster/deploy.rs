//! The files in `deploy/` say what is true.

use crate::common::*;
use crate::line::ground;
use crate::program::Node;
use std::net::TcpListener;
use std::process::Command;

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/deploy/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Starts the executable as a file says, on a port that is free, and stops it.
fn starts(flags: &[String], variables: &[&str]) {
    let Some((database, redis)) = ground() else { return };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let flags = flags.iter().map(|flag| match flag.rsplit_once(':') {
        Some((address, "8080" | "%i")) => format!("{address}:{port}"),
        _ => flag.clone(),
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(flags);
    assert!(variables.contains(&"PARLOR_DATABASE") && variables.contains(&"PARLOR_CLUSTER"), "{variables:?}");
    let mut node = Node::with(command.env("PARLOR_DATABASE", &database).env("PARLOR_CLUSTER", redis.url()));
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let client = Client::json(address, "ann");
    assert_eq!(client.welcome["you"]["name"], "ann");
    client.cut();
    node.program.signal("TERM");
    assert_eq!(node.program.end().code(), Some(0));
}

#[test]
fn the_unit_starts_a_node_and_gives_it_time_to_drain() {
    let unit = read("parlor@.service");
    let value = |key: &str| {
        let lines: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect();
        assert_eq!(lines.len(), 1, "{key}");
        lines[0]
    };
    let words: Vec<String> = value("ExecStart").split(' ').map(str::to_owned).collect();
    assert_eq!(words[0], "/usr/local/bin/parlor");
    let variables = unit.lines().filter_map(|line| line.strip_prefix("#   ")?.split('=').next());
    starts(&words[1..], &variables.collect::<Vec<_>>());
    let drain: u64 = words.windows(2).find(|pair| pair[0] == "--drain").unwrap()[1].parse().unwrap();
    assert!(value("TimeoutStopSec").parse::<u64>().unwrap() > drain + 5);
    // Where systemd is, it understands the rest.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlor@8081.service");
    std::fs::write(&path, unit.replace("/usr/local/bin/parlor", "/bin/true")).unwrap();
    if let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&path).output() {
        let said = String::from_utf8_lossy(&verified.stderr);
        assert!(!said.contains("parlor@8081.service:"), "{said}");
    }
}

#[test]
fn what_the_compose_file_starts_starts() {
    let compose = read("compose.yaml");
    let (_, parlor) = compose.split_once("\n  parlor:\n").unwrap();
    let parlor = parlor.split("\n\n").next().unwrap();
    let line = |key: &str| parlor.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim();
    let flags: Vec<String> = serde_json::from_str(line("command:")).unwrap();
    let variables = parlor.lines().filter_map(|line| line.trim().split_once(": ").map(|(name, _)| name));
    starts(&flags, &variables.filter(|name| name.starts_with("PARLOR_")).collect::<Vec<_>>());
    let grace: u64 = line("stop_grace_period:").trim_end_matches('s').parse().unwrap();
    let drain: u64 = flags.windows(2).find(|pair| pair[0] == "--drain").unwrap()[1].parse().unwrap();
    assert!(grace > drain + 5);
    let dockerfile = read(line("build:").rsplit('/').next().unwrap().trim_end_matches(" }"));
    assert!(dockerfile.contains("--features cluster,postgres") && dockerfile.contains("ENTRYPOINT"));
}
