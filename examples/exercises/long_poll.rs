//! Long polling (chapter 8).
//!
//! The server's side: a client has seen the first `seen` of the news. Return what comes behind them: at once if there
//! is something, else as soon as there is; when `patience` is over, nothing. Whoever adds news wakes all who wait, with
//! `notify_all`; but one may be woken though there is nothing new, and then waits on, until the same end.
//!
//! A client may say that it has seen more than there is: its number is from before the server began anew. It gets all.
//!
//! These are the standard library's `Mutex` and `Condvar`; `Condvar::wait_timeout_while` will help.
//!
//! `cargo test --test exercises long_poll -- --ignored`

use std::sync::{Condvar, Mutex};
use std::time::Duration;

pub fn long_poll(news: &Mutex<Vec<String>>, more: &Condvar, seen: usize, patience: Duration) -> Vec<String> {
    todo!("yours to write")
}
