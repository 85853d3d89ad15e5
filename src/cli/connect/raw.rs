//! Text to any WebSocket server, and what it says.

use super::console::{Asked, Console};
use super::failure::Failure;
use super::look::Look;
use super::options::Options;
use super::wire::hex;
use super::{DEFAULT, harmless, input, pipe, say, tap};
use crossbeam_channel::{Receiver, after, bounded, never, select, tick, unbounded};
use parlor::{DialError, Dialer, Incoming, WebSocket};
use std::io::{ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How long the server has for its answers when the input has ended: to answer a ping behind it, and then to have said
/// nothing for a while. Many servers answer pings before what they were asked first.
const ANSWERS: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(300);
const TALKATIVE: Duration = Duration::from_secs(2);

/// The ping behind the end of the input, and those of `--ping-interval`.
const FENCE: &[u8] = b"parlor: all sent";
const ALIVE: &[u8] = b"parlor";

pub fn run(options: &Options, look: Look, interactive: bool) -> Result<(), Failure> {
    let (show, wire) = unbounded();
    // One end stays here: a channel that nobody can send on is always ready.
    let to_show = show.clone();
    let show_line = move |line: String| if interactive { drop(to_show.send(line)) } else { say(&line) };
    let url = options.url.as_deref().unwrap_or(DEFAULT);
    let mut dialer = Dialer::new(url).map_err(Failure::of_raw)?;
    for name in &options.subprotocol {
        dialer = dialer.subprotocol(name);
    }
    let socket = tap::fitted(dialer, options, look, show_line).connect();
    let socket = socket.inspect_err(|_| wire.try_iter().for_each(|line| say(&line)));
    let socket = socket.map_err(Failure::of_raw)?;
    let raw = Raw { options, look, incoming: incoming(&socket)?, pings: pings(options), socket };
    let end = if interactive { raw.talk(url, &wire) } else { raw.relay() };
    // A close that the server began was answered already.
    raw.socket.close(1000, "");
    end
}

struct Raw<'a> {
    options: &'a Options,
    look: Look,
    socket: WebSocket,
    incoming: Receiver<Result<Incoming, DialError>>,
    pings: Receiver<Instant>,
}

