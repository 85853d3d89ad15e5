//! Bytes of a connection in, lines about them out: the heads of the handshake, and each frame (RFC 6455 section 5.2).
//! Pure: it reads nothing and prints nothing.

use parlor::Direction;

/// How much of a payload is shown, in bytes.
const SHOWN: usize = 1024;
/// A head that is longer than this is none.
const LONGEST_HEAD: usize = 64 * 1024;

/// Something that was seen whole.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// The head of the request or of the response, a field a line.
    Head(Direction, Vec<String>),
    /// A frame, in a line.
    Frame(Direction, String),
}

/// Follows a connection, and the one after it when it is dialled again.
#[derive(Default)]
pub struct Wire {
    sent: Side,
    received: Side,
}

impl Wire {
    /// Takes bytes as they went over the wire, however they were cut, and gives what is complete with them.
    pub fn sees(&mut self, direction: Direction, bytes: &[u8]) -> Vec<Seen> {
        // A new connection begins with its request. Bytes within a frame cannot look like one: they are masked.
        if direction == Direction::Sent && bytes.starts_with(b"GET ") {
            *self = Wire::default();
        }
        match direction {
            Direction::Sent => self.sent.sees(direction, bytes),
            Direction::Received => self.received.sees(direction, bytes),
        }
    }
}

/// One direction of a connection.
#[derive(Default)]
struct Side {
    /// After the head, frames.
    upgraded: bool,
    /// Of the head, or of a frame's header: what has come so far.
    start: Vec<u8>,
    frame: Option<Frame>,
}

/// A frame whose header is complete.
struct Frame {
    first: u8,
    mask: Option<[u8; 4]>,
    length: u64,
    /// How much of the payload has come.
    so_far: u64,
    /// The beginning of the payload, without the mask.
    shown: Vec<u8>,
}

impl Side {
    fn sees(&mut self, direction: Direction, bytes: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut rest = bytes;
        if !self.upgraded {
            let before = self.start.len();
            self.start.extend_from_slice(rest);
            let Some(end) = self.start.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
                self.start.truncate(LONGEST_HEAD);
                return seen;
            };
            rest = &rest[end - before..];
            let head = String::from_utf8_lossy(&self.start[..end - 4]).into_owned();
            seen.push(Seen::Head(direction, head.split("\r\n").map(str::to_owned).collect()));
            self.start.clear();
            self.upgraded = true;
        }
        while !rest.is_empty() || self.frame.as_ref().is_some_and(Frame::is_whole) {
            if let Some(frame) = &mut self.frame {
                rest = frame.take(rest);
            } else {
                self.start.push(rest[0]);
                rest = &rest[1..];
                self.frame = Frame::from_header(&self.start);
                if self.frame.is_some() {
                    self.start.clear();
                }
            }
            if let Some(frame) = self.frame.take_if(|frame| frame.is_whole()) {
                seen.push(Seen::Frame(direction, frame.line()));
            }
        }
        seen
    }
}

impl Frame {
    /// The header, if these bytes are all of it.
    fn from_header(bytes: &[u8]) -> Option<Frame> {
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (length, rest) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), &bytes[4..]),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), &bytes[10..]),
            short => (u64::from(short), &bytes[2..]),
        };
        let masked = second & 0x80 != 0;
        let mask = if masked { Some(rest.get(..4)?.try_into().ok()?) } else { None };
        Some(Frame { first, mask, length, so_far: 0, shown: Vec::new() })
    }

    fn is_whole(&self) -> bool {
        self.so_far == self.length
    }

    /// Takes what belongs to the payload, and gives what follows it.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let missing = usize::try_from(self.length - self.so_far).unwrap_or(usize::MAX);
        let (payload, rest) = bytes.split_at(missing.min(bytes.len()));
        let room = SHOWN - self.shown.len();
        for byte in payload.iter().take(room) {
            let key = self.mask.map_or(0, |mask| mask[self.shown.len() % 4]);
            self.shown.push(byte ^ key);
        }
        self.so_far += payload.len() as u64;
        rest
    }

    fn line(&self) -> String {
        let opcode = self.first & 0x0f;
        let what = match opcode {
            0x0 => "continuation".to_owned(),
            0x1 => "text".to_owned(),
            0x2 => "binary".to_owned(),
            0x8 => "close".to_owned(),
            0x9 => "ping".to_owned(),
            0xa => "pong".to_owned(),
            reserved => format!("opcode {reserved:x}"),
        };
        let fin = if self.first & 0x80 != 0 { "FIN" } else { "more" };
        let reserved: String =
            (1..4).filter(|bit| self.first & (0x80 >> bit) != 0).map(|bit| format!(" RSV{bit}")).collect();
        let mask = self.mask.map_or("no mask".to_owned(), |mask| format!("mask {}", hex(&mask).replace(' ', "")));
        let payload = match (opcode, self.shown.as_slice()) {
            (_, []) => String::new(),
            (0x8, [high, low, reason @ ..]) => {
                let code = u16::from_be_bytes([*high, *low]);
                if reason.is_empty() { format!("  {code}") } else { format!("  {code} {}", quoted(reason)) }
            }
            // A fragment that goes on may be of either kind, and a text may be cut within a character.
            (0x0 | 0x1, bytes) => format!("  {}", quoted(bytes)),
            (_, bytes) => format!("  {}", hex(bytes)),
        };
        let missing = self.length - self.shown.len() as u64;
        let more = if missing > 0 { format!(" and {missing} more") } else { String::new() };
        format!("{what} {fin}{reserved}, {mask}, {} B{payload}{more}", self.length)
    }
}

