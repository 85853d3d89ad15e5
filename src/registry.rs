//! The registry: rooms, who is in them, and the frames they sent lately.
//!
//! Pure: no I/O and no clock. `M` is whatever reaches a member; the dispatcher puts outboxes there, a test puts numbers.

use crate::cluster::crowd::{Crowd, Elsewhere};
use crate::name::{PersonName, RoomName};
use crate::peer::{ClientId, Tongue};
use crate::store::{Rev, Room, RoomId};
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Rooms with more people than this are told how many, not who; nor who is writing.
pub const NAMED: usize = 100;

/// At most one presence frame a room in this time.
const PRESENCE_EVERY: Duration = Duration::from_secs(1);

/// What a room remembers of its line: so many frames, so many bytes.
const RING_FRAMES: usize = 4096;
const RING_BYTES: usize = 512 * 1024;

/// One message, encoded for each tongue.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its number on the room's line.
    pub rev: Rev,
    /// For `parlor.v1`.
    pub json: Bytes,
    /// For plain text; empty where that has no word for it.
    pub plain: Bytes,
}

/// Rooms and their members.
pub struct Registry<M> {
    clients: HashMap<ClientId, Client<M>>,
    /// By folded name.
    people: HashMap<String, Vec<ClientId>>,
    rooms: HashMap<RoomId, Line<M>>,
    /// When which room tells who came and went.
    due: BinaryHeap<Reverse<(Instant, RoomId)>>,
    /// The most that a step onto a line hands over at once, in bytes.
    stride: usize,
    /// Who is in which room at other nodes.
    elsewhere: HashMap<RoomId, Elsewhere>,
    /// Rooms where somebody came or went since that was last taken; None: nobody takes it.
    changed: Option<HashSet<RoomId>>,
}

struct Client<M> {
    name: PersonName,
    tongue: Tongue,
    reach: M,
    rooms: Vec<RoomId>,
}

/// A room's line, and who stands on it.
struct Line<M> {
    name: RoomName,
    /// The number sent last; nothing was sent since the start if there is none.
    head: Option<Rev>,
    ring: VecDeque<Frame>,
    ring_bytes: usize,
    /// Frames at the end of the ring that were not delivered yet.
    pending: usize,
    members: Vec<Member<M>>,
    places: HashMap<ClientId, usize>,
    /// How many connections each person has here.
    people: HashMap<PersonName, usize>,
    presence: Presence,
}

struct Member<M> {
    client: ClientId,
    tongue: Tongue,
    /// It was sent everything up to here by its own thread.
    after: Rev,
    reach: M,
}

/// Who came (true) and went (false) since it was last told.
#[derive(Default)]
struct Presence {
    changes: HashMap<PersonName, bool>,
    is_due: bool,
    told: Option<Instant>,
    /// The last time it was told, the room was too big for names.
    was_nameless: bool,
    /// How many are here has changed, and it is not known who.
    recounted: bool,
}

/// What came of stepping onto a line.
#[derive(Debug, PartialEq)]
pub enum Stepped {
    /// The client is a member now. It gets the frames, then `joined` with the rest.
    Onto {
        /// What it still lacks, in its tongue.
        frames: Vec<Bytes>,
        /// The number up to which it then has everything.
        head: Rev,
        /// How many people are here.
        count: usize,
        /// Who, where the room is small enough.
        members: Option<Vec<PersonName>>,
    },
    /// The line has gone on further than the ring remembers, or than one step may hand over. It is no member.
    Behind(Rev),
}

/// What the members of a room were handed and took.
#[derive(Debug, Default, PartialEq)]
pub struct Delivered {
    /// Messages, each member counted.
    pub frames: u64,
    /// Their bytes as frames.
    pub bytes: u64,
}

/// A room's news of who is here.
#[derive(Debug, PartialEq)]
pub struct News {
    /// Which room.
    pub id: RoomId,
    /// Its name.
    pub room: RoomName,
    /// How many people are here now.
    pub count: usize,
    /// What is told of their names.
    pub names: Names,
}

/// What is told of names.
#[derive(Debug, PartialEq)]
pub enum Names {
    /// Too many for names.
    Untold,
    /// Who came and who went.
    Changes(Vec<PersonName>, Vec<PersonName>),
    /// All, for a room that was too big a moment ago.
    All(Vec<PersonName>),
}

impl<M: Clone> Registry<M> {
    /// Nobody, nowhere. A step onto a line will hand over `stride` bytes at the most: what an outbox has room for.
    pub fn new(stride: usize) -> Registry<M> {
        let due = BinaryHeap::new();
        let (clients, people, rooms, elsewhere) = Default::default();
        Registry { clients, people, rooms, due, stride, elsewhere, changed: None }
    }

