pub fn room_of(target: &str) -> Option<String> {
    let path = target.split('?').next()?;
    let name = path.strip_prefix('/')?;
    let name = name.strip_suffix('/').unwrap_or(name).to_ascii_lowercase();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ((1..=32).contains(&name.len()) && name.bytes().all(allowed)).then_some(name)
}
