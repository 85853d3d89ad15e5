//! The front: stands between the network and tiny_http, which must never face it.
//!
//! What tiny_http gets is bounded and plain: one request a connection, a method and a path it may know, only the header
//! fields that the page and the API read, a body whose length is known and small and that has all arrived.

use crate::head::{Head, read_until};
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::transport::Transport;
use log::{Level, log, warn};
use parking_lot::{Condvar, Mutex};
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tungstenite::http::{HeaderMap, Method, header};

/// The largest body, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// Relays at the same time. Each takes up to four descriptors, out of those kept in spare.
const RELAYS: usize = 64;

/// How long tiny_http may take to answer, and a client to read the answer.
const ANSWERING: Duration = Duration::from_secs(30);

/// The header fields that go through.
const PASSED_ON: [header::HeaderName; 11] = [
    header::HOST,
    header::COOKIE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::IF_NONE_MATCH,
    header::ORIGIN,
    header::USER_AGENT,
    header::CONTENT_ENCODING,
    header::HeaderName::from_static("idempotency-key"),
];

/// The methods that the page and the API know.
const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// The way to tiny_http's private socket, for so many at a time.
pub(crate) struct Front {
    /// None: the page and the API are not compiled in.
    way: Option<Way>,
    /// Everyone may read the metrics.
    open_metrics: bool,
    free: Mutex<usize>,
    freed: Condvar,
}

/// Connects to tiny_http.
pub(crate) type Way = Box<dyn Fn() -> std::io::Result<UnixStream> + Send + Sync>;

impl Front {
    /// A front before the tiny_http that this leads to.
    pub fn new(way: Option<Way>, open_metrics: bool) -> Front {
        Front { way, open_metrics, free: Mutex::new(RELAYS), freed: Condvar::new() }
    }

    /// Waits for a free relay, at most until `deadline`.
    fn relay(&self, deadline: Instant) -> Option<Relay<'_>> {
        let mut free = self.free.lock();
        while *free == 0 {
            if self.freed.wait_until(&mut free, deadline).timed_out() {
                return None;
            }
        }
        *free -= 1;
        Some(Relay { front: self })
    }
}

struct Relay<'a> {
    front: &'a Front,
}

impl Drop for Relay<'_> {
    fn drop(&mut self) {
        *self.front.free.lock() += 1;
        self.front.freed.notify_one();
    }
}

/// Passes a request on to tiny_http, and its answer back.
#[inline(never)]
pub(crate) fn relay(
    front: &Front,
    peer: Peer,
    socket: &dyn Transport,
    head: Head,
    deadline: Instant,
) -> Result<(), Refusal> {
    let Some(way) = &front.way else {
        let message = "there is only the chat here, at /ws, and an echo at /echo".into();
        return Err(Refusal::new(404, "not_found", message));
    };
    let length = check(&head)?;
    if head.request.uri().path() == "/metrics" && !front.open_metrics && !is_from_here(&head, peer) {
        let message = "only a program on this machine reads the metrics, and not through a proxy; the operator can open \
                       them to all with --open-metrics";
        return Err(Refusal::new(403, "metrics_closed", message.into()));
    }
    let body = receive(socket, head.rest.clone(), length, deadline)?;
    let _relay = front.relay(deadline).ok_or_else(Refusal::busy)?;
    let out_of_order = |e: std::io::Error| {
        warn!("{peer}: the page cannot be reached: {e}");
        Refusal::busy()
    };
    let mut inner = way().map_err(out_of_order)?;
    inner
        .set_read_timeout(Some(ANSWERING))
        .and_then(|()| inner.set_write_timeout(Some(ANSWERING)))
        .map_err(out_of_order)?;
    inner.write_all(&plain_head(&head, peer, length)).and_then(|()| inner.write_all(&body)).map_err(out_of_order)?;
    let status = answer(&mut inner, socket).map_err(out_of_order)?;
    // A page is some thirty files; what changes something is worth a line.
    let level = if head.request.method().is_safe() { Level::Debug } else { Level::Info };
    log!(level, "{peer} {} {} {status}", head.request.method(), head.request.uri().path());
    Ok(())
}

/// Checks that the message has one clear end (RFC 9112 section 6), and gives the length of its body.
pub(crate) fn check(head: &Head) -> Result<usize, Refusal> {
    let (method, fields) = (head.request.method(), head.request.headers());
    if !METHODS.contains(method) {
        let message = "GET, HEAD, POST, PUT, PATCH and DELETE are all there is".into();
        return Err(Refusal::new(405, "method_not_allowed", message));
    }
    if fields.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::new(411, "length_required", "send the body with a Content-Length, not in chunks".into()));
    }
    // Of two the API would see none, and no Origin is that of a program.
    if [header::HOST, header::ORIGIN].iter().any(|name| fields.get_all(name).iter().count() > 1) {
        return Err(Refusal::new(400, "bad_request", "a request has one Host, and one Origin at the most".into()));
    }
    content_length(fields)
}

