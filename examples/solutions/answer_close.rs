pub fn answer_close(payload: &[u8]) -> Vec<u8> {
    let code: u16 = match payload {
        [] => return Vec::new(),
        [_] => 1002,
        [high, low, reason @ ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) if std::str::from_utf8(reason).is_ok() => code,
            1000..=1003 | 1007..=1014 | 3000..=4999 => 1007,
            _ => 1002,
        },
    };
    code.to_be_bytes().to_vec()
}
