//! To everyone else (chapter 9).
//!
//! In `09_broadcast` who says something hears it, too. Write the other kind: everyone but the speaker hears
//! `Client 7: hello`, if client 7 says `hello`. Who can no longer be sent to is gone: take it out, or the map grows
//! forever. That somebody is gone must not keep the others from hearing.
//!
//! The speaker may have left before its words came to their turn. They are said all the same.
//!
//! `cargo test --test exercises broadcast -- --ignored`

use crossbeam_channel::Sender;
use std::collections::HashMap;

pub fn broadcast(speaker: u64, text: &str, senders: &mut HashMap<u64, Sender<String>>) {
    todo!("yours to write")
}
