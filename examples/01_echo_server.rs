//! An echo server: the smallest thing that speaks WebSocket. Run it, then run `02_echo_client` in another terminal.
//!
//! A WebSocket begins as an HTTP request that asks to speak another protocol on the same TCP connection. Once that is
//! agreed (the handshake), both sides may send messages at any time, until one of them closes.

use std::net::TcpListener;
use std::thread::spawn;
use tungstenite::{Message, accept};

fn main() -> std::io::Result<()> {
    // A plain TCP socket; only this computer can reach "localhost". Another address may stand on the command line.
    let address = std::env::args().nth(1).unwrap_or("localhost:8765".into());
    let listener = TcpListener::bind(address)?;
    println!("Listening on ws://{}", listener.local_addr()?);

    for stream in listener.incoming() {
        let stream = stream?;
        // A thread for each client, so that one who waits makes nobody else wait.
        spawn(move || {
            // The handshake: reads the HTTP request and answers "101 Switching Protocols".
            let Ok(mut socket) = accept(stream) else { return };

            // read() blocks until a whole message is here, and fails once the client is gone.
            while let Ok(message) = socket.read() {
                // Besides text there are binary messages, pings and pongs; tungstenite answers pings by itself.
                if let Message::Text(text) = message {
                    println!("Received message: {text}");
                    let answer = format!("Server received your message: {text}");
                    if socket.send(Message::text(answer)).is_err() {
                        return;
                    }
                }
            }
        });
    }
    Ok(())
}
