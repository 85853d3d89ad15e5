//! A server on a free port, and clients that talk to it with deadlines: nothing here sleeps to wait.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod program;
#[cfg(feature = "tls")]
pub mod tls;

use parlor::{Builder, Handle, Server};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

/// Longer than anything here takes; a test that waits so long has failed.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A server that ends with the test.
pub struct TestServer {
    pub handle: Handle,
    pub address: SocketAddr,
}

/// A server in memory, with the defaults.
pub fn server() -> TestServer {
    server_with(Server::builder())
}

/// A server with settings of the test's own; its port is any that is free.
pub fn server_with(builder: Builder) -> TestServer {
    let handle = builder.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap().spawn().unwrap();
    TestServer { address: handle.address(), handle }
}

impl TestServer {
    pub fn json(&self, name: &str) -> Client {
        Client::json(self.address, name)
    }

    pub fn plain(&self, name: &str) -> Client {
        Client::connect(self.address, &format!("/ws?name={name}"), None).unwrap()
    }

    /// Speaks `parlor.v1` under a name that is just being given free.
    pub fn eventually_json(&self, name: &str) -> Client {
        let mut client = None;
        eventually("the name is free again", || {
            client = Client::try_json(self.address, &format!("/ws?name={name}")).ok();
            client.is_some()
        });
        client.unwrap()
    }

    /// The same in plain text.
    pub fn eventually_plain(&self, name: &str) -> Client {
        let mut client = None;
        eventually("the name is free again", || {
            client = Client::connect(self.address, &format!("/ws?name={name}"), None).ok();
            client.is_some()
        });
        client.unwrap()
    }

    /// In the lobby, with everything so far let fall.
    pub fn in_lobby(&self, name: &str) -> Client {
        let mut client = self.json(name);
        client.send(json!({"type": "join", "room": "lobby", "last": 0}));
        while client.next()["type"] != "joined" {}
        client
    }

    /// Sends raw bytes, and gives all that comes back until the server closes.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut socket = raw(self.address);
        // The server may refuse before it has read everything.
        let _ = socket.write_all(request);
        all_of(&mut socket)
    }

    pub fn get(&self, path: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).as_bytes())
    }

    pub fn stop(&self) {
        self.handle.shutdown();
        self.handle.join().unwrap();
    }
}

impl Drop for TestServer {
    /// Once the last of this process has ended, none of their threads is left.
    fn drop(&mut self) {
        self.stop();
        if !std::thread::panicking() {
            eventually("no thread of a server is left", || {
                let left = server_threads();
                // Each that runs has one of this name.
                left.is_empty() || left.iter().any(|name| name == "parlor")
            });
        }
    }
}

/// The names of this process's threads that a server has started and joins, as far as the system tells. Those that
/// tiny_http has started take a few seconds more.
fn server_threads() -> Vec<String> {
    const NAMES: [&str; 9] =
        ["parlor", "listener", "recorder", "dispatcher", "flusher", "reader", "http", "password", "client"];
    let is_tiny_https = |name: &str| name == "http";
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let names = names.map(|name| name.trim_end_matches('\n').to_owned());
    let is_servers = |name: &String| {
        let word = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
        NAMES.contains(&word) && !is_tiny_https(name)
    };
    names.filter(is_servers).collect()
}

/// Looks again and again, until it is so or the deadline is over.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < until, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

pub fn raw(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// The same from another address of this machine, such as 127.0.0.2.
pub fn raw_from(source: &str, address: SocketAddr) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let from = SocketAddr::new(source.parse().unwrap(), 0);
    let made = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&made, &from).unwrap();
    connect(&made, &address).unwrap();
    let socket = TcpStream::from(made);
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

pub fn all_of(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an HTTP answer.
pub fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no HTTP answer: {answer:?}"))
}

