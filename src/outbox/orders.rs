//! Every order in which threads can come upon an outbox.
//!
//! What threads share of it is touched under its lock, or, while one of them writes, not at all. So there is nothing
//! between two orders but what happens first under the lock, and what happens while somebody writes: these are all
//! tried, one after the other, by a single thread that does in the middle of a write what another would. That needs no
//! types of a model checker in the code that is checked.

use super::*;
use crate::flusher;
use crossbeam_channel::Receiver;
use std::io;
use std::sync::{OnceLock, Weak};

/// What some thread may do, each once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    /// Two frames, and another.
    SendTwo,
    SendOne,
    /// More than is held for a client that does not read.
    SendMuch,
    Close,
    /// The welcome, which comes before all else; until then nothing leaves.
    Begin,
    /// The client reads so many bytes.
    Read(usize),
    /// The flusher comes round.
    Flush,
}

/// A socket that has other things happen while somebody writes to it.
struct Stage {
    scene: Mutex<Scene>,
    outbox: OnceLock<Weak<Outbox>>,
    told: Receiver<Arc<Outbox>>,
    /// Told when there is room again, as a transport through memory; otherwise the flusher polls.
    when_writable: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
    is_memory: bool,
}

struct Scene {
    left: Vec<Act>,
    choices: Choices,
    room: usize,
    was_full: bool,
    taken: Vec<u8>,
    /// What was accepted, in order.
    accepted: Vec<Bytes>,
    closed: bool,
    /// What the flusher watches.
    watched: Vec<Arc<Outbox>>,
}

/// The way through a tree of choices: those that are given, then always the first.
#[derive(Default)]
struct Choices {
    given: Vec<usize>,
    widths: Vec<usize>,
}

impl Choices {
    fn one_of(&mut self, width: usize) -> usize {
        let at = self.widths.len();
        self.widths.push(width);
        if at == self.given.len() {
            self.given.push(0);
        }
        self.given[at]
    }

    /// The next way that was not gone yet.
    fn next(mut self) -> Option<Choices> {
        while let Some(last) = self.given.pop() {
            if last + 1 < self.widths[self.given.len()] {
                self.given.push(last + 1);
                return Some(Choices { given: self.given, widths: Vec::new() });
            }
        }
        None
    }
}

impl Transport for Stage {
    fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize> {
        self.meanwhile();
        let wrote = {
            let scene = &mut *self.scene.lock();
            let before = scene.room;
            for frame in frames {
                let part = &frame[..frame.len().min(scene.room)];
                scene.taken.extend_from_slice(part);
                scene.room -= part.len();
                scene.was_full |= part.len() < frame.len();
            }
            before - scene.room
        };
        self.meanwhile();
        if wrote == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(wrote) }
    }
    fn when_writable(&self, tell: Box<dyn Fn() + Send + Sync>) {
        *self.when_writable.lock() = Some(Arc::from(tell));
    }
    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
    fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn set_patience(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }
    fn write_all(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn end_writing(&self) {}
    fn end_reading(&self) {}
    fn hang_up(&self) {}
}

impl Stage {
    /// While somebody writes another thread does one thing, or none.
    fn meanwhile(&self) {
        let act = {
            let scene = &mut *self.scene.lock();
            let count = scene.left.len();
            match scene.choices.one_of(count + 1) {
                0 => None,
                chosen => Some(scene.left.remove(chosen - 1)),
            }
        };
        if let Some(act) = act {
            self.act(act);
        }
    }

    fn act(&self, act: Act) {
        match act {
            Act::SendTwo => self.send(&["<two>", "<frames>"]),
            Act::SendOne => self.send(&["<one>"]),
            Act::SendMuch => self.send(&[&format!("<much>{}", "x".repeat(150))]),
            Act::Close => {
                let is_open = self.outbox().is_open();
                self.outbox().close(1001, "bye");
                if is_open {
                    let mut scene = self.scene.lock();
                    scene.accepted.push(frame::close(1001, "bye"));
                    scene.closed = true;
                }
            }
            Act::Begin => {
                let welcome = Bytes::from_static(b"<welcome>");
                if self.outbox().is_open() {
                    self.scene.lock().accepted.insert(0, welcome.clone());
                }
                self.outbox().begin(&[welcome]);
            }
            Act::Read(bytes) => {
                let was_full = {
                    let mut scene = self.scene.lock();
                    scene.room += bytes;
                    std::mem::take(&mut scene.was_full)
                };
                if was_full && self.is_memory {
                    let tell = self.when_writable.lock().clone();
                    tell.expect("whom to tell")();
                }
            }
            Act::Flush => self.flusher_comes_round(),
        }
    }

    fn send(&self, texts: &[&str]) {
        let frames: Vec<Bytes> = texts.iter().map(|text| Bytes::from(text.as_bytes().to_vec())).collect();
        // What comes while this writes, comes behind it.
        let at = {
            let mut scene = self.scene.lock();
            let at = scene.accepted.len();
            scene.accepted.extend(frames.iter().cloned());
            at
        };
        let was_open = self.outbox().is_open();
        self.outbox().send(&frames);
        if !was_open {
            self.scene.lock().accepted.drain(at..at + frames.len());
        }
    }

