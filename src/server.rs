//! The server: bound, run, and brought to an end with every thread joined.

use crate::addresses::Addresses;
#[cfg(feature = "cluster")]
use crate::cluster;
use crate::cluster::{Cluster, Heard};
use crate::config::{Builder, Keep};
#[cfg(feature = "sqlite")]
use crate::control::Control;
use crate::dispatcher::Dispatcher;
use crate::doors::Doors;
use crate::error::Error;
use crate::event::{Entry, Event};
use crate::fault::Fault;
use crate::flusher::{Flusher, FlusherThread};
#[cfg(feature = "sqlite")]
use crate::folder::Lock;
use crate::front::Front;
use crate::handle::{self, Handle};
use crate::http::{Http, Workers};
use crate::identity::Guests;
#[cfg(feature = "http")]
use crate::identity::hash;
use crate::limits::Capacity;
use crate::line::Line;
use crate::listener::Listener;
use crate::metrics::Metrics;
use crate::name::PersonName;
use crate::pace::Pace;
use crate::peer::ClientId;
use crate::protocol::{Limits, close};
use crate::rate::Rates;
use crate::recorder::Recorder;
use crate::roster::Roster;
use crate::secure::Keys;
#[cfg(feature = "sql")]
use crate::store::{Address, Sql};
#[cfg(feature = "http")]
use crate::store::{Invitation, Role};
use crate::store::{Memory, Store, Time, random_hex};
use crate::tries::Tries;
use crate::watchdog::{self, Watchdog};
#[cfg(feature = "http")]
use crate::webhooks::address::Networks;
use crossbeam_channel::{Receiver, Sender, after, bounded, select, tick, unbounded};
use log::{error, info, warn};
use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What may wait for the recorder, and for the dispatcher. A full channel slows who sends into it.
const ENTRIES: usize = 4096;
const EVENTS: usize = 1024;

/// How long the owner's invitation is good for, in milliseconds. A server may run for years before anybody wants to own it.
#[cfg(feature = "http")]
const OWNER_INVITED: i64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// How long clients have to answer 1001 before they are hung up on, and then to let go of their threads.
const FAREWELL: Duration = Duration::from_millis(3500);
const LAST_CALL: Duration = Duration::from_millis(500);

/// A server that has its address and its store, and does not run yet.
pub struct Server {
    line: Arc<Line>,
    listener: Listener,
    http: Http,
    flusher: FlusherThread,
    ended: Receiver<ClientId>,
    faults: (Sender<&'static str>, Receiver<&'static str>),
    entries: Receiver<Entry>,
    events: Receiver<Event>,
    /// What the other nodes say.
    heard: Option<Receiver<Heard>>,
    rooms: Vec<crate::store::Room>,
    capacity: Capacity,
    address: SocketAddr,
    stop: Receiver<()>,
    handle: Handle,
    /// The data folder is this server's until it has ended; commands find it there.
    #[cfg(feature = "sqlite")]
    lock: Option<(Lock, PathBuf)>,
}

impl Builder {
    /// Opens the store and takes the address. The server runs once [`Server::run`] or [`Server::spawn`] is called.
    ///
    /// # Errors
    /// Every error of a setting shows here: [`Error::Setting`], [`Error::Listen`], [`Error::DataFolder`],
    /// [`Error::NewerDatabase`], [`Error::Store`], [`Error::Unreachable`], [`Error::System`].
    pub fn bind(self) -> Result<Server, Error> {
        self.check()?;
        Server::bind(self)
    }
}

