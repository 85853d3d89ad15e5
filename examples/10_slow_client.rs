//! The slow client: one that does not read, beside three that do, treated in three ways and measured.
//!
//! What a client does not read waits in its computer's buffers, then in ours, and then `send()` waits too. A server
//! must choose: wait for it (and all wait), keep what it has not read (in memory, without end), or let it go and have
//! it come back for the rest. Run it: `cargo run --example 10_slow_client`. It ends by itself after some seconds.

use crossbeam_channel::{Receiver, bounded, unbounded};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, accept, connect};

const MESSAGES: usize = 1500; // one each millisecond …
const SIZE: usize = 16 * 1024; // … 24 MB in all: more than the buffers of the system hold
const LIMIT: usize = 512 * 1024; // what may wait for one client before it is let go
const TOO_SLOW: u16 = 4000; // RFC 6455 has 1000 for an orderly end; 4000 to 4999 are for the program's own use

/// The most bytes that waited in a queue.
static MOST: AtomicUsize = AtomicUsize::new(0);
type Socket = tungstenite::WebSocket<TcpStream>;
/// How the server gives a message to one client; false means that it is done with this client.
type Give = Box<dyn FnMut(Message) -> bool>;
/// What a client saw: how many messages, its longest wait for one, and the close code (0 if it was cut off).
type Seen = (usize, Duration, u16);
type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let listener = TcpListener::bind(std::env::args().nth(1).unwrap_or("localhost:8767".into()))?;
    println!("Listening on ws://{}", listener.local_addr()?);
    println!("{MESSAGES} messages of {} KiB to 4 clients, one of which does not read:", SIZE / 1024);
    println!("\ntreatment         longest wait of the others  queued at most  messages it got  in the end");
    measure("write and wait", &listener, write_and_wait)?;
    measure("unbounded queue", &listener, |socket| queue(socket, usize::MAX))?;
    measure("bounded queue", &listener, |socket| queue(socket, LIMIT))
}

/// The first way: write to the socket, and wait while it is full. After a second in which nothing went it is given up.
fn write_and_wait(mut socket: Socket) -> Give {
    let limited = socket.get_ref().set_write_timeout(Some(Duration::from_secs(1))).is_ok();
    Box::new(move |message| limited && socket.send(message).is_ok())
}

/// The second way and the third: a queue, and a thread that writes what is in it, so that only this thread waits.
/// The third has a limit. A client whose queue is over it is closed, and comes back once it can read again.
fn queue(mut socket: Socket, limit: usize) -> Give {
    let (queue, next) = unbounded::<Message>();
    let waiting = next.clone();
    spawn(move || {
        for message in next {
            let Ok(()) = socket.send(message) else { return };
        }
        while socket.read().is_ok() {} // until the client has answered the close frame
    });
    Box::new(move |message| {
        let now = (waiting.len() + 1) * SIZE; // all have one size here, or we would have to add them up
        if now <= limit {
            MOST.fetch_max(now, Relaxed);
            return queue.send(message).is_ok();
        }
        while waiting.try_recv().is_ok() {} // frees the memory: all of it is in the history
        let _ = queue.send(close(TOO_SLOW));
        false
    })
}

/// One row of the table: a server with its clients, from the first message to the last.
fn measure(way: &str, at: &TcpListener, treat: impl Fn(Socket) -> Give) -> Result<(), Failure> {
    let (wake, asleep) = bounded(0);
    let (mut clients, mut seen) = (vec![], vec![]);
    for asleep in [Some(asleep), None, None, None] {
        let (socket, client) = join(at, asleep)?;
        clients.push(treat(socket));
        seen.push(client);
    }
    let history: Vec<_> = (0..MESSAGES).map(|_| Message::binary(vec![0; SIZE])).chain([close(1000)]).collect();
    for message in &history {
        clients.retain_mut(|give| give(message.clone()));
        sleep(Duration::from_millis(1));
    }
    drop(clients);
    let others = seen.split_off(1).into_iter().map(|other| other.join().unwrap_or_default());
    let wait = others.map(|(_, wait, _)| wait.as_millis()).max().unwrap_or_default();
    drop(wake); // from here on the slow one reads, too
    let (got, _, code) = seen.remove(0).join().unwrap_or_default();
    let mut in_the_end = got;
    if code == TOO_SLOW {
        // It comes back and gets the rest. Here the server knows how much it has; in 12_history the client says so.
        let (mut socket, again) = join(at, None)?;
        history.iter().skip(got).try_for_each(|message| socket.send(message.clone()))?;
        drop(socket);
        in_the_end += again.join().unwrap_or_default().0;
    }
    println!("{way:<15} {wait:>26} ms {:>11} KiB {got:>16} {in_the_end:>11}", MOST.swap(0, Relaxed) / 1024);
    Ok(())
}

/// A client joins: the server's end of it, and the client in a thread. It does not read while it is asleep.
fn join(at: &TcpListener, asleep: Option<Receiver<()>>) -> Result<(Socket, JoinHandle<Seen>), Failure> {
    let url = format!("ws://{}", at.local_addr()?);
    let client = spawn(move || {
        let (mut got, mut wait, mut code, mut last) = (0, Duration::ZERO, 0, Instant::now());
        let Ok((mut socket, _)) = connect(url) else { return (got, wait, code) };
        asleep.map(|asleep| asleep.recv());
        while let Ok(message) = socket.read() {
            (wait, last) = (wait.max(last.elapsed()), Instant::now());
            match message {
                Message::Close(frame) => code = frame.map_or(0, |frame| frame.code.into()),
                _ => got += 1,
            }
        }
        (got, wait, code)
    });
    Ok((accept(at.accept()?.0)?, client))
}

fn close(code: u16) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: "".into() }))
}
