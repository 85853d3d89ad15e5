//! Broadcast: whatever one client says, all hear. This is the shape of Parlor in a hundred lines, without Parlor.
//!
//! listener ─► a thread for each client ─► channel ─► dispatcher ─► every registered sender
//!
//! Run it, then open a few clients: `websocat ws://localhost:8766`, or the console of a browser:
//! `s = new WebSocket("ws://localhost:8766"); s.onmessage = e => console.log(e.data)`, and `s.send("hello")`.

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::spawn;
use std::time::Duration;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket, accept};

/// What a client's thread tells the dispatcher: who said it, and what.
type Said = (u64, String);

/// The senders of everyone who is connected. The dispatcher writes to them, the clients' threads come and go.
type Senders = Arc<Mutex<HashMap<u64, WebSocket<TcpStream>>>>;

fn main() -> io::Result<()> {
    let senders = Senders::default();
    // Bounded: when the dispatcher cannot keep up, send() waits, and so does the client who talks too fast.
    let (said, hear) = bounded(1024);
    let registered = senders.clone();
    spawn(move || dispatch(&hear, &registered));

    let address = std::env::args().nth(1).unwrap_or("localhost:8766".into());
    let listener = TcpListener::bind(address)?;
    println!("Listening on ws://{}", listener.local_addr()?);
    for (id, stream) in (1..).zip(listener.incoming()) {
        let (senders, said, stream) = (senders.clone(), said.clone(), stream?);
        spawn(move || {
            if let Err(error) = serve(id, stream, &senders, &said) {
                println!("Client {id}: {error}");
            }
            senders.lock().remove(&id);
            println!("Client {id} left");
        });
    }
    Ok(())
}

/// One client's thread: shake hands, register a sender, then read until the client is gone.
fn serve(id: u64, stream: TcpStream, senders: &Senders, said: &Sender<Said>) -> io::Result<()> {
    // A second handle to the same socket: this thread reads, the dispatcher writes.
    let writer = stream.try_clone()?;
    // A client that does not read for so long is dropped, or everyone would wait for it. There are better ways:
    // Parlor never waits at all, and lets the slow one come back to where it was.
    writer.set_write_timeout(Some(Duration::from_secs(1)))?;

    let mut socket = accept(stream).map_err(io::Error::other)?;
    senders.lock().insert(id, WebSocket::from_raw_socket(writer, Role::Server, None));
    println!("Client {id} joined");

    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            // The channel puts everybody's messages in one order, and that is the order in which everybody sees them.
            said.send((id, text.as_str().to_owned())).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// The one thread that writes to all. Who cannot be written to is no longer registered.
fn dispatch(hear: &Receiver<Said>, senders: &Senders) {
    for (id, text) in hear {
        let message = Message::text(format!("Client {id}: {text}"));
        senders.lock().retain(|_, sender| sender.send(message.clone()).is_ok());
    }
}
