//! The other end: connects to a WebSocket server, this one or any.
//!
//! [`Dialer`] opens one [`WebSocket`]; [`Client`] chats over one after the other, and resumes after each break.

mod client;
mod error;
mod event;
mod link;
mod runner;
mod session;
#[cfg(feature = "tls")]
mod tls;
mod websocket;

pub use client::{Client, ClientBuilder};
pub use error::DialError;
pub use event::{Event, Problem, Room, Start};
pub(crate) use link::Link;
pub use websocket::{Incoming, WebSocket};

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io};
use tungstenite::http::uri::{Authority, PathAndQuery, Uri};
use tungstenite::http::{HeaderName, HeaderValue, Request, header};

/// How long connecting and shaking hands may take together, unless it is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where to connect, and how. It offers no compression (permessage-deflate): all comes and goes as it is, and what a program saves in
/// work it spends on the wire.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// # let address = server.address();
/// use parlor::{Dialer, Incoming};
///
/// let echo = Dialer::new(&format!("ws://{address}/echo"))?.header("X-Lesson", "1").connect()?;
/// echo.send_text("hello")?;
/// assert_eq!(echo.read()?, Incoming::Text("hello".into()));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Dialer {
    host: String,
    port: u16,
    secure: bool,
    target: PathAndQuery,
    fields: Vec<(String, String)>,
    timeout: Duration,
    tap: Option<Tap>,
    memory: Option<Attach>,
    #[cfg(feature = "tls")]
    trust: tls::Trust,
}

/// Sees the bytes of a connection.
type Tap = Arc<dyn Fn(Direction, &[u8]) + Send + Sync>;

/// Opens a link that is no network.
pub(crate) type Attach = Arc<dyn Fn() -> Result<Arc<dyn Link>, DialError> + Send + Sync>;

/// Which way bytes went, as this end sees it.
///
/// ```
/// use parlor::{Dialer, Direction};
///
/// let dialer = Dialer::new("ws://127.0.0.1:8080/echo")?.tap(|direction, bytes| {
///     let arrow = if direction == Direction::Sent { '>' } else { '<' };
///     println!("{arrow} {} bytes", bytes.len());
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Sent,
    /// From the server.
    Received,
}

/// What the server answered to the handshake.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let echo = parlor::Dialer::new(&format!("ws://{}/echo", server.address()))?.connect()?;
/// assert_eq!(echo.response().status, 101); // Switching Protocols
/// assert!(echo.response().fields.iter().any(|(name, _)| name == "sec-websocket-accept"));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status, 101.
    pub status: u16,
    /// The header fields, in the order in which they came.
    pub fields: Vec<(String, String)>,
}

