//! Unpacks what comes in: bytes of a client's frames in, the same without packed messages out.
//!
//! A packed message is gathered from its fragments and comes out as one frame; control frames between them come out at once.
//! All else goes through as it is, what is wrong with it too: that is for tungstenite to find.

use super::packer::Packer;
use super::{PACKED, TAIL};
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;
use std::sync::Arc;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;

/// Why a packed message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has more than the limit of bytes, packed or unpacked.
    TooBig,
    /// It was not packed as it should be.
    Garbled,
    /// Another message began within it.
    Mixed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Fault::TooBig => "the message is too big",
            Fault::Garbled => "a packed message cannot be unpacked",
            Fault::Mixed => "a message began before the last had ended",
        })
    }
}

impl std::error::Error for Fault {}

/// One connection's; between messages it holds next to nothing.
pub(crate) struct Unpacker {
    packer: Arc<Packer>,
    /// The longest message, in bytes.
    limit: usize,
    header: Vec<u8>,
    body: Body,
    /// The packed message that has begun: its opcode, and what came of it.
    message: Option<(u8, Vec<u8>)>,
}

/// What the next bytes are.
enum Body {
    /// A header, some of which is in `header`.
    None,
    /// They go through.
    Passed(u64),
    /// They are of the packed message: so many, under this mask, turned so far. It may end with them.
    Packed(usize, [u8; 4], bool),
}

impl Unpacker {
    pub fn new(packer: Arc<Packer>, limit: usize) -> Unpacker {
        Unpacker { packer, limit, header: Vec::new(), body: Body::None, message: None }
    }

