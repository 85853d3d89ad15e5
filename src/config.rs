//! The settings of a server, each with its default and its trade-off.

use crate::error::Error;
use crate::hooks::{Handshake, Hooks, Post};
use crate::limits::Capacity;
use crate::name::PersonName;
use crate::proxy;
use crate::rate::Rate;
#[cfg(feature = "tls")]
use crate::secure::Certificate;
#[cfg(feature = "sql")]
use crate::store::{Address, Synchronous};
use ipnet::IpNet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
#[cfg(any(feature = "http", feature = "sqlite"))]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Settings on the way to a [`Server`](crate::Server). Made by [`Server::builder`](crate::Server::builder).
///
/// ```
/// # use std::time::Duration;
/// let server = parlor::Server::builder()
///     .listen("127.0.0.1:0".parse()?)
///     .memory()
///     .max_clients(500)
///     .max_rooms(20)
///     .body_limit(2_000) // bytes
///     .outbox_limit(256 * 1024)
///     .handshake_time(Duration::from_secs(5))
///     .keepalive(Duration::from_secs(60))
///     .allow_origin("https://example.org")
///     .bind()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    pub(crate) listen: SocketAddr,
    pub(crate) keep: Keep,
    #[cfg(feature = "sqlite")]
    pub(crate) commands: Option<PathBuf>,
    #[cfg(feature = "http")]
    pub(crate) www: Option<PathBuf>,
    pub(crate) max_clients: Option<usize>,
    pub(crate) max_rooms: usize,
    pub(crate) body_limit: usize,
    pub(crate) message_limit: usize,
    pub(crate) outbox_limit: usize,
    pub(crate) handshake_time: Duration,
    pub(crate) keepalive: Duration,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) listener: Option<Arc<TcpListener>>,
    pub(crate) reserved: Vec<String>,
    pub(crate) open_metrics: bool,
    pub(crate) join: Join,
    pub(crate) guests: bool,
    pub(crate) rate: Option<Rate>,
    pub(crate) logins: bool,
    #[cfg(feature = "http")]
    pub(crate) webhook_allow: Vec<String>,
    #[cfg(feature = "http")]
    pub(crate) webhook_attempts: u32,
    #[cfg(feature = "http")]
    pub(crate) webhook_wait: Duration,
    pub(crate) compression: bool,
    pub(crate) drain: Option<Duration>,
    #[cfg(feature = "cluster")]
    pub(crate) cluster: Option<String>,
    pub(crate) proxies: Vec<IpNet>,
    pub(crate) per_address: Option<usize>,
    #[cfg(feature = "tls")]
    pub(crate) certificate: Option<Certificate>,
    pub(crate) hooks: Hooks,
}

/// Where messages are kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Keep {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf, Synchronous),
    #[cfg(feature = "sql")]
    Database(String, Synchronous),
}

impl Keep {
    /// The URL of a database into which other servers may write too; empty for another.
    #[cfg(feature = "cluster")]
    pub(crate) fn shared(&self) -> &str {
        match self {
            #[cfg(feature = "sql")]
            Keep::Database(url, _) if Address::parse(url).is_ok_and(|address| address.is_shared()) => url,
            _ => "",
        }
    }

    /// The data folder, where there is one: no other server may have it, and commands find this one there.
    #[cfg(feature = "sqlite")]
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match self {
            Keep::Memory => None,
            Keep::Sqlite(folder, _) => Some(folder.clone()),
            Keep::Database(address, _) => Address::parse(address).ok()?.folder(),
        }
    }
}

/// Who may make an account. Set by [`Builder::join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Join {
    /// Everyone. The default.
    #[default]
    Open,
    /// Whoever has a link from a moderator or an owner.
    Invite,
    /// Nobody but the owner.
    Closed,
}

impl Join {
    /// As it stands on the command line and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Join::Open => "open",
            Join::Invite => "invite",
            Join::Closed => "closed",
        }
    }
}

/// A message of the smallest limit, JSON around it, fits a frame of this size.
const LEAST_MESSAGE: usize = 1024;