    /// One of several: it remembers where somebody came or went.
    pub fn among_others(self) -> Registry<M> {
        Registry { changed: Some(HashSet::new()), ..self }
    }

    /// The rooms where somebody came or went since this was last asked.
    pub fn take_changed(&mut self) -> Vec<RoomId> {
        self.changed.as_mut().map(|changed| changed.drain().collect()).unwrap_or_default()
    }

    /// Whether there are any.
    pub fn has_changed(&self) -> bool {
        self.changed.as_ref().is_some_and(|changed| !changed.is_empty())
    }

    /// All rooms where somebody is.
    pub fn rooms_with_people(&self) -> Vec<RoomId> {
        self.rooms.iter().filter(|(_, line)| !line.people.is_empty()).map(|(room, _)| *room).collect()
    }

    /// Who is in a room at this node, as others are told.
    pub fn crowd(&self, room: RoomId) -> Crowd {
        match self.rooms.get(&room) {
            None => Crowd::Names(Vec::new()),
            Some(line) if line.people.len() > NAMED => Crowd::Count(line.people.len()),
            Some(line) => Crowd::Names(line.people.keys().map(|name| name.as_str().to_owned()).collect()),
        }
    }

    /// Who is in a room at another node, in the place of what was known.
    pub fn put_elsewhere(&mut self, node: &str, room: RoomId, crowd: Crowd, now: Instant) {
        let there = self.elsewhere.entry(room).or_default();
        let Some(line) = self.rooms.get_mut(&room) else { return there.put(node, crowd) };
        let names = |there: &Elsewhere| there.names().into_iter().map(str::to_owned).collect::<HashSet<_>>();
        let (before, count) = (names(there), line.count(Some(there)));
        there.put(node, crowd);
        let after = names(there);
        let named = |names: &[&HashSet<String>; 2]| {
            let names = names[0].difference(names[1]).map(|name| PersonName::trusted(name));
            names.filter(|name| !line.people.contains_key(name)).collect::<Vec<_>>()
        };
        let (came, went) = (named(&[&after, &before]), named(&[&before, &after]));
        line.presence.recounted |= line.count(Some(there)) != count;
        let is_told = line.presence.recounted || !came.is_empty() || !went.is_empty();
        came.into_iter().for_each(|name| line.presence.change(name, true));
        went.into_iter().for_each(|name| line.presence.change(name, false));
        if is_told {
            let due = line.presence.due(now);
            self.due.extend(due.map(|at| Reverse((at, room))));
        }
    }

    /// Another node has nobody but in these rooms.
    pub fn keep_elsewhere(&mut self, node: &str, rooms: &[RoomId], now: Instant) {
        let others: Vec<RoomId> = self.elsewhere.keys().filter(|room| !rooms.contains(room)).copied().collect();
        for room in others {
            self.put_elsewhere(node, room, Crowd::Names(Vec::new()), now);
        }
        self.elsewhere.retain(|_, there| !there.is_empty());
    }

    /// A client came.
    pub fn open(&mut self, client: ClientId, name: PersonName, tongue: Tongue, reach: M) {
        self.people.entry(name.folded()).or_default().push(client);
        self.clients.insert(client, Client { name, tongue, reach, rooms: Vec::new() });
    }

    /// A client is gone, and with it from all its rooms.
    pub fn close(&mut self, client: ClientId, now: Instant) {
        let Some(gone) = self.clients.remove(&client) else { return };
        for room in gone.rooms {
            self.take_from(client, &gone.name, room, now);
        }
        let folded = gone.name.folded();
        if let Some(others) = self.people.get_mut(&folded) {
            others.retain(|other| *other != client);
            if others.is_empty() {
                self.people.remove(&folded);
            }
        }
    }