impl Server {
    /// The settings of a server, each with its default.
    ///
    /// ```
    /// let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?;
    /// println!("open http://{}", server.address());
    /// let handle = server.spawn()?;
    /// handle.shutdown();
    /// handle.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn bind(settings: Builder) -> Result<Server, Error> {
        #[cfg(feature = "sqlite")]
        let lock = match (settings.keep.folder(), &settings.commands) {
            (Some(folder), _) => Some((Lock::take(&folder)?, folder)),
            // Without it the database is as safe, and its commands know nobody to tell.
            (None, Some(folder)) => Lock::take(folder)
                .inspect_err(|cause| warn!("commands cannot reach this server: {cause}"))
                .ok()
                .map(|lock| (lock, folder.clone())),
            (None, None) => None,
        };
        let store: Arc<dyn Store> = match &settings.keep {
            Keep::Memory => Arc::new(Memory::new(settings.max_rooms)?),
            #[cfg(feature = "sqlite")]
            Keep::Sqlite(folder, sync) => Arc::new(Sql::sqlite(folder, *sync, settings.max_rooms)?),
            #[cfg(feature = "sql")]
            Keep::Database(address, sync) => Arc::new(Sql::open(&Address::parse(address)?, *sync, settings.max_rooms)?),
        };
        let all = store.every_room()?;
        let rooms = all.iter().map(|found| found.room.clone()).collect();
        let doors = Arc::new(Doors::new(all));
        doors.sanctions.fill(store.sanctions(Time::now())?);
        let capacity = settings.capacity();
        let refused = |cause| Error::Listen(settings.listen, cause);
        let socket = match &settings.listener {
            Some(listener) => listener.clone(),
            None => Arc::new(TcpListener::bind(settings.listen).map_err(refused)?),
        };
        let address = socket.local_addr().map_err(refused)?;
        let listener = Listener::new(socket)?;
        let http = Http::bind()?;
        let faults = unbounded();
        let (flusher, flusher_thread) = Flusher::start(Fault::of("flusher", &faults.0))?;
        let (roster, ended) = Roster::new();
        let (entries, entries_out) = bounded(ENTRIES);
        let (events, events_out) = bounded(EVENTS);
        let (stop, stopped) = bounded(1);
        #[cfg(feature = "cluster")]
        let (cluster, heard) = match &settings.cluster {
            Some(_) => Cluster::joined().map(|(cluster, heard)| (cluster, Some(heard)))?,
            None => Default::default(),
        };
        #[cfg(not(feature = "cluster"))]
        let (cluster, heard) = Default::default();
        let guests = Arc::new(Guests::new(&random_hex(16)?).among(Cluster::clone(&cluster)));
        for name in &settings.reserved {
            guests.reserve(&PersonName::trusted(name.trim()));
        }
        let rates = Rates::new(settings.rate);
        #[cfg(feature = "http")]
        let networks = Arc::new(Networks::parse(&settings.webhook_allow).map_err(Error::Setting)?);
        #[cfg(feature = "tls")]
        let keys = Keys::new(settings.certificate.as_ref());
        #[cfg(not(feature = "tls"))]
        let keys = Keys::new(None);
        let metrics = Arc::new(Metrics::new(capacity.clients));
        let line = Arc::new(Line {
            limits: Limits::new(settings.body_limit, settings.message_limit),
            addresses: Addresses::new(settings.per_address),
            keys,
            packer: metrics.packer.clone(),
            front: Front::new(http.way(), settings.open_metrics),
            settings,
            store,
            entries,
            events,
            flusher,
            guests,
            doors,
            cluster,
            tries: Tries::default(),
            rates,
            admits: capacity.clients,
            roster,
            metrics,
            #[cfg(feature = "http")]
            webhooks: Arc::default(),
            #[cfg(feature = "http")]
            networks,
            stopping: AtomicBool::new(false),
        });
        let handle = Handle::new(address, stop, &line);
        Ok(Server {
            line,
            listener,
            http,
            flusher: flusher_thread,
            ended,
            faults,
            entries: entries_out,
            events: events_out,
            heard,
            rooms,
            capacity,
            address,
            stop: stopped,
            handle,
            #[cfg(feature = "sqlite")]
            lock,
        })
    }

    /// Where it listens; with port 0 asked for, the port that was free.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many clients it will hold, and which limit sets that.
    pub fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    #[cfg(feature = "http")]
    /// The token that makes the account of this server's owner, once, while nobody has that: whoever opens the page with
    /// `#invite=` and the token behind its address is asked for a name and a password. None: there is an owner. Each call
    /// makes a new token, and those before are worth nothing any more.
    ///
    /// ```
    /// let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?;
    /// if let Some(token) = server.owner_invitation()? {
    ///     println!("to own it: http://{}/#invite={token}", server.address());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::System`] when the system has no randomness.
    pub fn owner_invitation(&self) -> Result<Option<String>, Error> {
        let store = &self.line.store;
        if store.has_owner()? {
            return Ok(None);
        }
        let (token, now) = (random_hex(16)?, Time::now());
        store.invite(&Invitation {
            token: hash(&token),
            role: Role::Owner,
            by: None,
            created_at: now,
            expires_at: Time(now.0 + OWNER_INVITED),
            uses_left: 1,
        })?;
        Ok(Some(token))
    }

    /// Reaches the server while it runs.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs on a thread of its own.
    ///
    /// # Errors
    /// [`Error::System`] when no thread can be started.
    pub fn spawn(self) -> Result<Handle, Error> {
        let handle = self.handle();
        let thread = std::thread::Builder::new().name("parlor".into()).spawn(move || self.run());
        let thread = thread.map_err(|e| Error::System("cannot start the server's thread", e))?;
        handle.runs_on(thread);
        Ok(handle)
    }

    /// Runs on this thread, until [`Handle::shutdown`].
    ///
    /// # Errors
    /// [`Error::System`] when one of its threads cannot be started.
    pub fn run(mut self) -> Result<(), Error> {
        let line = self.line.clone();
        let mut threads = Threads {
            line: line.clone(),
            bell: self.listener.stop.take(),
            workers: None,
            #[cfg(feature = "cluster")]
            cluster: None,
            named: Vec::new(),
            #[cfg(feature = "sqlite")]
            control: None,
            faults: self.faults.0,
        };
        threads.named.extend(self.flusher.take().map(|thread| ("flusher", thread)));
        let names = self.rooms.iter().map(|room| (room.id, room.name.clone())).collect();
        let heads: HashMap<_, _> = self.rooms.iter().map(|room| (room.id, room.head)).collect();
        let pace = Arc::new(Pace::default());
        let dispatcher =
            Dispatcher::new(names, line.doors.clone(), 2 * line.settings.portion(), pace.clone(), line.metrics.clone());
        let dispatcher = dispatcher.among(line.cluster.clone());
        let events = self.events;
        threads.start("dispatcher", move || dispatcher.run(&events))?;
        let (store, portion) = (line.store.clone(), 2 * line.settings.portion());
        let recorder =
            Recorder::new(store, heads, line.events.clone(), portion, line.doors.clone(), pace, line.metrics.clone());
        let recorder = recorder.among(line.cluster.clone(), self.heard);
        #[cfg(feature = "http")]
        let recorder = recorder.telling(line.webhooks.clone());
        let entries = self.entries;
        threads.start("recorder", move || recorder.run(&entries))?;
        #[cfg(feature = "cluster")]
        {
            let faults = threads.faults.clone();
            threads.cluster = cluster::threads::Threads::start(&line, |name| Fault::of(name, &faults))?;
        }
        threads.workers = Some(self.http.start(&line)?);
        #[cfg(feature = "sqlite")]
        if let Some((_, folder)) = &self.lock {
            threads.control = Control::start(folder, &line);
        }
        let (listener, own_line) = (self.listener, line.clone());
        threads.start("listener", move || listener.run(&own_line))?;

        let (mut watchdog, look) = (Watchdog::new(line.metrics.clone()), tick(watchdog::EVERY));
        let fault = loop {
            select! {
                recv(look) -> _ => watchdog.look(Instant::now()),
                recv(self.ended) -> id => reap(&line, id.unwrap_or_default()),
                recv(self.stop) -> _ => break None,
                recv(self.faults.1) -> name => break name.ok(),
            }
        };
        if let Some(name) = fault {
            error!(
                "the {name} panicked; without it there is no server, and what was received is stored as far as that goes"
            );
        }
        info!("stopping: {} connections are told so", line.roster.count());
        threads.close_door();
        drain(&line, &self.ended, line.settings.drain_time());
        // What the program posted last was answered when it was stored; now it is told, and then the goodbye is said.
        let _ = handle::look(line.clone(), |_| ());
        line.roster.dismiss();
        if !part(&line, &self.ended, FAREWELL) {
            warn!("{} connections did not answer and are hung up on", line.roster.count());
            line.roster.hang_up();
            part(&line, &self.ended, LAST_CALL);
        }
        threads.end();
        #[cfg(feature = "sqlite")]
        drop(self.lock);
        info!("stopped");
        fault.map_or(Ok(()), |name| Err(Error::Fault(name)))
    }
}

