//! Page or WebSocket? (chapter 3)
//!
//! `03_echo_page` looks only for a key. Look closer: given the head of a request, without the empty line, say whether
//! it asks for a WebSocket (RFC 6455, section 4.2.1):
//!
//! - its first line begins with `GET ` and ends with ` HTTP/1.1`;
//! - `Upgrade` is `websocket`, in capitals or not;
//! - `Connection` has the word `Upgrade`, in capitals or not, perhaps among others, with commas between: Firefox sends
//!   `Connection: keep-alive, Upgrade`;
//! - there is a `Sec-WebSocket-Key`;
//! - `Sec-WebSocket-Version` is `13`.
//!
//! The names of headers may be in capitals or not, and there may be spaces around a value, or none.
//!
//! `cargo test --test exercises wants_websocket -- --ignored`

pub fn wants_websocket(head: &str) -> bool {
    todo!("yours to write")
}