/// Over how long one of several nodes sends its clients away.
const DRAIN: Duration = Duration::from_secs(10);

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            keep: Keep::Memory,
            #[cfg(feature = "sqlite")]
            commands: None,
            #[cfg(feature = "http")]
            www: None,
            max_clients: None,
            max_rooms: 1000,
            body_limit: 8 * 1024,
            message_limit: 64 * 1024,
            outbox_limit: 512 * 1024,
            handshake_time: Duration::from_secs(10),
            keepalive: Duration::from_secs(30),
            allowed_origins: Vec::new(),
            listener: None,
            reserved: Vec::new(),
            open_metrics: false,
            join: Join::Open,
            guests: true,
            rate: None,
            logins: true,
            #[cfg(feature = "http")]
            webhook_allow: Vec::new(),
            #[cfg(feature = "http")]
            webhook_attempts: 10,
            #[cfg(feature = "http")]
            webhook_wait: Duration::from_secs(1),
            compression: true,
            drain: None,
            #[cfg(feature = "cluster")]
            cluster: None,
            proxies: Vec::new(),
            per_address: Some(256),
            #[cfg(feature = "tls")]
            certificate: None,
            hooks: Hooks::default(),
        }
    }
}

impl Builder {
    /// The address to listen on; port 0 takes any free one. Default: `127.0.0.1:8080`, which only this machine reaches.
    pub fn listen(self, address: SocketAddr) -> Builder {
        Builder { listen: address, ..self }
    }

    /// Listens on a socket that the program has already, such as one that it was handed by whoever started it; then
    /// [`Builder::listen`] does not count. It is made non-blocking, and closed when the server ends.
    ///
    /// ```
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let server = parlor::Server::builder().listener(listener).bind()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn listener(self, listener: TcpListener) -> Builder {
        Builder { listener: Some(Arc::new(listener)), ..self }
    }

    /// Keeps messages in memory, up to 64 MiB, and nothing after the end. The default.
    pub fn memory(self) -> Builder {
        Builder { keep: Keep::Memory, ..self }
    }

    #[cfg(feature = "sqlite")]
    /// Keeps messages in an SQLite database in `folder`, which is made where it is missing.
    ///
    /// ```no_run
    /// let builder = parlor::Server::builder().sqlite("parlor-data".as_ref(), parlor::Synchronous::Full);
    /// ```
    pub fn sqlite(self, folder: &Path, sync: Synchronous) -> Builder {
        Builder { keep: Keep::Sqlite(folder.into(), sync), ..self }
    }

    #[cfg(feature = "sql")]
    /// Keeps messages in the database of that address: `sqlite:PATH` of a file; with the feature `postgres`
    /// `postgres://USER:PASSWORD@HOST/NAME`, and what else [libpq] takes; with the feature `mysql`
    /// `mysql://USER:PASSWORD@HOST/NAME`, with `?ssl_mode=verify_identity&ssl_ca=PATH` where the network is not to be trusted.
    /// The database must be there; its tables are made. One connection writes, one indexes, six read. Of `sync` PostgreSQL
    /// knows both, and MySQL what its own settings say.
    ///
    /// ```no_run
    /// let url = "postgres://parlor@db.example.org/chat?sslmode=verify-full";
    /// let builder = parlor::Server::builder().database(url, parlor::Synchronous::Full);
    /// ```
    ///
    /// [libpq]: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
    pub fn database(self, address: &str, sync: Synchronous) -> Builder {
        Builder { keep: Keep::Database(address.into(), sync), ..self }
    }

    #[cfg(feature = "sqlite")]
    /// Commands on this machine that look after a database which is in no data folder ([`Admin::at`](crate::Admin::at)) tell
    /// this server of what they have done through a socket in `folder`, which is made where it is missing. If another server
    /// has the folder, this one does without, and says so in the log.
    pub fn commands(self, folder: &Path) -> Builder {
        Builder { commands: Some(folder.into()), ..self }
    }

    #[cfg(feature = "cluster")]
    /// Makes this server one of several, the nodes, that are one chat: all with the same [`Builder::database`], PostgreSQL or
    /// MySQL, and the same Redis, over which they tell each other what happens: `redis://HOST`, `rediss://HOST` with TLS, or
    /// `redis+sentinel://HOST,HOST/NAME`. With PostgreSQL `postgres` does without Redis. What is stored stands in the database
    /// alone: while Redis is away, what happens on another node comes some seconds later. Default: it is alone.
    ///
    /// ```no_run
    /// let builder = parlor::Server::builder().cluster("redis://redis.example.org");
    /// ```
    pub fn cluster(self, address: &str) -> Builder {
        Builder { cluster: Some(address.into()), ..self }
    }

    #[cfg(feature = "http")]
    /// Serves the page from `folder`, read anew at each request, instead of the one compiled in. For work on the page.
    pub fn www(self, folder: &Path) -> Builder {
        Builder { www: Some(folder.into()), ..self }
    }

    /// Connections at the same time; one more is answered with 503. Default, and at most: what the machine holds.
    pub fn max_clients(self, clients: usize) -> Builder {
        Builder { max_clients: Some(clients), ..self }
    }

