//! Ping, pong and close: how a server knows that the other end is alive, and how both end without losing anything.
//!
//! The server: `cargo run --example 06_ping_pong_close`, which pings who is silent for 2 s.
//! A client:   `cargo run --example 06_ping_pong_close -- ws://localhost:8764`, which closes after 5 pings.
//! Without:    `cargo run --example 06_ping_pong_close -- localhost:8764 0`, which never pings.

use std::io::{Error, ErrorKind, Result};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::spawn;
use std::time::{Duration, Instant};
use tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tungstenite::{Message, WebSocket, accept, connect};

/// How many the server believes to be here.
static HERE: AtomicUsize = AtomicUsize::new(0);

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or("localhost:8764".into());
    if address.starts_with("ws://") {
        return client(&address).or_else(|error| {
            println!("It ends here: {error}");
            std::process::exit(1)
        });
    }
    let silence = std::env::args().nth(2).and_then(|number| number.parse().ok()).unwrap_or(2000);
    let listener = TcpListener::bind(address)?;
    println!("Listening on ws://{}", listener.local_addr()?);
    for (id, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        spawn(move || {
            let Ok(mut socket) = accept(stream) else { return };
            println!("Client {id} joined: {} here", HERE.fetch_add(1, Relaxed) + 1);
            let end = serve(id, &mut socket, Duration::from_millis(silence));
            println!("Client {id} {end}: {} here", HERE.fetch_sub(1, Relaxed) - 1);
        });
    }
    Ok(())
}

/// Serves one client to its end, and says what kind of end it was.
fn serve(id: usize, socket: &mut WebSocket<TcpStream>, silence: Duration) -> String {
    // read() gives up after so much silence; what has come of a message by then is kept. Without, it waits for ever.
    let limit = (!silence.is_zero()).then_some(silence);
    if let Err(error) = socket.get_ref().set_read_timeout(limit) {
        return format!("cannot be watched ({error})");
    }
    // When we pinged, while no answer has come yet.
    let mut asked: Option<Instant> = None;
    loop {
        match socket.read() {
            Ok(Message::Pong(_)) => {
                let time = asked.take().map_or(Duration::ZERO, |time| time.elapsed());
                println!("Client {id} pong, after {time:.1?}");
            }
            // The client closes. tungstenite answers with the same code; we only read on, until it has been sent.
            Ok(Message::Close(frame)) => {
                while socket.read().is_ok() {}
                return match frame {
                    Some(frame) => format!("closed with {}, {:?}", u16::from(frame.code), frame.reason.as_str()),
                    None => "closed without a code".into(),
                };
            }
            // We close: say so, then read until the client has said so too. Only then has it all that we sent.
            Ok(Message::Text(text)) if text == "bye" => {
                let frame = CloseFrame { code: CloseCode::Normal, reason: "you said bye".into() };
                let mut end = socket.close(Some(frame));
                while end.is_ok() {
                    end = socket.read().map(drop);
                }
                let answered = matches!(end, Err(tungstenite::Error::ConnectionClosed));
                return if answered { "was closed by us with 1000" } else { "did not answer our close" }.into();
            }
            // Whatever it says, it is alive.
            Ok(_) => asked = None,
            // Nothing came for a while. Is it only quiet, or gone? TCP alone does not tell: ask.
            Err(tungstenite::Error::Io(error))
                if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) =>
            {
                if asked.is_some() {
                    return "does not answer, and is let go".into();
                }
                println!("Client {id} silent: ping");
                asked = Some(Instant::now());
                if let Err(error) = socket.send(Message::Ping("still there?".into())) {
                    return format!("cannot be pinged ({error})");
                }
            }
            // Its TCP connection ended, without a close: whether it has read everything, nobody knows.
            Err(error) => return format!("is gone without a close ({error})"),
        }
    }
}

/// Reads, which is all a client must do to stay: the answer to a ping is sent by read() itself.
fn client(address: &str) -> Result<()> {
    let (mut socket, _) = connect(address).map_err(Error::other)?;
    println!("Here. Ctrl-Z makes me silent, Ctrl-C takes me away without a close.");
    for number in 1..=5 {
        while !socket.read().map_err(Error::other)?.is_ping() {}
        println!("Ping {number}: tungstenite answers with a pong");
    }
    let frame = CloseFrame { code: CloseCode::Normal, reason: "that was enough".into() };
    socket.close(Some(frame)).map_err(Error::other)?;
    while socket.read().is_ok() {}
    println!("Closed by both: nothing is lost");
    Ok(())
}
