//! The chat in a pipe: lines of input are messages, messages are lines of output.

use super::failure::{self, Failure};
use super::look::Look;
use super::options::Options;
use super::rooms::seconds;
use super::{dial, harmless, input, json, room_names, say, tap};
use crossbeam_channel::{after, never, select};
use parlor::{Client, DialError, Event, Message, Start};
use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

/// Messages that may be on their way; further input waits.
const ON_THEIR_WAY: usize = 256;

/// How long the receipts may take when the input has ended.
const PARTING: Duration = Duration::from_secs(30);

struct Pipe<'a> {
    options: &'a Options,
    client: Client,
    look: Look,
    /// Rooms that are asked for, and whether the server has let us in.
    rooms: Vec<String>,
    opening: HashSet<String>,
    /// Sent and not stored yet, by id.
    pending: HashSet<String>,
    sent: usize,
    /// What the server did not take.
    refused: usize,
    /// When something was stored last.
    moved: Instant,
    /// Messages that were printed, and the newest of each room.
    printed: usize,
    newest: HashMap<String, i64>,
}

/// What comes after an event.
enum Next {
    More,
    End,
}

pub fn run(options: &Options, look: Look) -> Result<(), Failure> {
    let client = dial(options, |dialer| tap::fitted(dialer, options, look, |line| say(&line)))?;
    let (signals, unread) = (input::signals()?, input::unread()?);
    let mut lines = input::lines()?;
    let events = client.events().clone();
    let rooms = room_names(options);
    let (opening, pending, newest) = (HashSet::new(), HashSet::new(), HashMap::new());
    let moved = Instant::now();
    let mut pipe =
        Pipe { options, client, look, rooms, opening, pending, sent: 0, refused: 0, moved, printed: 0, newest };
    let start = options.since.map_or(Start::Last(options.last.unwrap_or(0)), Start::Since);
    for room in pipe.rooms.clone() {
        pipe.open(&room, start);
    }
    let mut input_ended: Option<Instant> = None;
    let end = loop {
        if pipe.is_done(input_ended.is_some()) {
            break Ok(());
        }
        let waits = pipe.pending.len() >= ON_THEIR_WAY || input_ended.is_some();
        let listens = options.follow || options.one && pipe.sent == 0;
        let late = match input_ended {
            // As long as something is stored, it goes on.
            Some(since) if !listens => after(PARTING.saturating_sub(pipe.moved.max(since).elapsed())),
            _ => never(),
        };
        let (no_lines, no_events) = (never(), never());
        let from = if waits { &no_lines } else { &lines };
        // Of one message it has to be known first whether it is to be sent or to be heard.
        let heard = if options.one && input_ended.is_none() { &no_events } else { &events };
        let next = select! {
            recv(from) -> line => match line {
                Ok(line) => line.and_then(|line| pipe.send(&line)).map(|()| {
                    if options.one && pipe.sent > 0 {
                        (input_ended, lines) = (Some(Instant::now()), never());
                    }
                    Next::More
                }),
                Err(_) => {
                    input_ended = Some(Instant::now());
                    Ok(Next::More)
                }
            },
            recv(heard) -> event => match event {
                Ok(event) => pipe.heard(event),
                Err(_) => Ok(Next::End),
            },
            recv(signals) -> signal => match signal {
                Ok(signal) if input::is_end(signal) => Err(Failure::Signal(signal)),
                _ => Ok(Next::More),
            },
            recv(unread) -> _ => Ok(Next::End),
            recv(late) -> _ => Err(pipe.too_late()),
        };
        match next {
            Ok(Next::More) => {}
            // Nobody reads any more; what was sent is waited for all the same.
            Ok(Next::End) => break if pipe.client.flush(PARTING) { Ok(()) } else { Err(pipe.too_late()) },
            Err(failure) => break Err(failure),
        }
    };
    pipe.client.close();
    end?;
    match pipe.refused {
        0 => Ok(()),
        refused => Err(Failure::Refused(format!("{} not taken", count(refused)))),
    }
}

fn count(messages: usize) -> String {
    if messages == 1 { "1 message was".into() } else { format!("{messages} messages were") }
}

