//! The accept key (chapter 4), from the server's side.
//!
//! A server shows that it has understood a handshake by what it makes of the client's `Sec-WebSocket-Key`. First it
//! looks whether that is a key at all: 16 bytes in base64 (RFC 6455, section 4.2.1). If not, return `None`. If it is,
//! return what must stand in `Sec-WebSocket-Accept` (section 4.2.2): the key as it came and the GUID behind it, hashed
//! with SHA-1, in base64.
//!
//! `04_handshake.rs` shows the crates; `BASE64.decode` gives an error if it is no base64.
//!
//! `cargo test --test exercises accept_key -- --ignored`

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

pub fn accept_key(key: &str) -> Option<String> {
    todo!("yours to write")
}