/// What comes from the server, until it ends.
fn incoming(socket: &WebSocket) -> Result<Receiver<Result<Incoming, DialError>>, Failure> {
    let (give, incoming) = bounded(64);
    let socket = socket.clone();
    let read = move || {
        loop {
            let came = socket.read();
            let over = came.is_err();
            if give.send(came).is_err() || over {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("incoming".into()).spawn(read);
    thread.map(|_| incoming).map_err(|e| Failure::Lost(e.to_string()))
}

fn pings(options: &Options) -> Receiver<Instant> {
    options.ping_interval.map_or(never(), |seconds| tick(Duration::from_secs_f64(seconds)))
}

/// A server may end as it likes: 1000, 1001 and no code at all are no failure.
fn end(error: DialError) -> Result<(), Failure> {
    match error {
        DialError::Closed(1000 | 1001 | 1005, _) | DialError::Over => Ok(()),
        error => Err(Failure::of_raw(error)),
    }
}

impl Raw<'_> {
    /// A person at a terminal.
    fn talk(&self, url: &str, wire: &Receiver<String>) -> Result<(), Failure> {
        let (keyboard, signals) = (input::portions()?, input::signals()?);
        let mut console = Console::take(self.look)?;
        console.prompt(("> ".into(), self.look.loud("> ")));
        let chosen = self.socket.response().fields.iter().find(|(name, _)| name == "sec-websocket-protocol");
        let chosen = chosen.map(|(_, value)| format!(", {}", harmless::line(value))).unwrap_or_default();
        console.print(&[self.look.quiet(&format!("connected to {}{chosen}; Ctrl-D leaves", harmless::line(url)))]);
        let (mut sent, mut unanswered) = (0, false);
        loop {
            select! {
                recv(keyboard) -> bytes => {
                    match bytes {
                        Ok(bytes) => console.typed(&bytes),
                        Err(_) => return Ok(()),
                    }
                    while let Some(asked) = console.asked() {
                        match asked {
                            Asked::Line(line) if !(self.options.one && sent > 0) => {
                                console.print(&[self.look.quiet(&format!("> {}", harmless::line(&line)))]);
                                self.socket.send_text(&line).or_else(end)?;
                                sent += 1;
                            }
                            Asked::Line(_) | Asked::Completion(_) => {}
                            Asked::Interrupt => return Err(Failure::Signal(signal_hook::consts::SIGINT)),
                            Asked::Over => return Ok(()),
                        }
                    }
                }
                recv(self.incoming) -> came => match came.unwrap_or(Err(DialError::Over)) {
                    Ok(Incoming::Pong(_)) => unanswered = false,
                    Ok(Incoming::Ping(_)) => {}
                    Ok(came) => {
                        console.print(&shown(&came).into_iter().map(|line| format!("< {line}")).collect::<Vec<_>>());
                        if self.options.one {
                            return Ok(());
                        }
                    }
                    Err(error) => {
                        console.print(&wire.try_iter().collect::<Vec<_>>());
                        console.print(&[self.look.quiet(&harmless::line(&error.to_string()))]);
                        return end(error);
                    }
                },
                recv(wire) -> line => console.print(&line.into_iter().chain(wire.try_iter()).collect::<Vec<_>>()),
                recv(signals) -> signal => match signal {
                    Ok(signal) if input::is_end(signal) => return Err(Failure::Signal(signal)),
                    _ => console.resized(),
                },
                recv(self.pings) -> _ => self.ping(&mut unanswered)?,
            }
        }
    }

    /// A pipe: lines or bytes in, lines or bytes out.
    fn relay(&self) -> Result<(), Failure> {
        let (signals, unread) = (input::signals()?, input::unread()?);
        let mut sent = self.sender()?;
        let (mut going, mut unanswered) = (true, false);
        // When to leave, once the input has ended.
        let mut leave = never();
        let mut latest = None;
        let nothing = never();
        loop {
            // What answers a message cannot have come before it.
            let incoming = if self.options.one && going { &nothing } else { &self.incoming };
            select! {
                recv(sent) -> outcome => {
                    outcome.unwrap_or(Ok(()))?;
                    (sent, going) = (never(), false);
                    if !self.options.follow && !self.options.one {
                        leave = after(ANSWERS);
                        self.socket.ping(FENCE).or_else(end)?;
                    }
                },
                recv(incoming) -> came => match came.unwrap_or(Err(DialError::Over)) {
                    Ok(Incoming::Pong(bytes)) if bytes == FENCE => {
                        latest = Some(Instant::now() + TALKATIVE);
                        leave = after(QUIET);
                    }
                    Ok(Incoming::Pong(_)) => unanswered = false,
                    Ok(Incoming::Ping(_)) => {}
                    Ok(came) => {
                        if !self.print(&came)? || self.options.one {
                            return Ok(());
                        }
                        if let Some(latest) = latest {
                            leave = after(QUIET.min(latest.saturating_duration_since(Instant::now())));
                        }
                    }
                    Err(error) => {
                        say(&format!("parlor: {}", self.look.quiet(&harmless::line(&error.to_string()))));
                        // It was to say something first.
                        return if self.options.one { Err(Failure::of_raw(error)) } else { end(error) };
                    }
                },
                recv(signals) -> signal => match signal {
                    Ok(signal) if input::is_end(signal) => return Err(Failure::Signal(signal)),
                    _ => {}
                },
                recv(self.pings) -> _ => self.ping(&mut unanswered)?,
                recv(unread) -> _ => return Ok(()),
                recv(leave) -> _ => return Ok(()),
            }
        }
    }

    /// Sends what the input gives, and then says how that went. A thread of its own: while it waits for a server that
    /// waits for us to read, somebody has to read.
    fn sender(&self) -> Result<Receiver<Result<(), Failure>>, Failure> {
        let lines = if self.options.binary { never() } else { input::lines()? };
        let portions = if self.options.binary { input::portions()? } else { never() };
        let (socket, most) = (self.socket.clone(), if self.options.one { 1 } else { usize::MAX });
        let send = move || -> Result<(), Failure> {
            for _ in 0..most {
                let sent = select! {
                    recv(lines) -> line => match line {
                        Ok(line) => socket.send_text(&line?),
                        Err(_) => return Ok(()),
                    },
                    recv(portions) -> bytes => match bytes {
                        Ok(bytes) => socket.send_binary(&bytes),
                        Err(_) => return Ok(()),
                    },
                };
                if sent.is_err() {
                    // Why, whoever reads will be told; until then nothing more is sent.
                    loop {
                        std::thread::park();
                    }
                }
            }
            Ok(())
        };
        let (tell, sent) = bounded(1);
        let run = move || drop(tell.send(send()));
        let thread = std::thread::Builder::new().name("sender".into()).spawn(run);
        thread.map(|_| sent).map_err(|e| Failure::Lost(e.to_string()))
    }

    fn ping(&self, unanswered: &mut bool) -> Result<(), Failure> {
        if std::mem::replace(unanswered, true) {
            return Err(Failure::Lost("the server did not answer a ping".into()));
        }
        self.socket.ping(ALIVE).or_else(end)
    }

    /// False: nobody reads any more.
    fn print(&self, came: &Incoming) -> Result<bool, Failure> {
        if self.options.binary {
            let bytes = match came {
                Incoming::Text(text) => text.as_bytes(),
                Incoming::Binary(bytes) => bytes,
                _ => return Ok(true),
            };
            let mut out = std::io::stdout().lock();
            return match out.write_all(bytes).and_then(|()| out.flush()) {
                Ok(()) => Ok(true),
                Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(false),
                Err(e) => Err(Failure::Lost(format!("the output cannot be written: {e}"))),
            };
        }
        match came {
            // A program gets the text as it is; a terminal must not take it for a command.
            Incoming::Text(text) if !std::io::stdout().is_terminal() => pipe::print(text),
            came => shown(came).iter().try_fold(true, |read, line| Ok(read && pipe::print(line)?)),
        }
    }
}

/// A message as lines for a terminal.
fn shown(came: &Incoming) -> Vec<String> {
    match came {
        Incoming::Text(text) => harmless::lines(text),
        Incoming::Binary(bytes) => vec![hex(bytes)],
        _ => vec![],
    }
}
