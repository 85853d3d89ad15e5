//! The same echo from a browser: one port serves a page over HTTP, and the WebSocket that the page opens.
//!
//! `cargo run --example 03_echo_page`, then open http://localhost:8763. The page is `03_echo_page.html`, 19 lines.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::spawn;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

const PAGE: &str = include_str!("03_echo_page.html");

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or("localhost:8763".into());
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    println!("Open http://{address} in a browser.\nListening on ws://{address}");
    for stream in listener.incoming() {
        let stream = stream?;
        spawn(move || {
            if let Err(error) = serve(stream) {
                println!("A connection broke: {error}");
            }
        });
    }
    Ok(())
}

/// Every connection begins as HTTP. Whether it wants the page or a WebSocket is in the headers of its request.
fn serve(mut stream: TcpStream) -> Result<()> {
    let mut key = None;
    // A request's head ends with an empty line. Nobody needs 16 KiB for it, so nobody may send more.
    for line in BufReader::new(stream.try_clone()?.take(16 * 1024)).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        // The name of a header may be in capitals or not; browsers and tools differ.
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("Sec-WebSocket-Key")
        {
            key = Some(value.trim().to_owned());
        }
    }
    // Without a key it is an ordinary request: here is the page, and that was all.
    let Some(key) = key else {
        let length = PAGE.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n");
        return write!(stream, "{head}Connection: close\r\n\r\n{PAGE}");
    };
    // With a key it is a handshake. accept() did this for us before; chapter 4 says what the accept key is.
    let accept = derive_accept_key(key.as_bytes());
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    write!(stream, "{head}Sec-WebSocket-Accept: {accept}\r\n\r\n")?;
    echo(WebSocket::from_raw_socket(stream, Role::Server, None));
    Ok(())
}

/// The echo of the first chapter.
fn echo(mut socket: WebSocket<TcpStream>) {
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            println!("Received message: {text}");
            if socket.send(Message::text(format!("Server received your message: {text}"))).is_err() {
                return;
            }
        }
    }
}
