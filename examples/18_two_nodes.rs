//! Two nodes: two Parlors in one process, joined by a bridge. What is said on one is heard on the other; what "before"
//! and "after" mean is no longer the same on both.
//!
//! `cargo run --example 18_two_nodes`, then open http://localhost:8774 and http://localhost:8775, and talk. In the terminal
//! `cut` cuts the cable between them, `mend` mends it, `show` prints both rooms side by side, and Ctrl-D ends both.

use parking_lot::{Condvar, Mutex};
use parlor::{Error, Handle, Message, Server};
use std::io::stdin;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::spawn;
use std::time::Duration;

const ROOM: &str = "lobby";

/// The cable between the two: whether it is cut, and who waits for it to be mended.
#[derive(Default)]
struct Cable {
    cut: Mutex<bool>,
    mended: Condvar,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut node = |address: &str| -> Result<Handle, Box<dyn std::error::Error>> {
        let listener = TcpListener::bind(arguments.next().unwrap_or(address.into()))?;
        // A whole server each: threads, rooms, numbers and memory of its own. Two of them need not know of each other.
        Ok(Server::builder().listener(listener).bind()?.spawn()?)
    };
    let (north, south) = (node("localhost:8774")?, node("localhost:8775")?);
    let cable = Arc::new(Cable::default());
    bridge(("north", &north), ("south", &south), &cable)?;
    bridge(("south", &south), ("north", &north), &cable)?;
    println!("north: Listening on ws://{}/ws?room={ROOM}", north.address());
    println!("south: Listening on ws://{}/ws?room={ROOM}", south.address());

    for line in stdin().lines() {
        match line?.trim() {
            "cut" => {
                *cable.cut.lock() = true;
                println!("the cable is cut");
            }
            "mend" => {
                *cable.cut.lock() = false;
                cable.mended.notify_all();
                println!("the cable is mended");
            }
            "show" => show(&all(&north)?, &all(&south)?),
            _ => println!("cut, mend, show, or Ctrl-D"),
        }
    }
    for node in [north, south] {
        node.shutdown();
        node.join()?;
    }
    Ok(())
}

/// One direction of the bridge, on a thread of its own: what is said on `from` is said on `to`. It ends with its node.
fn bridge(from: (&'static str, &Handle), to: (&'static str, &Handle), cable: &Arc<Cable>) -> Result<(), Error> {
    let messages = from.1.subscribe(ROOM)?;
    let (here, there, target, cable) = (from.0, to.0, to.1.clone(), cable.clone());
    // The name of the other node is ours on this one: nobody else can be it, and what comes from there can be told apart.
    // Without that, one "hello" would go round and round for ever.
    from.1.post(ROOM, there, "I pass on what is said there.")?;
    spawn(move || {
        for message in messages.filter(|message| message.from != there) {
            // A subscription has no queue that could overflow: it reads on where it was, however long this waits.
            let mut cut = cable.cut.lock();
            cable.mended.wait_while(&mut cut, |cut| *cut);
            if let Err(error) = target.post(ROOM, here, &format!("{}: {}", message.from, message.body)) {
                println!("not passed on to {there}: {error}");
            }
        }
    });
    Ok(())
}

/// All messages of a node, in its own order.
fn all(node: &Handle) -> Result<Vec<Message>, Error> {
    let mut messages = node.subscribe_since(ROOM, 0)?;
    Ok(std::iter::from_fn(|| messages.next_within(Duration::ZERO)).collect())
}

fn show(north: &[Message], south: &[Message]) {
    println!("{:>6}  {:<40} south", "", "north");
    let text = |message: Option<&Message>| message.map(|m| format!("{}: {}", m.from, m.body)).unwrap_or_default();
    for at in 0..north.len().max(south.len()) {
        println!("{:>6}  {:<40} {}", at + 1, text(north.get(at)), text(south.get(at)));
    }
}
