pub fn paddle(frame: &[u8], now: u16) -> u16 {
    let &[high, low] = frame else { return now };
    let wish = u16::from_be_bytes([high, low]).clamp(90, 810);
    wish.clamp(now.saturating_sub(20), now + 20)
}
