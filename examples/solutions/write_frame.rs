pub fn write_frame(text: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if mask.is_some() { 0b1000_0000 } else { 0 };
    let mut frame = vec![0b1000_0001];
    match text.len() {
        short @ 0..=125 => frame.push(masked | short as u8),
        middle @ 126..=65535 => {
            frame.push(masked | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(masked | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(mask.iter().flatten());
    let mask = mask.unwrap_or([0; 4]);
    frame.extend(text.bytes().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}