impl Dialer {
    /// Takes a URL: `ws://host:port/path?query`, or `wss://…` with the feature `tls`. `http` and `https` are taken for
    /// the same, and without a scheme it is `ws`.
    ///
    /// # Errors
    /// [`DialError::Url`] says what is wrong with it.
    pub fn new(url: &str) -> Result<Dialer, DialError> {
        let wrong = |why: &str| DialError::Url(format!("\"{url}\" {why}; give one such as ws://127.0.0.1:8080/ws"));
        let whole = if url.contains("://") { url.to_owned() } else { format!("ws://{url}") };
        let uri: Uri = whole.parse().map_err(|_| wrong("is no URL"))?;
        let secure = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            _ => return Err(wrong("is no URL of a WebSocket")),
        };
        if secure && cfg!(not(feature = "tls")) {
            return Err(wrong("needs TLS, which is not built in: build with the feature tls"));
        }
        if uri.authority().is_some_and(|place| place.as_str().contains('@')) {
            return Err(wrong("has a name or password in it, which has no meaning here"));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?.to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Dialer { host, port, secure, target, ..Dialer::in_memory(None) })
    }

    /// A dialer of links that are no network.
    pub(crate) fn in_memory(attach: Option<Attach>) -> Dialer {
        Dialer {
            host: "memory".into(),
            port: 80,
            secure: false,
            target: PathAndQuery::from_static("/"),
            fields: Vec::new(),
            timeout: TIMEOUT,
            tap: None,
            memory: attach,
            #[cfg(feature = "tls")]
            trust: tls::Trust::default(),
        }
    }

    /// Adds a field to the head of the request, such as `Authorization` or `Origin`.
    pub fn header(mut self, name: &str, value: &str) -> Dialer {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Offers a subprotocol (RFC 6455 section 1.9). The server must agree to it, or to another that is offered.
    pub fn subprotocol(mut self, name: &str) -> Dialer {
        match self.fields.iter_mut().find(|(field, _)| header::SEC_WEBSOCKET_PROTOCOL == field.as_str()) {
            Some((_, names)) => *names = format!("{names}, {name}"),
            None => self.fields.push((header::SEC_WEBSOCKET_PROTOCOL.as_str().into(), name.into())),
        }
        self
    }

    /// Trusts a certificate, or the authority that signed it, besides those that this machine trusts: for a server that
    /// made its own. `pem` is the text of a `.pem` or `.crt` file.
    ///
    /// # Errors
    /// [`DialError::Url`] when there is no certificate in it.
    #[cfg(feature = "tls")]
    pub fn trust(mut self, pem: &[u8]) -> Result<Dialer, DialError> {
        match self.trust.add(pem) {
            0 => Err(DialError::Url("there is no certificate in PEM in what is to be trusted".into())),
            _ => Ok(self),
        }
    }

    /// Trusts the certificate with this fingerprint and no other, whoever signed it and for whatever name: for a server
    /// that made its own and printed it. It is SHA-256, 32 bytes in hexadecimal, with colons or without.
    ///
    /// # Errors
    /// [`DialError::Url`] when it is no such fingerprint.
    #[cfg(feature = "tls")]
    pub fn fingerprint(mut self, fingerprint: &str) -> Result<Dialer, DialError> {
        if self.trust.pin(fingerprint) {
            return Ok(self);
        }
        Err(DialError::Url(format!("\"{fingerprint}\" is no fingerprint: SHA-256, 32 bytes such as 1A:2B:…")))
    }

    /// How long connecting and shaking hands may take together. Default: 10 s.
    pub fn timeout(self, time: Duration) -> Dialer {
        Dialer { timeout: time, ..self }
    }

    /// Shows all bytes of the connection as they are on the wire, or, with TLS, inside of it: the handshake, then frames.
    /// Called by the thread that reads or writes, which waits for it.
    pub fn tap(self, tap: impl Fn(Direction, &[u8]) + Send + Sync + 'static) -> Dialer {
        Dialer { tap: Some(Arc::new(tap)), ..self }
    }

    /// Connects and shakes hands.
    ///
    /// # Errors
    /// [`DialError::Unreachable`], [`DialError::Refused`], [`DialError::NotWebSocket`], [`DialError::TimedOut`],
    /// [`DialError::Lost`]; [`DialError::Url`] for a header field that HTTP does not allow.
    pub fn connect(&self) -> Result<WebSocket, DialError> {
        let deadline = Instant::now() + self.timeout;
        let request = self.request()?;
        let link = match &self.memory {
            Some(attach) => attach()?,
            None => self.link(deadline)?,
        };
        WebSocket::open(link, request, deadline, self.tap.clone())
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.path()
    }

    /// Another path and more parameters.
    pub(crate) fn at(mut self, path: &str, parameters: &[(&str, &str)]) -> Dialer {
        let mut query = form_urlencoded::Serializer::new(self.target.query().unwrap_or_default().to_owned());
        query.extend_pairs(parameters);
        // Percent-encoded, it is what a target may be; and the path was one before.
        if let Ok(target) = format!("{path}?{}", query.finish()).parse() {
            self.target = target;
        }
        self
    }

    /// The host and port, as people write them.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn request(&self) -> Result<Request<()>, DialError> {
        let default = self.port == if self.secure { 443 } else { 80 };
        let host = if default { self.host.clone() } else { self.place() };
        let bad = |what: &str| DialError::Url(format!("{what} cannot stand in a request"));
        let place: Authority = host.parse().map_err(|_| bad(&host))?;
        let uri = Uri::builder().scheme(if self.secure { "wss" } else { "ws" }).authority(place);
        let uri = uri.path_and_query(self.target.clone()).build().map_err(|_| bad(self.target.as_str()))?;
        let mut request = Request::new(());
        *request.uri_mut() = uri;
        let fields = request.headers_mut();
        let fixed = [
            (header::HOST, host.as_str()),
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, &tungstenite::handshake::client::generate_key()),
        ];
        for (name, value) in fixed {
            fields.insert(name, HeaderValue::from_str(value).map_err(|_| bad(value))?);
        }
        for (name, value) in &self.fields {
            let bad = || bad(&format!("the header field \"{name}: {value}\""));
            let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let value = HeaderValue::from_str(value).map_err(|_| bad())?;
            // Host and the like are replaced, what may stand more than once is added.
            if fixed_field(&field) {
                fields.insert(field, value);
            } else {
                fields.append(field, value);
            }
        }
        Ok(request)
    }

    fn link(&self, deadline: Instant) -> Result<Arc<dyn Link>, DialError> {
        let unreachable = |cause: io::Error| DialError::Unreachable(self.place(), Arc::new(cause));
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, self.port).to_socket_addrs().map_err(unreachable)? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(DialError::TimedOut);
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => {
                    let _ = socket.set_nodelay(true);
                    return self.secured(socket, host, deadline);
                }
                Err(e) => last = e,
            }
        }
        Err(unreachable(last))
    }

    #[cfg(feature = "tls")]
    fn secured(&self, socket: TcpStream, host: &str, deadline: Instant) -> Result<Arc<dyn Link>, DialError> {
        if !self.secure {
            return Ok(Arc::new(socket));
        }
        Ok(Arc::new(tls::Tls::open(socket, host, deadline, &self.trust)?))
    }

    #[cfg(not(feature = "tls"))]
    fn secured(&self, socket: TcpStream, _: &str, _: Instant) -> Result<Arc<dyn Link>, DialError> {
        Ok(Arc::new(socket))
    }
}