/// Bytes as pairs of hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// Text in quotes, on one line, with everything in it that a terminal would act on made visible.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        text.push_str(&super::harmless::line(chunk.valid()));
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Received, Sent};

    /// The lines about frames that came after a response, in whatever pieces.
    fn frames(bytes: &[u8], piece: usize) -> Vec<String> {
        let mut wire = Wire::default();
        let mut seen = wire.sees(Received, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
        seen.extend(bytes.chunks(piece).flat_map(|piece| wire.sees(Received, piece)));
        let lines = seen.into_iter().filter_map(|seen| match seen {
            Seen::Frame(Received, line) => Some(line),
            _ => None,
        });
        lines.collect()
    }

    #[test]
    fn the_examples_of_rfc_6455_section_5_7() {
        let cases: [(&[u8], &[&str]); 5] = [
            (&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], &[r#"text FIN, no mask, 5 B  "Hello""#]),
            (
                &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
                &[r#"text FIN, mask 37fa213d, 5 B  "Hello""#],
            ),
            (
                &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f],
                &[r#"text more, no mask, 3 B  "Hel""#, r#"continuation FIN, no mask, 2 B  "lo""#],
            ),
            (&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], &["ping FIN, no mask, 5 B  48 65 6c 6c 6f"]),
            (
                &[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
                &["pong FIN, mask 37fa213d, 5 B  48 65 6c 6c 6f"],
            ),
        ];
        for (bytes, lines) in cases {
            for piece in [1, 2, 3, bytes.len()] {
                assert_eq!(frames(bytes, piece), lines, "in pieces of {piece}");
            }
        }
        for (header, length) in [(vec![0x82, 0x7e, 0x01, 0x00], 256), (vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], 65536)]
        {
            let bytes = [header, vec![0xab; length]].concat();
            for piece in [1, 1000] {
                let lines = frames(&bytes, piece);
                assert_eq!(lines.len(), 1);
                assert!(lines[0].starts_with(&format!("binary FIN, no mask, {length} B  ab ab ")), "{}", lines[0]);
                assert_eq!(lines[0].ends_with(" and 64512 more"), length == 65536);
            }
        }
    }

    #[test]
    fn empty_frames_closes_and_broken_rules_have_a_line_too() {
        assert_eq!(
            frames(&[0x81, 0x00, 0x89, 0x80, 1, 2, 3, 4], 1),
            ["text FIN, no mask, 0 B", "ping FIN, mask 01020304, 0 B"]
        );
        assert_eq!(frames(&[0x88, 0x05, 0x03, 0xe8, b'b', b'y', b'e'], 1), [r#"close FIN, no mask, 5 B  1000 "bye""#]);
        assert_eq!(frames(&[0x88, 0x02, 0x0f, 0xa0], 9), ["close FIN, no mask, 2 B  4000"]);
        assert_eq!(frames(&[0xf3, 0x01, 0xff], 1), ["opcode 3 FIN RSV1 RSV2 RSV3, no mask, 1 B  ff"]);
    }

    #[test]
    fn a_payload_can_do_nothing_to_the_terminal() {
        let text = "a\u{1b}]0;x\u{7}\n\"é\u{202e}".as_bytes();
        let bytes = [&[0x81, text.len() as u8][..], text, &[0x81, 0x02, 0xff, 0x9b]].concat();
        assert_eq!(frames(&bytes, 1)[0].split_once("  ").unwrap().1, "\"a␛]0;x␇␊\"é\u{fffd}\"");
        assert_eq!(frames(&bytes, 1)[1].split_once("  ").unwrap().1, r#""\xff\x9b""#);
    }

    #[test]
    fn heads_come_before_frames_and_again_with_the_next_connection() {
        let mut wire = Wire::default();
        let request = b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n";
        let head = Seen::Head(Sent, vec!["GET /ws HTTP/1.1".into(), "Host: a".into()]);
        for _ in 0..2 {
            assert_eq!(wire.sees(Sent, request), [Seen::Head(Sent, vec!["GET /ws HTTP/1.1".into(), "Host: a".into()])]);
            // The response and the first frame in one piece; then a frame that is cut off when the line breaks.
            let answer = b"HTTP/1.1 101 OK\r\n\r\n\x81\x02hi\x81";
            let seen = wire.sees(Received, answer);
            assert_eq!(seen[0], Seen::Head(Received, vec!["HTTP/1.1 101 OK".into()]));
            assert_eq!(seen[1], Seen::Frame(Received, r#"text FIN, no mask, 2 B  "hi""#.into()));
            assert_eq!(wire.sees(Sent, &[0x81]), []);
        }
        assert_eq!(wire.sees(Sent, request), [head]);
    }
}
