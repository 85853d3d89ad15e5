//! The handle: how the program that embeds a server takes part in it.

use crate::cluster::note::Note;
use crate::dialer::{Client, DialError, Dialer, Link};
use crate::duplex::{self, Duplex};
use crate::entrance::Visit;
use crate::error::Error;
use crate::event::{Asker, Entry, Event, Party};
use crate::frame;
use crate::handshake;
use crate::line::Line;
use crate::message::Message;
use crate::metrics::Metrics;
use crate::name::{PersonName, RoomName};
use crate::peer::{Peer, Tongue};
use crate::protocol::{self, Problem, close};
use crate::registry::Registry;
#[cfg(feature = "tls")]
use crate::secure::Certificate;
use crate::store::{Kind, Outcome, Record, Room, Time, random_hex};
use crate::subscription::Subscription;
use crate::transport::Transport;
use bytes::Bytes;
use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

/// Reaches a server from any thread, for as long as it runs. Cheap to clone.
///
/// What asks the server waits for its answer, and, of a server that was bound and does not run yet, until it runs. What
/// it says goes past the hooks, which are there for the others.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// server.post("lobby", "Weather", "21 °C")?;
/// let mut messages = server.subscribe_since("lobby", 0)?;
/// assert_eq!(messages.next().map(|message| message.body).as_deref(), Some("21 °C"));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    address: SocketAddr,
    stop: Sender<()>,
    running: Arc<Mutex<Option<Running>>>,
    /// Gone when the server has stopped.
    line: Weak<Line>,
    metrics: Arc<Metrics>,
}

pub(crate) type Running = JoinHandle<Result<(), Error>>;

/// Somebody who is here.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let ann = server.client("ann")?;
/// ann.join("lobby", parlor::Start::Last(0))?;
/// ann.post("lobby", "hello")?;
/// let people = server.people("lobby")?;
/// assert_eq!((people[0].name.as_str(), people[0].connections), ("ann", 1));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The name.
    pub name: String,
    /// On how many connections.
    pub connections: usize,
}

/// How many are here.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let ann = server.client("ann")?;
/// let counts = server.counts()?;
/// assert_eq!((counts.connections, counts.clients, counts.people), (1, 1, 1));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections of any kind: the chat, the echo, the page, half-open ones.
    pub connections: usize,
    /// Connections of the chat.
    pub clients: usize,
    /// People, each counted once however many connections they have.
    pub people: usize,
}

impl Handle {
    pub(crate) fn new(address: SocketAddr, stop: Sender<()>, line: &Arc<Line>) -> Handle {
        Handle { address, stop, running: Arc::default(), line: Arc::downgrade(line), metrics: line.metrics.clone() }
    }

