//! A bot that counts votes (chapter 16).
//!
//! The client is connected. Write the bot: it enters the room `lobby`, takes part from now on, and does this:
//! - `!vote tea` is a vote for tea. Each person has one; who votes again has thought better of it.
//! - `!result` is answered in the room with what has votes, by name: `coffee 1, tea 2`. Before the first vote it says
//!   `no votes yet`.
//! - Everything else is not meant for it. Nor is what it says itself.
//! - When the client has ended it returns.
//!
//! `bot.messages()` gives one message after the other; `message.from` is who wrote it. A `BTreeMap` keeps its keys in order.
//!
//! `cargo test --test exercises vote_bot -- --ignored`

use parlor::{Client, Start};
use std::collections::BTreeMap;

pub fn vote_bot(bot: &Client) {
    todo!("yours to write")
}
