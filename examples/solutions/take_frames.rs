pub fn take_frames(waiting: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(length) = whole(waiting) {
        frames.push(waiting.drain(..length).collect());
    }
    frames
}

/// The length of the first frame, with its head, if all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let second = *bytes.get(1)?;
    let (payload, head) = match second & 0b0111_1111 {
        126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (short.into(), 2),
    };
    let mask = if second & 0b1000_0000 == 0 { 0 } else { 4 };
    let length = usize::try_from(payload).ok()?.checked_add(head + mask)?;
    (length <= bytes.len()).then_some(length)
}
