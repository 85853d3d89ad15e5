//! The answer to a close (chapter 6).
//!
//! Given the payload of a close frame that has come, return the payload of the one to send back (RFC 6455, sections
//! 5.5.1 and 7.4). A payload is empty, or a code of two bytes, the higher first, and perhaps a reason behind it.
//!
//! - Nothing came: nothing goes back.
//! - One byte is no code: answer with 1002, a protocol error.
//! - A code that nobody may send: 1002. These may be sent: 1000 to 1003, 1007 to 1014, and 3000 to 4999. (1005 means "no
//!   code came" and 1006 "no close came"; they are for what a program tells its user, and never stand in a frame.)
//! - A reason that is not UTF-8: 1007.
//! - Else the same code, without the reason.
//!
//! `cargo test --test exercises answer_close -- --ignored`

pub fn answer_close(payload: &[u8]) -> Vec<u8> {
    todo!("yours to write")
}
