//! The exercises: a file each, to be written by you. `examples/README.md` says when.
#![allow(unused, clippy::ptr_arg, reason = "until you have written the functions")]

pub mod accept_key;
pub mod answer_close;
pub mod bridge;
pub mod broadcast;
pub mod is_tls;
pub mod keep_newest;
pub mod long_poll;
pub mod main_loop;
pub mod newest_only;
pub mod paddle;
pub mod resume;
pub mod room_of;
pub mod shout;
pub mod take_frames;
pub mod vote_bot;
pub mod wants_websocket;
pub mod write_frame;
