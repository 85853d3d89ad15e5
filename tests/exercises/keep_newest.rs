use std::collections::VecDeque;

exercise!(keep_newest, "yours to make pass: examples/exercises/keep_newest.rs");

fn check(keep_newest: fn(&mut VecDeque<String>, usize, String) -> usize) {
    // The limit; what is put in, one after the other; what must be dropped each time; what is left in the end.
    type Case = (usize, &'static [&'static str], &'static [usize], &'static [&'static str]);
    let cases: [Case; 7] = [
        (10, &["one", "two"], &[0, 0], &["one", "two"]),
        (6, &["one", "two"], &[0, 0], &["one", "two"]), // exactly full is not too full
        (6, &["one", "two", "three"], &[0, 0, 2], &["three"]),
        (9, &["one", "two", "three"], &[0, 0, 1], &["two", "three"]),
        (6, &["a", "b", "c", "d", "long"], &[0, 0, 0, 0, 2], &["c", "d", "long"]),
        (6, &["one", "far too long", "two"], &[0, 1, 0], &["one", "two"]),
        (4, &["žluť", "kůň", "abcd"], &[1, 1, 0], &["abcd"]), // bytes, not letters
    ];
    for (limit, messages, drops, left) in cases {
        let mut queue = VecDeque::new();
        for (message, drop) in messages.iter().zip(drops) {
            let dropped = keep_newest(&mut queue, limit, (*message).to_owned());
            assert_eq!(dropped, *drop, "dropped for {message:?} of {messages:?}, with a limit of {limit} bytes");
            let bytes: usize = queue.iter().map(String::len).sum();
            assert!(bytes <= limit, "{bytes} bytes wait: {queue:?}, with a limit of {limit}");
        }
        assert_eq!(queue, left, "what is left of {messages:?}, with a limit of {limit} bytes");
    }
}
