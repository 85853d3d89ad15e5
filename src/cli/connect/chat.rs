//! The chat at a terminal.

use super::command::{self, Command};
use super::completion::complete;
use super::console::{Asked, Console};
use super::failure::Failure;
use super::look::Look;
use super::options::Options;
use super::rooms::Rooms;
use super::{dial, harmless, input, room_names, say, tap};
use crossbeam_channel::{Receiver, after, never, select, unbounded};
use parlor::{Client, DialError, Event, Start};
use std::time::{Duration, Instant};

/// Messages shown first when a room is opened.
const LAST: usize = 20;

/// The server is told at most once a second what was read, and once in 3 s that somebody is writing.
const READ: Duration = Duration::from_secs(1);
const WRITING: Duration = Duration::from_secs(3);

/// How long the last words may take when a person leaves.
const PARTING: Duration = Duration::from_secs(5);

/// Events that are shown in one go.
const BATCH: usize = 200;

struct Chat {
    client: Client,
    rooms: Rooms,
    console: Console,
    look: Look,
    start: Start,
    /// What the server knows to be read; when it will be told more.
    read: Option<(String, i64)>,
    tell: Receiver<Instant>,
    writing: Option<Instant>,
}

pub fn run(options: &Options, look: Look) -> Result<(), Failure> {
    let (show, wire) = unbounded();
    // One end stays here: a channel that nobody can send on is always ready.
    let client = dial(options, |dialer| {
        let show = show.clone();
        tap::fitted(dialer, options, look, move |line| drop(show.send(line)))
    });
    let client = client.inspect_err(|_| wire.try_iter().for_each(|line| say(&line)))?;
    let start = options.since.map_or(Start::Last(options.last.unwrap_or(LAST)), Start::Since);
    let (keyboard, signals) = (input::portions()?, input::signals()?);
    let console = Console::take(look)?;
    let (rooms, tell) = (Rooms::new(look), never());
    let mut chat = Chat { client, rooms, console, look, start, read: None, tell, writing: None };
    let events = chat.client.events().clone();
    let names = room_names(options);
    chat.go(&names[0]);
    for room in &names[1..] {
        // Only an end makes it fail, and the end tells of itself.
        let _ = chat.client.join(room, start);
    }
    let end = loop {
        chat.console.prompt(chat.rooms.prompt());
        let ended = select! {
            recv(keyboard) -> bytes => match bytes {
                Ok(bytes) => chat.typed(&bytes),
                Err(_) => Some(Ok(())),
            },
            recv(events) -> event => event.map_or(Some(Ok(())), |event| chat.heard(event, &events)),
            recv(wire) -> line => {
                chat.console.print(&line.into_iter().chain(wire.try_iter()).collect::<Vec<_>>());
                None
            }
            recv(signals) -> signal => match signal {
                Ok(signal) if input::is_end(signal) => Some(Err(Failure::Signal(signal))),
                _ => {
                    chat.console.resized();
                    None
                }
            },
            recv(chat.tell) -> _ => {
                chat.tell_read();
                None
            }
        };
        if let Some(end) = ended {
            break end;
        }
    };
    let Chat { client, console, .. } = chat;
    // The terminal is as it was before anything is said about the end.
    drop(console);
    if end.is_ok() && !client.flush(PARTING) {
        client.close();
        return Err(Failure::Lost("the connection is broken, and what was written last is not stored".into()));
    }
    client.close();
    end
}

impl Chat {
    /// Goes to a room; asks the server for it if it is not open.
    fn go(&mut self, room: &str) {
        let (lines, ask) = self.rooms.go(room);
        self.console.print(&lines);
        if ask {
            // Only an end makes it fail, and the end tells of itself.
            let _ = self.client.join(room, self.start);
        }
        self.seen();
    }

    /// Shows what has happened, and what else has meanwhile.
    fn heard(&mut self, first: Event, more: &Receiver<Event>) -> Option<Result<(), Failure>> {
        let mut lines = Vec::new();
        let mut end = None;
        for event in std::iter::once(first).chain(more.try_iter().take(BATCH)) {
            if let Event::Ended(cause) = event {
                end = Some(Err(Failure::of_chat(cause)));
                break;
            }
            lines.extend(self.rooms.hear(event));
        }
        self.console.print(&lines);
        self.seen();
        end
    }

    /// Plans to tell the server what was read.
    fn seen(&mut self) {
        let read = self.rooms.read().map(|(room, rev)| (room.to_owned(), rev));
        if read.is_some() && read != self.read {
            self.read = read;
            self.tell = after(READ);
        }
    }

    fn tell_read(&mut self) {
        self.tell = never();
        if let Some((room, rev)) = &self.read {
            let _ = self.client.read_to(room, *rev);
        }
    }

    fn typed(&mut self, bytes: &[u8]) -> Option<Result<(), Failure>> {
        self.console.typed(bytes);
        while let Some(asked) = self.console.asked() {
            match asked {
                Asked::Line(line) => match command::parse(&line) {
                    Some(Command::Quit) => return Some(Ok(())),
                    Some(command) => self.obey(command),
                    None => {}
                },
                Asked::Completion(before) => {
                    self.console.complete(complete(&before, &self.rooms.people(), &self.rooms.names()));
                }
                Asked::Interrupt => return Some(Err(Failure::Signal(signal_hook::consts::SIGINT))),
                Asked::Over => return Some(Ok(())),
            }
        }
        if self.console.is_writing() && self.writing.is_none_or(|told| told.elapsed() > WRITING) {
            self.writing = Some(Instant::now());
            if let Some(room) = self.rooms.here() {
                let _ = self.client.typing(room);
            }
        }
        None
    }

    fn obey(&mut self, command: Command) {
        let here = self.rooms.here().map(str::to_owned);
        let lines = match (command, here) {
            (Command::Say(body), Some(room)) => match self.client.send(&room, &body) {
                Ok(_) => vec![],
                Err(DialError::Problem(problem)) => vec![self.look.alarm(&harmless::line(&problem.message))],
                // It will tell of itself.
                Err(_) => vec![],
            },
            (Command::Join(room), _) => {
                self.go(&room);
                vec![]
            }
            (Command::Leave(named), here) => match named.or(here) {
                Some(room) => match self.rooms.leave(&room) {
                    Some(lines) => {
                        let _ = self.client.leave(&room);
                        lines
                    }
                    None => vec![self.look.alarm(&format!("{} is not open", harmless::line(&room)))],
                },
                None => vec![self.look.alarm("you are in no room")],
            },
            (Command::Create { room, title }, _) => {
                self.rooms.go(&room);
                let _ = self.client.create(&room, &title);
                vec![]
            }
            (Command::History(count), Some(room)) => {
                // Before anything was shown, the newest are before any number.
                let before = self.rooms.oldest().unwrap_or(i64::MAX);
                let _ = self.client.history(&room, before, count);
                vec![]
            }
            (Command::Rooms, _) => self.rooms.list(),
            (Command::Who, _) => self.rooms.who(),
            (Command::Help, _) => command::help(),
            (Command::Wrong(why), _) => vec![self.look.alarm(&harmless::line(&why))],
            (Command::Say(_) | Command::History(_), None) => {
                vec![self.look.alarm("you are in no room; /join goes to one")]
            }
            (Command::Quit, _) => vec![],
        };
        self.console.print(&lines);
        self.seen();
    }
}
