//! A main loop (chapter 15).
//!
//! Write the loop of a machine that takes commands while it runs.
//!
//! - Once in each `period` it calls `step`, the first time after one period, with the commands that have come since the last
//!   step, in order. Often there are none.
//! - However many commands come, and however long a step takes (if it is less than a period), the beat stays the same. So
//!   `sleep(period)` after each step is not it.
//! - When the sender of the commands is gone it returns at once. Commands that no step has had yet get a last step.
//!
//! `tick()` and `select!` of crossbeam_channel are in `15_embedding.rs`. `std::mem::take` empties a `Vec` and gives you what
//! was in it.
//!
//! `cargo test --test exercises main_loop -- --ignored`

use crossbeam_channel::{Receiver, select, tick};
use std::time::Duration;

pub fn main_loop(commands: &Receiver<u32>, period: Duration, step: &mut dyn FnMut(&[u32])) {
    todo!("yours to write")
}
