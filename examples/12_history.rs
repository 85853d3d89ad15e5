//! History: each message has a number, and who comes back with the last number it saw misses nothing and sees nothing
//! twice.
//!
//! Run it, then in the console of a browser: `s = new WebSocket("ws://localhost:8769/?since=0")`,
//! `s.onmessage = e => console.log(e.data)`, `s.send("hello")`. Close it with `s.close()`, let others talk, and come
//! back with `?since=` and the last number you saw.
#![allow(clippy::result_large_err, reason = "tungstenite lets a handshake be refused with a whole answer")]

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::spawn;
use std::time::Duration;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::{CloseFrame, Role};
use tungstenite::{Message, WebSocket, accept_hdr};

const KEPT: usize = 100; // messages in memory; who was away for longer has missed some
const OUTBOX: usize = KEPT + 100; // messages that may wait for one client, so that the whole history fits
const COME_BACK: u16 = 4000;

/// The line of numbered messages, and everyone who stands on it. One lock for both: that is the whole trick.
#[derive(Default)]
struct Line {
    newest: u64,
    kept: VecDeque<(u64, Message)>,
    outboxes: HashMap<u64, Outbox>,
}

/// Where the messages wait for one client's writer.
type Outbox = Sender<Message>;

impl Line {
    /// Gives the message the next number, keeps it, and puts it into every outbox: in one step.
    fn post(&mut self, text: &str) {
        self.newest += 1;
        let message = Message::text(json!({ "seq": self.newest, "text": text }).to_string());
        self.kept.push_back((self.newest, message.clone()));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        self.outboxes.retain(|_, outbox| {
            // An outbox never waits. Whose is full is sent away as in 10_slow_client, and comes back with its number.
            // Its writer still sends what waits, so that there is no gap, and then the close frame.
            outbox.try_send(message.clone()).is_ok()
        });
    }

    /// Steps onto the moving line: what is after `since`, and everything from now on. Nothing can be posted between the
    /// last kept message and the first live one, since that would need the lock that we hold.
    fn join(&mut self, id: u64, since: Option<u64>) -> Receiver<Message> {
        let since = since.unwrap_or(self.newest); // who does not say wants only what comes
        let (outbox, waiting) = bounded(OUTBOX);
        let oldest = self.newest + 1 - self.kept.len() as u64;
        if since + 1 < oldest {
            let _ = outbox.try_send(Message::text(json!({ "missed": oldest - 1 - since }).to_string()));
        }
        for (_, message) in self.kept.iter().filter(|(number, _)| *number > since) {
            let _ = outbox.try_send(message.clone()); // it fits: OUTBOX is larger than KEPT
        }
        self.outboxes.insert(id, outbox);
        waiting
    }
}

fn main() -> io::Result<()> {
    let line = Arc::<Mutex<Line>>::default();
    let address = std::env::args().nth(1).unwrap_or("localhost:8769".into());
    let listener = TcpListener::bind(address)?;
    println!("Listening on ws://{}", listener.local_addr()?);
    for (id, stream) in (1..).zip(listener.incoming()) {
        let (line, stream) = (line.clone(), stream?);
        spawn(move || {
            if let Err(error) = serve(id, stream, &line) {
                println!("Client {id}: {error}");
            }
            line.lock().outboxes.remove(&id);
        });
    }
    Ok(())
}

/// One client's reader: what it says is posted. Beside it runs its writer, which empties the outbox.
fn serve(id: u64, stream: TcpStream, line: &Mutex<Line>) -> io::Result<()> {
    let writer = stream.try_clone()?;
    writer.set_write_timeout(Some(Duration::from_secs(10)))?;
    let mut since = None;
    let path = |request: &Request, response: Response| {
        let query = request.uri().query().unwrap_or_default();
        since = query.split('&').find_map(|part| part.strip_prefix("since=")?.parse().ok());
        Ok(response)
    };
    let mut socket = accept_hdr(stream, path).map_err(|error| io::Error::other(error.to_string()))?;

    let waiting = line.lock().join(id, since);
    spawn(move || {
        let mut sender = WebSocket::from_raw_socket(&writer, Role::Server, None);
        let written = waiting.iter().try_for_each(|message| sender.send(message));
        let goodbye = CloseFrame { code: COME_BACK.into(), reason: "".into() };
        let written = written.and_then(|()| sender.send(Message::Close(Some(goodbye))));
        // If that failed, the reader need not wait any longer either.
        let _ = writer.shutdown(if written.is_ok() { Shutdown::Write } else { Shutdown::Both });
    });
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            line.lock().post(&text);
        }
    }
    Ok(())
}