    /// A client that was sent everything up to `since` steps onto the line. None: there is no such client.
    ///
    /// Numbers above the line's head may have been read from the store before they are pushed here; a member is not
    /// sent what it has.
    pub fn join(&mut self, client: ClientId, room: &Room, since: Rev, now: Instant) -> Option<Stepped> {
        self.leave(client, room.id, now);
        let who = self.clients.get_mut(&client)?;
        let line = self.rooms.entry(room.id).or_insert_with(|| Line::new(room.name.clone()));
        let head = line.head.unwrap_or(since);
        let begin = line.ring.partition_point(|frame| frame.rev <= since);
        let covered = since >= head || line.ring.get(begin).is_some_and(|next| next.rev == since + 1);
        let frames = line.ring.range(begin..).map(|frame| frame.of(who.tongue));
        let frames: Vec<Bytes> = frames.filter(|frame| !frame.is_empty()).collect();
        if !covered || frames.iter().map(Bytes::len).sum::<usize>() > self.stride {
            return Some(Stepped::Behind(head));
        }
        let after = head.max(since);
        line.places.insert(client, line.members.len());
        line.members.push(Member { client, tongue: who.tongue, after, reach: who.reach.clone() });
        who.rooms.push(room.id);
        let name = who.name.clone();
        let connections = line.people.entry(name.clone()).or_insert(0);
        *connections += 1;
        let there = self.elsewhere.get(&room.id);
        if *connections == 1 {
            self.changed.as_mut().map(|changed| changed.insert(room.id));
        }
        if *connections == 1 && !there.is_some_and(|there| there.has(&name)) {
            line.presence.change(name, true);
            let due = line.presence.due(now);
            self.due.extend(due.map(|at| Reverse((at, room.id))));
        }
        Some(Stepped::Onto { frames, head: after, count: line.count(there), members: line.names(there) })
    }

    /// A client leaves a room; it is nothing if it was not there.
    pub fn leave(&mut self, client: ClientId, room: RoomId, now: Instant) {
        let Some(who) = self.clients.get_mut(&client) else { return };
        let before = who.rooms.len();
        who.rooms.retain(|other| *other != room);
        if who.rooms.len() < before {
            let name = who.name.clone();
            self.take_from(client, &name, room, now);
        }
    }

    fn take_from(&mut self, client: ClientId, name: &PersonName, room: RoomId, now: Instant) {
        let Some(line) = self.rooms.get_mut(&room) else { return };
        let Some(place) = line.places.remove(&client) else { return };
        line.members.swap_remove(place);
        if let Some(moved) = line.members.get(place) {
            line.places.insert(moved.client, place);
        }
        let connections = line.people.entry(name.clone()).or_insert(1);
        *connections -= 1;
        if *connections > 0 {
            return;
        }
        line.people.remove(name);
        self.changed.as_mut().map(|changed| changed.insert(room));
        if !self.elsewhere.get(&room).is_some_and(|there| there.has(name)) {
            line.presence.change(name.clone(), false);
            let due = line.presence.due(now);
            self.due.extend(due.map(|at| Reverse((at, room))));
        }
    }

    /// The next frame of a room's line; it waits for [`Registry::deliver`]. True: it is the first that waits there.
    pub fn push(
        &mut self,
        room: RoomId,
        name: impl FnOnce() -> RoomName,
        frame: impl FnOnce(&RoomName) -> Frame,
    ) -> bool {
        let line = self.rooms.entry(room).or_insert_with(|| Line::new(name()));
        let frame = frame(&line.name);
        line.head = Some(frame.rev);
        line.ring_bytes += frame.weight();
        line.ring.push_back(frame);
        line.pending += 1;
        line.trim();
        line.pending == 1
    }

    /// Hands what waits in a room to each member that does not have it yet; `to` says whether it was taken.
    pub fn deliver(&mut self, room: RoomId, mut to: impl FnMut(&M, &[Bytes]) -> bool) -> Delivered {
        let mut delivered = Delivered::default();
        let Some(line) = self.rooms.get_mut(&room) else { return delivered };
        let pending = line.ring.range(line.ring.len() - line.pending..);
        let json = Waiting::of(pending.clone().map(|frame| (frame.rev, frame.json.clone())));
        let plain = Waiting::of(pending.map(|frame| (frame.rev, frame.plain.clone())));
        line.pending = 0;
        for member in &line.members {
            let waiting = if member.tongue == Tongue::Json { &json } else { &plain };
            let (frames, bytes) = waiting.after(member.after);
            if !frames.is_empty() && to(&member.reach, frames) {
                delivered.frames += frames.len() as u64;
                delivered.bytes += bytes;
            }
        }
        line.trim();
        delivered
    }

    /// A client by its number.
    pub fn client(&self, client: ClientId) -> Option<&M> {
        self.clients.get(&client).map(|who| &who.reach)
    }

    /// All, however they speak.
    pub fn all(&self) -> impl Iterator<Item = &M> {
        self.clients.values().map(|who| &who.reach)
    }

    /// All who speak `parlor.v1`.
    pub fn everyone(&self) -> impl Iterator<Item = &M> {
        self.clients.values().filter(|who| who.tongue == Tongue::Json).map(|who| &who.reach)
    }

