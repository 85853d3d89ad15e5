//! The line between browser and server as a cable that the test holds in its hand.
#![allow(dead_code, reason = "each test binary uses a part")]

use parking_lot::{Condvar, Mutex};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Passes bytes on to a server until it is cut. Its own address stays, wherever it leads.
pub struct Cable {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    released: Condvar,
}

struct State {
    target: SocketAddr,
    passes: Passes,
    /// What the server says is held back.
    held: bool,
    /// The end of what the server says is kept from the browser.
    lingers: bool,
    /// Both ends of each connection.
    ends: Vec<TcpStream>,
    /// After how many bytes of one direction a new connection breaks.
    frays: Option<Frays>,
}

type Frays = Box<dyn FnMut() -> usize + Send>;

#[derive(Clone, Copy, PartialEq)]
enum Passes {
    Everything,
    /// The page and the API, but no chat.
    Page,
    Nothing,
    /// The test is over.
    Ended,
}

impl Cable {
    pub fn to(target: SocketAddr) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (passes, ends) = (Passes::Everything, Vec::new());
        let state = State { target, passes, held: false, lingers: false, ends, frays: None };
        let inner = Arc::new(Inner { state: Mutex::new(state), released: Condvar::new() });
        let shared = inner.clone();
        thread::spawn(move || {
            for browser in listener.incoming().flatten() {
                if shared.state.lock().passes == Passes::Ended {
                    return;
                }
                let shared = shared.clone();
                thread::spawn(move || connect(browser, &shared));
            }
        });
        Cable { address, inner }
    }

    /// Every connection breaks without a word, and a new one gets nowhere.
    pub fn cut(&self) {
        self.pass(Passes::Nothing);
    }

    /// The same, but the page can still be loaded.
    pub fn cut_chat(&self) {
        self.pass(Passes::Page);
    }

    pub fn mend(&self) {
        self.inner.state.lock().passes = Passes::Everything;
    }

    /// What the server says is held back from now on, and lost if the cable is cut; what the browser says still
    /// arrives.
    pub fn hold(&self) {
        self.inner.state.lock().held = true;
    }

    pub fn release(&self) {
        self.inner.state.lock().held = false;
        self.inner.released.notify_all();
    }

    /// When the server hangs up, the browser hears its last words, but not the click.
    pub fn linger(&self) {
        self.inner.state.lock().lingers = true;
    }

    /// New connections break by themselves, in the middle of a frame or anywhere, once so many bytes have gone one way;
    /// it is asked for each way of each connection.
    pub fn fray(&self, bytes: impl FnMut() -> usize + Send + 'static) {
        self.inner.state.lock().frays = Some(Box::new(bytes));
    }

    /// They do no longer.
    pub fn is_whole(&self) {
        self.inner.state.lock().frays = None;
    }

    /// New connections lead to another server.
    pub fn lead_to(&self, target: SocketAddr) {
        self.inner.state.lock().target = target;
    }

    fn pass(&self, passes: Passes) {
        let mut state = self.inner.state.lock();
        state.passes = passes;
        for end in state.ends.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
        state.held = false;
        state.lingers = false;
        self.inner.released.notify_all();
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.pass(Passes::Ended);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn connect(browser: TcpStream, inner: &Arc<Inner>) {
    let (target, chooses, upward, downward) = {
        let state = &mut *inner.state.lock();
        if matches!(state.passes, Passes::Nothing | Passes::Ended) {
            return;
        }
        state.ends.push(browser.try_clone().unwrap());
        let mut breaks = || state.frays.as_mut().map_or(usize::MAX, |bytes| bytes());
        (state.target, state.passes == Passes::Page, breaks(), breaks())
    };
    let mut start = [0; 7];
    // Otherwise it may be for the server to speak first.
    while chooses && browser.peek(&mut start).is_ok_and(|n| n > 0 && n < start.len()) {
        thread::yield_now();
    }
    let Ok(server) = TcpStream::connect(target) else {
        let _ = browser.shutdown(Shutdown::Both);
        return;
    };
    {
        let mut state = inner.state.lock();
        let passes = match state.passes {
            Passes::Everything => true,
            Passes::Page => start != *b"GET /ws",
            Passes::Nothing | Passes::Ended => false,
        };
        if !passes {
            let _ = browser.shutdown(Shutdown::Both);
            return;
        }
        state.ends.push(server.try_clone().unwrap());
    }
    let (from, to) = (browser.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        pump(&from, &to, upward, || {});
        let _ = to.shutdown(Shutdown::Write);
    });
    pump(&server, &browser, downward, || inner.released.wait_while(&mut inner.state.lock(), |state| state.held));
    if !inner.state.lock().lingers {
        let _ = browser.shutdown(Shutdown::Write);
    }
}

/// Passes on what comes, until that ends or so many bytes have passed: then the connection breaks, both ways.
fn pump(mut from: &TcpStream, mut to: &TcpStream, mut left: usize, wait: impl Fn()) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        wait();
        let passes = n.min(left);
        left -= passes;
        if to.write_all(&bytes[..passes]).is_err() {
            return;
        }
        if left == 0 {
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            return;
        }
    }
}
