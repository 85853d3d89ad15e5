//! A chat client that comes back by itself: no message lost, none twice.

use super::event::{Event, Start};
use super::runner::{Runner, Shared};
use super::session::Session;
use super::{DialError, Dialer, Problem};
use crate::message::Message;
use crate::protocol::SUBPROTOCOL;
use crate::store::random_hex;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::Mutex;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Posts that may be on their way.
const POSTS: usize = 1024;

/// How long [`Client::post`] waits for the receipt.
const RECEIPT: Duration = Duration::from_secs(30);

/// A blocking client of a Parlor. Clones are the same client: one thread may post while another takes the events.
///
/// When the connection breaks it connects again by itself, after a quarter of a second at first and half a minute at
/// most, and goes on where it was: each message of a room that it joined comes once, in order, and what was sent and not
/// seen is sent again under the same id, which the server stores once. The connection ends when the last clone is dropped.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// # let address = server.address();
/// use parlor::{Client, Start};
///
/// let ann = Client::connect(&format!("ws://{address}"), "ann")?;
/// ann.join("lobby", Start::Last(10))?;
/// let stored = ann.post("lobby", "hello")?; // returns once it is stored
///
/// for message in ann.messages() {
///     println!("{}: {}", message.from, message.body);
///     if message.rev == stored.rev {
///         break;
///     }
/// }
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    seat: Arc<Seat>,
}

/// Made by [`Client::builder`].
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// # let url = format!("ws://{}", server.address());
/// use parlor::Client;
/// use std::time::Duration;
///
/// let bot = Client::builder(&url)
///     .name("dice")
///     .key("a secret of its own")
///     .dial(|dialer| dialer.timeout(Duration::from_secs(3)).header("User-Agent", "dice/1.0"))
///     .connect()?;
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    dialer: Result<Dialer, DialError>,
    name: String,
    key: Option<String>,
}

/// Ends the thread when the last clone is gone.
struct Seat {
    shared: Arc<Shared>,
    events: Receiver<Event>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl ClientBuilder {
    /// The name to chat under: 1 to 32 characters. Without one the URL must have it, or a header that says who this is.
    pub fn name(self, name: &str) -> ClientBuilder {
        ClientBuilder { name: name.into(), ..self }
    }

    /// What shows the server that two connections are the same guest. Default: random. With the same key a program that
    /// was started again takes its name over from its dying connection at once.
    pub fn key(self, key: &str) -> ClientBuilder {
        ClientBuilder { key: Some(key.into()), ..self }
    }

    /// Changes how it connects: header fields, timeout, a tap.
    pub fn dial(self, change: impl FnOnce(Dialer) -> Dialer) -> ClientBuilder {
        ClientBuilder { dialer: self.dialer.map(change), ..self }
    }

    /// Connects, and waits for the server's welcome.
    ///
    /// # Errors
    /// Those of [`Dialer::connect`]; [`DialError::NotWebSocket`] too when it is no Parlor that answers. Only later
    /// breaks are mended.
    pub fn connect(self) -> Result<Client, DialError> {
        let key = match self.key {
            Some(key) => key,
            None => random_hex(16).map_err(|e| DialError::Lost(e.to_string()))?,
        };
        let dialer = self.dialer?;
        let path = if dialer.path() == "/" { "/ws" } else { dialer.path() }.to_owned();
        let parameters = [("name", self.name.as_str()), ("key", key.as_str())];
        let parameters = if self.name.is_empty() { &parameters[..0] } else { &parameters[..] };
        Client::start(dialer.at(&path, parameters).subprotocol(SUBPROTOCOL))
    }
}

impl Client {
    /// Connects to the Parlor at `url`, such as `ws://127.0.0.1:8080`, as a guest of that name.
    ///
    /// # Errors
    /// See [`ClientBuilder::connect`].
    pub fn connect(url: &str, name: &str) -> Result<Client, DialError> {
        Client::builder(url).name(name).connect()
    }

    /// More to choose than a name. The path of the URL is `/ws` if it has none.
    pub fn builder(url: &str) -> ClientBuilder {
        Client::over(Dialer::new(url))
    }

    pub(crate) fn over(dialer: Result<Dialer, DialError>) -> ClientBuilder {
        ClientBuilder { dialer, name: String::new(), key: None }
    }

    fn start(dialer: Dialer) -> Result<Client, DialError> {
        let shared = Arc::new(Shared::default());
        let (tell, events) = unbounded();
        let mut runner = Runner { dialer, shared: shared.clone(), tell, failures: 0 };
        let socket = runner.connect()?;
        let run = move || runner.run(socket);
        let thread = std::thread::Builder::new().name("parlor client".into()).spawn(run);
        let thread = thread.map_err(|e| DialError::Lost(format!("no thread can be started: {e}")))?;
        Ok(Client { seat: Arc::new(Seat { shared, events, thread: Mutex::new(Some(thread)) }) })
    }

