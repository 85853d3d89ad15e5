//! Parlor inside a program with a main loop of its own: an oven, simulated, that is watched and told what to do in a chat.
//!
//! `cargo run --example 15_embedding`, then in the console of a browser:
//! `s = new WebSocket("ws://localhost:8773/ws?room=oven&pin=4711"); s.onmessage = e => console.log(e.data)`, and
//! `s.send("heat 200")`. Without the PIN, `&name=ann` instead, you may watch.
//! Enter or Ctrl-D in the terminal switches the oven off and ends the program in order.

use crossbeam_channel::{Receiver, bounded, select, tick};
use parlor::{Handshake, Post, Server};
use std::net::TcpListener;
use std::thread::spawn;
use std::time::Duration;

const PIN: &str = "4711"; // in earnest: random, and printed at the start
const OPERATOR: &str = "operator";
const COLD: u32 = 20; // °C

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(std::env::args().nth(1).unwrap_or("localhost:8773".into()))?;
    let parlor = Server::builder().listener(listener).authenticate(who_is_it).on_message(may_it);
    // These names are the program's. So no guest can be the operator, or the oven, by coming first.
    let parlor = parlor.reserve(OPERATOR).reserve("Oven").bind()?.spawn()?;
    parlor.create_room("oven", "The oven")?;
    parlor.post("oven", "Oven", "Ready.")?;
    println!("Listening on ws://{}/ws?room=oven", parlor.address());

    // A subscription waits for messages; as a channel it can be waited for together with other things.
    let said = parlor.subscribe("oven")?.into_channel(100)?;
    let stop = end_of_input();
    let clock = tick(Duration::from_millis(50));
    let mut oven = Oven { now: COLD, goal: COLD };
    // The main loop is ours, and has one thread: the oven needs no lock, and is never touched by two at once.
    let why = loop {
        select! {
            recv(clock) -> _ => {
                if let Some(news) = oven.step() {
                    parlor.post("oven", "Oven", &news)?;
                }
            }
            recv(said) -> message => match message {
                // What the oven says comes back here as well; so does everything else that is said in its room.
                Ok(message) if message.from == OPERATOR => {
                    parlor.post("oven", "Oven", &oven.obey(&message.body))?;
                }
                Ok(_) => {}
                Err(_) => break "the server has stopped",
            },
            recv(stop) -> _ => break "told to stop in the terminal",
        }
    };
    let _ = parlor.post("oven", "Oven", "switching off"); // nobody hears it if the server has stopped, and it is off
    println!("The oven is off: {why}");
    parlor.shutdown(); // everyone is told 1001, what was received is stored
    parlor.join()?; // and every thread has ended
    println!("Goodbye");
    Ok(())
}

/// The hook that is asked at every handshake: with the PIN it is the operator, without it is a guest.
fn who_is_it(handshake: &Handshake) -> Result<Option<String>, String> {
    match handshake.parameter("pin").as_deref() {
        Some(PIN) => Ok(Some(OPERATOR.into())),
        Some(_) => Err("that is not the PIN".into()), // 401, before there is any WebSocket
        None => Ok(None),
    }
}

/// The hook that is asked about every message: guests only watch. What the program posts itself does not come here.
fn may_it(post: &mut Post) -> Result<(), String> {
    match (post.room, post.from) {
        ("oven", OPERATOR) => Ok(()),
        ("oven", guest) => Err(format!("{guest}, only the operator may command the oven")),
        _ => Ok(()),
    }
}

/// A channel that ends when a line comes from the terminal, or its end.
fn end_of_input() -> Receiver<()> {
    let (open, ended) = bounded(0);
    spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        drop(open); // select! sees a channel that has ended as one that has something
    });
    ended
}

/// The machine, in degrees. It knows nothing of chats, as a machine should.
struct Oven {
    now: u32,
    goal: u32,
}

impl Oven {
    /// A twentieth of a second goes by. Gives what is worth telling, if there is something.
    fn step(&mut self) -> Option<String> {
        if self.now == self.goal {
            return None;
        }
        self.now = if self.now < self.goal { self.now + 1 } else { self.now - 1 };
        match self.now {
            now if now == self.goal => Some(format!("{now} °C, as wished")),
            now if now % 50 == 0 => Some(format!("{now} °C, on the way to {} °C", self.goal)),
            _ => None,
        }
    }

    fn obey(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        match (&words[..], words.last().and_then(|word| word.parse().ok())) {
            (["heat", _], Some(goal @ COLD..=250)) => self.goal = goal,
            (["off"], _) => self.goal = COLD,
            (["status"], _) => {}
            _ => return "I know: heat 20 to heat 250, off, status".into(),
        }
        format!("{} °C now, {} °C wished", self.now, self.goal)
    }
}