    /// The members of a room who speak so.
    pub fn members(&self, room: RoomId, tongue: Tongue) -> impl Iterator<Item = &M> {
        let members = self.rooms.get(&room).map(|line| line.members.as_slice()).unwrap_or_default();
        members.iter().filter(move |member| member.tongue == tongue).map(|member| &member.reach)
    }

    /// Who is in a room, and on how many connections.
    pub fn people(&self, room: RoomId) -> Vec<(String, usize)> {
        let people = self.rooms.get(&room).into_iter().flat_map(|line| &line.people);
        people.map(|(name, connections)| (name.as_str().to_owned(), *connections)).collect()
    }

    /// All connections of a person, whose name is compared as names are.
    pub fn person(&self, folded: &str) -> Vec<&M> {
        let own = self.people.get(folded).map(Vec::as_slice).unwrap_or_default();
        own.iter().filter_map(|client| self.client(*client)).collect()
    }

    /// How many clients and how many people there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.clients.len(), self.people.len())
    }

    /// Whether a client is in a room.
    pub fn is_in(&self, client: ClientId, room: RoomId) -> bool {
        self.rooms.get(&room).is_some_and(|line| line.places.contains_key(&client))
    }

    /// Whom to tell that a client's person is writing: the others in the room, if it is small and the client is in it.
    pub fn watchers(&self, client: ClientId, room: RoomId) -> Vec<&M> {
        let Some((who, line)) = self.clients.get(&client).zip(self.rooms.get(&room)) else { return Vec::new() };
        if line.places.contains_key(&client) { self.watchers_of(&who.name, room) } else { Vec::new() }
    }

    /// The same for a person, who may be at another node.
    pub fn watchers_of(&self, person: &PersonName, room: RoomId) -> Vec<&M> {
        let Some(line) = self.rooms.get(&room) else { return Vec::new() };
        if line.count(self.elsewhere.get(&room)) > NAMED {
            return Vec::new();
        }
        let own = self.people.get(&person.folded()).map(Vec::as_slice).unwrap_or_default();
        let others =
            line.members.iter().filter(|member| member.tongue == Tongue::Json && !own.contains(&member.client));
        others.map(|member| &member.reach).collect()
    }

    /// The other connections of a client's person, of those who speak `parlor.v1`.
    pub fn others(&self, client: ClientId) -> Vec<&M> {
        let Some(who) = self.clients.get(&client) else { return Vec::new() };
        let own = self.people.get(&who.name.folded()).map(Vec::as_slice).unwrap_or_default();
        let others = own.iter().filter(|other| **other != client).filter_map(|other| self.clients.get(other));
        others.filter(|other| other.tongue == Tongue::Json).map(|other| &other.reach).collect()
    }

    /// Everyone who sees that person's name: who is in a small room with one of the person's connections, those included.
    /// The name is folded.
    pub fn around(&self, folded: &str) -> Vec<&M> {
        let own = self.people.get(folded).into_iter().flatten().filter_map(|client| self.clients.get(client));
        let mut rooms: HashSet<RoomId> = own.flat_map(|client| client.rooms.iter().copied()).collect();
        let is_there =
            |there: &Elsewhere| there.names().into_iter().any(|name| PersonName::trusted(name).folded() == folded);
        rooms.extend(self.elsewhere.iter().filter(|(_, there)| is_there(there)).map(|(room, _)| *room));
        let lines = rooms.iter().filter_map(|room| Some((self.rooms.get(room)?, self.elsewhere.get(room))));
        let small = lines.filter(|(line, there)| line.count(*there) <= NAMED);
        let members = small.flat_map(|(line, _)| &line.members).filter(|member| member.tongue == Tongue::Json);
        let each: HashMap<ClientId, &M> = members.map(|member| (member.client, &member.reach)).collect();
        each.into_values().collect()
    }

    /// When [`Registry::news`] has something to tell.
    pub fn news_due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Who came and went, in each room whose time has come.
    pub fn news(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        while let Some(Reverse((at, room))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            if let Some(line) = self.rooms.get_mut(&room) {
                news.extend(line.news(room, self.elsewhere.get(&room), now));
            }
        }
        news
    }
}

impl<M> Line<M> {
    fn new(name: RoomName) -> Line<M> {
        Line {
            name,
            head: None,
            ring: VecDeque::new(),
            ring_bytes: 0,
            pending: 0,
            members: Vec::new(),
            places: HashMap::new(),
            people: HashMap::new(),
            presence: Presence::default(),
        }
    }

    /// Forgets the oldest frames past the bound, but none that is not delivered.
    fn trim(&mut self) {
        while self.ring.len() > self.pending && (self.ring.len() > RING_FRAMES || self.ring_bytes > RING_BYTES) {
            let Some(oldest) = self.ring.pop_front() else { return };
            self.ring_bytes -= oldest.weight();
        }
    }

