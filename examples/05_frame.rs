//! A frame by hand: after the handshake everything is sent in frames, and a frame is two bytes that say what it is, a
//! few more if it is long or masked, and its payload (RFC 6455, section 5.2).
//!
//! `cargo run --example 05_frame` shows some; `cargo run --example 05_frame -- 81 02 68 69` takes yours apart.

use std::io::IsTerminal;

/// One frame, taken apart.
pub struct Frame {
    pub fin: bool,
    pub rsv: u8,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    /// Where the payload begins: 2 to 14 bytes after the start.
    pub head: usize,
    /// The payload, unmasked.
    pub payload: Vec<u8>,
}

/// The frame at the start of `bytes`; `None` if it is not all there yet. It ends at `head + payload.len()`.
pub fn decode(bytes: &[u8]) -> Option<Frame> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (fin, rsv, opcode) = (first >> 7 == 1, first >> 4 & 0b111, first & 0b1111);
    // Seven bits hold a length up to 125; 126 and 127 say that the length is in the next 2 or 8 bytes.
    let (length, mut head) = match second & 0b0111_1111 {
        126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (short.into(), 2),
    };
    let masked = second >> 7 == 1;
    let mask = if masked { Some(bytes.get(head..head + 4)?.try_into().ok()?) } else { None };
    head += if masked { 4 } else { 0 };
    // The length is whatever the other side claims, up to 2^64: add and allocate with care.
    let end = head.checked_add(usize::try_from(length).ok()?)?;
    let mut payload = bytes.get(head..end)?.to_vec();
    // Each byte was XORed with one of the four of the mask, in turn; once more, and it is itself again.
    for (byte, key) in payload.iter_mut().zip(mask.iter().flatten().cycle()) {
        *byte ^= key;
    }
    Some(Frame { fin, rsv, opcode, mask, head, payload })
}

/// What an opcode means. From 8 on it controls the connection, and may come between the fragments of a message.
pub fn kind(opcode: u8) -> &'static str {
    let kinds = [(0, "continuation"), (1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong")];
    kinds.iter().find(|(number, _)| *number == opcode).map_or("reserved, nobody may send it", |(_, name)| name)
}

/// Prints the frame that these bytes are: its bytes, its bits, and what they mean.
pub fn explain(frame: &Frame, bytes: &[u8]) {
    let row = |color, bytes: &[u8], bits: String, meaning: &str| {
        println!("  {} {meaning}", paint(color, &format!("{:<22} {bits:<9}", hex(bytes))));
    };
    let (cyan, yellow, green, none) = (36, 33, 32, String::new);
    let last = if frame.fin { "FIN: the message ends with this frame" } else { "no FIN: the message goes on" };
    row(cyan, &bytes[..1], format!("{}... ....", bytes[0] >> 7), last);
    row(cyan, &[], format!(".{:03b} ....", frame.rsv), "RSV: for extensions such as compression; 000 is none");
    row(cyan, &[], format!(".... {:04b}", frame.opcode), &format!("opcode {}: {}", frame.opcode, kind(frame.opcode)));
    let (who, key) =
        if frame.mask.is_some() { ("MASK: masked, as from a client", 4) } else { ("not masked, as from a server", 0) };
    row(cyan, &bytes[1..2], format!("{}... ....", bytes[1] >> 7), who);
    let (short, key) = (bytes[1] & 0b0111_1111, frame.head - key);
    row(cyan, &[], format!(".{:03b} {:04b}", short >> 4, short & 0b1111), &format!("length {short}"));
    if key > 2 {
        row(cyan, &bytes[2..key], none(), &format!("the real length: {}", frame.payload.len()));
    }
    if frame.mask.is_some() {
        row(yellow, &bytes[key..frame.head], none(), "the mask");
        row(yellow, &bytes[frame.head..], none(), "the payload as sent: each byte XORed with one of the mask");
    }
    let text = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(60)]));
    let meaning = match (frame.opcode, &frame.payload[..]) {
        (8, [high, low, reason @ ..]) => format!("code {}, {}", u16::from_be_bytes([*high, *low]), text(reason)),
        (_, []) => "no payload".into(),
        (2, payload) => format!("{} bytes", payload.len()),
        (_, payload) => text(payload),
    };
    row(green, &frame.payload, none(), &meaning);
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(7).map(|byte| format!("{byte:02x}")).collect();
    shown.join(" ") + if bytes.len() > 7 { " …" } else { "" }
}

/// Colour on a terminal, unless the person wants none (no-color.org).
pub fn paint(color: u8, text: &str) -> String {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let wanted = !set("NO_COLOR") && (std::io::stdout().is_terminal() || set("CLICOLOR_FORCE"));
    if wanted { format!("\x1b[{color}m{text}\x1b[0m") } else { text.to_owned() }
}

fn main() {
    let given: String = std::env::args().skip(1).collect();
    let long = format!("817e012c{}", "6e61".repeat(150));
    let tour = [
        ("A short text, as a server sends it", "810548656c6c6f"),
        ("The same from a client: masked", "818537fa213d7f9f4d5158"),
        ("A length that needs 16 bits", &long),
        ("A message in two fragments, and a ping between them", "010348656c89016180026c6f"),
        ("A close, with its code and its reason", "880503e8627965"),
    ];
    let yours = [("Yours", &given.replace(' ', "")[..])];
    for (title, digits) in if given.is_empty() { &tour[..] } else { &yours } {
        println!("{}", paint(1, title));
        let Ok(bytes) = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()) else {
            return eprintln!("These are no bytes: give two hexadecimal digits for each, such as 81 02 68 69");
        };
        let mut rest = &bytes[..];
        while let Some(frame) = decode(rest) {
            let (whole, after) = rest.split_at(frame.head + frame.payload.len());
            explain(&frame, whole);
            println!();
            rest = after;
        }
        if !rest.is_empty() {
            println!("  {}: no whole frame; the rest of it has not come yet", hex(rest));
        }
    }
}
