//! A mishap: a panic in what one of the threads that serve many was doing for somebody. It goes on with the next.

use log::error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does `work`. None: it panicked, which is logged; whoever it was for is to be told.
///
/// What it may leave half done is its own: locks are let go of in a panic, and what it changed of the store is a transaction.
pub(crate) fn caught<T>(what: &str, work: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(work)).ok();
    if done.is_none() {
        error!("{what} panicked: this one fails, the others go on; please report what stands above");
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_gives_nothing_and_the_next_is_done() {
        assert_eq!(caught("a test", || -> u8 { panic!("a fault that the test made") }), None);
        assert_eq!(caught("a test", || 7), Some(7));
    }
}
