//! Each command that a page or an example shows is given, word by word, but for the ports, which are the test's own.

use crate::book::{commands, read, sources};
use crate::common::program::Program;
use crate::common::{TestServer, server};
use crate::{built, example};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The servers that commands talk to, each started when it is first asked for.
#[derive(Default)]
struct Servers {
    examples: BTreeMap<String, (Program, String)>,
    parlor: Option<TestServer>,
    /// What `17_tls` prints.
    fingerprint: String,
}

#[test]
fn every_command_shown_works() {
    let pages = ["README.md", "examples/README.md"].map(read);
    let mut shown: BTreeSet<String> = pages.iter().flat_map(|page| commands(page)).map(str::to_owned).collect();
    let examples: BTreeSet<String> = sources("examples");
    for name in &examples {
        shown.extend(mentioned(&read(&format!("examples/{name}.rs"))));
    }
    // What a program writes, such as the bot's memory, is not left lying about.
    let folder = tempfile::tempdir().unwrap();
    let mut servers = Servers::default();
    let mut given = BTreeSet::new();
    for command in shown {
        let words = words(&command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ["cargo", "run", "--example", name, arguments @ ..] = &words[..] else { continue };
        let arguments = arguments.strip_prefix(&["--"]).unwrap_or(arguments);
        let arguments = servers.arguments(name, arguments);
        let mut program = Program::start(Command::new(built(name)).args(arguments).current_dir(&folder));
        drop(program.child.stdin.take());
        let line = program.line();
        assert!(!line.trim().is_empty(), "{command}: {}", program.errors());
        given.insert(name.to_string());
    }
    assert_eq!(given, examples, "each is shown somewhere");
}

#[test]
fn the_request_that_curl_makes_is_answered_as_the_page_says() {
    let page = read("examples/README.md").replace("\\\n", " ");
    let command = commands(&page).into_iter().find(|command| command.starts_with("curl -i -H")).unwrap().to_owned();
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "there is no curl here");
        return eprintln!("skipped: there is no curl here");
    }
    let mut servers = Servers::default();
    let command = servers.with_ports(&command);
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{command}: {answer}");
}

/// Commands in the comments of a source: `cargo run --example 05_frame -- 81 02`.
fn mentioned(source: &str) -> Vec<String> {
    let quoted =
        source.lines().filter(|line| line.starts_with("//!")).flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.starts_with("cargo run --example ")).map(str::to_owned).collect()
}

/// As a shell takes them apart, if nothing but quotes is special.
fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
}

/// The address that an example takes if none is given: `localhost:8765`.
fn default_of(name: &str) -> Vec<String> {
    let source = read(&format!("examples/{name}.rs"));
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let quoted = code.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    quoted.filter(|text| port(text).is_some_and(|port| port != 0)).collect()
}

fn listens(name: &str) -> bool {
    read(&format!("examples/{name}.rs")).contains("TcpListener")
}

/// The port in `…localhost:8765…` or `…127.0.0.1:8080…`.
fn port(text: &str) -> Option<u16> {
    let behind = ["localhost:", "127.0.0.1:", "0.0.0.0:"].iter().find_map(|host| Some(text.split_once(host)?.1))?;
    behind.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok()
}

impl Servers {
    /// The arguments of a command with ports of our own: 0 where it listens, a server's where it connects.
    fn arguments(&mut self, name: &str, given: &[&str]) -> Vec<String> {
        let defaults = default_of(name);
        let shown: Vec<&str> =
            if given.is_empty() { defaults.iter().map(String::as_str).collect() } else { given.to_vec() };
        let nodes = if name == "18_two_nodes" { 2 } else { 1 };
        let argument = |(at, text): (usize, &&str)| match port(text) {
            Some(port)
                if at < nodes && listens(name) && text.ends_with(&format!(":{port}")) && !text.contains("//") =>
            {
                "localhost:0".to_owned()
            }
            Some(_) => self.with_ports(text),
            None if *text == "FINGERPRINT" => self.fingerprint.clone(),
            None => text.to_string(),
        };
        shown.iter().enumerate().map(argument).collect()
    }

    /// The same text with the port of a server that is running.
    fn with_ports(&mut self, text: &str) -> String {
        let wanted = port(text).unwrap();
        let real = self.port(wanted);
        // Listening on one address of two, it must be named by that.
        text.replace(&format!(":{wanted}"), &format!(":{real}"))
    }

    fn port(&mut self, wanted: u16) -> u16 {
        if wanted == 8080 {
            return self.parlor.get_or_insert_with(server).address.port();
        }
        let serves =
            |name: &String| listens(name) && default_of(name).first().and_then(|text| port(text)) == Some(wanted);
        let name = sources("examples").into_iter().find(serves).unwrap_or_else(|| panic!("nothing serves {wanted}"));
        if !self.examples.contains_key(&name) {
            built(&name);
            let mut arguments = vec!["localhost:0".to_owned()];
            if name == "07_wiretap" {
                arguments.push(format!("localhost:{}", self.port(8765)));
            }
            let mut program = example(&name, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
            let address = program.after("Listening on ");
            if name == "17_tls" {
                self.fingerprint = program.after("Fingerprint ");
            }
            self.examples.insert(name.clone(), (program, address));
        }
        port(&self.examples[&name].1.replace("[::1]", "localhost")).unwrap()
    }
}
