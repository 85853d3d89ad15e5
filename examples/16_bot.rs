//! A bot: it reads a room like everybody else, and answers `!dice`, `!time` and `!seen`.
//!
//! It needs a Parlor: `cargo run`, and in another terminal `cargo run --example 16_bot`, which takes the server's address, its
//! own name and the file of its memory as arguments: `-- ws://127.0.0.1:8080 dicebot dicebot.json`.
//! Stop either of them, go on talking, and start it again: each question is answered.

use parlor::{Client, Event, Message, Start};
use serde::{Deserialize, Serialize};
use std::path::Path;
use time::{OffsetDateTime, macros::format_description};

const ROOM: &str = "lobby";

/// What it knows after a restart.
#[derive(Default, Serialize, Deserialize)]
struct Memory {
    /// Shows the server that it is the same guest as before: the name is its own at once, even if the old connection
    /// still seems to be there.
    key: String,
    /// Which database the number belongs to.
    epoch: String,
    /// Everything up to this number is answered. None: it was never here.
    rev: Option<i64>,
    questions: u64,
}

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or(default.into());
    let (url, name, file) = (argument("ws://127.0.0.1:8080"), argument("dicebot"), argument("dicebot.json"));
    let file = Path::new(&file);
    let mut memory = Memory::load(file)?;

    let bot = Client::builder(&url).name(&name).key(&memory.key).connect().map_err(|error| error.to_string())?;
    let mut joined = false;
    // Everything that happens comes here, one thing after the other. When the connection breaks the client connects anew by
    // itself, and asks for what it has not seen: in this loop a break is nothing but a line on the terminal.
    for event in bot.events() {
        match event {
            Event::Connected { server, epoch, .. } => {
                println!("Connected to {server}");
                if memory.epoch != epoch {
                    // Another database: its number 7 is not the 7 that we know.
                    memory = Memory { epoch, rev: None, ..memory };
                }
                if !joined {
                    // From where we were; or, where we never were, from now on, for nobody has asked us before.
                    let start = memory.rev.map_or(Start::Last(0), Start::Since);
                    bot.join(ROOM, start).map_err(|error| error.to_string())?;
                    joined = true;
                }
            }
            // Its own messages come back to it. A bot that answers bots, itself first of all, never ends.
            Event::Message(message) if message.from == name => {}
            Event::Message(message) if memory.rev.is_some_and(|rev| message.rev <= rev) => {}
            Event::Message(message) => {
                if let Some(answer) = memory.answer(&message) {
                    println!("{}: {} - {answer}", message.from, message.body);
                    // Returns when it is stored. If we are killed before that is written down, we answer again: under one id.
                    if let Err(error) = bot.post_once(ROOM, &format!("answer-{}", message.rev), &answer) {
                        println!("that was not taken: {error}");
                    }
                }
                memory.rev = Some(message.rev);
                memory.save(file)?;
            }
            // Only now it stands in the room, whatever the room's number is.
            Event::Joined { head, .. } if memory.rev.is_none() => {
                memory.rev = Some(head);
                memory.save(file)?;
            }
            Event::Lost { cause, retry_in } => println!("{cause}; again in {retry_in:.0?}"),
            Event::Ended(cause) => return Err(cause.to_string()),
            _ => {} // who comes and goes, who is writing: it is all told, and a bot need not care
        }
    }
    Ok(())
}

impl Memory {
    fn answer(&mut self, message: &Message) -> Option<String> {
        let answer = match message.body.trim() {
            "!dice" => format!("{} rolls a {}", message.from, dice()),
            "!time" => {
                let now = OffsetDateTime::now_utc().format(format_description!("[hour]:[minute]:[second]"));
                format!("it is {} UTC", now.unwrap_or_default())
            }
            "!seen" => format!("{} questions since I began", self.questions + 1),
            _ => return None,
        };
        self.questions += 1;
        Some(answer)
    }

    fn load(file: &Path) -> Result<Memory, String> {
        match std::fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", file.display())),
            Err(_) => Ok(Memory { key: format!("{:x}", random()), ..Memory::default() }),
        }
    }

    /// Written beside, then renamed: whenever the power fails, the file is the old one or the new one, and whole.
    fn save(&self, file: &Path) -> Result<(), String> {
        let beside = file.with_extension("new");
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let saved = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
        saved.map_err(|error| format!("{}: {error}", file.display()))
    }
}

fn dice() -> u64 {
    // 2⁶⁴ is no multiple of 6, so some numbers come more often: by less than one in 10¹⁸.
    random() % 6 + 1
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    u64::from_ne_bytes(bytes)
}