    /// Rooms that there may be. Default: 1,000. Every newcomer is told of all of them.
    pub fn max_rooms(self, rooms: usize) -> Builder {
        Builder { max_rooms: rooms, ..self }
    }

    /// The longest message a person can send, in bytes of UTF-8. Default: 8 KiB.
    pub fn body_limit(self, bytes: usize) -> Builder {
        Builder { body_limit: bytes, ..self }
    }

    /// The longest WebSocket message that is read at all, in bytes; a longer one ends the connection with 1009.
    /// Each client may make the server hold so much. Default: 64 KiB, which holds the longest body however it is escaped.
    pub fn message_limit(self, bytes: usize) -> Builder {
        Builder { message_limit: bytes, ..self }
    }

    /// What may wait for one client that reads slowly, in bytes; past it the client is closed with 4000 and resumes
    /// later. More forgives longer stalls and costs so much memory for each stalled client. Default: 512 KiB.
    pub fn outbox_limit(self, bytes: usize) -> Builder {
        Builder { outbox_limit: bytes, ..self }
    }

    /// How long a client may take to say who it is, from the first byte to the last. Default: 10 s.
    pub fn handshake_time(self, time: Duration) -> Builder {
        Builder { handshake_time: time, ..self }
    }

    /// After so much silence a client is pinged, and after as much again without an answer it is let go. Default: 30 s.
    /// Less finds dead connections sooner and wakes idle ones more often.
    pub fn keepalive(self, time: Duration) -> Builder {
        Builder { keepalive: time, ..self }
    }

    /// Over how long a server that stops sends its clients away, one after the other, with 1001 and a reason that has them come
    /// back at once: to those who go on behind the same address. Default: 10 s for one of several nodes; else none, and all are
    /// told at the same time.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = parlor::Server::builder().drain(Duration::from_secs(30));
    /// ```
    pub fn drain(self, time: Duration) -> Builder {
        Builder { drain: Some(time), ..self }
    }

    /// Lets pages of another origin connect, such as `https://example.org`; `*` lets all. Default: only the page's own.
    pub fn allow_origin(mut self, origin: &str) -> Builder {
        self.allowed_origins.push(origin.trim_end_matches('/').to_lowercase());
        self
    }

    #[cfg(feature = "http")]
    /// Lets everyone read `GET /metrics`. Default: only a program on this machine, and not through a proxy. The numbers
    /// tell nothing that was said, but how many are here and how well the machine does.
    pub fn open_metrics(self, open: bool) -> Builder {
        Builder { open_metrics: open, ..self }
    }

    /// Says who may make an account. Default: everyone.
    ///
    /// ```
    /// let builder = parlor::Server::builder().join(parlor::Join::Invite).guests(false);
    /// ```
    pub fn join(self, join: Join) -> Builder {
        Builder { join, ..self }
    }

    /// Says whether guests may come in, who have a name and no account. For whom [`Builder::authenticate`] vouches is no
    /// guest. Default: yes.
    pub fn guests(self, guests: bool) -> Builder {
        Builder { guests, ..self }
    }

    #[cfg(feature = "tls")]
    /// Speaks TLS on the one port: `https://` and `wss://`, and nothing else. Default: none. See [`Certificate`].
    pub fn tls(self, certificate: Certificate) -> Builder {
        Builder { certificate: Some(certificate), ..self }
    }

    /// Believes what a proxy at this address, or in this network, says of who comes through it: in a line of the PROXY
    /// protocol, version 1 or 2, before all else; or in `X-Forwarded-For` and `X-Forwarded-Proto`. May be said again.
    /// Default: nobody is believed. A network from which clients come by themselves must not be in it: they could be
    /// whoever they like.
    ///
    /// ```
    /// let builder = parlor::Server::builder().trust_proxy("127.0.0.1")?.trust_proxy("10.0.0.0/8")?;
    /// # Ok::<(), parlor::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] when it is neither an address nor a network.
    pub fn trust_proxy(mut self, network: &str) -> Result<Builder, Error> {
        let wrong =
            || Error::Setting(format!("--trust-proxy: \"{network}\" is no address, and no network such as 10.0.0.0/8"));
        self.proxies.push(proxy::network(network).ok_or_else(wrong)?);
        Ok(self)
    }

    /// Packs messages of 1 KiB and more for clients that offer permessage-deflate (RFC 7692), as browsers do, and unpacks
    /// theirs. Default: yes. It costs time on the processor, once however many get it, and no memory for a connection.
    pub fn compression(self, packs: bool) -> Builder {
        Builder { compression: packs, ..self }
    }

