//! Rooms: the path of the handshake says which room, and what one client says only those in its room hear.
//!
//! It is 09_broadcast with one step more in the registry: room ─► client ─► sender. Run it, and open a few clients:
//! `websocat ws://localhost:8768/garden`, or in the console of a browser
//! `s = new WebSocket("ws://localhost:8768/garden"); s.onmessage = e => console.log(e.data)`, and `s.send("hello")`.
#![allow(clippy::result_large_err, reason = "tungstenite lets a handshake be refused with a whole answer")]

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::spawn;
use std::time::Duration;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket, accept_hdr};

/// What a client's thread tells the dispatcher: in which room, and what.
type Said = (String, String);

/// The senders of everyone, room by room. A room is made by the first who comes and ends with the last who leaves.
type Rooms = Arc<Mutex<HashMap<String, HashMap<u64, WebSocket<TcpStream>>>>>;

fn main() -> io::Result<()> {
    let rooms = Rooms::default();
    let (said, hear) = bounded(1024);
    let all = rooms.clone();
    spawn(move || dispatch(&hear, &all));

    let address = std::env::args().nth(1).unwrap_or("localhost:8768".into());
    let listener = TcpListener::bind(address)?;
    println!("Listening on ws://{}", listener.local_addr()?);
    for (id, stream) in (1..).zip(listener.incoming()) {
        let (rooms, said, stream) = (rooms.clone(), said.clone(), stream?);
        spawn(move || {
            if let Err(error) = serve(id, stream, &rooms, &said) {
                println!("Client {id}: {error}");
            }
        });
    }
    Ok(())
}

/// One client's thread: shake hands, enter the room, read until the client is gone, leave.
fn serve(id: u64, stream: TcpStream, rooms: &Rooms, said: &Sender<Said>) -> io::Result<()> {
    let writer = stream.try_clone()?;
    writer.set_write_timeout(Some(Duration::from_secs(1)))?;

    // The handshake is HTTP, so there is a path. tungstenite shows us the request before it answers.
    let mut room = String::new();
    let choose = |request: &Request, response: Response| {
        room = room_of(request)?;
        Ok(response)
    };
    let mut socket = accept_hdr(stream, choose).map_err(|error| io::Error::other(error.to_string()))?;

    let writer = WebSocket::from_raw_socket(writer, Role::Server, None);
    rooms.lock().entry(room.clone()).or_default().insert(id, writer);
    println!("Client {id} joined {room}");
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            said.send((room.clone(), format!("Client {id}: {text}"))).map_err(io::Error::other)?;
        }
    }

    let mut rooms = rooms.lock();
    let empty = rooms.get_mut(&room).is_some_and(|senders| {
        senders.remove(&id);
        senders.is_empty()
    });
    if empty {
        rooms.remove(&room); // or names that somebody used once would fill the memory
    }
    println!("Client {id} left {room}");
    Ok(())
}

/// The room's name. Until "101 Switching Protocols" all of this is HTTP, so a wrong path gets an HTTP answer.
fn room_of(request: &Request) -> Result<String, ErrorResponse> {
    let name = request.uri().path().trim_start_matches('/');
    // What a stranger sends becomes a key in our memory: say what is allowed, and refuse the rest.
    if (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(name.to_owned());
    }
    let mut refusal = ErrorResponse::new(Some("The path is the room: 1 to 32 of a-z, A-Z, 0-9 and -\n".into()));
    *refusal.status_mut() = StatusCode::NOT_FOUND;
    Err(refusal)
}

/// The one thread that writes. Who cannot be written to is no longer registered.
fn dispatch(hear: &Receiver<Said>, rooms: &Rooms) {
    for (room, text) in hear {
        if let Some(senders) = rooms.lock().get_mut(&room) {
            senders.retain(|_, sender| sender.send(Message::text(&text)).is_ok());
        }
    }
}
