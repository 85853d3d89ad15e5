//! Frames as bytes on the wire (RFC 6455 section 5.2), encoded once and shared by all who get them.

use bytes::Bytes;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

/// The longest reason that fits a close frame: a control frame carries 125 bytes, two of them the code (section 5.5).
const LONGEST_REASON: usize = 123;

/// A text frame.
pub fn text(payload: impl Into<Bytes>) -> Bytes {
    encode(Frame::message(payload, OpCode::Data(Data::Text), true))
}

/// A binary frame.
pub fn binary(payload: impl Into<Bytes>) -> Bytes {
    encode(Frame::message(payload, OpCode::Data(Data::Binary), true))
}

/// An empty ping.
pub fn ping() -> Bytes {
    encode(Frame::ping(Bytes::new()))
}

/// A close frame; a reason that is too long is cut between two characters.
pub fn close(code: u16, reason: &str) -> Bytes {
    let end = (0..=reason.len().min(LONGEST_REASON)).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0);
    encode(Frame::close(Some(CloseFrame { code: CloseCode::from(code), reason: reason[..end].into() })))
}

fn encode(frame: Frame) -> Bytes {
    let mut wire = Vec::with_capacity(frame.len());
    // Into memory, without a mask: nothing here can fail.
    let _ = frame.format(&mut wire);
    wire.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_form_that_fits() {
        assert_eq!(&text("hi")[..], b"\x81\x02hi");
        assert_eq!(&text(vec![b'x'; 200])[..4], [0x81, 126, 0, 200]);
        assert_eq!(&binary(vec![0; 70_000])[..10], [0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        assert_eq!(&ping()[..], [0x89, 0]);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = close(4000, &"é".repeat(100));
        assert_eq!(frame[0], 0x88);
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
    }
}
