//! A fourth way to treat a slow client (chapter 10).
//!
//! For the price of a share or the place of a player only the newest counts. So let the client stay, and let go of what
//! is oldest. Put `message` at the end of `queue`, so that all in it together have at most `limit` bytes: as long as
//! they have more, the first of the queue is dropped. Return how many were dropped, so that somebody can be told.
//!
//! A message that alone has more than `limit` bytes does not fit at all: it counts as dropped, too, and it must not
//! cost the others their place.
//!
//! `cargo test --test exercises keep_newest -- --ignored`

use std::collections::VecDeque;

pub fn keep_newest(queue: &mut VecDeque<String>, limit: usize, message: String) -> usize {
    todo!("yours to write")
}
