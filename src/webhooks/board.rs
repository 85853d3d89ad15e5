//! The board: what there is to send, as far as it is known without asking the store.

use crate::store::{Message, Rev, RoomId, WebhookId};
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// For each room the number after which something may have to be sent.
pub type Rooms = BTreeMap<RoomId, Rev>;

/// What there is to send, as far as it is known without asking the store.
#[derive(Default)]
pub struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    posts: HashMap<WebhookId, Post>,
    stopping: bool,
    /// Another node sends.
    follows: bool,
}

/// One webhook.
#[derive(Default)]
struct Post {
    /// None: what speaks to its person, in any room.
    room: Option<RoomId>,
    /// Where something has been said since.
    touched: Rooms,
    /// How far it has come in each room.
    marks: Rooms,
    /// When it is to be sent to; None: there is nothing to do, or it is paused.
    due: Option<Instant>,
    /// A thread is at it.
    busy: bool,
    paused: bool,
}

/// How a round went.
pub enum Went {
    /// Nothing is left.
    Through,
    /// There is more in these rooms.
    On(Rooms),
    /// It failed; there is more in these rooms, when so much time has passed.
    Failed(Rooms, Duration),
    /// It has failed too often.
    Paused(Rooms),
    /// There is no such webhook any more.
    Gone,
}

impl Board {
    /// Takes note of what was stored. Called by the recorder: it waits for nothing.
    pub fn ring<'m>(&self, stored: impl Iterator<Item = &'m Message>) {
        let mut state = self.state.lock();
        if state.posts.is_empty() {
            return;
        }
        let mut woken = false;
        for message in stored {
            // Whom a text speaks to is found out later, but without an @ it is nobody.
            let speaks = message.body.contains('@');
            for post in state.posts.values_mut() {
                if post.room.map_or(speaks, |room| room == message.room) {
                    post.touched.entry(message.room).or_insert(message.rev - 1);
                    woken |= post.wake();
                }
            }
        }
        drop(state);
        if woken {
            self.changed.notify_all();
        }
    }

    /// Takes note of a webhook that was made, or was there from the start, with its marks and what is after them.
    pub fn add(&self, id: WebhookId, room: Option<RoomId>, marks: Rooms, touched: Rooms, paused: bool) {
        let mut state = self.state.lock();
        let post = state.posts.entry(id).or_default();
        if post.busy {
            // It is being sent to; what that does not reach comes after.
            post.touched.extend(touched);
            post.paused = paused;
        } else {
            *post = Post { room, marks, touched, paused, ..Post::default() };
            if !post.touched.is_empty() {
                post.wake();
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Takes note that a webhook was paused or resumed.
    pub fn pause(&self, id: &str, paused: bool) {
        if let Some(post) = self.state.lock().posts.get_mut(id) {
            post.paused = paused;
            post.due = (!paused && !post.touched.is_empty()).then(Instant::now);
        }
        self.changed.notify_all();
    }

    /// Takes note that a webhook was taken away.
    pub fn remove(&self, id: &str) {
        self.state.lock().posts.remove(id);
    }

    /// The next webhook whose time has come; None: it is time to stop.
    pub fn take(&self) -> Option<(WebhookId, Rooms, Rooms)> {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return None;
            }
            if state.follows {
                self.changed.wait(&mut state);
                continue;
            }
            let free = state.posts.iter_mut().filter(|(_, post)| !post.busy);
            let next = free.filter_map(|(id, post)| Some((post.due?, id.clone(), post))).min_by_key(|(due, ..)| *due);
            match next {
                Some((due, id, post)) if due <= Instant::now() => {
                    (post.busy, post.due) = (true, None);
                    return Some((id, std::mem::take(&mut post.touched), post.marks.clone()));
                }
                Some((due, ..)) => drop(self.changed.wait_until(&mut state, due)),
                None => self.changed.wait(&mut state),
            }
        }
    }

    pub fn put_back(&self, id: &str, marks: Rooms, went: Went) {
        let mut state = self.state.lock();
        let Some(post) = state.posts.get_mut(id) else { return };
        (post.busy, post.marks) = (false, marks);
        let (left, wait) = match went {
            Went::Through => (Rooms::new(), Duration::ZERO),
            Went::On(left) => (left, Duration::ZERO),
            Went::Failed(left, wait) => (left, wait),
            Went::Paused(left) => {
                post.paused = true;
                (left, Duration::ZERO)
            }
            Went::Gone => return drop(state.posts.remove(id)),
        };
        // What was touched meanwhile lies behind.
        post.touched.extend(left);
        post.due = (!post.paused && !post.touched.is_empty()).then(|| Instant::now() + wait);
        drop(state);
        self.changed.notify_all();
    }

    /// Whether this node sends, of several.
    #[cfg(feature = "cluster")]
    pub fn lead(&self, leads: bool) {
        self.state.lock().follows = !leads;
        self.changed.notify_all();
    }

    /// Forgets those that are not among these.
    #[cfg(feature = "cluster")]
    pub fn keep(&self, all: &[WebhookId]) {
        self.state.lock().posts.retain(|id, _| all.contains(id));
    }

    /// Has the threads end when they are done with what they have in hand.
    pub fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }
}

