//! The DevTools protocol with the browser, or with one page of it.
//!
//! The library starts the browser and knows the protocol's types. Its own connection is not used for the pages: the
//! thread that reads it holds the lock that a sender needs, and each call takes 100 ms.

use headless_chrome::protocol::cdp::types::{Event, Method};
use headless_chrome::protocol::cdp::{Log, Runtime};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::{Message, WebSocket};

/// Longer than any wait in the page.
const NO_ANSWER: Duration = Duration::from_secs(60);

pub struct DevTools {
    socket: RefCell<WebSocket<TcpStream>>,
    calls: Cell<u32>,
    pub seen: RefCell<Seen>,
}

/// What a page told unasked.
#[derive(Default)]
pub struct Seen {
    pub problems: Vec<String>,
    /// Parts of problems that are none.
    pub forgiven: Vec<&'static str>,
    /// Payloads of the frames of its WebSockets.
    pub sent: Vec<String>,
    pub received: Vec<String>,
}

impl DevTools {
    pub fn connect(url: &str) -> DevTools {
        let host = url.trim_start_matches("ws://").split('/').next().unwrap();
        let socket = TcpStream::connect(host).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(NO_ANSWER)).unwrap();
        let (socket, _) = tungstenite::client(url, socket).unwrap();
        DevTools { socket: RefCell::new(socket), calls: Cell::new(0), seen: RefCell::default() }
    }

    /// Calls, and waits for the answer; what is told before it is taken down.
    pub fn call<C: Method + serde::Serialize>(&self, method: C) -> Result<C::ReturnObject, String> {
        let id = self.calls.get();
        self.calls.set(id + 1);
        let call = serde_json::to_string(&method.to_method_call(id)).unwrap();
        let mut socket = self.socket.borrow_mut();
        socket.send(Message::text(call)).map_err(|e| e.to_string())?;
        loop {
            let Message::Text(text) = socket.read().map_err(|e| e.to_string())? else { continue };
            let mut told: Value = serde_json::from_str(text.as_str()).unwrap();
            if told["id"] == id {
                return match told["error"].take() {
                    Value::Null => serde_json::from_value(told["result"].take()).map_err(|e| e.to_string()),
                    error => Err(error.to_string()),
                };
            }
            // An event that the library does not know is none of ours.
            if let Ok(event) = serde_json::from_value(told) {
                self.seen.borrow_mut().take(event);
            }
        }
    }
}

impl Seen {
    fn take(&mut self, event: Event) {
        match event {
            Event::RuntimeExceptionThrown(event) => self.problems.push(thrown(&event.params.exception_details)),
            Event::LogEntryAdded(event) if event.params.entry.level == Log::LogEntryLevel::Error => {
                let entry = event.params.entry;
                self.problems.push(format!("{:?}: {} {:?}", entry.source, entry.text, entry.url));
            }
            Event::RuntimeConsoleAPICalled(event) => {
                use Runtime::ConsoleAPICalledEventTypeOption::{Assert, Error, Warning};
                if matches!(event.params.Type, Error | Warning | Assert) {
                    let words: Vec<String> = event.params.args.iter().map(said).collect();
                    self.problems.push(format!("console: {}", words.join(" ")));
                }
            }
            Event::NetworkWebSocketFrameSent(event) => self.sent.push(event.params.response.payload_data),
            Event::NetworkWebSocketFrameReceived(event) => self.received.push(event.params.response.payload_data),
            _ => {}
        }
    }
}

fn said(object: &Runtime::RemoteObject) -> String {
    match &object.value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => object.description.clone().unwrap_or_default(),
    }
}

pub fn thrown(details: &Runtime::ExceptionDetails) -> String {
    let what = details.exception.as_ref().map(said).unwrap_or_default();
    format!("{}: {what} {:?}:{}", details.text, details.url, details.line_number)
}