    /// Connections at the same time from one address, of IPv6 from one network of 64 bits; one more is answered with 429.
    /// `None` for as many as they like. Default: 256. A house or a school may have one address for all; what comes from
    /// 127.0.0.1 and `::1` is not counted.
    pub fn per_address(self, connections: Option<usize>) -> Builder {
        Builder { per_address: connections, ..self }
    }

    /// Holds each person to so many posts, edits, deletions, reactions, new rooms and changes of rooms a second, once so many
    /// at once are spent; all connections of a person count together. What is beyond is refused with `rate_limited` and
    /// when to try again; the page and [`Client`](crate::Client) do by themselves. Default: nobody is held back, for a
    /// program knows what its people may do; the executable's is 5 a second and 20 at once. What the program itself says
    /// through a [`Handle`](crate::Handle) does not count.
    ///
    /// ```
    /// let builder = parlor::Server::builder().rate(5, 20);
    /// ```
    pub fn rate(self, a_second: u32, at_once: u32) -> Builder {
        Builder { rate: Some(Rate { a_second, at_once }), ..self }
    }

    #[cfg(feature = "http")]
    /// Says whether it is limited how often passwords are tried, by name and by address, and how many accounts are made from
    /// one. Default: yes. Whoever may try for ever may guess.
    pub fn logins(self, limited: bool) -> Builder {
        Builder { logins: limited, ..self }
    }

