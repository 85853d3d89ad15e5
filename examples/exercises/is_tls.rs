//! One port for both (chapter 17).
//!
//! `17_tls` answers who comes with `ws://` with an alert that it does not understand. A server can serve both on one
//! port, if it looks at the first byte before anything else does: TLS begins with a record of the type "handshake", 22
//! (RFC 8446, section 5.1), and HTTP with the letters of a method. Return whether it is TLS.
//!
//! Only look: whoever reads the stream after you must find that byte, too. The byte may not be there yet, so wait for
//! it. A stream that ends without it is an error, of the kind `UnexpectedEof`; but an error on the line stays itself.
//!
//! `cargo test --test exercises is_tls -- --ignored`

use std::io;
use std::net::TcpStream;

pub fn is_tls(stream: &TcpStream) -> io::Result<bool> {
    todo!("yours to write")
}
