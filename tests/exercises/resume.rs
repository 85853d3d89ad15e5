exercise!(resume, "yours to make pass: examples/exercises/resume.rs");

/// What is kept of the line: number and text.
type Kept<'a> = &'a [(u64, &'a str)];
type Resume = fn(&str, Kept, Option<(&str, u64)>) -> Vec<String>;

fn check(resume: Resume) {
    let whole: Kept = &[(1, "a"), (2, "b"), (3, "c")];
    let rest: Kept = &[(8, "h"), (9, "i")];
    // What is kept, what the client says, what it is sent, and why.
    type Case<'a> = (Kept<'a>, Option<(&'a str, u64)>, &'a [&'a str], &'a str);
    let cases: [Case; 12] = [
        (whole, Some(("b7", 1)), &["2 b", "3 c"], "it has the first"),
        (whole, Some(("b7", 0)), &["1 a", "2 b", "3 c"], "it was there before the first was said"),
        (whole, Some(("b7", 3)), &[], "it has all"),
        (rest, Some(("b7", 8)), &["9 i"], "it has the oldest that is kept"),
        (rest, Some(("b7", 7)), &["8 h", "9 i"], "the next that it wants is the oldest that is kept"),
        (rest, Some(("b7", 4)), &["missed 3", "8 h", "9 i"], "5, 6 and 7 are no longer kept"),
        (whole, Some(("a3", 57)), &["epoch b7", "1 a", "2 b", "3 c"], "57 was a number of another line"),
        (whole, Some(("a3", 2)), &["epoch b7", "1 a", "2 b", "3 c"], "2 was a number of another line, and not our 2"),
        (rest, Some(("a3", 8)), &["epoch b7", "missed 7", "8 h", "9 i"], "of this line it has seen nothing"),
        (whole, None, &["epoch b7", "1 a", "2 b", "3 c"], "it is new"),
        (rest, None, &["epoch b7", "8 h", "9 i"], "it is new, so it has missed nothing"),
        (&[], Some(("a3", 57)), &["epoch b7"], "nothing has been said since the restart"),
    ];
    for (kept, seen, frames, why) in cases {
        assert_eq!(resume("b7", kept, seen), frames, "kept {kept:?}, the client says {seen:?}: {why}");
    }
    assert!(resume("b7", &[], Some(("b7", 0))).is_empty(), "nothing was ever said, and it knows the epoch");
    assert_eq!(resume("b7", &[], None), ["epoch b7"], "nothing was ever said, and it is new");
}
