//! Polling against WebSocket: the same news in four ways at the same time, with the bytes and the latency of each.
//!
//! A client can ask again and again over HTTP (polling), ask and be kept waiting until there is something (long polling),
//! or open a WebSocket and be told. `cargo run --example 08_polling` measures for 4 s, and prints a table.

use parking_lot::{Condvar, Mutex};
use std::io::{BufRead, BufReader, Error, Read, Result, Write, read_to_string};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};
use tungstenite::{Message, accept};

/// What has happened so far, and when.
static NEWS: Mutex<Vec<(Instant, String)>> = Mutex::new(Vec::new());
static MORE: Condvar = Condvar::new();
const COUNT: u32 = 20;
const GAP: Duration = Duration::from_millis(200);

/// What a client has counted: its requests, the bytes it sent and received, and when it heard each of the news.
type Score = (usize, usize, usize, Vec<Instant>);

fn main() -> Result<()> {
    let listener = TcpListener::bind(std::env::args().nth(1).unwrap_or("localhost:8762".into()))?;
    let address = listener.local_addr()?;
    println!("Listening on ws://{address}\n{COUNT} news, one about each {GAP:?}\n");
    spawn(move || listener.incoming().flatten().for_each(|stream| _ = spawn(|| serve(stream))));
    let clients = [
        ("polling every 800 ms", spawn(move || poll(address, "now", GAP * 4))),
        ("polling every 40 ms", spawn(move || poll(address, "now", GAP / 5))),
        ("long polling", spawn(move || poll(address, "wait", Duration::ZERO))),
        ("WebSocket", spawn(move || listen(address))),
    ];
    for number in 0..COUNT {
        sleep(GAP * (number * 7 % 5 + 1) / 3); // now sooner, now later, as news come
        NEWS.lock().push((Instant::now(), format!("{number}: it has {}.5 °C", 10 + number % 7)));
        MORE.notify_all();
    }
    println!("                          requests   bytes sent   received   for each   latency: mean       worst");
    for (name, client) in clients {
        let (requests, sent, received, heard) = client.join().expect("no client panics")?;
        let late: Vec<Duration> = heard.iter().zip(&*NEWS.lock()).map(|(heard, (said, _))| *heard - *said).collect();
        let (mean, worst) = (late.iter().sum::<Duration>() / COUNT, late.iter().max().copied().unwrap_or_default());
        let each = (sent + received) / COUNT as usize;
        println!("{name:<25} {requests:>8} {sent:>12} {received:>10} {each:>10} {mean:>15.1?} {worst:>11.1?}");
    }
    Ok(())
}

/// What there is beyond the first `seen`: as soon as there is something, or nothing when the time is over.
fn news_after(seen: usize, patience: Duration) -> Vec<String> {
    let mut news = NEWS.lock();
    MORE.wait_while_for(&mut news, |news| news.len() <= seen, patience);
    news.iter().skip(seen).map(|(_, text)| text.clone()).collect()
}

/// The server: `/now/7` answers at once with what there is after 7, `/wait/7` once there is some, `/ws` is a WebSocket.
fn serve(mut stream: TcpStream) -> Result<()> {
    let mut start = [0; 7];
    if stream.peek(&mut start)? == 7 && &start == b"GET /ws" {
        let mut socket = accept(stream).map_err(Error::other)?;
        return (0..).try_for_each(|seen| {
            let text = news_after(seen, Duration::MAX).swap_remove(0);
            socket.send(Message::text(text)).map_err(Error::other)
        });
    }
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let head = read_head(&mut reader)?;
        let words: Vec<&str> = head.split(['/', ' ']).collect();
        let ["GET", _, way, seen, ..] = words[..] else { return Ok(()) };
        let patience = if way == "wait" { Duration::from_secs(30) } else { Duration::ZERO };
        let body = news_after(seen.parse().unwrap_or(0), patience).join("\n");
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    }
}

/// The head of a request or an answer, up to the empty line.
fn read_head(reader: &mut impl BufRead) -> Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    Ok(head)
}

/// A client that asks, pauses, and asks again.
fn poll(address: SocketAddr, way: &str, pause: Duration) -> Result<Score> {
    let mut reader = BufReader::new(TcpStream::connect(address)?);
    let (mut requests, mut sent, mut received, mut heard) = (0, 0, 0, Vec::new());
    while heard.len() < COUNT as usize {
        let request = format!("GET /{way}/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", heard.len());
        reader.get_mut().write_all(request.as_bytes())?;
        let head = read_head(&mut reader)?;
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
        let body = read_to_string(reader.by_ref().take(length))?;
        requests += 1;
        sent += request.len();
        received += head.len() + body.len();
        heard.resize(heard.len() + body.lines().count(), Instant::now());
        sleep(pause);
    }
    Ok((requests, sent, received, heard))
}

/// A client that asks once, and is told. By hand, as in chapters 4 and 5: a short frame is two bytes and the text.
fn listen(address: SocketAddr) -> Result<Score> {
    let mut reader = BufReader::new(TcpStream::connect(address)?);
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let request = format!("GET /ws HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n{key}\r\n\r\n");
    reader.get_mut().write_all(request.as_bytes())?;
    let (mut received, mut heard) = (read_head(&mut reader)?.len(), Vec::new());
    while heard.len() < COUNT as usize {
        let mut start = [0; 2];
        reader.read_exact(&mut start)?;
        let mut text = vec![0; start[1].into()];
        reader.read_exact(&mut text)?;
        received += start.len() + text.len();
        heard.push(Instant::now());
    }
    Ok((1, request.len(), received, heard))
}