/// Sends clients away one after the other, all within that time: where others go on, they do not all come there at once.
fn drain(line: &Line, ended: &Receiver<ClientId>, time: Duration) {
    let (open, begin) = (line.roster.open_ones(), Instant::now());
    let Ok(count @ 1..) = u32::try_from(open.len()) else { return };
    if time.is_zero() {
        return;
    }
    info!("sends {count} clients away, one after the other within {} s", time.as_secs_f64());
    let every = time / count;
    for (n, id) in open.into_iter().enumerate() {
        let due = begin + every * n as u32;
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            select! {
                recv(ended) -> id => reap(line, id.unwrap_or_default()),
                recv(after(left)) -> _ => {}
            }
        }
        line.roster.send_away(id, close::ELSEWHERE);
    }
}

/// Joins the threads of clients as they end, until nobody is left. False: somebody is, after `patience`.
fn part(line: &Line, ended: &Receiver<ClientId>, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while line.roster.count() > 0 {
        select! {
            recv(ended) -> id => reap(line, id.unwrap_or_default()),
            recv(after(until.saturating_duration_since(Instant::now()))) -> _ => return false,
        }
    }
    true
}

fn reap(line: &Line, id: ClientId) {
    if !line.roster.join(id) {
        line.metrics.panics.inc();
        error!("the thread of client {id} panicked; the client is closed with 1011, the others go on");
    }
}

