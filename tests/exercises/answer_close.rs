exercise!(answer_close, "yours to make pass: examples/exercises/answer_close.rs");

fn check(answer_close: impl Fn(&[u8]) -> Vec<u8>) {
    let close = |code: u16, reason: &[u8]| [&code.to_be_bytes()[..], reason].concat();
    assert_eq!(answer_close(&[]), [0; 0], "an empty close is answered with an empty one");
    for code in [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4000, 4999] {
        assert_eq!(answer_close(&close(code, b"")), close(code, b""), "{code} may be sent: the same goes back");
        assert_eq!(answer_close(&close(code, "für heute".as_bytes())), close(code, b""), "{code}, without its reason");
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(answer_close(&close(code, b"")), close(1002, b""), "{code} may not be sent: 1002");
    }
    assert_eq!(answer_close(&[3]), close(1002, b""), "one byte is no code: 1002");
    assert_eq!(answer_close(&close(1000, &[0xff])), close(1007, b""), "the reason is not UTF-8: 1007");
    assert_eq!(answer_close(&close(1000, "ü".as_bytes().split_last().unwrap().1)), close(1007, b""), "half an ü: 1007");
}
