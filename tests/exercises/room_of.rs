exercise!(room_of, "yours to make pass: examples/exercises/room_of.rs");

fn check(room_of: fn(&str) -> Option<String>) {
    for (target, room) in [
        ("/garden", "garden"),
        ("/Garden", "garden"),
        ("/garden/", "garden"),
        ("/garden?since=3", "garden"),
        ("/garden/?path=/kitchen", "garden"),
        ("/garden?a?b", "garden"),
        ("/class-7B", "class-7b"),
        ("/7", "7"),
        ("/-", "-"),
    ] {
        assert_eq!(room_of(target).as_deref(), Some(room), "the room of {target:?}");
    }
    let longest = "x".repeat(32);
    assert_eq!(room_of(&format!("/{longest}/")), Some(longest.clone()), "32 letters are allowed");
    for target in [
        "",
        "/",
        "//",
        "/?garden",
        "garden",
        "/garden//",
        "//garden",
        "/garden/shed",
        "/..",
        "/%67arden",
        "/gärten",
        "/two words",
        "/under_score",
    ] {
        assert_eq!(room_of(target), None, "{target:?} is no room");
    }
    assert_eq!(room_of(&format!("/{longest}x")), None, "33 letters are too many");
}
