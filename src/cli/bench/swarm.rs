//! The clients: one thread holds all of them, and never waits for one.

use super::frames::Frame;
use super::link::{Heard, Link, Stage};
use super::options::Options;
use super::pages::{PAGE, Pages, depth};
use super::tally::{Stamp, Tally};
use super::target::{Cost, Target};
use rustix::event::{Timespec, epoll};
use serde::Deserialize;
use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Handshakes at the same time.
const KNOCKING: usize = 256;

/// What is not counted: the first of the messages find everything cold.
const WARM_UP: Duration = Duration::from_secs(1);

/// Between messages that only find out whether everybody is in.
const KNOCK: Duration = Duration::from_millis(20);

/// Columns of the bar that tells how far it is.
const BAR: usize = 30;

/// How long it may take until nothing more is in flight; and until everyone is in.
const PATIENCE: Duration = Duration::from_secs(10);
const ENTERING: Duration = Duration::from_secs(60);

/// Messages in flight while a room is filled.
const FILLING: usize = 1024;

/// What one read takes at most, in bytes; a message must fit.
const BUFFER: usize = 1 << 20;

pub struct Swarm<'a> {
    options: &'a Options,
    target: &'a Target,
    links: Vec<Link>,
    epoll: OwnedFd,
    tally: Tally,
    pages: Pages,
    /// The number given last in the room, as whoever joined was told.
    head: u64,
    start: Instant,
    /// Tells the messages of this run from those of others.
    run: String,
    buffer: Vec<u8>,
    ready: usize,
    gone: usize,
    /// Nobody asks for anything more.
    ended: bool,
    /// Why the server did not take something, the first time that it did not.
    refused: Option<String>,
}

/// What was measured while clients talked, or were only there.
pub struct Talk {
    pub seconds: f64,
    pub messages: u64,
    pub tally: Tally,
    pub pages: Pages,
    pub head: u64,
    pub gone: usize,
    pub costs: Option<[Cost; 2]>,
}

/// Posts what a room is to be full of, by a client that is gone when the others come.
pub fn fill(options: &Options, target: &Target) -> io::Result<()> {
    let one = Options { clients: 1, senders: 1, stuck: 0, idle: false, history: 0, ..options.clone() };
    let mut swarm = Swarm::new(&one, target)?;
    // The server may still know this one when the others come: it must not have the name of one of them.
    swarm.run += "-fill";
    swarm.connect()?;
    swarm.post(options.fill)
}

