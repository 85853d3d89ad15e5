//! A ticker: the program has something to say every second, and says it. Nobody asks.
//!
//! `cargo run --example 13_ticker`, then open the file `13_ticker.html` in a browser, in as many windows as you like; or in
//! any console: `s = new WebSocket("ws://localhost:8771/ws?room=prices&name=ann"); s.onmessage = e => console.log(e.data)`.
//! `cargo run --example 13_ticker -- localhost:0 200` makes 200 watchers of its own, then 200 who poll, and prints what
//! each way costs.

use crossbeam_channel::tick;
use parking_lot::Mutex;
use parlor::{Dialer, Server};
use rustix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::{sleep, spawn};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The newest price, for those who poll. Who watches needs no such place: the price comes to them.
static PRICE: Mutex<String> = Mutex::new(String::new());

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let listener = TcpListener::bind(arguments.next().unwrap_or("localhost:8771".into()))?;
    // A whole Parlor inside this program. Prices are for all, so pages of every origin may watch; and only we speak.
    let parlor = Server::builder().listener(listener).allow_origin("*");
    let parlor = parlor.on_message(|_| Err("this room is for listening".into())).bind()?.spawn()?;
    parlor.create_room("prices", "Prices")?;
    println!("Listening on ws://{}/ws?room=prices&name=ann", parlor.address());
    if let Some(count) = arguments.next() {
        let address = parlor.address();
        spawn(move || measure(address, count.parse().expect("the number of watchers")));
    }
    let (mut cents, mut watchers) = (10_000, 0);
    // tick() counts from the start: however long one round takes, the next is not later for it.
    for (number, _) in (1_u64..).zip(tick(SECOND)) {
        cents += (number * number * 7919 % 101) as i64 - 50; // made up
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        // To every plain-text client in the room, as it is. It is encoded once, whoever may listen, and never stored:
        // a price is worth nothing when the next is there.
        let told = parlor.broadcast_text("prices", &price)?;
        if told != watchers {
            println!("watchers: {told}, price: {price}");
            watchers = told;
        }
        *PRICE.lock() = price;
    }
    Ok(())
}

/// What both ways cost in five seconds, with so many clients. Both ends are in this process, so it counts them together.
fn measure(address: SocketAddr, count: usize) {
    println!("{count} clients for 5 s        bytes   for each price    CPU time");
    let bytes = Arc::new(AtomicUsize::new(0));
    let row = |name: &str| {
        bytes.store(0, Relaxed);
        let before = cpu_time();
        sleep(5 * SECOND);
        let (bytes, used) = (bytes.load(Relaxed), cpu_time() - before);
        println!("{name:<20} {bytes:>12} {:>16.1} {:>9} ms", bytes as f64 / 5.0 / count as f64, used.as_millis());
    };

    let mut watchers = Vec::new();
    for number in 0..count {
        let counter = bytes.clone();
        let url = format!("ws://{address}/ws?room=prices&name=watcher-{number}");
        // A tap sees every byte of a connection, as the wiretap of chapter 7 did.
        let tap = move |_, bytes: &[u8]| _ = counter.fetch_add(bytes.len(), Relaxed);
        let socket = Dialer::new(&url).and_then(|dialer| dialer.tap(tap).connect()).expect("the server is here");
        watchers.push(socket.clone());
        spawn(move || while socket.read().is_ok() {});
    }
    row("told by WebSocket");
    watchers.iter().for_each(|socket| socket.close(1000, "measured"));
    let shop = TcpListener::bind("localhost:0").expect("a free port");
    let address = shop.local_addr().expect("an address");
    spawn(move || shop.incoming().flatten().for_each(|stream| _ = spawn(|| answer(stream))));
    let over = Arc::new(AtomicBool::new(false));
    for _ in 0..count {
        let (counter, over) = (bytes.clone(), over.clone());
        spawn(move || poll(address, &counter, &over));
        sleep(SECOND / count as u32); // not all in the same moment
    }
    row("asking every second");
    over.store(true, Relaxed);
}

/// The time that this process has had on a processor.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One who asks, over a connection that stays open and with the shortest headers there are: polling at its best.
fn poll(address: SocketAddr, bytes: &AtomicUsize, over: &AtomicBool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let mut answer = [0; 1024];
    while !over.load(Relaxed) {
        let request = b"GET /price HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request)?;
        bytes.fetch_add(request.len() + stream.read(&mut answer)?, Relaxed);
        sleep(SECOND);
    }
    Ok(())
}

/// One who is asked.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let requests = BufReader::new(stream.try_clone()?).lines().map_while(Result::ok).filter(String::is_empty);
    for _end_of_head in requests {
        let price = PRICE.lock().clone();
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{price}", price.len()).as_bytes())?;
    }
    Ok(())
}
