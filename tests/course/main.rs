//! The course as a learner meets it: each example is run, and does what it says.

#[path = "../common/mod.rs"]
mod common;

mod basics;
mod book;
mod commands;
mod crowds;
mod library;
mod tls;

use common::program::Program;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// Starts an example with these arguments, in a process of its own that ends with the test.
fn example(name: &str, arguments: &[&str]) -> Program {
    Program::start(Command::new(built(name)).args(arguments))
}

/// The executable of an example. `cargo test` has built it; `cargo test --test course` alone has not.
fn built(name: &str) -> std::path::PathBuf {
    // target/debug/deps/course-… stands beside target/debug/examples.
    let here = std::env::current_exe().unwrap();
    let profile = here.ancestors().nth(2).unwrap();
    let program = profile.join("examples").join(name);
    let written = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    // Cargo leaves beside it what it was made of: "program: source source …".
    let fresh = || {
        let sources = std::fs::read_to_string(program.with_extension("d")).ok()?;
        let made = written(&program)?;
        Some(
            sources.split_whitespace().skip(1).all(|source| written(Path::new(source)).is_some_and(|time| time < made)),
        )
    };
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock();
    if fresh() != Some(true) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", name]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        // Cargo sets these for the test. Some build scripts watch them, and would build a whole library anew.
        let set = |name: &String| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for name in std::env::vars().map(|(name, _)| name).filter(set) {
            cargo.env_remove(name);
        }
        assert!(cargo.status().unwrap().success(), "{name} cannot be built");
    }
    program
}