fn fixed_field(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONNECTION,
        header::UPGRADE,
        header::SEC_WEBSOCKET_VERSION,
        header::SEC_WEBSOCKET_KEY,
        header::ORIGIN,
        header::USER_AGENT,
    ]
    .contains(name)
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        // Header fields may be secrets.
        write!(f, "Dialer({}://{}{})", if self.secure { "wss" } else { "ws" }, self.place(), self.target.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_people_write_them() {
        for (url, place, target) in [
            ("ws://localhost:9/ws?name=ann", "localhost:9", "/ws?name=ann"),
            ("localhost:9", "localhost:9", "/"),
            ("http://example.org", "example.org:80", "/"),
            ("ws://[::1]:7/x", "[::1]:7", "/x"),
        ] {
            let dialer = Dialer::new(url).unwrap();
            assert_eq!((dialer.place().as_str(), dialer.target.as_str()), (place, target), "{url}");
        }
        for url in ["", "ftp://a/", "ws://", "ws://a b/", "ws://ann:secret@host/"] {
            assert!(matches!(Dialer::new(url), Err(DialError::Url(_))), "{url:?}");
        }
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there() {
        let dialer = Dialer::new("ws://h/?a=1").unwrap().at("/ws", &[("name", "Ann & Bob 🦀")]);
        assert_eq!(dialer.target.as_str(), "/ws?a=1&name=Ann+%26+Bob+%F0%9F%A6%80");
    }

    #[test]
    fn a_field_that_http_does_not_allow_is_refused_before_anything_is_sent() {
        for (name, value) in [("a b", "c"), ("X-A", "line\r\nbreak")] {
            let refused = Dialer::new("ws://127.0.0.1:1/").unwrap().header(name, value).connect();
            assert!(matches!(refused, Err(DialError::Url(_))), "{name}");
        }
    }
}
