//! A line to a database that breaks at the one moment at which it matters: while a commit is on its way.

use parking_lot::Mutex;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Passes bytes on to a database until a commit comes by.
pub struct Tripwire {
    pub address: SocketAddr,
    trap: Arc<Mutex<Trap>>,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Trap {
    /// Everything passes.
    #[default]
    Open,
    /// The next commit does not arrive.
    BeforeCommit,
    /// The next commit takes place, and nobody hears of it.
    AfterCommit,
    /// Everybody is let in, and nothing passes for now, as if the database hung.
    Held,
    /// Nothing passes, and nobody is let in.
    Shut,
}

impl Tripwire {
    pub fn to(database: SocketAddr) -> Tripwire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let trap = Arc::new(Mutex::new(Trap::Open));
        let shared = trap.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // An ended test holds it no more.
                if Arc::strong_count(&shared) == 1 {
                    return;
                }
                if *shared.lock() != Trap::Shut
                    && let Ok(server) = TcpStream::connect(database)
                {
                    relay(client, server, &shared);
                }
            }
        });
        Tripwire { address, trap }
    }

    pub fn set(&self, trap: Trap) {
        *self.trap.lock() = trap;
    }

    /// Whether it has snapped, or was never set.
    pub fn is_open(&self) -> bool {
        *self.trap.lock() == Trap::Open
    }
}

impl Drop for Tripwire {
    fn drop(&mut self) {
        self.trap = Arc::default();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay(client: TcpStream, server: TcpStream, trap: &Arc<Mutex<Trap>>) {
    let (to_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    // True: what the server says next is heard by nobody, and the line breaks.
    let snapped = Arc::new(Mutex::new(false));
    let (answers, own_trap) = (snapped.clone(), trap.clone());
    thread::spawn(move || {
        pass(from_server, to_client, |_| {
            held(&own_trap);
            *answers.lock() || *own_trap.lock() == Trap::Shut
        });
    });
    let trap = trap.clone();
    thread::spawn(move || {
        pass(client, server, |bytes| {
            held(&trap);
            let mut trap = trap.lock();
            // And not READ COMMITTED, which stands in settings.
            let is_commit =
                bytes.windows(6).enumerate().any(|(at, word)| word == b"COMMIT" && bytes.get(at + 6) != Some(&b'T'));
            match *trap {
                Trap::Shut => true,
                Trap::BeforeCommit if is_commit => {
                    *trap = Trap::Open;
                    true
                }
                Trap::AfterCommit if is_commit => {
                    *trap = Trap::Open;
                    *snapped.lock() = true;
                    false
                }
                _ => false,
            }
        });
    });
}

/// Waits for as long as nothing passes.
fn held(trap: &Mutex<Trap>) {
    while *trap.lock() == Trap::Held {
        thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Passes bytes on until `breaks` says of some that the line breaks before them.
fn pass(mut from: TcpStream, mut to: TcpStream, mut breaks: impl FnMut(&[u8]) -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        if breaks(&bytes[..n]) || to.write_all(&bytes[..n]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
