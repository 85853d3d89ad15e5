pub fn wants_websocket(head: &str) -> bool {
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let has = |name: &str, fits: &dyn Fn(&str) -> bool| {
        headers.iter().any(|(given, value)| given.eq_ignore_ascii_case(name) && fits(value.trim()))
    };
    first.starts_with("GET ")
        && first.ends_with(" HTTP/1.1")
        && has("Upgrade", &|value| value.eq_ignore_ascii_case("websocket"))
        && has("Connection", &|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade")))
        && has("Sec-WebSocket-Key", &|_| true)
        && has("Sec-WebSocket-Version", &|value| value == "13")
}