    pub(crate) fn runs_on(&self, thread: Running) {
        *self.running.lock() = Some(thread);
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts a message as the program, and waits until it is stored. `from` is a name as people have them; from the
    /// first message on it is the program's, and no guest can take it. [`Builder::reserve`](crate::Builder::reserve)
    /// keeps it from the start.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist, a name or body that is not allowed, a name that a guest has
    /// just now, or a store that does not answer; [`Error::Stopped`].
    pub fn post(&self, room: &str, from: &str, body: &str) -> Result<Message, Error> {
        let line = self.line()?;
        let room = find(&line, room)?;
        let author = PersonName::parse(from).map_err(|why| Error::Refused(format!("\"{from}\": {why}")))?;
        if !line.guests.reserve(&author) {
            return Err(Error::Refused(format!("the name {author} is in use by a guest")));
        }
        let body = protocol::body(body, line.limits.body).map_err(refused)?;
        let (room_id, id, at) = (room.id, random_hex(12)?, Time::now());
        let record = Record::Post { room: room_id, author, role: None, id, body, reply_to: None, at };
        match record_and_wait(line, record)? {
            Outcome::Posted(message) => Ok(Message::of(&room.name, message)),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes a room, with its name for addresses (1 to 32 of a-z, 0-9 and -) and a title for people. A room that is
    /// there already stays as it is.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name or title that is not allowed, or when there are as many rooms as there may be;
    /// [`Error::Stopped`].
    pub fn create_room(&self, name: &str, title: &str) -> Result<(), Error> {
        match self.make(name, title, Kind::Public, Vec::new())? {
            Outcome::Created(_) | Outcome::RoomExists => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes a private room with these members: for everyone else there is no such room. Unlike a public one it must not
    /// be there already.
    ///
    /// ```
    /// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
    /// server.create_private_room("den", "The den", &["ann", "bob"])?;
    /// server.invite("den", "eve")?;
    /// server.remove("den", "bob")?;
    /// assert_eq!(server.members("den")?, ["ann", "eve"]);
    /// # server.shutdown();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Handle::create_room`]; and [`Error::Refused`] for a member's name that is none, or a room that is there.
    pub fn create_private_room(&self, name: &str, title: &str, members: &[&str]) -> Result<(), Error> {
        let members = members.iter().map(|member| person(member)).collect::<Result<Vec<_>, _>>()?;
        match self.make(name, title, Kind::Private, members)? {
            Outcome::Created(_) => Ok(()),
            Outcome::RoomExists => Err(Error::Refused(format!("there is a room \"{name}\" already"))),
            other => Err(unexpected(&other)),
        }
    }

    fn make(&self, name: &str, title: &str, kind: Kind, members: Vec<PersonName>) -> Result<Outcome, Error> {
        let line = self.line()?;
        let name = RoomName::parse(name).map_err(|why| Error::Refused(format!("\"{name}\": {why}")))?;
        if name.is_of_direct_rooms() {
            return Err(Error::Refused(format!("\"{name}\" is of a form that is kept for direct rooms")));
        }
        let title = protocol::title(if title.is_empty() { name.as_str() } else { title }).map_err(refused)?;
        let (maker, topic, at) = (None, String::new(), Time::now());
        match record_and_wait(line, Record::Create { name, title, topic, kind, maker, members, at })? {
            Outcome::RoomsFull => Err(Error::Refused("there are as many rooms as this server allows".into())),
            other => Ok(other),
        }
    }

    /// Makes a person a member of a private room, by a name that need not have been here yet.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist or is not private, or a name that is none; [`Error::Store`];
    /// [`Error::Stopped`].
    pub fn invite(&self, room: &str, name: &str) -> Result<(), Error> {
        let line = self.line()?;
        let (room, person) = (find(&line, room)?.id, person(name)?);
        record_and_wait(line, Record::Invite { room, person, by: None, at: Time::now() }).map(drop)
    }

    /// Ends a person's membership of a private room. Nothing of the room reaches them from then on; to their connections in
    /// plain text it is the end.
    ///
    /// # Errors
    /// As [`Handle::invite`].
    pub fn remove(&self, room: &str, name: &str) -> Result<(), Error> {
        let line = self.line()?;
        let (room, person) = (find(&line, room)?.id, person(name)?);
        record_and_wait(line, Record::Remove { room, person, by: None }).map(drop)
    }

    /// The members of a private or direct room, by name; none where everyone may come in. Who is there just now, tells
    /// [`Handle::people`].
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist; [`Error::Store`]; [`Error::Stopped`].
    pub fn members(&self, room: &str) -> Result<Vec<String>, Error> {
        let line = self.line()?;
        let room = find(&line, room)?;
        Ok(line.doors.members(room.id).iter().map(|name| name.as_str().to_owned()).collect())
    }

    /// Closes a room to posts, the program's own as well, or opens it again; it can be read all the time.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist, the lobby and a direct room; [`Error::Store`]; [`Error::Stopped`].
    pub fn archive(&self, room: &str, archived: bool) -> Result<(), Error> {
        let line = self.line()?;
        let room = find(&line, room)?.id;
        let (archived, by) = (Some(archived), None);
        let (title, topic, slow, read_only) = Default::default();
        record_and_wait(line, Record::Change { room, title, topic, archived, slow, read_only, by }).map(drop)
    }

    /// All rooms, the oldest first, private and direct ones too.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Stopped`].
    pub fn rooms(&self) -> Result<Vec<crate::Room>, Error> {
        let rooms = self.line()?.store.every_room()?;
        Ok(rooms.into_iter().map(|found| crate::Room::of(found.room)).collect())
    }

    /// The messages of a room from now on.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist; [`Error::Store`]; [`Error::Stopped`].
    pub fn subscribe(&self, room: &str) -> Result<Subscription, Error> {
        self.subscription(room, None)
    }

    /// The messages of a room after the number `since`, then those to come. 0 begins with the oldest that is kept.
    ///
    /// # Errors
    /// As [`Handle::subscribe`].
    pub fn subscribe_since(&self, room: &str, since: i64) -> Result<Subscription, Error> {
        self.subscription(room, Some(since))
    }

    fn subscription(&self, room: &str, since: Option<i64>) -> Result<Subscription, Error> {
        let line = self.line()?;
        let room = find(&line, room)?;
        let (wake, woken) = bounded(1);
        line.events.send(Event::Subscribe { room: room.id, wake }).map_err(|_| Error::Stopped)?;
        Ok(Subscription::new(line.store.clone(), &room, since.unwrap_or(room.head), woken))
    }

    /// Sends a text as it is to every plain-text client in a room: no name before it, no number, not stored. Gives how
    /// many it went to.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist; [`Error::Store`]; [`Error::Stopped`].
    pub fn broadcast_text(&self, room: &str, text: &str) -> Result<usize, Error> {
        self.broadcast(room, frame::text(text.to_owned()))
    }

    /// The same with a binary message.
    ///
    /// # Errors
    /// As [`Handle::broadcast_text`].
    pub fn broadcast_binary(&self, room: &str, bytes: &[u8]) -> Result<usize, Error> {
        self.broadcast(room, frame::binary(bytes.to_vec()))
    }

    fn broadcast(&self, room: &str, frame: Bytes) -> Result<usize, Error> {
        let line = self.line()?;
        let room = find(&line, room)?;
        look(line, move |registry| {
            let plain = registry.members(room.id, Tongue::Plain);
            plain.map(|party| party.outbox.send(std::slice::from_ref(&frame))).filter(|sent| *sent).count()
        })
    }

    /// Who is in a room, by name.
    ///
    /// # Errors
    /// [`Error::Refused`] for a room that does not exist; [`Error::Store`]; [`Error::Stopped`].
    pub fn people(&self, room: &str) -> Result<Vec<Person>, Error> {
        let line = self.line()?;
        let room = find(&line, room)?;
        let mut people = look(line, move |registry| registry.people(room.id))?;
        people.sort();
        Ok(people.into_iter().map(|(name, connections)| Person { name, connections }).collect())
    }

    /// How many are here.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn counts(&self) -> Result<Counts, Error> {
        let line = self.line()?;
        let connections = line.roster.count();
        let (clients, people) = look(line, |registry| registry.counts())?;
        Ok(Counts { connections, clients, people })
    }

    /// What the server has counted, as `GET /metrics` tells it, for a program that has an HTTP server of its own: the text
    /// format of OpenMetrics, to be sent as `application/openmetrics-text; version=1.0.0; charset=utf-8`. It waits for
    /// nobody, and after the server's end it is what was counted last. Of the process it tells what Linux knows.
    ///
    /// ```
    /// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
    /// server.post("lobby", "Weather", "21 °C")?;
    /// assert!(server.metrics().contains("\nparlor_messages_stored_total 1\n"));
    /// # server.shutdown();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metrics(&self) -> String {
        self.metrics.text(&self.line.upgrade().map(|line| line.now()).unwrap_or_default())
    }

    /// Closes all connections of a person, with 1008 and a reason that the person is shown. Gives how many there were.
    /// It keeps nobody from coming back: [`Builder::authenticate`](crate::Builder::authenticate) does.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn kick(&self, person: &str, reason: &str) -> Result<usize, Error> {
        let (folded, reason) = (PersonName::trusted(person).folded(), reason.to_owned());
        let line = self.line()?;
        line.cluster.tell(|| Note::Kicked(person.into(), reason.clone()));
        look(line, move |registry| {
            let connections = registry.person(&folded);
            connections.iter().for_each(|party| party.outbox.close(close::POLICY, &reason));
            connections.len()
        })
    }

    #[cfg(feature = "tls")]
    /// Shows another certificate from here on to whoever connects; whoever is connected notices nothing. For one that is
    /// about to expire.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server was made without [`Builder::tls`](crate::Builder::tls); [`Error::Stopped`].
    pub fn renew(&self, certificate: &Certificate) -> Result<(), Error> {
        if self.line()?.keys.renew(certificate) {
            return Ok(());
        }
        Err(Error::Refused("this server speaks no TLS; it would have to be started with a certificate".into()))
    }

    /// Connects a client through memory, without a socket, a port or a descriptor: for tests of your own. What is
    /// written must begin with a handshake, as on the network; any WebSocket library over [`Read`](std::io::Read) and
    /// [`Write`](std::io::Write) speaks it, or see [`Handle::client`].
    ///
    /// # Errors
    /// [`Error::Refused`] when the server is full; [`Error::System`] when no thread can be started; [`Error::Stopped`].
    pub fn attach(&self) -> Result<Duplex, Error> {
        let line = self.line()?;
        let (near, far) = duplex::pair();
        let peer = Peer { id: line.roster.next(), address: None, secure: false };
        let serve = move |line: &Arc<Line>, socket: &Arc<dyn Transport>| {
            handshake::serve(line, Visit::straight(line, peer), socket);
        };
        line.admit(peer, far, serve).map_err(|refusal| Error::Refused(refusal.message))?;
        Ok(near)
    }

    /// A chat client through memory, of that name.
    ///
    /// ```
    /// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
    /// let ann = server.client("ann")?;
    /// ann.join("lobby", parlor::Start::Last(0))?;
    /// assert_eq!(ann.post("lobby", "hello")?.rev, 1);
    /// # server.shutdown();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Client::connect`]; [`DialError::Over`] when the server has stopped.
    pub fn client(&self, name: &str) -> Result<Client, DialError> {
        let server = self.clone();
        let attach = move || match server.attach() {
            Ok(duplex) => Ok(Arc::new(duplex) as Arc<dyn Link>),
            Err(Error::Stopped) => Err(DialError::Over),
            Err(cause) => Err(DialError::Lost(cause.to_string())),
        };
        Client::over(Ok(Dialer::in_memory(Some(Arc::new(attach))))).name(name).connect()
    }

    /// Begins the end: no more clients, 503 to the half-open, 1001 to the open, after what the program has posted;
    /// everything received is stored, every thread is joined. Returns at once; [`Handle::join`] or
    /// [`Server::run`](crate::Server::run) returns when it is done: within 5 s, or 10 if another program holds the database.
    pub fn shutdown(&self) {
        // Full means that it was asked before.
        let _ = self.stop.try_send(());
    }

    /// Waits for the end of a server that was spawned. Whoever comes second, or calls this on one that was not, does
    /// not wait. A hook that calls it would wait for itself.
    ///
    /// # Errors
    /// What [`Server::run`](crate::Server::run) returned.
    pub fn join(&self) -> Result<(), Error> {
        let thread = self.running.lock().take();
        match thread.map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(Error::System("the server's thread panicked", std::io::ErrorKind::Other.into())),
            None => Ok(()),
        }
    }

    fn line(&self) -> Result<Arc<Line>, Error> {
        self.line.upgrade().filter(|line| !line.is_stopping()).ok_or(Error::Stopped)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Handle({})", self.address)
    }
}

/// A person's name, or why it is none.
fn person(name: &str) -> Result<PersonName, Error> {
    PersonName::parse(name).map_err(|why| Error::Refused(format!("\"{name}\": {why}")))
}

fn find(line: &Line, room: &str) -> Result<Room, Error> {
    let found = match RoomName::parse(room) {
        Ok(name) => line.store.room(&name)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Error::Refused(format!("there is no room \"{room}\"")))
}

/// The line is let go of while it waits: a server that stops before it ran must be able to end.
fn record_and_wait(line: Arc<Line>, record: Record) -> Result<Outcome, Error> {
    let (asker, answer) = oneshot::channel();
    line.entries.send(Entry::Record(record, Asker::Thread(asker))).map_err(|_| Error::Stopped)?;
    drop(line);
    answer.recv().map_err(|_| Error::Stopped)?.map_err(refused)
}

/// Asks the dispatcher, which alone has the registry.
pub(crate) fn look<T: Send + 'static>(
    line: Arc<Line>,
    ask: impl FnOnce(&Registry<Arc<Party>>) -> T + Send + 'static,
) -> Result<T, Error> {
    let (tell, answer) = oneshot::channel();
    let look = Box::new(move |registry: &Registry<Arc<Party>>| drop(tell.send(ask(registry))));
    line.events.send(Event::Look(look)).map_err(|_| Error::Stopped)?;
    drop(line);
    answer.recv().map_err(|_| Error::Stopped)
}

fn refused(problem: Problem) -> Error {
    Error::Refused(problem.message)
}

/// What a store gives for another kind of record.
fn unexpected(outcome: &Outcome) -> Error {
    Error::Store(format!("an outcome that belongs to something else: {outcome:?}"))
}
