//! The project as a whole: what it is built on, and what stands at its top.

use std::collections::BTreeSet;

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The lock file names every crate of every feature, platform and test.
#[test]
fn no_async_runtime_is_in_the_tree() {
    const RUNTIMES: [&str; 9] = [
        "tokio",
        "async-std",
        "smol",
        "mio",
        "futures-executor",
        "async-io",
        "async-executor",
        "async-global-executor",
        "monoio",
    ];
    let lock = read("Cargo.lock");
    let crates: BTreeSet<&str> =
        lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(crates.contains("tungstenite") && crates.contains("tiny_http"));
    for runtime in RUNTIMES {
        assert!(!crates.contains(runtime), "{runtime} has come in");
    }
}

#[test]
fn nothing_but_what_belongs_there_stands_at_the_top() {
    const BELONGS: [&str; 11] = [
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "src",
        "www",
        "tests",
        "examples",
        "deploy",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ];
    // What git ignores is not part of the project.
    let ignored = read(".gitignore");
    for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = BELONGS.contains(&name.as_str()) || name.starts_with('.');
        assert!(known || ignored.lines().any(|line| line == format!("/{name}")), "{name} stands at the top");
    }
}

/// Every setting of the server stands in the README's table.
#[test]
fn the_readme_knows_every_setting() {
    let readme = read("README.md");
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_parlor")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    let flags: Vec<&str> = lines.filter_map(|line| line.split_once("--")?.1.split([' ', ',']).next()).collect();
    assert!(flags.len() > 10, "{help}");
    for flag in flags.into_iter().filter(|flag| !["help", "version"].contains(flag)) {
        assert!(readme.contains(&format!("| `--{flag}")), "--{flag} is not in the README");
    }
}