    /// Everything that happens, as a channel: iterate over it, or put it into a `select!`. It ends after
    /// [`Event::Ended`]. A program that leaves more than 2,048 events waiting is not told of more until it has taken
    /// half of them; messages are then fetched from the server, none is missing.
    pub fn events(&self) -> &Receiver<Event> {
        &self.seat.events
    }

    /// The messages alone, one after the other; the iterator waits for the next, and ends when the client does. One that is
    /// edited, deleted or answered with a reaction comes again as it now stands: then its `rev` is above its `seq`.
    pub fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        let events = self.seat.events.iter();
        events.filter_map(|event| if let Event::Message(message) = event { Some(message) } else { None })
    }

    /// Enters a room: what is told of it begins there, and goes on over all breaks.
    ///
    /// # Errors
    /// [`DialError`] of the end, if it has come. A room that does not exist is told by [`Event::Refused`].
    pub fn join(&self, room: &str, start: Start) -> Result<(), DialError> {
        self.ask(|session| session.join(room, start))
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn leave(&self, room: &str) -> Result<(), DialError> {
        self.ask(|session| session.leave(room))
    }

    /// Makes a room, with its name for addresses (1 to 32 of a-z, 0-9 and -) and a title for people, empty for the same,
    /// and enters it.
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn create(&self, room: &str, title: &str) -> Result<(), DialError> {
        self.ask(|session| session.create(room, title))
    }

    /// Posts a message to a room that was joined, and waits until it is stored; over breaks, for up to 30 s.
    ///
    /// # Errors
    /// [`DialError::Problem`] when the server does not take it. [`DialError::TimedOut`]: it is still on its way, and may
    /// be stored yet.
    pub fn post(&self, room: &str, body: &str) -> Result<Message, DialError> {
        self.post_as(room, new_id()?, body, None)
    }

    /// Posts a message that answers the one with the number `to` in the same room, and waits until it is stored.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub fn reply(&self, room: &str, to: i64, body: &str) -> Result<Message, DialError> {
        self.post_as(room, new_id()?, body, Some(to))
    }

