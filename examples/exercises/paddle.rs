//! A paddle (chapter 14).
//!
//! A page has sent a frame. Write the function that says where its paddle is after this step.
//!
//! - `frame` should be two bytes, the place that the player wishes, high byte first. It comes from outside: a frame of any
//!   other length moves nothing.
//! - `now` is where the middle of the paddle is. In one step it moves by at most 20, in the direction of the wish, and not
//!   beyond it.
//! - Its middle stays between 90 and 810, whatever is wished.
//!
//! `u16` has no numbers below 0: `90_u16 - 100` panics. `abs_diff`, `saturating_sub` and `clamp` may help.
//!
//! `cargo test --test exercises paddle -- --ignored`

pub fn paddle(frame: &[u8], now: u16) -> u16 {
    todo!("yours to write")
}