/// The threads that serve no client, in the order in which they were started.
struct Threads {
    line: Arc<Line>,
    bell: Option<UnixStream>,
    workers: Option<Workers>,
    #[cfg(feature = "cluster")]
    cluster: Option<cluster::threads::Threads>,
    #[cfg(feature = "sqlite")]
    control: Option<Control>,
    named: Vec<(&'static str, JoinHandle<()>)>,
    faults: Sender<&'static str>,
}

impl Threads {
    fn start(&mut self, name: &'static str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let fault = Fault::of(name, &self.faults);
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            let _fault = fault;
            work();
        });
        self.named.push((name, thread.map_err(|e| Error::System("cannot start one of the server's threads", e))?));
        Ok(())
    }

    /// Ends the listener.
    fn close_door(&mut self) {
        self.line.stopping.store(true, SeqCst);
        if let Some(mut bell) = self.bell.take() {
            let _ = bell.write(&[1]);
        }
        self.join("listener");
        #[cfg(feature = "sqlite")]
        if let Some(control) = self.control.take() {
            control.stop();
        }
    }

    /// Ends all the others, each when what comes before it on the line has nothing more to say.
    fn end(&mut self) {
        self.line.stopping.store(true, SeqCst);
        if let Some(mut workers) = self.workers.take() {
            workers.stop();
        }
        if self.has("recorder") {
            let _ = self.line.entries.send(Entry::Stop);
            self.join("recorder");
        }
        if self.has("dispatcher") {
            let _ = self.line.events.send(Event::Stop);
            self.join("dispatcher");
        }
        // What was stored last is told, too.
        #[cfg(feature = "cluster")]
        if let Some(cluster) = self.cluster.take() {
            cluster.stop();
        }
        self.line.flusher.stop();
        self.join("flusher");
    }

    fn has(&self, name: &str) -> bool {
        self.named.iter().any(|(other, _)| *other == name)
    }

    fn join(&mut self, name: &str) {
        while let Some(at) = self.named.iter().position(|(other, _)| *other == name) {
            if self.named.remove(at).1.join().is_err() {
                error!("the {name} panicked");
            }
        }
    }
}

impl Drop for Threads {
    /// A server that could not start all its threads ends those that it did.
    fn drop(&mut self) {
        if !self.named.is_empty() {
            self.close_door();
            self.end();
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::store::Synchronous;

    #[test]
    fn a_server_without_its_dispatcher_ends_with_all_that_was_received_stored() {
        let folder = tempfile::tempdir().unwrap();
        let builder = || {
            let builder = Server::builder().listen("127.0.0.1:0".parse().unwrap()).reserve("Oven");
            builder.sqlite(folder.path(), Synchronous::Normal).bind().unwrap()
        };
        let server = builder();
        let line = server.line.clone();
        let handle = server.spawn().unwrap();
        handle.post("lobby", "Oven", "before").unwrap();
        let fault = Event::Look(Box::new(|_| panic!("a fault that the test made")));
        line.events.send(fault).unwrap();
        drop(line);
        let ended = handle.join().unwrap_err();
        assert!(matches!(ended, Error::Fault("dispatcher")) && ended.is_fatal(), "{ended}");
        assert!(handle.post("lobby", "Oven", "after").is_err());
        let server = builder();
        let (stored, _) = server.line.store.last(1, 10).unwrap();
        assert_eq!(stored.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["before"]);
    }

    #[test]
    fn a_dispatcher_that_is_held_up_is_told_of_and_what_waited_for_it_is_seen_then() {
        let builder = Server::builder().listen("127.0.0.1:0".parse().unwrap()).reserve("Oven");
        let server = builder.bind().unwrap();
        let events = server.line.events.clone();
        let handle = server.spawn().unwrap();
        let mut seen = handle.subscribe("lobby").unwrap();
        let (release, held) = crossbeam_channel::bounded::<()>(0);
        // It waits until the other end is dropped.
        events.send(Event::Look(Box::new(move |_| _ = held.recv()))).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let counts = |line: &str| handle.metrics().lines().any(|counted| counted == line);
        while !counts("parlor_stalls_total{thread=\"dispatcher\"} 1") {
            assert!(Instant::now() < deadline, "nobody has noticed: {}", handle.metrics());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!counts("parlor_stalled_seconds{thread=\"dispatcher\"} 0.0"), "{}", handle.metrics());
        assert!(counts("parlor_stalls_total{thread=\"recorder\"} 0"), "it has nothing to do with it");
        handle.post("lobby", "Oven", "meanwhile").unwrap();
        drop(release);
        assert_eq!(seen.next_within(Duration::from_secs(20)).unwrap().body, "meanwhile");
        while !counts("parlor_stalled_seconds{thread=\"dispatcher\"} 0.0") {
            assert!(Instant::now() < deadline, "it has not come round: {}", handle.metrics());
            std::thread::sleep(Duration::from_millis(10));
        }
        handle.shutdown();
    }
}