    fn post_as(&self, room: &str, id: String, body: &str, reply_to: Option<i64>) -> Result<Message, DialError> {
        let (receipt, stored) = bounded(1);
        self.dispatch(room, id, body, reply_to, Some(receipt))?;
        match stored.recv_timeout(RECEIPT) {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(problem)) => Err(DialError::Problem(problem)),
            Err(RecvTimeoutError::Timeout) => Err(DialError::TimedOut),
            Err(RecvTimeoutError::Disconnected) => Err(self.end()),
        }
    }

    /// The same under an id of the program's own, 1 to 64 characters: however often it is posted under this name and
    /// id, by this client or another, it is stored once, and what was stored first comes back. A program that was started
    /// again and does not know whether it had posted can simply do so.
    ///
    /// ```
    /// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
    /// let bot = server.client("bot")?;
    /// bot.join("lobby", parlor::Start::Last(0))?;
    /// let first = bot.post_once("lobby", "answer-to-17", "it was a five")?;
    /// assert_eq!(bot.post_once("lobby", "answer-to-17", "it was a two")?, first);
    /// # server.shutdown();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::post`].
    pub fn post_once(&self, room: &str, id: &str, body: &str) -> Result<Message, DialError> {
        self.post_as(room, id.into(), body, None)
    }

    /// Posts a message and does not wait. Gives its id: the [`Event::Message`] of that id is its receipt,
    /// [`Event::Refused`] its refusal. Waits only while 1,024 are on their way.
    ///
    /// # Errors
    /// [`DialError::Problem`] with `too_long` for one that is longer than the server takes; otherwise as [`Client::join`].
    pub fn send(&self, room: &str, body: &str) -> Result<String, DialError> {
        let id = new_id()?;
        self.dispatch(room, id.clone(), body, None, None)?;
        Ok(id)
    }

    /// Waits until everything that was sent is stored or refused. False: it is not, after `patience`.
    pub fn flush(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.seat.shared.state.lock();
        while state.session.unseen() > 0 && state.end.is_none() {
            if self.seat.shared.moved.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.session.unseen() == 0
    }

    /// Tells the others in a room that this person is writing; once in 3 s is enough.
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn typing(&self, room: &str) -> Result<(), DialError> {
        self.tell(&serde_json::json!({"type": "typing", "room": room}))
    }

    /// Gives an own message, the one with the number `seq`, another text; moderators may anyone's. What comes of it is an
    /// [`Event::Message`] as it now stands, or [`Event::Refused`]; if the connection breaks first, perhaps nothing.
    ///
    /// ```
    /// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
    /// let ann = server.client("ann")?;
    /// ann.join("lobby", parlor::Start::Last(0))?;
    /// let slip = ann.post("lobby", "helo")?;
    /// ann.edit("lobby", slip.seq, "hello")?;
    /// ann.delete("lobby", slip.seq)?;
    /// let bodies: Vec<String> = ann.messages().take(3).map(|message| message.body).collect();
    /// assert_eq!(bodies, ["helo", "hello", ""]);
    /// # server.shutdown();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn edit(&self, room: &str, seq: i64, body: &str) -> Result<(), DialError> {
        self.fits(body, None, room)?;
        self.change(serde_json::json!({"type": "edit", "room": room, "seq": seq, "body": body}))
    }

    /// Takes an own message back; moderators may anyone's. What comes of it is told as for [`Client::edit`].
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn delete(&self, room: &str, seq: i64) -> Result<(), DialError> {
        self.change(serde_json::json!({"type": "delete", "room": room, "seq": seq}))
    }

    /// Answers a message with an emoji, or, with `on` false, takes that back. What comes of it is told as for
    /// [`Client::edit`]; nothing, if it was so already.
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn react(&self, room: &str, seq: i64, emoji: &str, on: bool) -> Result<(), DialError> {
        self.change(serde_json::json!({"type": "react", "room": room, "seq": seq, "emoji": emoji, "on": on}))
    }

    /// Says that this person has read a room up to a number.
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn read_to(&self, room: &str, rev: i64) -> Result<(), DialError> {
        self.tell(&serde_json::json!({"type": "read", "room": room, "rev": rev}))
    }

    /// Asks for up to `limit` messages (200 at most) before the one with the number `before`; [`Event::History`] brings
    /// them. If the connection breaks first, nothing does.
    ///
    /// # Errors
    /// As [`Client::join`].
    pub fn history(&self, room: &str, before: i64, limit: usize) -> Result<(), DialError> {
        self.tell(&serde_json::json!({"type": "history", "room": room, "before": before, "limit": limit}))
    }

    /// Says goodbye. Messages on their way may be lost: [`Client::flush`] first waits for them.
    pub fn close(&self) {
        self.seat.close();
    }

    fn dispatch(
        &self,
        room: &str,
        id: String,
        body: &str,
        reply_to: Option<i64>,
        receipt: Option<Sender<Result<Message, Problem>>>,
    ) -> Result<(), DialError> {
        let shared = &self.seat.shared;
        let mut state = shared.state.lock();
        while state.session.unseen() >= POSTS && state.end.is_none() {
            shared.moved.wait(&mut state);
        }
        drop(state);
        self.fits(body, Some(&id), room)?;
        let mut state = shared.state.lock();
        if let Some(receipt) = receipt {
            state.receipts.entry(id.clone()).or_default().push(receipt);
        }
        drop(state);
        self.ask(|session| session.post(id, room, body, reply_to))
    }

    /// On the wire a longer one might be longer than the server reads at all, and end the connection.
    fn fits(&self, body: &str, id: Option<&str>, room: &str) -> Result<(), DialError> {
        let limit = self.seat.shared.state.lock().session.body_limit;
        if body.len() <= limit {
            return Ok(());
        }
        let (code, id, room) = ("too_long".into(), id.map(str::to_owned), Some(room.into()));
        let message = format!("a message has {limit} bytes at most, and this one {}", body.len());
        Err(DialError::Problem(Problem { code, message, id, room }))
    }

    /// Asks for something that outlives a connection: sent now if there is one, otherwise when there is.
    fn ask<F: Into<Option<String>>>(&self, ask: impl FnOnce(&mut Session) -> F) -> Result<(), DialError> {
        let shared = &self.seat.shared;
        let _order = shared.sending.lock();
        let mut state = shared.state.lock();
        if let Some(end) = &state.end {
            return Err(end.clone());
        }
        let frame = ask(&mut state.session).into();
        let socket = state.socket.clone().filter(|_| state.session.welcomed);
        drop(state);
        // If it breaks now, the next connection begins with it.
        let _ = socket.zip(frame).map(|(socket, frame)| socket.send_text(&frame));
        Ok(())
    }

    /// Sends a change, and again if it comes too soon; on another connection it means nothing.
    fn change(&self, frame: serde_json::Value) -> Result<(), DialError> {
        self.ask(|session| session.change(frame))
    }

    /// Sends something that means nothing on another connection.
    fn tell(&self, frame: &serde_json::Value) -> Result<(), DialError> {
        self.ask(|_| frame.to_string())
    }

    fn end(&self) -> DialError {
        self.seat.shared.state.lock().end.clone().unwrap_or(DialError::Over)
    }
}

fn new_id() -> Result<String, DialError> {
    random_hex(12).map_err(|e| DialError::Lost(e.to_string()))
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let state = self.seat.shared.state.lock();
        f.write_str(match (&state.end, state.session.welcomed) {
            (Some(_), _) => "Client(over)",
            (None, true) => "Client(connected)",
            (None, false) => "Client(waiting)",
        })
    }
}

impl Seat {
    fn close(&self) {
        let socket = {
            let mut state = self.shared.state.lock();
            state.end.get_or_insert(DialError::Over);
            state.socket.clone()
        };
        self.shared.moved.notify_all();
        let was_connected = socket.is_some();
        if let Some(socket) = socket {
            socket.close(1000, "");
        }
        // One that is just trying to connect ends by itself, when it has or has not.
        let thread = self.thread.lock().take().filter(|_| was_connected);
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.close();
    }
}