    fn flusher_comes_round(&self) {
        let mut watched = std::mem::take(&mut self.scene.lock().watched);
        watched.extend(self.told.try_iter());
        watched.retain(|outbox| match outbox.left_to_do() {
            Watch::Done => false,
            Watch::Until(_) => true,
            Watch::Writable(_) => {
                if !self.is_memory && self.scene.lock().room > 0 {
                    outbox.flush();
                }
                true
            }
        });
        self.scene.lock().watched.extend(watched);
    }

    fn outbox(&self) -> Arc<Outbox> {
        self.outbox.get().and_then(Weak::upgrade).expect("an outbox")
    }
}

/// Goes one way to its end, and gives its choices.
fn go(choices: Choices, acts: &[Act], room: usize, is_memory: bool) -> Choices {
    let (flusher, told) = flusher::handle_for_tests();
    let scene = Scene {
        left: acts.to_vec(),
        choices,
        room,
        was_full: false,
        taken: Vec::new(),
        accepted: Vec::new(),
        closed: false,
        watched: Vec::new(),
    };
    let (scene, outbox, when_writable) = (Mutex::new(scene), OnceLock::new(), Mutex::new(None));
    let stage = Arc::new(Stage { scene, outbox, told, when_writable, is_memory });
    let outbox = Outbox::new(stage.clone(), flusher, 200, Counter::default());
    assert!(stage.outbox.set(Arc::downgrade(&outbox)).is_ok());
    if acts.contains(&Act::Begin) {
        outbox.hold();
    }
    loop {
        let act = {
            let scene = &mut *stage.scene.lock();
            if scene.left.is_empty() {
                break;
            }
            let chosen = scene.choices.one_of(scene.left.len());
            scene.left.remove(chosen)
        };
        stage.act(act);
    }
    // The client reads on, and the flusher comes round until it has nothing to do any more.
    stage.act(Act::Read(10_000));
    (0..4).for_each(|_| stage.flusher_comes_round());
    check(&stage, &outbox);
    // The stage holds the outbox, and the outbox the stage.
    stage.told.try_iter().for_each(drop);
    let scene = &mut *stage.scene.lock();
    scene.watched.clear();
    std::mem::take(&mut scene.choices)
}

/// Everything that was accepted has left, whole and in order, and nothing else; or the client was sent away.
fn check(stage: &Stage, outbox: &Outbox) {
    let scene = stage.scene.lock();
    let way = || format!("{:?}: {:?}", scene.choices.given, String::from_utf8_lossy(&scene.taken));
    let watch = outbox.left_to_do();
    if outbox.evictions.get() == 0 {
        assert!(scene.taken == scene.accepted.concat(), "not what was accepted, {}", way());
        assert_eq!(matches!(watch, Watch::Until(_)), scene.closed, "{}", way());
    } else {
        let goodbye = frame::close(close::TOO_SLOW, "too slow: come back with since");
        let frames = scene.taken.strip_suffix(&goodbye[..]).unwrap_or_else(|| panic!("no goodbye, {}", way()));
        let mut begins = (0..=scene.accepted.len()).map(|count| scene.accepted[..count].concat());
        assert!(begins.any(|begin| begin == frames), "a frame is missing or cut, {}", way());
        assert_eq!((outbox.evictions.get(), outbox.evicted()), (1, true), "{}", way());
    }
    let is_watched = scene.watched.iter().any(|watched| std::ptr::eq(&**watched, outbox));
    assert_eq!(watch != Watch::Done, is_watched, "the flusher knows what it has to do, {watch:?}, {}", way());
}

fn every_order(acts: &[Act], is_memory: bool) {
    let mut ways = 0;
    for room in [0, 7, 1000] {
        let mut next = Some(Choices::default());
        while let Some(choices) = next {
            next = go(choices, acts, room, is_memory).next();
            ways += 1;
        }
    }
    assert!(ways > 1000, "{ways} orders of {acts:?} are not all");
}

#[test]
fn in_every_order_what_is_accepted_leaves_whole_or_the_client_is_sent_away() {
    for is_memory in [false, true] {
        every_order(&[Act::SendTwo, Act::SendOne, Act::Close, Act::Read(6), Act::Flush], is_memory);
        every_order(&[Act::SendTwo, Act::SendOne, Act::SendMuch, Act::Read(6), Act::Flush], is_memory);
        every_order(&[Act::SendTwo, Act::SendMuch, Act::Close, Act::Read(6), Act::Flush], is_memory);
        every_order(&[Act::SendTwo, Act::Read(6), Act::Read(9), Act::Flush, Act::Flush], is_memory);
        every_order(&[Act::Begin, Act::SendOne, Act::Close, Act::Read(6), Act::Flush], is_memory);
        every_order(&[Act::Begin, Act::SendTwo, Act::SendMuch, Act::Read(6), Act::Flush], is_memory);
    }
}
