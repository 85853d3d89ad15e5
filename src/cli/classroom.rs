//! `parlor --classroom`: a lesson. Everything is in memory, the teacher has the class read only at a key, and at the end
//! the lesson is a page that can be handed out.

use super::lesson;
use parking_lot::Mutex;
use parlor::{Builder, Error, Handle, Subscription};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The name that the program writes under.
const TEACHER: &str = "Teacher";

const QUIET: &str = "Eyes on me, please: reading only until I say so.";
const SPEAK: &str = "Thank you. You may write again.";
const REFUSED: &str = "your teacher asked for quiet: reading only just now";

/// What the teacher may press.
pub const KEYS: [&str; 4] =
    ["r  reading only, on and off", "s  say something to all", "c  how to join, again", "q  end of the lesson"];

/// One lesson.
#[derive(Clone, Default)]
pub struct Classroom {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    reading_only: AtomicBool,
    pupils: Mutex<BTreeSet<String>>,
    /// What was said, to be read at the end: a subscription outlives the server.
    rooms: Mutex<Vec<(String, Subscription)>>,
    /// How the terminal was before single keys were read.
    terminal: Mutex<Option<Termios>>,
}

/// What the teacher pressed.
#[derive(Debug, PartialEq)]
enum Key {
    ReadingOnly,
    Say(String),
    Code,
    End,
}

impl Classroom {
    /// Gives the server what a lesson needs.
    pub fn equip(&self, builder: Builder) -> Builder {
        let (gate, register) = (self.inner.clone(), self.inner.clone());
        builder
            .memory()
            .reserve(TEACHER)
            .on_message(move |_| if gate.reading_only.load(SeqCst) { Err(REFUSED.into()) } else { Ok(()) })
            .on_join(move |person, _| register.pupils.lock().extend([person.to_owned()]))
    }

    /// Listens to the teacher's keys, on a thread of its own, which ends with the process.
    pub fn attend(&self, server: Handle, code: String) -> Result<(), Error> {
        let lesson = self.clone();
        let attend = move || {
            let single = lesson.read_single_keys();
            while let Ok(Some(key)) = lesson.key(single) {
                lesson.obey(key, &server, &code);
            }
        };
        let thread = std::thread::Builder::new().name("keys".into()).spawn(attend);
        thread.map(drop).map_err(|e| Error::System("cannot watch the keys", e))
    }

    /// Ends the lesson: what was said is kept for [`Classroom::export`], then the server stops.
    pub fn end(&self, server: &Handle) {
        let rooms = server.rooms().unwrap_or_default().into_iter();
        // What was said behind closed doors is not the lesson's.
        let open = rooms.filter(|room| room.kind == "public");
        let told = open.filter_map(|room| Some((room.title, server.subscribe_since(&room.room, 0).ok()?)));
        let mut kept = self.inner.rooms.lock();
        if kept.is_empty() {
            kept.extend(told);
        }
        server.shutdown();
    }

    /// Writes the lesson down, once the server has stopped, and says where.
    pub fn export(&self) -> Result<(), Error> {
        self.give_terminal_back();
        let rooms = std::mem::take(&mut *self.inner.rooms.lock());
        let rooms: Vec<(String, Vec<parlor::Message>)> =
            rooms.into_iter().map(|(title, messages)| (title, messages.collect())).collect();
        if rooms.iter().all(|(_, messages)| messages.is_empty()) {
            println!("Nothing was written in this lesson, so there is nothing to keep.");
            return Ok(());
        }
        let pupils: Vec<String> = std::mem::take(&mut *self.inner.pupils.lock()).into_iter().collect();
        let path = lesson::write(&rooms, &pupils).map_err(|why| Error::System("the lesson is lost", why))?;
        println!("The lesson is in {}", path.display());
        Ok(())
    }

    /// Puts the terminal back as it was.
    pub fn give_terminal_back(&self) {
        if let Some(before) = self.inner.terminal.lock().take() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
        }
    }

    fn obey(&self, key: Key, server: &Handle, code: &str) {
        match key {
            Key::ReadingOnly => {
                let quiet = !self.inner.reading_only.fetch_xor(true, SeqCst);
                println!("{}", if quiet { "The class can only read now." } else { "The class can write again." });
                tell(server, if quiet { QUIET } else { SPEAK });
            }
            Key::Say(text) => tell(server, &text),
            Key::Code => print!("{code}"),
            Key::End => self.end(server),
        }
        let _ = io::stdout().flush();
    }

    /// Whether keys come one by one: on a terminal. From elsewhere come lines.
    fn read_single_keys(&self) -> bool {
        if !io::stdin().is_terminal() {
            return false;
        }
        let Ok(before) = tcgetattr(io::stdin()) else { return false };
        let mut single = before.clone();
        single.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        *self.inner.terminal.lock() = Some(before);
        tcsetattr(io::stdin(), OptionalActions::Now, &single).is_ok()
    }

    /// The next key; None at the end of the input.
    fn key(&self, single: bool) -> io::Result<Option<Key>> {
        loop {
            let mut line = String::new();
            if single {
                let mut byte = [0];
                if io::stdin().read(&mut byte)? == 0 {
                    return Ok(None);
                }
                line.push(byte[0].into());
                if byte[0] == b's' {
                    self.give_terminal_back();
                    print!("Say to all: ");
                    io::stdout().flush()?;
                    io::stdin().lock().read_line(&mut line)?;
                    self.read_single_keys();
                }
            } else if io::stdin().lock().read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if let Some(key) = Key::of(&line) {
                return Ok(Some(key));
            }
        }
    }
}

impl Key {
    fn of(line: &str) -> Option<Key> {
        let mut rest = line.chars();
        match (rest.next()?, rest.as_str().trim()) {
            ('r', "") => Some(Key::ReadingOnly),
            ('c', "") => Some(Key::Code),
            ('q', "") => Some(Key::End),
            ('s', text) if !text.is_empty() => Some(Key::Say(text.to_owned())),
            _ => None,
        }
    }
}

/// Says something in every room where somebody is.
fn tell(server: &Handle, text: &str) {
    let mut rooms = server.rooms().unwrap_or_default();
    rooms.retain(|room| server.people(&room.room).is_ok_and(|people| !people.is_empty()));
    if rooms.is_empty() {
        println!("Nobody is here to read it.");
    }
    for room in rooms {
        if let Err(why) = server.post(&room.room, TEACHER, text) {
            eprintln!("parlor: {}: {why}", room.title);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_anything_else_is_let_fall() {
        assert_eq!(Key::of("r\n"), Some(Key::ReadingOnly));
        assert_eq!(Key::of("s Open page 12, please\n"), Some(Key::Say("Open page 12, please".into())));
        assert_eq!([Key::of("c"), Key::of("q\n")], [Some(Key::Code), Some(Key::End)]);
        for nothing in ["", "\n", "s", "s \n", "read", "é"] {
            assert_eq!(Key::of(nothing), None, "{nothing:?}");
        }
    }
}