    /// How many people are here, with those at other nodes.
    fn count(&self, there: Option<&Elsewhere>) -> usize {
        let Some(there) = there else { return self.people.len() };
        let others = there.names().into_iter().filter(|name| !self.people.contains_key(&PersonName::trusted(name)));
        self.people.len() + others.count() + there.nameless()
    }

    fn names(&self, there: Option<&Elsewhere>) -> Option<Vec<PersonName>> {
        (self.count(there) <= NAMED).then(|| {
            let others = there.into_iter().flat_map(Elsewhere::names).map(PersonName::trusted);
            let others = others.filter(|name| !self.people.contains_key(name));
            let mut names: Vec<PersonName> = self.people.keys().cloned().chain(others).collect();
            names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            names
        })
    }

    fn news(&mut self, id: RoomId, there: Option<&Elsewhere>, now: Instant) -> Option<News> {
        let (came, went): (Vec<_>, Vec<_>) = self.presence.changes.drain().partition(|(_, came)| *came);
        self.presence.is_due = false;
        if !std::mem::take(&mut self.presence.recounted) && came.is_empty() && went.is_empty() {
            return None;
        }
        self.presence.told = Some(now);
        let count = self.count(there);
        let was_nameless = std::mem::replace(&mut self.presence.was_nameless, count > NAMED);
        let names = match self.names(there) {
            None => Names::Untold,
            Some(all) if was_nameless => Names::All(all),
            Some(_) => {
                let names = |changes: Vec<(PersonName, bool)>| changes.into_iter().map(|(name, _)| name).collect();
                Names::Changes(names(came), names(went))
            }
        };
        Some(News { id, room: self.name.clone(), count, names })
    }
}

impl Presence {
    /// The last change of each person counts. One who came and went between two frames is still told of: somebody may
    /// have joined meanwhile and been given his name.
    fn change(&mut self, name: PersonName, came: bool) {
        self.changes.insert(name, came);
    }

    /// When to tell, if that is not settled already.
    fn due(&mut self, now: Instant) -> Option<Instant> {
        if std::mem::replace(&mut self.is_due, true) {
            return None;
        }
        Some(self.told.map_or(now, |told| now.max(told + PRESENCE_EVERY)))
    }
}

impl Frame {
    fn of(&self, tongue: Tongue) -> Bytes {
        match tongue {
            Tongue::Json => self.json.clone(),
            Tongue::Plain => self.plain.clone(),
        }
    }

    fn weight(&self) -> usize {
        self.json.len() + self.plain.len() + size_of::<Frame>()
    }
}

/// What is to be delivered in one tongue.
struct Waiting {
    revs: Vec<Rev>,
    frames: Vec<Bytes>,
    /// Summed once, so that a member costs two additions.
    bytes: Vec<u64>,
}

impl Waiting {
    fn of(frames: impl Iterator<Item = (Rev, Bytes)>) -> Waiting {
        let (revs, frames): (_, Vec<Bytes>) = frames.filter(|(_, frame)| !frame.is_empty()).unzip();
        let bytes = bytes_from(&frames);
        Waiting { revs, frames, bytes }
    }

    fn after(&self, rev: Rev) -> (&[Bytes], u64) {
        let begin = self.revs.partition_point(|other| *other <= rev);
        (&self.frames[begin..], self.bytes[begin])
    }
}