impl<'a> Swarm<'a> {
    pub fn new(options: &'a Options, target: &'a Target) -> io::Result<Swarm<'a>> {
        let senders = if options.is_silent() { 0 } else { options.senders };
        // A message reaches the clients of its sender's room.
        let in_room = |room: usize| (options.clients - room).div_ceil(options.rooms) as u32;
        let reach = (0..senders).map(|sender| in_room(sender % options.rooms)).collect();
        Ok(Swarm {
            options,
            target,
            links: Vec::with_capacity(options.clients + options.stuck),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            tally: Tally::new(options.clients, reach, options.plain).map_err(io::Error::other)?,
            pages: Pages::new(options.history).map_err(io::Error::other)?,
            head: 0,
            start: Instant::now(),
            run: format!("{:x}", std::process::id()),
            buffer: vec![0; BUFFER],
            ready: 0,
            gone: 0,
            ended: false,
            refused: None,
        })
    }

    /// Connects all clients, each into its room; how long that took.
    pub fn connect(&mut self) -> io::Result<Duration> {
        let begin = Instant::now();
        let all = self.all();
        while self.links.len() < all {
            let id = self.links.len();
            let name = format!("bench-{}-{id}", self.run);
            let open = if self.is_stuck(id) { Link::open_narrow } else { Link::open };
            let link = open(self.target, &name, self.options.plain)?;
            epoll::add(&self.epoll, &link.socket, epoll::EventData::new_u64(id as u64), epoll::EventFlags::IN)?;
            self.links.push(link);
            // The first of each room make it; the others must find it there.
            let most = if self.links.len() == self.options.rooms { 0 } else { KNOCKING };
            while self.links.len() - self.ready > most {
                self.enter(begin)?;
            }
        }
        while self.ready < all {
            self.enter(begin)?;
        }
        self.clear();
        Ok(begin.elapsed())
    }

    fn enter(&mut self, begin: Instant) -> io::Result<()> {
        self.turn(Duration::from_millis(100))?;
        if let Some(why) = &self.refused {
            return Err(io::Error::other(format!("the server refused: {why}")));
        }
        if self.gone > 0 || begin.elapsed() > ENTERING {
            return Err(io::Error::other(format!("of {} clients only {} came in", self.all(), self.ready)));
        }
        self.show(self.ready as f64, self.all() as f64, "clients");
        Ok(())
    }

    fn all(&self) -> usize {
        self.options.clients + self.options.stuck
    }

    fn is_stuck(&self, id: usize) -> bool {
        id >= self.options.clients
    }

    /// Posts so many messages, and waits until all of them are there.
    fn post(mut self, count: u64) -> io::Result<()> {
        let (mut posted, mut turn, mut last) = (0, 0, Instant::now());
        while posted < count || self.tally.waiting() > 0 {
            while posted < count && self.tally.waiting() < FILLING && self.say(&mut turn)? {
                posted += 1;
            }
            let before = self.tally.deliveries;
            self.turn(Duration::from_millis(100))?;
            let stored = self.tally.deliveries;
            if stored > before {
                last = Instant::now();
            }
            if let Some(why) = &self.refused {
                return Err(io::Error::other(format!("the room cannot be filled: {why}")));
            }
            if self.gone > 0 || last.elapsed() > PATIENCE {
                let why =
                    format!("the room cannot be filled: of {count} messages {stored} were stored, and then no more");
                return Err(io::Error::other(why));
            }
            self.show(stored as f64, count as f64, "messages");
        }
        self.clear();
        Ok(())
    }

    /// Lets the clients be there and say nothing.
    pub fn rest(mut self) -> io::Result<Talk> {
        let before = self.target.cost()?;
        let begin = Instant::now();
        let time = Duration::from_secs_f64(self.options.seconds);
        while begin.elapsed() < time {
            self.turn(Duration::from_millis(50))?;
            self.show(begin.elapsed().as_secs_f64(), self.options.seconds, "s");
        }
        self.clear();
        self.finish(begin, 0, before)
    }

    /// Has the senders send, and counts what arrives.
    pub fn talk(mut self) -> io::Result<Talk> {
        if self.options.plain {
            self.gather()?;
        }
        let time = Duration::from_secs_f64(self.options.seconds);
        let (mut begin, mut before) = (Instant::now(), None);
        let (mut messages, mut turn, mut counted) = (0u64, 0usize, false);
        let first = Instant::now();
        while !counted || begin.elapsed() < time {
            if !counted && first.elapsed() >= WARM_UP {
                self.tally.restart();
                (begin, before, messages, counted) = (Instant::now(), self.target.cost()?, 0, true);
            }
            let due = match self.options.rate {
                Some(rate) => {
                    let sent = messages as f64 / rate;
                    let since = if counted { begin } else { first };
                    let due = Duration::from_secs_f64(sent).saturating_sub(since.elapsed());
                    if due.is_zero() && self.tally.waiting() < 100_000 {
                        messages += u64::from(self.say(&mut turn)?);
                    }
                    due
                }
                None => {
                    while self.tally.waiting() < self.options.window && self.say(&mut turn)? {
                        messages += 1;
                    }
                    Duration::from_millis(100)
                }
            };
            self.turn(due.min(Duration::from_millis(100)))?;
            if self.gone == self.options.clients {
                break;
            }
            if counted {
                let seconds = begin.elapsed().as_secs_f64();
                let rate = self.tally.deliveries as f64 / seconds.max(0.001);
                self.show(seconds, self.options.seconds, &format!("s · {rate:.0} deliveries/s"));
            }
        }
        self.clear();
        self.finish(begin, messages, before)
    }

    /// Has the askers ask for one page after another, each as soon as it has the one before.
    pub fn browse(mut self) -> io::Result<Talk> {
        if self.head < 2 {
            let why = format!("the room has {} messages, too few to ask for those before: --fill it", self.head);
            return Err(io::Error::other(why));
        }
        let time = Duration::from_secs_f64(self.options.seconds);
        for asker in 0..self.pages.askers() {
            self.ask(asker)?;
        }
        let warm = Instant::now();
        self.listen(WARM_UP, warm)?;
        self.pages.restart();
        let (begin, before) = (Instant::now(), self.target.cost()?);
        self.listen(time, begin)?;
        self.clear();
        self.finish(begin, 0, before)
    }

    /// Takes pages until the time is up.
    fn listen(&mut self, time: Duration, begin: Instant) -> io::Result<()> {
        while begin.elapsed() < time && self.gone < self.options.clients {
            self.turn(Duration::from_millis(100))?;
            self.show(begin.elapsed().as_secs_f64(), time.as_secs_f64(), "s");
        }
        Ok(())
    }

    fn ask(&mut self, asker: usize) -> io::Result<()> {
        let before = depth(getrandom::u64().map_err(io::Error::other)?, self.head);
        let number = self.pages.asked(asker, self.start.elapsed().as_nanos() as u64);
        let room = self.room(asker);
        let request =
            format!(r#"{{"type":"history","room":"{room}","before":{before},"limit":{PAGE},"ref":{number}}}"#);
        self.links[asker].send(&request);
        self.watch(asker)
    }

    /// Where a server does not say when a client is in: one message after another, until each client has had one. Else
    /// all that may be in flight could be sent too early for one of them, and be waited for forever.
    fn gather(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        while !self.tally.has_reached_all() && self.gone == 0 && begin.elapsed() < PATIENCE {
            self.say(&mut 0)?;
            let sent = Instant::now();
            while sent.elapsed() < KNOCK && !self.tally.has_reached_all() {
                self.turn(KNOCK)?;
            }
        }
        Ok(())
    }

    fn finish(mut self, begin: Instant, messages: u64, before: Option<Cost>) -> io::Result<Talk> {
        let seconds = begin.elapsed().as_secs_f64();
        let after = self.target.cost()?;
        let (deliveries, bytes) = (self.tally.deliveries, self.tally.bytes);
        let (pages, page_bytes) = (self.pages.answered, self.pages.bytes);
        self.ended = true;
        let end = Instant::now();
        while self.tally.waiting() + self.pages.waiting() > 0
            && self.gone < self.options.clients
            && end.elapsed() < PATIENCE
        {
            self.turn(Duration::from_millis(100))?;
        }
        // What came after the end belongs to nothing that was measured.
        (self.tally.deliveries, self.tally.bytes) = (deliveries, bytes);
        (self.pages.answered, self.pages.bytes) = (pages, page_bytes);
        if let Some(why) = &self.refused {
            eprintln!("parlor: the server refused: {why}");
        }
        let costs = before.zip(after).map(|(before, after)| [before, after]);
        Ok(Talk { seconds, messages, tally: self.tally, pages: self.pages, head: self.head, gone: self.gone, costs })
    }

    /// The next sender sends its next message. False: there is nobody left who could.
    fn say(&mut self, turn: &mut usize) -> io::Result<bool> {
        for _ in 0..self.options.senders {
            let sender = *turn % self.options.senders;
            *turn += 1;
            if self.links[sender].stage != Stage::Ready {
                continue;
            }
            let sent = self.start.elapsed().as_nanos() as u64;
            let number = self.tally.sent(sender);
            let text = Stamp { sender, number, sent }.text(self.options.payload);
            let frame = if self.options.plain {
                format!("{}{text}{}", self.options.before, self.options.after)
            } else {
                let (room, run) = (self.room(sender), &self.run);
                format!(r#"{{"type":"post","room":"{room}","id":"{run}-{number:x}","body":"{text}"}}"#)
            };
            self.links[sender].send(&frame);
            self.watch(sender)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn room(&self, client: usize) -> String {
        if self.options.rooms == 1 { "lobby".into() } else { format!("bench-{}", client % self.options.rooms) }
    }

    /// Waits for something to arrive, at most so long, and takes what has.
    fn turn(&mut self, patience: Duration) -> io::Result<()> {
        let mut events = Vec::with_capacity(1024);
        let patience = Timespec::try_from(patience).unwrap_or_default();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&patience)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        for event in &events {
            self.hear(event.data.u64() as usize, &mut buffer)?;
        }
        self.buffer = buffer;
        Ok(())
    }

    fn hear(&mut self, id: usize, buffer: &mut [u8]) -> io::Result<()> {
        let now = self.start.elapsed().as_nanos() as u64;
        let (plain, payload) = (self.options.plain, self.options.payload);
        // A message ends with its text, and behind that, in JSON, with a quote and a brace.
        let behind = if plain { self.options.after.len() } else { 2 };
        let stuck = self.is_stuck(id);
        let (tally, pages, head, refused) = (&mut self.tally, &mut self.pages, &mut self.head, &mut self.refused);
        let (mut entered, mut joined, mut answered, mut exists) = (false, false, false, false);
        let link = &mut self.links[id];
        let before = link.stage;
        link.read(buffer, |stage, heard| match heard {
            Heard::Welcome => {
                *stage = if plain { Stage::Ready } else { Stage::Inside };
                (entered, joined) = (true, plain);
            }
            Heard::Frame(frame) => match text(&frame, plain, payload, behind) {
                Text::Message(stamp) if !stuck => tally.arrived(id, stamp, frame.payload.len(), now),
                Text::Page => answered |= pages.arrived(id, frame.payload, now),
                Text::Joined(last) => {
                    *head = last;
                    *stage = Stage::Ready;
                    joined = true;
                }
                // Made by a swarm before this one.
                Text::Refused(why) if why.contains(r#""code":"room_exists""#) => exists = true,
                Text::Refused(why) => drop(refused.get_or_insert(why)),
                Text::Message(_) | Text::Other => {}
            },
        })?;
        if entered && plain && !self.options.greet.is_empty() {
            self.links[id].send(&self.options.greet);
        }
        if (entered || exists) && !plain {
            let room = self.room(id);
            let frame = if self.options.rooms > 1 && id < self.options.rooms && !exists {
                format!(r#"{{"type":"create","room":"{room}"}}"#)
            } else {
                format!(r#"{{"type":"join","room":"{room}","last":0}}"#)
            };
            self.links[id].send(&frame);
        }
        self.ready += usize::from(joined);
        if self.links[id].stage == Stage::Gone {
            self.gone += usize::from(before != Stage::Gone);
            let _ = epoll::delete(&self.epoll, &self.links[id].socket);
            return Ok(());
        }
        if joined && stuck {
            // From here on nobody looks whether it is still there.
            return Ok(epoll::delete(&self.epoll, &self.links[id].socket)?);
        }
        if answered && !self.ended {
            return self.ask(id);
        }
        self.watch(id)
    }

    /// Has epoll tell when a socket takes more, while it has not taken everything.
    fn watch(&mut self, id: usize) -> io::Result<()> {
        let link = &mut self.links[id];
        let waits = link.flush();
        if std::mem::replace(&mut link.waits, waits) != waits {
            let flags = if waits { epoll::EventFlags::IN | epoll::EventFlags::OUT } else { epoll::EventFlags::IN };
            epoll::modify(&self.epoll, &link.socket, epoll::EventData::new_u64(id as u64), flags)?;
        }
        Ok(())
    }

    /// A bar on the terminal that tells how far it is.
    fn show(&self, done: f64, all: f64, what: &str) {
        let filled = (done / all * BAR as f64).clamp(0.0, BAR as f64) as usize;
        let bar = format!("{}{}", "━".repeat(filled), " ".repeat(BAR - filled));
        self.draw(&format!("{bar} {:.0} of {all:.0} {what}", done.min(all)));
    }

    fn draw(&self, line: &str) {
        if io::stderr().is_terminal() && !self.options.json {
            eprint!("\r\x1b[K{line}");
            let _ = io::stderr().flush();
        }
    }

    fn clear(&self) {
        self.draw("");
    }
}

/// What is read of `joined`.
#[derive(Deserialize)]
struct Joined {
    head: u64,
}

/// What a frame says.
enum Text {
    Message(Stamp),
    /// With the number given last in the room.
    Joined(u64),
    /// Of history.
    Page,
    Refused(String),
    Other,
}

fn text(frame: &Frame, plain: bool, payload: usize, behind: usize) -> Text {
    let bytes = frame.payload;
    let is_message = plain || bytes.starts_with(br#"{"type":"message""#);
    if is_message && let Some(start) = bytes.len().checked_sub(payload + behind) {
        return Stamp::of(&bytes[start..]).map_or(Text::Other, Text::Message);
    }
    if !plain && bytes.starts_with(br#"{"type":"history""#) {
        return Text::Page;
    }
    if !plain && bytes.starts_with(br#"{"type":"joined""#) {
        return serde_json::from_slice(bytes).map_or(Text::Other, |Joined { head }| Text::Joined(head));
    }
    if !plain && bytes.starts_with(br#"{"type":"error""#) {
        return Text::Refused(String::from_utf8_lossy(bytes).into_owned());
    }
    Text::Other
}
