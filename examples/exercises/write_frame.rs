//! A frame, the other way round (chapter 5).
//!
//! `05_frame` takes frames apart. Put one together: a text, whole in one frame (FIN set, opcode 1), masked if there is
//! a mask (RFC 6455, section 5.2). A length up to 125 stands in the second byte; one up to 65535 in two bytes behind
//! it, which then says 126; a longer one in eight, and it says 127. Lengths are big-endian: the highest byte first.
//! The mask stands behind the length, and before the payload.
//!
//! `cargo test --test exercises write_frame -- --ignored`

pub fn write_frame(text: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    todo!("yours to write")
}