/// Whether a request is from this machine. Behind a proxy here all come from here, but what it adds tells of it.
fn is_from_here(head: &Head, peer: Peer) -> bool {
    let relayed = |name: &str| ["forwarded", "via", "x-real-ip"].contains(&name) || name.starts_with("x-forwarded");
    peer.address.is_none_or(|address| address.ip().to_canonical().is_loopback())
        && !head.request.headers().keys().any(|name| relayed(name.as_str()))
}

fn content_length(fields: &HeaderMap) -> Result<usize, Refusal> {
    let malformed = || Refusal::new(400, "bad_request", "a request has one Content-Length, and it is a number".into());
    let mut lengths = fields.get_all(header::CONTENT_LENGTH).iter();
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => return Ok(0),
        (Some(length), None) => length.to_str().map_err(|_| malformed())?,
        _ => return Err(malformed()),
    };
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    match length.parse::<usize>() {
        Ok(length) if length <= LARGEST_BODY => Ok(length),
        _ => Err(Refusal::new(413, "too_large", format!("a body has {LARGEST_BODY} bytes at most"))),
    }
}

fn receive(socket: &dyn Transport, mut body: Vec<u8>, length: usize, deadline: Instant) -> Result<Vec<u8>, Refusal> {
    let mut received = body.len().min(length);
    body.resize(length, 0);
    while received < length {
        match read_until(socket, &mut body[received..], deadline) {
            Ok(0) => return Err(Refusal::gone()),
            Ok(count) => received += count,
            Err(_) => return Err(Refusal::new(408, "too_late", "the body did not arrive in time".into())),
        }
    }
    Ok(body)
}

/// The head as tiny_http gets it.
pub(crate) fn plain_head(head: &Head, peer: Peer, length: usize) -> Vec<u8> {
    let target = head.request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut plain = format!("{} {target} HTTP/1.1\r\n", head.request.method());
    for name in &PASSED_ON {
        if let Some(value) = head.field(name.as_str()) {
            plain.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    plain.push_str(&format!(
        "X-Real-IP: {}\r\nContent-Length: {length}\r\nConnection: close\r\n",
        peer.address.map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
    ));
    if peer.secure {
        plain.push_str("X-Forwarded-Proto: https\r\n");
    }
    plain.push_str("\r\n");
    plain.into_bytes()
}

/// Copies the answer until its end, and gives its status.
fn answer(inner: &mut UnixStream, socket: &dyn Transport) -> std::io::Result<String> {
    let until = Instant::now() + ANSWERING;
    let mut buffer = vec![0; 16 * 1024];
    let mut status = None;
    loop {
        let count = inner.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        // `HTTP/1.1 200 …`
        status.get_or_insert_with(|| {
            String::from_utf8_lossy(buffer[..count].get(9..12).unwrap_or_default()).into_owned()
        });
        if socket.write_all(&buffer[..count]).is_err() || Instant::now() > until {
            return Ok("cut short".into());
        }
    }
    socket.end_writing();
    status.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tungstenite::http::Request;

    #[test]
    fn who_comes_from_this_machine_is_known_and_who_comes_through_a_proxy_is_not() {
        let asks = |address: Option<&str>, field: Option<&str>| {
            let mut request = Request::builder().uri("/metrics").header("host", "x").header("accept", "*/*");
            if let Some(name) = field {
                request = request.header(name, "192.0.2.7");
            }
            let head = Head { request: request.body(()).unwrap(), rest: Vec::new() };
            is_from_here(&head, Peer { id: 1, address: address.map(|address| address.parse().unwrap()), secure: false })
        };
        for here in [Some("127.0.0.1:5"), Some("127.9.9.9:5"), Some("[::1]:5"), Some("[::ffff:127.0.0.1]:5"), None] {
            assert!(asks(here, None), "{here:?}");
        }
        for stranger in ["192.0.2.7:5", "10.0.0.1:5", "[2001:db8::1]:5", "[::ffff:192.0.2.7]:5"] {
            assert!(!asks(Some(stranger), None), "{stranger}");
        }
        for field in ["X-Forwarded-For", "x-forwarded-proto", "Forwarded", "X-Real-IP", "Via"] {
            assert!(!asks(Some("127.0.0.1:5"), Some(field)), "{field}");
        }
    }
}
