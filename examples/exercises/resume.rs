//! After a restart (chapter 12).
//!
//! `12_history` begins at 1 again whenever it is started, and a client that comes back with `?since=57` from before
//! waits for a 58 that may never come, or is another 58. So give the line a name that is made anew at each start, its
//! epoch, and let the client say both: the epoch it knows and the last number it saw in it.
//!
//! Given the epoch of this line, what is kept of it (number and text, oldest first, the numbers without gaps), and what
//! the client says, return the frames that it is sent, in order:
//!
//! - of each message that it has not seen, the number, a space and the text: `58 hello`;
//! - before them, if there were messages that it has not seen and that are no longer kept, `missed 12`: how many;
//! - before all of that, if its epoch is not ours, `epoch` and the name of ours: `epoch b7`. Its number then means
//!   nothing: it has seen none of this line.
//! - Who says nothing (`None`) is new: it is told the epoch, and gets all that is kept, and is not told of older ones.
//!
//! `cargo test --test exercises resume -- --ignored`

pub fn resume(epoch: &str, kept: &[(u64, &str)], seen: Option<(&str, u64)>) -> Vec<String> {
    todo!("yours to write")
}
