exercise!(wants_websocket, "yours to make pass: examples/exercises/wants_websocket.rs");

fn check(wants_websocket: impl Fn(&str) -> bool) {
    let lines = [
        "GET /chat HTTP/1.1",
        "Host: localhost:8763",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    let head = lines.join("\r\n");
    // The same, but for one line.
    let but = |from: &str, to: &str| {
        assert!(head.contains(from));
        head.replace(from, to)
    };
    let yes = [
        (head.clone(), "nothing is missing"),
        (
            head.to_lowercase().replace("get /chat http/1.1", "GET /chat HTTP/1.1"),
            "names and words may be in small letters",
        ),
        (but("Upgrade: websocket", "UPGRADE: WebSocket"), "or in capitals"),
        (but("Connection: Upgrade", "Connection: keep-alive, Upgrade"), "Firefox asks for two things"),
        (but("Connection: Upgrade", "Connection:Upgrade"), "a space is not needed"),
        (but("Version: 13", "Version:   13 "), "more spaces do no harm"),
    ];
    let no = [
        ("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive".into(), "a browser wants the page"),
        (but("GET", "POST"), "it is no GET"),
        (but("HTTP/1.1", "HTTP/1.0"), "HTTP/1.0 cannot change protocols"),
        (but("Upgrade: websocket", "Upgrade: h2c"), "it wants another protocol"),
        (but("Upgrade: websocket", "X-Upgrade: websocket"), "X-Upgrade is another header"),
        (but("Connection: Upgrade", "Connection: close"), "without Connection: Upgrade it is not meant for you"),
        (but("Connection: Upgrade", "Connection: not-an-upgrade"), "Upgrade must be a word by itself"),
        (but("Sec-WebSocket-Key", "Sec-WebSocket-Lock"), "there is no key"),
        (but("Version: 13", "Version: 8"), "version 8 was a draft"),
        (but("Version: 13", "Version: 131"), "the version is 13, and no more"),
        (String::new(), "there is nothing at all"),
    ];
    for (head, why) in yes {
        assert!(wants_websocket(&head), "this asks for a WebSocket ({why}):\n{head}");
    }
    for (head, why) in no {
        assert!(!wants_websocket(&head), "this does not ask for a WebSocket ({why}):\n{head}");
    }
}