impl Post {
    /// Whether that changes when it is due. One that waits to be tried again goes on waiting.
    fn wake(&mut self) -> bool {
        let wakes = self.due.is_none() && !self.busy && !self.paused;
        if wakes {
            self.due = Some(Instant::now());
        }
        wakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::PersonName;
    use crate::store::Time;

    fn said(room: RoomId, rev: Rev, body: &str) -> Message {
        Message::born(room, rev, rev.to_string(), PersonName::trusted("ann"), Time(0), body.into(), None)
    }

    fn board() -> Board {
        let board = Board::default();
        board.add("room".into(), Some(1), Rooms::new(), Rooms::new(), false);
        board
    }

    #[test]
    fn what_is_said_is_noted_once_and_from_the_first_on() {
        let board = board();
        board.ring([&said(2, 1, "elsewhere")].into_iter());
        board.ring([&said(1, 5, "a")].into_iter());
        board.ring([&said(1, 6, "b")].into_iter());
        let (id, touched, _) = board.take().unwrap();
        assert_eq!((id.as_str(), touched), ("room", Rooms::from([(1, 4)])));
        board.ring([&said(1, 7, "meanwhile")].into_iter());
        board.put_back("room", Rooms::from([(1, 6)]), Went::Through);
        let (_, touched, marks) = board.take().unwrap();
        assert_eq!((touched, marks), (Rooms::from([(1, 6)]), Rooms::from([(1, 6)])));
        board.put_back("room", Rooms::new(), Went::Gone);
        board.ring([&said(1, 8, "gone")].into_iter());
        board.stop();
        assert!(board.take().is_none());
    }

    #[test]
    fn one_that_is_for_mentions_sleeps_through_all_else() {
        let board = Board::default();
        board.add("bot".into(), None, Rooms::new(), Rooms::new(), false);
        board.ring([&said(1, 1, "nobody")].into_iter());
        assert!(board.state.lock().posts["bot"].due.is_none());
        board.ring([&said(1, 2, "@bot")].into_iter());
        assert_eq!(board.take().unwrap().1, Rooms::from([(1, 1)]));
    }

    #[test]
    fn what_failed_waits_and_what_is_paused_keeps_what_it_has_to_send() {
        let board = board();
        board.ring([&said(1, 1, "a")].into_iter());
        let (id, touched, marks) = board.take().unwrap();
        board.put_back(&id, marks, Went::Failed(touched, Duration::from_secs(500)));
        let due = board.state.lock().posts["room"].due.unwrap();
        assert!(due > Instant::now() + Duration::from_secs(400));
        board.ring([&said(1, 2, "b")].into_iter());
        assert_eq!(board.state.lock().posts["room"].due, Some(due), "it goes on waiting");
        board.pause("room", true);
        board.ring([&said(1, 3, "c")].into_iter());
        assert_eq!(board.state.lock().posts["room"].due, None);
        board.pause("room", false);
        assert_eq!(board.take().unwrap().1, Rooms::from([(1, 0)]));
    }
}
