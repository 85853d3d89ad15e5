exercise!(take_frames, "yours to make pass: examples/exercises/take_frames.rs");

fn check(take_frames: impl Fn(&mut Vec<u8>) -> Vec<Vec<u8>>) {
    let frames = vec![
        vec![0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
        vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
        vec![0x89, 0],
        [&[0x82, 126, 1, 44][..], &[7; 300]].concat(),
        vec![0x8a, 0x80, 1, 2, 3, 4],
        [&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4][..], &[9; 65536]].concat(),
        vec![0x88, 2, 3, 232],
    ];
    let stream = frames.concat();
    let mut waiting = stream.clone();
    assert!(take_frames(&mut waiting) == frames, "all at once: not the same frames");
    assert_eq!(waiting, [0; 0], "all at once: something is left");
    assert!(take_frames(&mut waiting).is_empty(), "there is nothing, so there is no frame");

    for size in [1, 2, 3, 7, 1000] {
        let (mut waiting, mut taken) = (Vec::new(), Vec::new());
        for piece in stream.chunks(size) {
            waiting.extend(piece);
            let now = take_frames(&mut waiting);
            assert!(size > 1 || now.len() < 2, "one byte cannot complete two frames");
            taken.extend(now);
        }
        assert!(taken == frames, "in pieces of {size}: not the same frames");
        assert_eq!(waiting, [0; 0], "in pieces of {size}: something is left");
    }

    for end in 0..frames[1].len() {
        let mut waiting = frames[1][..end].to_vec();
        assert!(take_frames(&mut waiting).is_empty(), "{end} bytes of {} are not whole", frames[1].len());
        assert_eq!(waiting, frames[1][..end], "what is not whole is left as it is");
    }
    for second in [127, 255] {
        let claim = [&[0x82, second][..], &[255; 20]].concat();
        let mut waiting = claim.clone();
        assert!(take_frames(&mut waiting).is_empty(), "it claims 2^64 - 1 bytes, and they have not come");
        assert_eq!(waiting, claim, "what is not whole is left as it is");
    }
}
