//! The supply: what the project is built on is what it says, under licences that ask for no more than to be named.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What may be in the executable. Where a crate leaves the choice one of these is enough; where it has several, all.
const PERMITTED: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Zlib",
    "0BSD",
    "Unlicense",
    "Unicode-3.0",
];

/// Crates and their licences, as cargo knows them.
fn tree(more: &[&str]) -> BTreeMap<String, String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(["tree", "--locked", "--all-features", "--prefix", "none", "--format", "{p}|{l}"]).args(more);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().filter_map(|line| line.split_once('|'));
    let named = lines.map(|(name, licence)| {
        let name = name.split(' ').next().unwrap().to_owned();
        (name, licence.trim_end_matches(" (*)").to_owned())
    });
    named.filter(|(name, _)| name != "parlor" && !name.is_empty()).collect()
}

fn is_permitted(licence: &str) -> bool {
    let one = |part: &str| {
        let part = part.trim_matches(['(', ')', ' ']);
        part.replace('/', " OR ").split(" OR ").any(|name| PERMITTED.contains(&name.trim()))
    };
    licence.split(" AND ").all(one)
}

/// The table's rows: crate, why, where, licence.
fn table() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(format!("{}/src/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let part = readme.split("| crate | why it is there |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = part.lines().skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
        .collect()
}

#[test]
fn each_crate_stands_in_the_table_with_why_where_and_its_licence() {
    let manifest = std::fs::read_to_string(format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let part = match section {
            "[dependencies]" => "executable",
            "[build-dependencies]" => "build",
            "[dev-dependencies]" => "tests",
            _ => continue,
        };
        if let Some((name, _)) = line.split_once(" = ").filter(|(name, _)| !name.contains(['#', ' ', '[', '{'])) {
            named.entry(name.to_owned()).or_default().insert(part);
        }
    }
    assert!(named.len() > 40, "{named:?}");
    let licences = tree(&["--edges", "normal,build,dev", "--depth", "1"]);
    let table = table();
    let listed: BTreeSet<&String> = table.iter().map(|row| &row[0]).collect();
    assert_eq!(listed, named.keys().collect::<BTreeSet<_>>());
    assert_eq!(listed.len(), table.len(), "a crate stands there twice");
    for row in &table {
        let [name, why, part, licence] = &row[..] else { panic!("{row:?}") };
        assert!(why.len() > 3, "{name}: why?");
        let parts = &named[name];
        let expected = if parts.contains("executable") {
            "executable".to_owned()
        } else {
            parts.iter().copied().collect::<Vec<_>>().join(", ")
        };
        assert_eq!(*part, expected, "{name}");
        assert_eq!(Some(licence), licences.get(name), "{name}");
    }
}

#[test]
fn nothing_in_the_executable_asks_for_more_than_to_be_named() {
    let all = tree(&["--edges", "normal,build"]);
    assert!(all.len() > 80, "{}", all.len());
    for (name, licence) in all {
        assert!(is_permitted(&licence), "{name} is under {licence:?}");
    }
    assert!(
        !is_permitted("GPL-3.0")
            && !is_permitted("MIT AND GPL-2.0")
            && is_permitted("GPL-2.0 OR MIT")
            && !is_permitted("")
    );
}
