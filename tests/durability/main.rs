//! Nothing is lost: tests that try to break that.
//!
//! The short form runs with all tests. The long one of the torture:
//! `PARLOR_TORTURE=200 cargo test --test durability at_any_moment -- --nocapture`

#[path = "../common/cable.rs"]
mod cable;
#[path = "../common/mod.rs"]
mod common;

mod chance;
mod crowd;
mod disk;
mod failures;
mod lines;
mod model;
mod service;
mod threads;
mod torture;
mod witness;

use std::path::Path;
use std::process::Command;

/// The executable with its database in a folder, on a port that is free.
fn parlor(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_")) {
        command.env_remove(name);
    }
    command.args(["--listen", "127.0.0.1:0", "--rate", "off", "--data"]).arg(data);
    command
}
