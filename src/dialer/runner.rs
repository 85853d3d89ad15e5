//! The client's own thread: reads, and connects again.

use super::event::Event;
use super::session::Session;
use super::websocket::{Incoming, WebSocket};
use super::{DialError, Dialer, Problem};
use crate::message::Message;
use crate::protocol::close;
use crossbeam_channel::Sender;
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Events that may wait for the program. What comes beyond is let fall, and asked for again when it has caught up.
const EVENTS: usize = 2048;

/// After so much silence the server is pinged, and after so much more the line is held for dead.
const SILENCE: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a client that is behind looks whether its program has caught up.
const LOOK: Duration = Duration::from_millis(20);

/// The shortest wait for something to read.
const A_MOMENT: Duration = Duration::from_millis(1);

/// The first wait after a break; it doubles up to the longest. A quarter of it is chance, so that a crowd does not
/// come back in step.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the program's threads and the client's own share.
#[derive(Default)]
pub(super) struct Shared {
    pub state: Mutex<State>,
    /// A post was settled, or the end has come.
    pub moved: Condvar,
    /// Held while frames are sent, so that they leave in the order in which the session made them. Taken before `state`.
    pub sending: Mutex<()>,
}

#[derive(Default)]
pub(super) struct State {
    pub session: Session,
    pub socket: Option<WebSocket>,
    /// Who waits for the receipt of a post, by its id.
    pub receipts: HashMap<String, Vec<Sender<Result<Message, Problem>>>>,
    /// Why it is over.
    pub end: Option<DialError>,
}

/// The client's thread: reads, and connects again.
pub(super) struct Runner {
    pub dialer: Dialer,
    pub shared: Arc<Shared>,
    pub tell: Sender<Event>,
    /// Attempts in a row that came to nothing.
    pub failures: u32,
}

impl Runner {
    pub fn run(mut self, first: WebSocket) {
        let mut socket = Some(first);
        let end = loop {
            let cause = match socket.take() {
                Some(open) => {
                    let since = Instant::now();
                    let cause = self.read(&open);
                    open.hang_up();
                    if since.elapsed() > PATIENCE {
                        self.failures = 0;
                    }
                    cause
                }
                None => match self.connect() {
                    Ok(open) => {
                        socket = Some(open);
                        continue;
                    }
                    Err(cause) => cause,
                },
            };
            let mut state = self.shared.state.lock();
            state.session.lost();
            state.socket = None;
            if let Some(end) = &state.end {
                break end.clone();
            }
            if !cause.may_pass() {
                break cause;
            }
            let wait = wait(&cause, self.failures);
            self.failures += 1;
            let _ = self.tell.send(Event::Lost { cause, retry_in: wait });
            let until = Instant::now() + wait;
            while state.end.is_none() && !self.shared.moved.wait_until(&mut state, until).timed_out() {}
        };
        let mut state = self.shared.state.lock();
        state.end.get_or_insert(end.clone());
        // Whoever waits for a receipt sees that none will come.
        state.receipts.clear();
        self.shared.moved.notify_all();
        let _ = self.tell.send(Event::Ended(end));
    }

    /// Connects, and takes the welcome.
    pub fn connect(&mut self) -> Result<WebSocket, DialError> {
        let socket = self.dialer.connect()?;
        let no_parlor = |what: String| DialError::NotWebSocket(format!("this is a WebSocket, but no Parlor: {what}"));
        let Incoming::Text(welcome) = socket.read_within(PATIENCE)? else {
            return Err(no_parlor("it sends binary messages".into()));
        };
        {
            let mut state = self.shared.state.lock();
            if let Some(end) = &state.end {
                return Err(end.clone());
            }
            state.socket = Some(socket.clone());
        }
        // What the program sends from here on comes after what a connection begins with.
        let shared = self.shared.clone();
        let _order = shared.sending.lock();
        for frame in self.hear(&welcome).map_err(no_parlor)? {
            // If it cannot be sent, the next read says so.
            let _ = socket.send_text(&frame);
        }
        Ok(socket)
    }

    /// Reads until the connection ends, and says why it did.
    fn read(&mut self, socket: &WebSocket) -> DialError {
        let mut silent_since = Instant::now();
        let mut pinged = false;
        loop {
            let (is_behind, due) = {
                let state = self.shared.state.lock();
                (state.session.is_behind(), state.session.due())
            };
            let is_due = due.is_some_and(|due| due <= Instant::now());
            // Whoever is sending just now may be waiting for the server, and the server for this thread to read.
            if is_behind
                && self.tell.len() < EVENTS / 2
                && let Some(_order) = self.shared.sending.try_lock()
            {
                let frames = self.shared.state.lock().session.catch_up();
                let _ = frames.iter().try_for_each(|frame| socket.send_text(frame));
            }
            // What came too soon comes again.
            if is_due && let Some(_order) = self.shared.sending.try_lock() {
                let frames = self.shared.state.lock().session.again(Instant::now());
                let _ = frames.iter().try_for_each(|frame| socket.send_text(frame));
            }
            let patience = if pinged { PATIENCE } else { SILENCE };
            let until_due = due.map(|due| due.saturating_duration_since(Instant::now()).max(A_MOMENT));
            let wait = if is_behind { LOOK } else { patience };
            match socket.read_within(until_due.map_or(wait, |due| due.min(wait))) {
                Ok(Incoming::Text(text)) => {
                    if let Err(what) = self.hear(&text) {
                        return DialError::NotWebSocket(format!("a frame that no Parlor sends: {what}"));
                    }
                }
                Ok(_) => {}
                Err(DialError::TimedOut) => {
                    if silent_since.elapsed() < patience {
                        continue;
                    }
                    if pinged {
                        return DialError::Lost("the server does not answer any more".into());
                    }
                    pinged = true;
                    silent_since = Instant::now();
                    // If it cannot be sent, the next read says so.
                    let _ = socket.ping(b"");
                    continue;
                }
                Err(cause) => return cause,
            }
            (silent_since, pinged) = (Instant::now(), false);
        }
    }

    /// Takes a frame, and gives those that answer it: only a welcome has any.
    fn hear(&mut self, text: &str) -> Result<Vec<String>, String> {
        let keeps_up = self.tell.len() < EVENTS;
        let heard = {
            let mut state = self.shared.state.lock();
            let heard = state.session.hear(text, keeps_up)?;
            if let Some((id, outcome)) = heard.settled {
                for receipt in state.receipts.remove(&id).unwrap_or_default() {
                    let _ = receipt.send(outcome.clone());
                }
                self.shared.moved.notify_all();
            }
            (heard.events, heard.frames)
        };
        for event in heard.0 {
            // A connection that brings something is worth coming back to soon.
            if matches!(event, Event::Message(_)) {
                self.failures = 0;
            }
            let _ = self.tell.send(event);
        }
        Ok(heard.1)
    }
}

/// How long to wait after so many failures.
fn wait(cause: &DialError, failures: u32) -> Duration {
    let doubled = FIRST_WAIT * 2u32.saturating_pow(failures.min(10));
    let mut chance = [0];
    let _ = getrandom::fill(&mut chance);
    let wait = doubled.min(LONGEST_WAIT);
    let wait = wait - wait / 4 * u32::from(chance[0]) / 256;
    match cause {
        // Another server goes on behind the same address.
        DialError::Closed(close::AWAY, why) if failures == 0 && why == close::ELSEWHERE => Duration::ZERO,
        DialError::Refused { retry_after: Some(after), .. } => wait.max(*after),
        _ => wait,
    }
}
