//! A WebSocket as the client holds it: one thread reads, any may write.

use super::{DialError, Direction, Link, Response, Tap};
use parking_lot::Mutex;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tungstenite::error::ProtocolError;
use tungstenite::http::{self, Request};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Error, HandshakeError, Message};

/// The longest message that is taken from a server, in bytes: more than any Parlor sends.
const LARGEST: usize = 16 << 20;

/// The most of a refusal that is read, in bytes.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// How long the server has to answer a close.
const PARTING: Duration = Duration::from_secs(1);

/// A WebSocket to a server, opened by [`Dialer::connect`](super::Dialer::connect). Clones are the same connection: one
/// thread reads while others write. It ends when the last is dropped; [`WebSocket::close`] ends it politely.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// use parlor::{Dialer, DialError, Incoming};
///
/// let echo = Dialer::new(&format!("ws://{}/echo", server.address()))?.connect()?;
/// let writer = echo.clone();
/// std::thread::spawn(move || writer.send_binary(&[1, 2, 3]));
/// assert_eq!(echo.read()?, Incoming::Binary(vec![1, 2, 3]));
/// echo.close(1000, "done");
/// assert!(matches!(echo.read(), Err(DialError::Over)));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WebSocket {
    reader: Arc<Mutex<tungstenite::WebSocket<Stream>>>,
    writer: Arc<Writer>,
    response: Arc<Response>,
}

/// What came from the server.
///
/// ```
/// # let server = parlor::Server::builder().listen("127.0.0.1:0".parse()?).bind()?.spawn()?;
/// let echo = parlor::Dialer::new(&format!("ws://{}/echo", server.address()))?.connect()?;
/// echo.ping(b"are you there?")?;
/// assert_eq!(echo.read()?, parlor::Incoming::Pong(b"are you there?".to_vec()));
/// # server.shutdown();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping; it was answered.
    Ping(Vec<u8>),
    /// The answer to a ping.
    Pong(Vec<u8>),
}

struct Writer {
    link: Arc<dyn Link>,
    tap: Option<Tap>,
    /// Held while a frame is written, so that frames stay whole.
    pen: Mutex<()>,
    /// A close frame was sent: nothing may follow it (RFC 6455 section 5.5.1).
    closed: AtomicBool,
}

/// What tungstenite reads and writes.
struct Stream {
    writer: Arc<Writer>,
    until: Option<Instant>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(ErrorKind::TimedOut.into());
        }
        let count = self.writer.link.read(buffer, left)?;
        if let Some(tap) = &self.writer.tap {
            tap(Direction::Received, &buffer[..count]);
        }
        Ok(count)
    }
}

impl Write for Stream {
    /// The request, pongs and answers to a close; tungstenite writes each whole.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writer {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _pen = self.pen.lock();
        if self.closed.load(SeqCst) {
            return Ok(());
        }
        if bytes.first() == Some(&0x88) {
            self.closed.store(true, SeqCst);
        }
        if let Some(tap) = &self.tap {
            tap(Direction::Sent, bytes);
        }
        self.link.write_all(bytes)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.link.hang_up();
    }
}

impl WebSocket {
    /// Shakes hands over a link.
    pub(super) fn open(
        link: Arc<dyn Link>,
        request: Request<()>,
        deadline: Instant,
        tap: Option<Tap>,
    ) -> Result<WebSocket, DialError> {
        let writer = Arc::new(Writer { link, tap, pen: Mutex::new(()), closed: AtomicBool::new(false) });
        let stream = Stream { writer: writer.clone(), until: Some(deadline) };
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_message_size(Some(LARGEST))
            .max_frame_size(Some(LARGEST));
        let (mut socket, response) = match tungstenite::client::client_with_config(request, stream, Some(config)) {
            Ok(done) => done,
            Err(HandshakeError::Interrupted(_)) => return Err(DialError::TimedOut),
            Err(HandshakeError::Failure(Error::Http(refusal))) => return Err(refused(*refusal, &writer, deadline)),
            Err(HandshakeError::Failure(Error::Io(e))) if e.kind() == ErrorKind::TimedOut => {
                return Err(DialError::TimedOut);
            }
            Err(HandshakeError::Failure(Error::Io(e))) => return Err(DialError::Lost(e.to_string())),
            // As a proxy does while the server behind it is away.
            Err(HandshakeError::Failure(Error::Protocol(ProtocolError::HandshakeIncomplete))) => {
                return Err(DialError::Lost("the other side hung up before it had answered".into()));
            }
            Err(HandshakeError::Failure(e)) => return Err(DialError::NotWebSocket(e.to_string())),
        };
        socket.get_mut().until = None;
        let response = Arc::new(Response { status: response.status().as_u16(), fields: fields(response.headers()) });
        Ok(WebSocket { reader: Arc::new(Mutex::new(socket)), writer, response })
    }

    /// What the server answered to the handshake.
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// Waits for what comes next. Pings are answered on the way.
    ///
    /// # Errors
    /// [`DialError::Closed`] when the server closes, [`DialError::Over`] when this side has closed,
    /// [`DialError::Lost`] when the connection breaks.
    pub fn read(&self) -> Result<Incoming, DialError> {
        self.read_until(None)
    }

    /// The same, and waits at most so long.
    ///
    /// # Errors
    /// [`DialError::TimedOut`] when nothing whole came; what came of it is kept for the next call.
    pub fn read_within(&self, time: Duration) -> Result<Incoming, DialError> {
        self.read_until(Some(Instant::now() + time))
    }

