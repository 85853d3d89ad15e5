//! The room in the path (chapter 11).
//!
//! `11_rooms` takes the path as it is, so `/Garden` and `/garden` are two rooms, and `/garden/` is none. Given the
//! target of a request (what stands behind `GET `), return the room that is meant:
//!
//! - it stands behind the first `/`; one more `/` at the end means nothing;
//! - what comes behind a `?` is not part of the path;
//! - `A` to `Z` are the same as `a` to `z`: the name is returned in small letters;
//! - it has 1 to 32 of `a` to `z`, `0` to `9` and `-`. With anything else in it, it is no room: `None`. That goes for
//!   `%67arden` as well, though it is another way to write `garden`.
//!
//! `cargo test --test exercises room_of -- --ignored`

pub fn room_of(target: &str) -> Option<String> {
    todo!("yours to write")
}