    #[cfg(feature = "http")]
    /// Lets webhooks point into a network that is not of the open Internet, as `10.1.0.0/16` or `127.0.0.1`; may be said
    /// again. Default: none. Whoever can make a webhook can have this server ask there, with what the webhook sends.
    ///
    /// ```
    /// let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).webhook_allow("10.1.0.0/16").bind()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn webhook_allow(mut self, network: &str) -> Builder {
        self.webhook_allow.push(network.to_owned());
        self
    }

    #[cfg(feature = "http")]
    /// How often a webhook is tried before it is paused, and how long it waits after the first time: twice as long after
    /// each further one, ten minutes at the most. Default: 10 times, 1 s at first: 8.5 minutes in all.
    pub fn webhook_retries(self, attempts: u32, first: Duration) -> Builder {
        Builder { webhook_attempts: attempts, webhook_wait: first, ..self }
    }

    /// Keeps a name for the program, which may post under it; no guest can be called so. May be said again.
    ///
    /// ```
    /// let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).reserve("Oven").bind()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserve(mut self, name: &str) -> Builder {
        self.reserved.push(name.to_owned());
        self
    }

    /// Says who a WebSocket handshake is, before it is answered: `Ok(Some(name))` for this person, on as many
    /// connections as they like; `Ok(None)` to leave it to the server, which takes its session or the name it gives;
    /// `Err(reason)` to refuse it with 401. Called for the chat and the echo, on the connection's own thread. Default:
    /// all is left to the server.
    ///
    /// ```
    /// let builder = parlor::Server::builder().authenticate(|handshake| match handshake.parameter("ticket").as_deref() {
    ///     Some("4711") => Ok(Some("ann".into())),
    ///     _ => Err("this needs a ticket".into()),
    /// });
    /// ```
    pub fn authenticate(
        mut self,
        hook: impl Fn(&Handshake) -> Result<Option<String>, String> + Send + Sync + 'static,
    ) -> Builder {
        self.hooks.authenticate = Some(Arc::new(hook));
        self
    }

    /// Sees each message of a client before it is stored: `Ok(())` lets it go, with what the hook made of its body;
    /// `Err(reason)` drops it, and its sender is told why with `not_allowed`. Called on the sender's own thread: while it
    /// thinks, that client alone waits. Default: all go.
    ///
    /// ```
    /// let builder = parlor::Server::builder().on_message(|post| {
    ///     post.body = post.body.replace("darn", "****");
    ///     if post.room == "news" { Err("only the editors write here".into()) } else { Ok(()) }
    /// });
    /// ```
    pub fn on_message(mut self, hook: impl Fn(&mut Post) -> Result<(), String> + Send + Sync + 'static) -> Builder {
        self.hooks.message = Some(Arc::new(hook));
        self
    }

    /// Is told the person and the room whenever a connection enters a room. Called on the connection's own thread, once
    /// the client stands on the room's line. Default: nothing.
    ///
    /// ```
    /// let builder = parlor::Server::builder().on_join(|person, room| println!("{person} is in {room}"));
    /// ```
    pub fn on_join(mut self, hook: impl Fn(&str, &str) + Send + Sync + 'static) -> Builder {
        self.hooks.join = Some(Arc::new(hook));
        self
    }

    /// Is told the person and the room whenever a connection leaves a room, however it ends: exactly once for each
    /// [`Builder::on_join`]. Default: nothing.
    ///
    /// ```
    /// let builder = parlor::Server::builder().on_leave(|person, room| println!("{person} has left {room}"));
    /// ```
    pub fn on_leave(mut self, hook: impl Fn(&str, &str) + Send + Sync + 'static) -> Builder {
        self.hooks.leave = Some(Arc::new(hook));
        self
    }

    /// Finds settings that make no sense, alone or with the others.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let need = |right: bool, what: &str| if right { Ok(()) } else { Err(Error::Setting(what.into())) };
        need(self.max_clients != Some(0), "--max-clients must be at least 1")?;
        need(self.per_address != Some(0), "--per-address must be at least 1, or off")?;
        need(self.max_rooms > 0, "--max-rooms must be at least 1, for the lobby")?;
        let is_rate = self.rate.is_none_or(|rate| rate.a_second > 0 && rate.at_once > 0);
        need(is_rate, "--rate must be at least 1/1: a person who may do nothing need not come")?;
        need(self.body_limit > 0, "--body-limit must be at least 1 byte")?;
        need(
            self.message_limit >= LEAST_MESSAGE && self.message_limit >= self.body_limit,
            "--message-limit must be at least 1024 bytes, and no less than --body-limit",
        )?;
        need(
            self.outbox_limit >= 64 * 1024,
            "--outbox-limit must be at least 65536 bytes: less evicts clients that keep up",
        )?;
        for name in &self.reserved {
            PersonName::parse(name).map_err(|why| Error::Setting(format!("the name {name:?} is reserved: {why}")))?;
        }
        need(!self.handshake_time.is_zero() && !self.keepalive.is_zero(), "times must be longer than nothing")?;
        #[cfg(feature = "sql")]
        if let Keep::Database(address, _) = &self.keep {
            Address::parse(address)?;
        }
        #[cfg(feature = "cluster")]
        if let Some(address) = &self.cluster {
            crate::cluster::Address::parse(address)?.suits(self.keep.shared())?;
        }
        #[cfg(feature = "http")]
        crate::webhooks::address::Networks::parse(&self.webhook_allow)
            .map_err(|why| Error::Setting(format!("--webhook-allow: {why}")))?;
        #[cfg(feature = "http")]
        if let Some(folder) = self.www.as_ref().filter(|folder| !folder.join("index.html").is_file()) {
            return Err(Error::Setting(format!("--www: there is no index.html in {}", folder.display())));
        }
        Ok(())
    }

    /// Over how long clients are sent away at the end.
    pub(crate) fn drain_time(&self) -> Duration {
        self.drain.unwrap_or(if self.has_others() { DRAIN } else { Duration::ZERO })
    }

    #[cfg(feature = "cluster")]
    fn has_others(&self) -> bool {
        self.cluster.is_some()
    }

    #[cfg(not(feature = "cluster"))]
    fn has_others(&self) -> bool {
        false
    }

    /// What goes into an outbox at once, in bytes, when its client is sent what it asked for; and the most that a batch of
    /// new messages says. A part of the bound, so that neither evicts a client that keeps up.
    pub(crate) fn portion(&self) -> usize {
        self.outbox_limit / 8
    }

    /// How many clients will be admitted, and what says so.
    pub(crate) fn capacity(&self) -> Capacity {
        let machine = Capacity::of_this_machine();
        match self.max_clients {
            Some(clients) if clients <= machine.clients => {
                Capacity { clients, limit: ("--max-clients", clients as u64) }
            }
            _ => machine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let cases = [
            (Builder::default().max_clients(0), "--max-clients"),
            (Builder::default().max_rooms(0), "--max-rooms"),
            (Builder::default().body_limit(100_000), "--message-limit"),
            (Builder::default().outbox_limit(10), "--outbox-limit"),
            (Builder::default().keepalive(Duration::ZERO), "times"),
            (Builder::default().reserve("a:b"), "\"a:b\" is reserved"),
            #[cfg(feature = "http")]
            (Builder::default().webhook_allow("here"), "--webhook-allow"),
            #[cfg(feature = "http")]
            (Builder::default().www(Path::new("/nowhere")), "--www"),
        ];
        for (builder, word) in cases {
            let refused = builder.bind().err().unwrap();
            assert!(matches!(&refused, Error::Setting(what) if what.contains(word)), "{word}: {refused}");
        }
    }
}