    fn read_until(&self, until: Option<Instant>) -> Result<Incoming, DialError> {
        let mut reader = self.reader.lock();
        reader.get_mut().until = until;
        loop {
            return match reader.read() {
                Ok(Message::Text(text)) => Ok(Incoming::Text(text.as_str().to_owned())),
                Ok(Message::Binary(bytes)) => Ok(Incoming::Binary(bytes.into())),
                Ok(Message::Ping(bytes)) => {
                    // The answer is written at once, not with the next read.
                    let _ = reader.flush();
                    Ok(Incoming::Ping(bytes.into()))
                }
                Ok(Message::Pong(bytes)) => Ok(Incoming::Pong(bytes.into())),
                Ok(Message::Close(frame)) => {
                    let ours = self.writer.closed.load(SeqCst);
                    let _ = reader.flush();
                    if ours {
                        return Err(DialError::Over);
                    }
                    Err(frame.map_or(DialError::Closed(1005, String::new()), |frame| {
                        DialError::Closed(frame.code.into(), frame.reason.as_str().into())
                    }))
                }
                Ok(Message::Frame(_)) => continue,
                Err(Error::Io(e)) if matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                    Err(DialError::TimedOut)
                }
                Err(Error::Io(e)) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) if self.writer.closed.load(SeqCst) => Err(DialError::Over),
                Err(e) => Err(DialError::Lost(e.to_string())),
            };
        }
    }

    /// Sends a text message. Waits while the server takes nothing.
    ///
    /// # Errors
    /// [`DialError::Over`] after a close, [`DialError::Lost`] when the connection is broken.
    pub fn send_text(&self, text: &str) -> Result<(), DialError> {
        self.send(Frame::message(text.to_owned(), OpCode::Data(Data::Text), true))
    }

    /// Sends a binary message.
    ///
    /// # Errors
    /// As [`WebSocket::send_text`].
    pub fn send_binary(&self, bytes: &[u8]) -> Result<(), DialError> {
        self.send(Frame::message(bytes.to_vec(), OpCode::Data(Data::Binary), true))
    }

    /// Sends a ping, whose answer [`WebSocket::read`] brings; 125 bytes at most (RFC 6455 section 5.5).
    ///
    /// # Errors
    /// As [`WebSocket::send_text`].
    pub fn ping(&self, bytes: &[u8]) -> Result<(), DialError> {
        self.send(Frame::ping(bytes[..bytes.len().min(125)].to_vec()))
    }

    /// Says goodbye, with a code of RFC 6455 section 7.4 (1000: all is done) and a reason of 123 bytes at most, and
    /// waits a second for the server to say it too. Another thread that reads gets [`DialError::Over`].
    pub fn close(&self, code: u16, reason: &str) {
        let end = (0..=reason.len().min(123)).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0);
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason[..end].into() };
        let _ = self.send(Frame::close(Some(frame)));
        let until = Instant::now() + PARTING;
        // Whoever is reading just now may read the answer; then this finds the end.
        if let Some(mut reader) = self.reader.try_lock_until(until) {
            reader.get_mut().until = Some(until);
            while reader.read().is_ok() {}
        }
        self.writer.link.hang_up();
    }

    /// Lets go of it at once.
    pub(super) fn hang_up(&self) {
        self.writer.link.hang_up();
    }

    fn send(&self, mut frame: Frame) -> Result<(), DialError> {
        if self.writer.closed.load(SeqCst) {
            return Err(DialError::Over);
        }
        // Each frame of a client is masked with a key of its own (RFC 6455 section 5.3).
        let mut key = [0; 4];
        getrandom::fill(&mut key).map_err(|e| DialError::Lost(e.to_string()))?;
        frame.header_mut().mask = Some(key);
        let mut wire = Vec::with_capacity(frame.len());
        // Into memory: nothing here can fail.
        let _ = frame.format(&mut wire);
        self.writer.write(&wire).map_err(|e| DialError::Lost(e.to_string()))
    }
}

impl std::fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "WebSocket({})", self.response.status)
    }
}

fn fields(fields: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Makes of an HTTP answer what it says.
fn refused(response: http::Response<Option<Vec<u8>>>, writer: &Writer, deadline: Instant) -> DialError {
    let status = response.status();
    let field = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = field("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let length = field("content-length").and_then(|value| value.parse().ok()).unwrap_or(LARGEST_REFUSAL);
    let mut body = response.body().clone().unwrap_or_default();
    let mut stream = [0; 4096];
    while body.len() < length.min(LARGEST_REFUSAL) {
        let left = deadline.saturating_duration_since(Instant::now());
        match writer.link.read(&mut stream, Some(left)) {
            Ok(count) if count > 0 => body.extend_from_slice(&stream[..count]),
            _ => break,
        }
    }
    #[derive(serde::Deserialize)]
    struct Body {
        error: Said,
    }
    #[derive(serde::Deserialize)]
    struct Said {
        code: String,
        message: String,
    }
    let said = serde_json::from_slice::<Body>(&body).map(|body| body.error);
    let plain = status.canonical_reason().unwrap_or("no reason given").to_lowercase();
    let Said { code, message } = said.unwrap_or(Said { code: String::new(), message: plain });
    DialError::Refused { status: status.as_u16(), code, message, retry_after }
}