impl Pipe<'_> {
    fn open(&mut self, room: &str, start: Start) {
        self.opening.insert(room.to_owned());
        // Only an end makes it fail, and the end tells of itself.
        let _ = self.client.join(room, start);
    }

    fn too_late(&self) -> Failure {
        let what = match self.pending.len() {
            0 => "the server did not answer".to_owned(),
            left => format!("{} not stored", count(left)),
        };
        Failure::Lost(format!("{what} in {} s", PARTING.as_secs()))
    }

    /// Whether there is nothing left to do.
    fn is_done(&self, input_ended: bool) -> bool {
        let settled = self.pending.is_empty() && self.opening.is_empty();
        if self.options.one {
            return input_ended && if self.sent > 0 { settled } else { self.printed > 0 };
        }
        input_ended && settled && !self.options.follow
    }

    /// Sends a line, if there is something in it.
    fn send(&mut self, line: &str) -> Result<(), Failure> {
        let first = self.rooms[0].as_str();
        let (room, body) = if self.options.json {
            json::input(line, first).map_err(Failure::Misused)?
        } else {
            (first.to_owned(), line.to_owned())
        };
        if body.trim().is_empty() {
            return Ok(());
        }
        self.sent += 1;
        if !self.rooms.contains(&room) {
            self.open(&room, Start::Last(0));
            self.rooms.push(room.clone());
        }
        match self.client.send(&room, &body) {
            Ok(id) => drop(self.pending.insert(id)),
            Err(DialError::Problem(problem)) => {
                self.refused += 1;
                self.say(&self.look.alarm(&harmless::line(&problem.message)));
            }
            Err(error) => return Err(Failure::of_chat(error)),
        }
        Ok(())
    }

    fn heard(&mut self, event: Event) -> Result<Next, Failure> {
        if self.options.json
            && let Some(line) = json::event(&event)
            && !print(&line)?
        {
            return Ok(Next::End);
        }
        match event {
            Event::Message(message) => {
                let is_receipt = self.pending.remove(&message.id);
                if is_receipt {
                    self.moved = Instant::now();
                }
                // A line that was said is said; what became of it is told in JSON.
                let newest = self.newest.entry(message.room.clone()).or_default();
                if message.seq <= *newest {
                    return Ok(Next::More);
                }
                *newest = message.seq;
                self.printed += 1;
                let wanted = is_receipt || self.sent == 0 || !self.options.one;
                if !self.options.json && wanted && !print(&self.line(&message))? {
                    return Ok(Next::End);
                }
            }
            Event::Joined { room, .. } => drop(self.opening.remove(&room)),
            Event::Lost { cause, retry_in } => {
                let (cause, wait) = (failure::cause(&cause), seconds(retry_in));
                self.say(&self.look.alarm(&format!("connection lost, trying again in {wait}: {cause}")));
            }
            Event::Refused(problem) => {
                let why = harmless::line(&problem.message);
                if problem.id.as_ref().is_some_and(|id| self.pending.remove(id)) {
                    self.refused += 1;
                    self.say(&self.look.alarm(&why));
                } else if problem.room.as_ref().is_some_and(|room| self.opening.contains(room)) {
                    return Err(Failure::Refused(why));
                } else {
                    self.say(&self.look.alarm(&why));
                }
            }
            Event::Ended(cause) => return Err(Failure::of_chat(cause)),
            _ => {}
        }
        Ok(Next::More)
    }

    /// A message as a line; what its writer broke into lines goes on behind two spaces, so that nothing looks like a
    /// message that is none.
    fn line(&self, message: &Message) -> String {
        let room = if self.rooms.len() > 1 { format!("#{} ", harmless::line(&message.room)) } else { String::new() };
        let body = harmless::lines(&message.body).join("\n  ");
        format!("{room}{}: {body}", harmless::line(&message.from))
    }

    /// What is no message.
    fn say(&self, text: &str) {
        say(&format!("parlor: {text}"));
    }
}

/// Prints a line; false: nobody reads any more.
pub fn print(line: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Failure::Lost(format!("the output cannot be written: {e}"))),
    }
}
