//! permessage-deflate (RFC 7692), without context takeover: each message is packed for itself, so nothing is kept for a
//! connection, and a message that goes to a thousand is packed once.
//!
//! tungstenite knows nothing of it: what comes in packed is unpacked underneath it, and what goes out is packed in the
//! outbox.

mod packer;
mod spared;
mod unpacker;

pub(crate) use packer::Packer;
pub(crate) use spared::{Spared, Tally};
pub(crate) use unpacker::{Fault, Unpacker};

use crate::head::Head;

/// The extension's name (section 7).
const NAME: &str = "permessage-deflate";

/// What the server answers to an offer that it takes: neither side remembers anything from one message to the next.
pub(crate) const ANSWER: &str =
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";

/// The bit of a frame's first byte that says that the message is packed (section 6).
const PACKED: u8 = 0x40;

/// The end of each packed message, which is left out on the wire (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What comes after the handshake.
#[derive(Default)]
pub(crate) struct Early {
    /// What was read already of the first frames.
    pub bytes: Vec<u8>,
    /// Messages may be packed, both ways.
    pub packed: bool,
}

/// Whether a client offers what this server can do (section 7.1).
pub(crate) fn is_offered(head: &Head) -> bool {
    let values = head.request.headers().get_all("sec-websocket-extensions").iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(is_fine)
}

/// One offer. Whoever wants a smaller window than there is wants something else.
fn is_fine(offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    if !parts.next().is_some_and(|name| name.eq_ignore_ascii_case(NAME)) {
        return false;
    }
    let mut seen = Vec::new();
    parts.all(|parameter| {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim().to_ascii_lowercase(), Some(value.trim().trim_matches('"'))),
            None => (parameter.to_ascii_lowercase(), None),
        };
        let fine = match (name.as_str(), value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => true,
            ("client_max_window_bits", None) => true,
            ("client_max_window_bits", Some(bits)) => bits.parse().is_ok_and(|bits: u8| (8..=15).contains(&bits)),
            ("server_max_window_bits", Some("15")) => true,
            _ => false,
        };
        let twice = seen.contains(&name);
        seen.push(name);
        fine && !twice
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_that_asks_for_no_more_than_there_is_is_taken() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "Permessage-Deflate;server_no_context_takeover ; client_max_window_bits=\"10\"",
            "permessage-deflate; server_max_window_bits=15",
        ] {
            assert!(is_fine(offer), "{offer}");
        }
        for offer in [
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; fast",
        ] {
            assert!(!is_fine(offer), "{offer}");
        }
    }
}
