//! The exercises of the course: each check is run on the solution, and, when asked for, on what the learner wrote.
//!
//! `cargo test --test exercises accept_key -- --ignored` checks yours.

#[path = "../../examples/solutions/mod.rs"]
mod solutions;
#[path = "../../examples/exercises/mod.rs"]
mod yours;

/// Makes two tests of the function `check` beside it. It is given the function that has the exercise's name.
macro_rules! exercise {
    ($name:ident, $why:literal) => {
        #[test]
        #[ignore = $why]
        fn yours() {
            check(crate::yours::$name::$name);
        }

        #[test]
        fn solution() {
            check(crate::solutions::$name::$name);
        }
    };
}

mod accept_key;
mod answer_close;
mod bridge;
mod broadcast;
mod is_tls;
mod keep_newest;
mod long_poll;
mod main_loop;
mod newest_only;
mod paddle;
mod resume;
mod room_of;
mod shout;
mod take_frames;
mod vote_bot;
mod wants_websocket;
mod write_frame;
