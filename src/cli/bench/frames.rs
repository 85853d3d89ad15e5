//! Frames as bytes (RFC 6455 section 5.2), as quickly as they can be told apart.

/// One frame of a server.
pub struct Frame<'a> {
    pub opcode: u8,
    pub payload: &'a [u8],
}

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Gives each whole frame to `hear`, and how many bytes those were.
pub fn each(bytes: &[u8], mut hear: impl FnMut(Frame)) -> usize {
    let mut used = 0;
    while let Some((frame, length)) = first(&bytes[used..]) {
        hear(frame);
        used += length;
    }
    used
}

fn first(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (opcode, short) = (bytes.first()? & 15, bytes.get(1)? & 127);
    let (head, length) = match short {
        126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        short => (2, short.into()),
    };
    let payload = bytes.get(head..head + length)?;
    Some((Frame { opcode, payload }, head + length))
}

/// A frame of a client. The mask is zero: it is there, as it must be, and costs nobody anything.
pub fn write(opcode: u8, payload: &[u8], to: &mut Vec<u8>) {
    to.push(0x80 | opcode);
    match payload.len() {
        length @ ..126 => to.push(0x80 | length as u8),
        length @ ..65_536 => {
            to.push(0x80 | 126);
            to.extend((length as u16).to_be_bytes());
        }
        length => {
            to.push(0x80 | 127);
            to.extend((length as u64).to_be_bytes());
        }
    }
    to.extend([0; 4]);
    to.extend(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart_wherever_they_are_cut() {
        let long = vec![b'x'; 300];
        let mut wire = b"\x81\x02hi\x8a\x00\x81\x7e\x01\x2c".to_vec();
        wire.extend(&long);
        for cut in 0..=wire.len() {
            let mut heard = Vec::new();
            let used = each(&wire[..cut], |frame| heard.push((frame.opcode, frame.payload.len())));
            let whole = [(4, (TEXT, 2)), (6, (PONG, 0)), (310, (TEXT, 300))];
            let expected: Vec<_> = whole.iter().filter(|(end, _)| *end <= cut).collect();
            assert_eq!(heard, expected.iter().map(|(_, frame)| *frame).collect::<Vec<_>>(), "{cut}");
            assert_eq!(used, expected.last().map_or(0, |(end, _)| *end));
        }
    }

    #[test]
    fn what_is_written_has_a_mask_and_the_form_of_length_that_fits() {
        let written = |length: usize| {
            let mut wire = Vec::new();
            write(TEXT, &vec![b'x'; length], &mut wire);
            wire
        };
        assert_eq!(written(2), b"\x81\x82\0\0\0\0xx");
        assert_eq!(&written(300)[..4], b"\x81\xfe\x01\x2c");
        assert_eq!(&written(70_000)[..10], b"\x81\xff\0\0\0\0\0\x01\x11\x70");
    }
}
