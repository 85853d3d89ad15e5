exercise!(paddle, "yours to make pass: examples/exercises/paddle.rs");

fn check(paddle: impl Fn(&[u8], u16) -> u16) {
    let cases: [(u16, u16, u16, &str); 9] = [
        (450, 450, 450, "it is where it should be"),
        (455, 450, 455, "a short way is gone in one step, and not beyond"),
        (441, 450, 441, "and so is one upwards"),
        (800, 450, 470, "a long way is gone in steps of 20"),
        (91, 450, 430, "upwards, too"),
        (300, 290, 300, "300 is 0x012c: the high byte comes first"),
        (0, 100, 90, "not above 90"),
        (u16::MAX, 805, 810, "not below 810, whatever is wished"),
        (0, 90, 90, "and it stays there"),
    ];
    for (wish, now, expected, why) in cases {
        let frame = wish.to_be_bytes();
        assert_eq!(paddle(&frame, now), expected, "from {now}, wish {wish}, frame {frame:02x?}: {why}");
    }
    for frame in [&b""[..], b"\x01", b"\x01\x02\x03", &[255; 4096]] {
        assert_eq!(paddle(frame, 450), 450, "a frame of {} bytes is no wish: nothing moves", frame.len());
    }
    let mut now = 90;
    for _ in 0..40 {
        now = paddle(&[3, 42], now);
    }
    assert_eq!(now, 810, "in the end it is where the player wants it");
}
