exercise!(accept_key, "yours to make pass: examples/exercises/accept_key.rs");

fn check(accept_key: impl Fn(&str) -> Option<String>) {
    // The pair of RFC 6455, section 1.3.
    let (key, wanted) = ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let given = accept_key(key).expect("this is a key: dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(given.len(), 28, "a SHA-1 hash is 20 bytes, and 28 letters in base64, not in hexadecimal: {given}");
    assert_eq!(given, wanted, "for {key}; hash the key as text, not its bytes, and put nothing before the GUID");
    for key in ["AAAAAAAAAAAAAAAAAAAAAA==", "x3JJHMbDL1EzLkh9GBhXDw=="] {
        let wanted = tungstenite::handshake::derive_accept_key(key.as_bytes());
        assert_eq!(accept_key(key), Some(wanted), "for {key}");
    }
    for key in ["", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "no base64!", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(accept_key(key), None, "{key:?} is no key: not 16 bytes in base64");
    }
}