/// The bytes from each frame on to the last, and 0 behind it.
fn bytes_from(frames: &[Bytes]) -> Vec<u64> {
    let mut bytes = vec![0; frames.len() + 1];
    for (at, frame) in frames.iter().enumerate().rev() {
        bytes[at] = bytes[at + 1] + frame.len() as u64;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).unwrap()
    }

    fn room(id: RoomId) -> Room {
        Room {
            id,
            name: RoomName::parse(&format!("r{id}")).unwrap(),
            title: String::new(),
            topic: String::new(),
            kind: Kind::Public,
            archived: false,
            slow: 0,
            read_only: false,
            head: 0,
        }
    }

    struct Scene {
        registry: Registry<ClientId>,
        now: Instant,
    }

    impl Scene {
        fn new() -> Scene {
            Scene { registry: Registry::new(64 * 1024), now: Instant::now() }
        }
        fn open(&mut self, id: ClientId, who: &str) {
            self.registry.open(id, name(who), Tongue::Json, id);
        }
        fn join(&mut self, id: ClientId, since: Rev) -> Stepped {
            self.registry.join(id, &room(1), since, self.now).unwrap()
        }
        fn push(&mut self, rev: Rev) {
            let text = |_: &RoomName| Frame { rev, json: rev.to_string().into(), plain: format!("p{rev}").into() };
            self.registry.push(1, || room(1).name, text);
        }
        fn deliver(&mut self) -> Vec<(ClientId, String)> {
            let mut sent = Vec::new();
            self.registry.deliver(1, |to, frames| {
                let texts: Vec<&str> = frames.iter().map(|f| std::str::from_utf8(f).unwrap()).collect();
                sent.push((*to, texts.join(" ")));
                true
            });
            sent.sort();
            sent
        }
        fn pass(&mut self, time: Duration) {
            self.now += time;
        }
    }

    fn frames(stepped: Stepped) -> (Vec<String>, Rev) {
        match stepped {
            Stepped::Onto { frames, head, .. } => {
                (frames.iter().map(|f| String::from_utf8(f.to_vec()).unwrap()).collect(), head)
            }
            behind => panic!("{behind:?}"),
        }
    }

    #[test]
    fn what_was_taken_is_counted_with_its_bytes() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.registry.open(2, name("bob"), Tongue::Plain, 2);
        scene.open(3, "eve");
        for id in [1, 2] {
            scene.join(id, 0);
        }
        // She has read 1 from the store before it was pushed here.
        scene.join(3, 1);
        for rev in [1, 2] {
            scene.push(rev);
        }
        // In JSON a frame has one byte here, in plain text two.
        assert_eq!(scene.registry.deliver(1, |_, _| true), Delivered { frames: 2 + 2 + 1, bytes: 2 + 4 + 1 });
        scene.push(3);
        assert_eq!(scene.registry.deliver(1, |to, _| *to == 2), Delivered { frames: 1, bytes: 2 });
        assert_eq!(scene.registry.deliver(1, |_, _| true), Delivered::default());
        assert_eq!(scene.registry.deliver(2, |_, _| true), Delivered::default(), "no such room");
    }

    #[test]
    fn who_sees_a_name_is_around_that_person_once_and_not_in_a_big_room() {
        let mut scene = Scene::new();
        for (id, who) in [(1, "Ann"), (2, "ann"), (3, "bob"), (4, "eve")] {
            scene.open(id, who);
        }
        scene.registry.open(5, name("line"), Tongue::Plain, 5);
        for (id, in_room) in [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (5, 1), (4, 3)] {
            scene.registry.join(id, &room(in_room), 0, scene.now);
        }
        let around = |scene: &Scene| {
            let mut all: Vec<_> = scene.registry.around(&name("ANN").folded()).into_iter().copied().collect();
            all.sort_unstable();
            all
        };
        assert_eq!(around(&scene), [1, 2, 3]);
        for id in 100..100 + NAMED as ClientId {
            scene.open(id, &format!("p{id}"));
            scene.join(id, 0);
        }
        assert_eq!(around(&scene), [2, 3], "the second room alone");
        assert_eq!(scene.registry.around("nobody"), [] as [&ClientId; 0]);
    }

    #[test]
    fn each_member_is_handed_what_waits_once() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.open(2, "bob");
        scene.join(1, 0);
        scene.join(2, 0);
        scene.push(1);
        scene.push(2);
        assert_eq!(scene.deliver(), [(1, "1 2".into()), (2, "1 2".into())]);
        assert_eq!(scene.deliver(), []);
        scene.registry.leave(2, 1, scene.now);
        scene.push(3);
        assert_eq!(scene.deliver(), [(1, "3".into())]);
    }

    #[test]
    fn a_newcomer_gets_the_rest_of_the_ring_and_then_what_follows() {
        let mut scene = Scene::new();
        for rev in 5..=8 {
            scene.push(rev);
        }
        scene.deliver();
        scene.open(1, "ann");
        assert_eq!(frames(scene.join(1, 6)), (vec!["7".into(), "8".into()], 8));
        scene.push(9);
        assert_eq!(scene.deliver(), [(1, "9".into())]);
    }

    #[test]
    fn a_newcomer_gets_what_waits_only_once() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.push(1);
        assert_eq!(frames(scene.join(1, 0)), (vec!["1".into()], 1));
        assert_eq!(scene.deliver(), [], "it came with the join");
    }

    #[test]
    fn what_was_read_from_the_store_before_it_was_pushed_is_not_sent_again() {
        let mut scene = Scene::new();
        scene.push(1);
        scene.deliver();
        scene.open(1, "ann");
        assert_eq!(frames(scene.join(1, 3)), (vec![], 3));
        scene.push(2);
        scene.push(3);
        scene.push(4);
        assert_eq!(scene.deliver(), [(1, "4".into())]);
    }

    #[test]
    fn before_anything_is_pushed_any_number_is_the_head() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        assert_eq!(frames(scene.join(1, 41)), (vec![], 41));
        scene.push(42);
        assert_eq!(scene.deliver(), [(1, "42".into())]);
    }

    #[test]
    fn who_is_further_behind_than_the_ring_reads_on_elsewhere() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        let last = RING_FRAMES as Rev + 100;
        for rev in 1..=last {
            scene.push(rev);
            scene.deliver();
        }
        assert_eq!(scene.join(1, 10), Stepped::Behind(last));
        assert_eq!(scene.deliver(), [], "it is no member yet");
        assert_eq!(frames(scene.join(1, 2000)).0.len() as Rev, last - 2000);
    }

    #[test]
    fn one_step_hands_over_no_more_than_a_stride() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        for rev in 1..=10 {
            let frame = |_: &RoomName| Frame { rev, json: vec![0; 10 * 1024].into(), plain: Bytes::new() };
            scene.registry.push(1, || room(1).name, frame);
            scene.deliver();
        }
        assert_eq!(scene.join(1, 0), Stepped::Behind(10));
        let Stepped::Onto { frames, head, .. } = scene.join(1, 4) else { panic!() };
        assert_eq!((frames.len(), head), (6, 10));
    }

    #[test]
    fn the_ring_is_bounded_in_bytes() {
        let mut scene = Scene::new();
        for rev in 1..=100 {
            let frame = |_: &RoomName| Frame { rev, json: vec![0; 8192].into(), plain: vec![0; 8192].into() };
            scene.registry.push(1, || room(1).name, frame);
            scene.deliver();
        }
        assert!(scene.registry.rooms[&1].ring.len() <= RING_BYTES / 16384);
    }

    #[test]
    fn each_tongue_gets_its_own_frames() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.registry.open(2, name("bob"), Tongue::Plain, 2);
        scene.join(1, 0);
        scene.join(2, 0);
        scene.push(1);
        assert_eq!(scene.deliver(), [(1, "1".into()), (2, "p1".into())]);
        assert_eq!(scene.registry.everyone().collect::<Vec<_>>(), [&1]);
    }

    #[test]
    fn a_tongue_without_a_word_for_it_is_handed_nothing() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.registry.open(2, name("bob"), Tongue::Plain, 2);
        scene.join(1, 0);
        scene.join(2, 0);
        let silent = |rev: Rev| move |_: &RoomName| Frame { rev, json: rev.to_string().into(), plain: Bytes::new() };
        scene.registry.push(1, || room(1).name, silent(1));
        scene.push(2);
        scene.registry.push(1, || room(1).name, silent(3));
        assert_eq!(scene.deliver(), [(1, "1 2 3".into()), (2, "p2".into())]);
        scene.registry.push(1, || room(1).name, silent(4));
        assert_eq!(scene.registry.deliver(1, |_, _| true), Delivered { frames: 1, bytes: 1 });
        assert_eq!(frames(scene.join(2, 1)), (vec!["p2".into()], 4));
    }

    #[test]
    fn every_leave_undoes_its_join() {
        let mut scene = Scene::new();
        for id in 1..=50 {
            scene.open(id, &format!("p{}", id % 7));
            scene.join(id, 0);
        }
        for id in (1..=50).rev().step_by(2).chain((1..=50).step_by(2)) {
            scene.registry.close(id, scene.now);
            scene.registry.close(id, scene.now);
        }
        let line = &scene.registry.rooms[&1];
        assert!(line.members.is_empty() && line.places.is_empty() && line.people.is_empty());
        assert!(scene.registry.clients.is_empty() && scene.registry.people.is_empty());
    }

    #[test]
    fn joining_again_is_being_there_once() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.join(1, 0);
        scene.push(1);
        assert_eq!(frames(scene.join(1, 0)), (vec!["1".into()], 1));
        scene.push(2);
        assert_eq!(scene.deliver(), [(1, "2".into())]);
    }

    #[test]
    fn a_person_is_there_once_however_many_connections() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.open(2, "ann");
        scene.open(3, "bob");
        scene.join(1, 0);
        scene.join(2, 0);
        let Stepped::Onto { count, members, .. } = scene.join(3, 0) else { panic!() };
        assert_eq!((count, members), (2, Some(vec![name("ann"), name("bob")])));
        assert_eq!(scene.registry.others(1), [&2]);
        assert_eq!(scene.registry.watchers(1, 1), [&3], "not the writer's own");
        assert_eq!(scene.registry.watchers(1, 9), Vec::<&ClientId>::new());
    }

    #[test]
    fn presence_is_told_at_most_once_a_second_and_only_the_difference() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.open(2, "bob");
        scene.join(1, 0);
        let told = scene.registry.news(scene.now);
        assert_eq!(told[0].names, Names::Changes(vec![name("ann")], vec![]));
        scene.join(2, 0);
        assert_eq!(scene.registry.news(scene.now), [], "not yet");
        assert_eq!(scene.registry.news_due(), Some(scene.now + PRESENCE_EVERY));
        scene.registry.leave(1, 1, scene.now);
        scene.pass(PRESENCE_EVERY);
        let told = scene.registry.news(scene.now);
        assert_eq!((told[0].count, &told[0].names), (1, &Names::Changes(vec![name("bob")], vec![name("ann")])));
        assert_eq!(scene.registry.news_due(), None);
    }

    #[test]
    fn one_who_comes_and_goes_at_once_is_told_of_to_who_was_given_his_name() {
        let mut scene = Scene::new();
        scene.open(1, "ann");
        scene.open(2, "bob");
        scene.join(1, 0);
        scene.registry.news(scene.now);
        scene.join(2, 0);
        scene.open(3, "eve");
        let Stepped::Onto { members, .. } = scene.join(3, 0) else { panic!() };
        assert!(members.unwrap().contains(&name("bob")));
        scene.registry.leave(2, 1, scene.now);
        scene.pass(PRESENCE_EVERY);
        let told = scene.registry.news(scene.now);
        assert_eq!((told[0].count, &told[0].names), (2, &Names::Changes(vec![name("eve")], vec![name("bob")])));
    }

    #[test]
    fn who_is_at_another_node_is_here_once_and_told_of_when_that_changes() {
        let mut scene = Scene::new();
        scene.registry = scene.registry.among_others();
        let there = |names: &[&str]| Crowd::Names(names.iter().map(|name| name.to_string()).collect());
        scene.registry.put_elsewhere("b", 1, there(&["bob", "ann"]), scene.now);
        scene.open(1, "ann");
        let Stepped::Onto { count, members, .. } = scene.join(1, 0) else { panic!() };
        assert_eq!((count, members), (2, Some(vec![name("ann"), name("bob")])));
        assert_eq!(scene.registry.news(scene.now), [], "she was here before");
        assert_eq!((scene.registry.take_changed(), scene.registry.crowd(1)), (vec![1], there(&["ann"])));
        scene.registry.put_elsewhere("c", 1, there(&["eve", "bob"]), scene.now);
        let told = scene.registry.news(scene.now);
        assert_eq!((told[0].count, &told[0].names), (3, &Names::Changes(vec![name("eve")], vec![])));
        assert_eq!(scene.registry.watchers_of(&name("bob"), 1), [&1]);
        scene.pass(PRESENCE_EVERY);
        scene.registry.keep_elsewhere("b", &[], scene.now);
        assert_eq!(scene.registry.news(scene.now), [], "bob is at c, too");
        scene.registry.put_elsewhere("c", 1, Crowd::Count(NAMED), scene.now);
        let told = scene.registry.news(scene.now);
        assert_eq!((told[0].count, &told[0].names), (NAMED + 1, &Names::Untold));
        assert_eq!(scene.registry.watchers_of(&name("bob"), 1), Vec::<&ClientId>::new());
        scene.pass(PRESENCE_EVERY);
        scene.registry.keep_elsewhere("c", &[2], scene.now);
        let told = scene.registry.news(scene.now);
        assert_eq!((told[0].count, &told[0].names), (1, &Names::All(vec![name("ann")])));
        scene.registry.close(1, scene.now);
        assert_eq!((scene.registry.take_changed(), scene.registry.crowd(1)), (vec![1], there(&[])));
    }

    #[test]
    fn a_big_room_has_a_count_and_names_again_when_it_shrinks() {
        let mut scene = Scene::new();
        for id in 1..=NAMED as u64 + 1 {
            scene.open(id, &format!("p{id}"));
            scene.join(id, 0);
        }
        let told = scene.registry.news(scene.now);
        assert_eq!((told[0].count, &told[0].names), (NAMED + 1, &Names::Untold));
        assert_eq!(scene.registry.watchers(1, 1), Vec::<&ClientId>::new());
        scene.registry.close(1, scene.now);
        scene.pass(PRESENCE_EVERY);
        let told = scene.registry.news(scene.now);
        let Names::All(all) = &told[0].names else { panic!("{told:?}") };
        assert_eq!(all.len(), NAMED);
    }
}