    /// Takes what was read, and puts what comes of it to `out`.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        while !bytes.is_empty() {
            match &mut self.body {
                Body::None => {
                    self.header.push(bytes[0]);
                    bytes = &bytes[1..];
                    if self.header.len() == length(&self.header) {
                        self.begin(out)?;
                    }
                }
                Body::Passed(left) => {
                    let count = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    out.extend_from_slice(&bytes[..count]);
                    *left -= count as u64;
                    let ended = *left == 0;
                    bytes = &bytes[count..];
                    if ended {
                        self.body = Body::None;
                    }
                }
                Body::Packed(left, mask, last) => {
                    let (part, rest) = bytes.split_at(bytes.len().min(*left));
                    bytes = rest;
                    *left -= part.len();
                    let (_, gathered) = self.message.get_or_insert_default();
                    gathered.extend(part.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
                    mask.rotate_left(part.len() % 4);
                    if *left == 0 {
                        let last = *last;
                        self.body = Body::None;
                        if last {
                            self.end(out)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A header is there.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let header = std::mem::take(&mut self.header);
        let (first, payload) = (header[0], payload(&header));
        let (opcode, reserved) = (first & OPCODE, first & RESERVED);
        let masked = header[1] & MASKED != 0;
        let begins = matches!(opcode, 1 | 2) && reserved == PACKED && masked;
        let goes_on = opcode == 0 && reserved == 0 && masked && self.message.is_some();
        if self.message.is_some() && opcode & CONTROL == 0 && !goes_on {
            return Err(Fault::Mixed);
        }
        if !begins && !goes_on {
            out.extend_from_slice(&header);
            self.body = if payload == 0 { Body::None } else { Body::Passed(payload) };
            return Ok(());
        }
        let (_, gathered) = self.message.get_or_insert_with(|| (opcode, Vec::new()));
        let payload = usize::try_from(payload).map_err(|_| Fault::TooBig)?;
        if payload > self.limit.saturating_sub(gathered.len()) {
            return Err(Fault::TooBig);
        }
        let mask =
            [header[header.len() - 4], header[header.len() - 3], header[header.len() - 2], header[header.len() - 1]];
        let last = first & FIN != 0;
        self.body = Body::Packed(payload, mask, last);
        if payload == 0 {
            self.body = Body::None;
            if last {
                self.end(out)?;
            }
        }
        Ok(())
    }

    /// A packed message is there, whole.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Some((opcode, mut packed)) = self.message.take() else { return Ok(()) };
        packed.extend(TAIL);
        let limit = self.limit;
        let message = self.packer.unpacking.with(|| Decompress::new(false), |tool| inflate(tool, &packed, limit))?;
        out.push(FIN | opcode);
        match message.len() {
            short @ ..126 => out.push(MASKED | short as u8),
            middle @ 126..65_536 => {
                out.push(MASKED | 126);
                out.extend((middle as u16).to_be_bytes());
            }
            long => {
                out.push(MASKED | 127);
                out.extend((long as u64).to_be_bytes());
            }
        }
        // A mask that changes nothing.
        out.extend([0; 4]);
        out.extend(message);
        Ok(())
    }
}

/// How long a header is, as far as is known from its beginning (RFC 6455 section 5.2).
fn length(header: &[u8]) -> usize {
    let Some(second) = header.get(1) else { return 2 };
    let extended = match second & !MASKED {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + extended + if second & MASKED != 0 { 4 } else { 0 }
}

/// How long what follows a whole header is.
fn payload(header: &[u8]) -> u64 {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    match header[1] & !MASKED {
        126 => number(&header[2..4]),
        127 => number(&header[2..10]),
        short => u64::from(short),
    }
}

/// Section 7.2.2, and no more than `limit` bytes of it.
fn inflate(tool: &mut Decompress, mut packed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    tool.reset(false);
    let mut message = Vec::with_capacity((packed.len() * 4).min(limit) + 1);
    loop {
        let before = tool.total_in();
        let status = tool.decompress_vec(packed, &mut message, FlushDecompress::Sync).map_err(|_| Fault::Garbled)?;
        packed = &packed[(tool.total_in() - before) as usize..];
        if message.len() > limit {
            return Err(Fault::TooBig);
        }
        match status {
            // A last block may end it before the tail (section 7.2.3.5).
            Status::StreamEnd if packed.len() <= TAIL.len() + 1 => return Ok(message),
            Status::StreamEnd => return Err(Fault::Garbled),
            _ if message.len() == message.capacity() => {
                message.reserve((message.len() + 1).min(limit + 1 - message.len()))
            }
            _ if packed.is_empty() => return Ok(message),
            Status::BufError => return Err(Fault::Garbled),
            Status::Ok => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    const LIMIT: usize = 64 * 1024;

    /// A frame as a client sends it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 250];
        let mut bytes = vec![first];
        match payload.len() {
            short @ ..126 => bytes.push(0x80 | short as u8),
            middle => {
                bytes.push(0x80 | 126);
                bytes.extend((middle as u16).to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(text.len() + 1000);
        Compress::new(Compression::best(), false).compress_vec(text, &mut packed, FlushCompress::Sync).unwrap();
        packed.truncate(packed.len() - 4);
        packed
    }

    fn unpacker() -> Unpacker {
        Unpacker::new(Arc::default(), LIMIT)
    }

    fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        unpacker().push(bytes, &mut out).map(|()| out)
    }

    #[test]
    fn a_packed_message_comes_out_as_one_frame_however_it_arrives() {
        let text = b"so it is, and so it goes ".repeat(20);
        let wire = packed(&text);
        let (begin, end) = wire.split_at(wire.len() / 2);
        let all = [frame(0x41, begin), frame(0x89, b"ping"), frame(0x80, end), frame(0x81, b"plain")].concat();
        let mut expected = frame(0x89, b"ping");
        expected.extend([0x81, 0x80 | 126, 1, 0xf4, 0, 0, 0, 0]);
        expected.extend(&text);
        expected.extend(frame(0x81, b"plain"));
        assert_eq!(unpack(&all).unwrap(), expected);
        for size in [1, 3, 7] {
            let (mut unpacker, mut out) = (unpacker(), Vec::new());
            all.chunks(size).for_each(|part| unpacker.push(part, &mut out).unwrap());
            assert_eq!(out, expected, "{size} at once");
        }
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        // RFC 7692 section 7.2.3: in one block, in two, without compression, with a last block, and in two blocks.
        for packed in [
            &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..],
            b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        ] {
            assert_eq!(unpack(&frame(0xc1, packed)).unwrap(), b"\x81\x85\0\0\0\0Hello", "{packed:x?}");
        }
        assert_eq!(unpack(&frame(0xc1, b"\0")).unwrap(), b"\x81\x80\0\0\0\0", "an empty message");
    }

    #[test]
    fn a_bomb_is_cut_at_the_limit() {
        let bomb = packed(&vec![0; 100 * 1024 * 1024]);
        assert!(bomb.len() > LIMIT, "it would be refused for its own size");
        assert_eq!(unpack(&frame(0xc1, &bomb[..60_000])), Err(Fault::TooBig));
        assert_eq!(unpack(&frame(0xc1, &packed(&vec![0; LIMIT + 1]))), Err(Fault::TooBig));
        let fits = unpack(&frame(0xc1, &packed(&vec![0; LIMIT]))).unwrap();
        assert_eq!(fits.len(), LIMIT + 14);
        let fragments: Vec<u8> = [frame(0x41, &[0; 60_000]), frame(0x00, &[0; 10_000])].concat();
        assert_eq!(unpack(&fragments), Err(Fault::TooBig), "packed it counts, too");
        assert_eq!(unpack(b"\xc1\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), Err(Fault::TooBig));
    }

    #[test]
    fn what_is_wrong_is_found_here_or_goes_through_to_be_found() {
        assert_eq!(unpack(&frame(0xc1, b"\xff\xff\xff")), Err(Fault::Garbled));
        assert_eq!(unpack(&[frame(0x41, b"x"), frame(0x81, b"y")].concat()), Err(Fault::Mixed));
        assert_eq!(unpack(&[frame(0x41, b"x"), frame(0xc0, b"y")].concat()), Err(Fault::Mixed));
        for wrong in [frame(0xc9, b"ping"), frame(0xc0, b"nothing before"), frame(0xf1, b"x"), frame(0xa1, b"x")] {
            assert_eq!(unpack(&wrong).unwrap(), wrong);
        }
        assert_eq!(unpack(b"\xc1\x01x").unwrap(), b"\xc1\x01x", "without a mask");
    }
}
