//! Shouting (chapters 1 and 2).
//!
//! Write a server that answers each text in capital letters. It serves every client at once: one who is connected and
//! says nothing, not even a handshake, makes nobody wait. When a client is gone, the others stay.
//!
//! The address is listened on already; `01_echo_server.rs` shows the rest.
//!
//! `cargo test --test exercises shout -- --ignored`

use std::net::TcpListener;

pub fn shout(listener: TcpListener) {
    todo!("yours to write")
}
