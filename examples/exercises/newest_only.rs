//! Only the newest (chapter 13).
//!
//! Prices can change a thousand times in a second; nobody reads that fast. Write what stands between: it takes prices as
//! they come, and pushes them so that
//! - the first goes out at once;
//! - between two pushes there is at least `gap`;
//! - what is pushed is the newest price there is, and those that it has overtaken are never pushed;
//! - the last price always arrives, even when no other comes after it;
//! - when the sender of the prices is gone and the last is pushed, it returns.
//!
//! `recv()` waits for a price, and `try_recv()` takes one that waits already.
//!
//! `cargo test --test exercises newest_only -- --ignored`

use crossbeam_channel::Receiver;
use std::time::Duration;

pub fn newest_only(prices: &Receiver<u64>, gap: Duration, push: &mut dyn FnMut(u64)) {
    todo!("yours to write")
}