/// A request that upgrades to a WebSocket.
pub fn upgrade(address: SocketAddr, path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

pub struct Client {
    pub socket: WebSocket<TcpStream>,
    pub welcome: Value,
}

impl Client {
    /// Speaks `parlor.v1` and has been welcomed.
    pub fn json(address: SocketAddr, name: &str) -> Client {
        Client::try_json(address, &format!("/ws?name={name}")).unwrap()
    }

    pub fn try_json(address: SocketAddr, path: &str) -> Result<Client, u16> {
        let mut client = Client::connect(address, path, Some("parlor.v1"))?;
        client.welcome = client.next();
        assert_eq!(client.welcome["type"], "welcome");
        Ok(client)
    }

    /// Connects, or gives the status with which it was refused.
    pub fn connect(address: SocketAddr, path: &str, subprotocol: Option<&str>) -> Result<Client, u16> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        if let Some(name) = subprotocol {
            request.headers_mut().insert("sec-websocket-protocol", name.parse().unwrap());
        }
        match tungstenite::client(request, raw(address)) {
            Ok((socket, _)) => Ok(Client { socket, welcome: Value::Null }),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(refused))) => {
                Err(refused.status().as_u16())
            }
            Err(e) => panic!("{e}"),
        }
    }

    /// Upgrades by hand, with header fields of the test's own, and has been welcomed; or gives the status with which that was
    /// refused.
    pub fn upgraded(mut socket: TcpStream, path: &str, more: &str) -> Result<Client, u16> {
        let address = socket.peer_addr().unwrap();
        socket.write_all(upgrade(address, path, more).as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        if status(&head) != 101 {
            return Err(status(&head));
        }
        let socket = tungstenite::WebSocket::from_raw_socket(socket, tungstenite::protocol::Role::Client, None);
        let mut client = Client { socket, welcome: Value::Null };
        client.welcome = client.next();
        Ok(client)
    }

    pub fn send(&mut self, frame: Value) {
        self.say(&frame.to_string());
    }

    pub fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    pub fn post(&mut self, room: &str, id: &str, body: &str) {
        self.send(json!({"type": "post", "room": room, "id": id, "body": body}));
    }

    pub fn text(&mut self) -> String {
        loop {
            match self.socket.read().expect("a frame within the deadline") {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next frame; None if the connection is closed with that code.
    pub fn next_unless(&mut self, code: u16) -> Option<Value> {
        loop {
            match self.socket.read().expect("a frame within the deadline") {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(frame)) if u16::from(frame.code) == code => return None,
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    pub fn next(&mut self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// The next frame of that type; presence that comes in between is let fall.
    pub fn expect(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next();
            if frame["type"] == kind {
                return frame;
            }
            assert_eq!(frame["type"], "presence", "instead of {kind}: {frame}");
        }
    }

    /// The next frame of that type, whatever else comes in between; but no error, where none is asked for.
    #[track_caller]
    pub fn hear(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next();
            if frame["type"] == kind {
                return frame;
            }
            assert_ne!(frame["type"], "error", "instead of {kind}: {frame}");
        }
    }

    /// The next error, whatever else comes in between.
    pub fn hear_error(&mut self) -> Value {
        loop {
            let frame = self.next();
            if frame["type"] == "error" {
                return frame;
            }
        }
    }

    /// All frames up to the first that is so, and that one.
    pub fn everything_until(&mut self, is_so: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            all.push(self.next());
            if all.last().is_some_and(&is_so) {
                return all;
            }
        }
    }

    /// Everything but presence that came until now: what the server had to say before it answered a ping.
    pub fn so_far(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping", "t": "fence"}));
        let mut frames = Vec::new();
        loop {
            let frame = self.next();
            match frame["type"].as_str().unwrap() {
                "pong" => return frames,
                "presence" => {}
                _ => frames.push(frame),
            }
        }
    }

    /// Reads to the end, and gives the close frame, if one came.
    pub fn closed(&mut self) -> Option<CloseFrame> {
        loop {
            match self.socket.read() {
                Ok(Message::Close(frame)) => {
                    // Sends the answer, as a client should.
                    let _ = self.socket.flush();
                    return frame;
                }
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    pub fn close_code(&mut self) -> Option<u16> {
        self.closed().map(|frame| frame.code.into())
    }

    /// Cuts the line without a word.
    pub fn cut(self) {
        let _ = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
    }
}
