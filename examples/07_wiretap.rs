//! A tap on the wire: a proxy between any client and any server, which prints the handshake and each frame bit by bit.
//!
//! `cargo run --example 07_wiretap -- localhost:9000 localhost:8765`, then connect to 9000. Type, or give as arguments:
//! `delay 500` (hold each frame, in ms), `drop 1` (lose the next), `corrupt` (turn a bit of the next), `cut` (break all).

// The decoder of chapter 5; its main() is not needed here.
#[allow(dead_code)]
#[path = "05_frame.rs"]
mod frame;

use frame::{Frame, decode, explain, kind, paint};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Result, Write, copy, stdin};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What is to be done to the frames that pass, and the connections that are open.
struct Plan {
    delay: Duration,
    drop: u64,
    corrupt: bool,
    open: BTreeMap<String, TcpStream>,
}

static PLAN: Mutex<Plan> = Mutex::new(Plan { delay: Duration::ZERO, drop: 0, corrupt: false, open: BTreeMap::new() });

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let listener = TcpListener::bind(arguments.next().unwrap_or("localhost:9000".into()))?;
    let server = arguments.next().unwrap_or("localhost:8765".into());
    println!("Listening on ws://{}, passing on to {server}", listener.local_addr()?);
    command(&arguments.collect::<Vec<_>>().join(" "));
    spawn(|| stdin().lines().map_while(Result::ok).for_each(|line| command(&line)));
    for (id, client) in (1..).zip(listener.incoming()) {
        let client = client?;
        let Ok(server) = TcpStream::connect(&server) else {
            println!("#{id} goes nowhere: nobody answers at {server}");
            continue;
        };
        // To one connection from a client belongs one to the server; and a thread to each direction.
        let (from, to) = (client.try_clone()?, server.try_clone()?);
        spawn(move || pass(&format!("#{id} client → server"), from, to));
        spawn(move || pass(&format!("#{id} server → client"), server, client));
    }
    Ok(())
}

fn command(line: &str) {
    let (word, number) = line.trim().split_once(' ').unwrap_or((line.trim(), "1"));
    let mut plan = PLAN.lock();
    match (word, number.trim().parse()) {
        ("", _) => return,
        ("delay", Ok(milliseconds)) => plan.delay = Duration::from_millis(milliseconds),
        ("drop", Ok(count)) => plan.drop = count,
        ("corrupt", _) => plan.corrupt = true,
        ("cut", _) => plan.open.values().for_each(|stream| _ = stream.shutdown(Shutdown::Both)),
        _ => return println!("Not {line}: delay MILLISECONDS, drop COUNT, corrupt, or cut"),
    }
    println!("{}", paint(35, &format!("from now on: {line}")));
}

/// One direction, to its end. Then the other side is told, as TCP tells it, that nothing more will come.
fn pass(way: &str, from: TcpStream, mut to: TcpStream) {
    let end = relay(way, BufReader::new(from), &mut to)
        .map_or_else(|error| error.to_string(), |()| "nothing more comes".into());
    println!("{}", paint(2, &format!("{way}: {end}")));
    PLAN.lock().open.remove(way);
    _ = to.shutdown(Shutdown::Write);
}

fn relay(way: &str, mut from: BufReader<TcpStream>, to: &mut TcpStream) -> Result<()> {
    PLAN.lock().open.insert(way.to_owned(), to.try_clone()?);
    // First the handshake, up to an empty line.
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && from.read_line(&mut head)? > 0 {}
    let lines = head.trim_end().replace("\r\n", "\n  ");
    if !lines.is_empty() {
        println!("{}\n  {lines}\n", paint(1, &format!("{way}: handshake")));
    }
    to.write_all(head.as_bytes())?;
    // No WebSocket but a page, or a refusal: passed on unseen.
    if !lines.to_lowercase().contains("\n  upgrade: websocket") {
        return copy(&mut from, to).map(drop);
    }
    let (mut waiting, mut part) = (Vec::new(), [0; 16 * 1024]);
    loop {
        // TCP brings bytes in any pieces: half a frame, or three and a half. They wait here until a frame is whole.
        match from.read(&mut part)? {
            0 => return Ok(()),
            count => waiting.extend(&part[..count]),
        }
        while let Some(frame) = decode(&waiting) {
            relay_frame(way, &frame, waiting.drain(..frame.head + frame.payload.len()).collect(), to)?;
        }
    }
}

fn relay_frame(way: &str, frame: &Frame, mut bytes: Vec<u8>, to: &mut TcpStream) -> Result<()> {
    // The lock also keeps the lines of a frame together.
    let mut plan = PLAN.lock();
    println!("{}", paint(1, &format!("{way}: {}, {} bytes", kind(frame.opcode), bytes.len())));
    explain(frame, &bytes);
    if plan.drop > 0 {
        plan.drop -= 1;
        println!("  {}", paint(35, "dropped"));
        return Ok(());
    }
    if std::mem::take(&mut plan.corrupt) {
        // The highest bit of the last byte: a text is no longer UTF-8 then.
        bytes.last_mut().into_iter().for_each(|byte| *byte ^= 0b1000_0000);
        println!("  {}", paint(35, "one bit of it is turned"));
    }
    let delay = plan.delay;
    drop(plan);
    // As on a slow line, they wait one behind the other.
    sleep(delay);
    to.write_all(&bytes)
}
