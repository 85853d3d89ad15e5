//! The doors: which rooms are open to all, who is in those that are not, and what that lets each person do.
//!
//! A mirror of what the store keeps, so that nobody waits for a database to be let in or turned away. Only the recorder
//! changes it: after a commit, and before anyone hears of that. It is also what the recorder judges a record by, so what is
//! stored was allowed at that moment.

use crate::event::Recorded;
use crate::name::{PersonName, RoomName};
use crate::protocol::{Code, Problem};
use crate::sanctions::Sanctions;
use crate::store::{Change, Kind, Membership, Outcome, Record, Role, Room, RoomId, SLOWEST};
use parking_lot::{Mutex, RwLock};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// What lets a person into a room. Whoever is removed and invited again has another one. 0: the room is open to all.
pub type Ticket = u64;

/// All rooms' doors. The lock is held to look something up, never over anything that waits.
pub struct Doors {
    rooms: RwLock<HashMap<RoomId, Door>>,
    /// The ticket that was given last.
    given: AtomicU64,
    /// How many people were removed from rooms: who looks at it knows when to look at the own tickets.
    removals: AtomicU64,
    /// Who may not speak, and who may not come in at all.
    pub sanctions: Sanctions,
    /// When whom has spoken last, by folded name, in rooms that are slow.
    spoken: Mutex<HashMap<(RoomId, String), Instant>>,
}

/// People remembered who spoke in slow rooms, before those are let go who may speak again anyway.
const SPOKEN: usize = 10_000;

struct Door {
    name: RoomName,
    title: String,
    topic: String,
    kind: Kind,
    archived: bool,
    slow: u32,
    read_only: bool,
    maker: Option<PersonName>,
    /// By folded name.
    members: BTreeMap<String, Member>,
}

struct Member {
    name: PersonName,
    ticket: Ticket,
}

/// What is said of a room besides the room itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Who may change it, besides those who look after all rooms.
    pub maker: Option<PersonName>,
    /// Whom a direct room is for; empty for others.
    pub people: Vec<PersonName>,
}

impl Doors {
    /// The doors of these rooms.
    pub fn new(rooms: Vec<Membership>) -> Doors {
        let doors = Doors {
            rooms: RwLock::default(),
            given: AtomicU64::new(0),
            removals: AtomicU64::new(0),
            sanctions: Sanctions::default(),
            spoken: Mutex::default(),
        };
        for Membership { room, maker, members } in rooms {
            doors.build(&room, maker, &members);
        }
        doors
    }

    fn build(&self, room: &Room, maker: Option<PersonName>, members: &[PersonName]) {
        let (name, members) = (room.name.clone(), members.iter().map(|name| self.member(name)).collect());
        let (title, topic) = (room.title.clone(), room.topic.clone());
        let Room { kind, archived, slow, read_only, .. } = *room;
        let door = Door { name, title, topic, kind, archived, slow, read_only, maker, members };
        self.rooms.write().insert(room.id, door);
    }

    fn member(&self, name: &PersonName) -> (String, Member) {
        let ticket = self.given.fetch_add(1, SeqCst) + 1;
        (name.folded(), Member { name: name.clone(), ticket })
    }

    /// What lets a person into a room; None: nothing does, and they know of no such room.
    pub fn ticket(&self, room: RoomId, person: &PersonName) -> Option<Ticket> {
        self.rooms.read().get(&room)?.ticket(person)
    }

    /// The rooms that are not open to all, and to this person are.
    pub fn closed_rooms_of(&self, person: &PersonName) -> Vec<RoomId> {
        let (rooms, folded) = (self.rooms.read(), person.folded());
        let own = rooms.iter().filter(|(_, door)| door.kind != Kind::Public && door.members.contains_key(&folded));
        own.map(|(id, _)| *id).collect()
    }

    /// How many people were removed from rooms since the start.
    pub fn removals(&self) -> u64 {
        self.removals.load(SeqCst)
    }

    /// What is said of a room besides the room itself.
    pub fn standing(&self, room: RoomId) -> Standing {
        let rooms = self.rooms.read();
        let Some(door) = rooms.get(&room) else { return Standing::default() };
        let people = if door.kind == Kind::Direct { door.names() } else { Vec::new() };
        Standing { maker: door.maker.clone(), people }
    }

    /// The name of a room that is open to all.
    pub fn open_name(&self, room: RoomId) -> Option<String> {
        let rooms = self.rooms.read();
        rooms.get(&room).filter(|door| door.kind == Kind::Public).map(|door| door.name.as_str().to_owned())
    }

    /// What a room is called in addresses.
    #[cfg(feature = "http")]
    pub fn name(&self, room: RoomId) -> Option<RoomName> {
        self.rooms.read().get(&room).map(|door| door.name.clone())
    }

    /// Who is in a room that is not open to all, by name.
    pub fn members(&self, room: RoomId) -> Vec<PersonName> {
        self.rooms.read().get(&room).map(Door::names).unwrap_or_default()
    }

    /// Whether a record may be stored. What the program itself says, it may say anywhere.
    pub fn judge(&self, record: &Record) -> Result<(), Problem> {
        let rooms = self.rooms.read();
        let door = |room: &RoomId| rooms.get(room);
        let refused = match record {
            Record::Create { maker, .. } => maker.as_ref().and_then(|maker| self.sanctions.silences(maker)),
            Record::Direct { .. } => None,
            Record::Post { room, author, role, .. } => door(room).and_then(|door| {
                let refused = door.refuses_post(author, role.is_none());
                refused.or_else(|| role.and_then(|role| self.refuses_speech(*room, door, author, role, true)))
            }),
            Record::Amend { room, by, role, change, .. } => door(room).and_then(|door| {
                let speaks = *change != Change::Delete;
                let refused = door.refuses_post(by, false);
                refused.or_else(|| self.refuses_speech(*room, door, by, *role, false).filter(|_| speaks))
            }),
            Record::Purge { .. } => None,
            Record::Read { room, person, .. } => door(room).and_then(|door| door.refuses_entry(person)),
            Record::Change { room, archived, by, .. } => door(room)
                .and_then(|door| door.refuses_change(*archived, by.as_ref()))
                .or_else(|| by.as_ref().and_then(|(name, _)| self.sanctions.silences(name))),
            Record::Invite { room, by, .. } => door(room)
                .and_then(|door| door.refuses_members(by.as_ref(), None))
                .or_else(|| by.as_ref().and_then(|(name, _)| self.sanctions.silences(name))),
            Record::Remove { room, person, by } => {
                door(room).and_then(|door| door.refuses_members(by.as_ref(), Some(person)))
            }
        };
        refused.map_or(Ok(()), Err)
    }

    /// Takes in what was stored.
    pub fn take(&self, record: &Record, outcome: &Outcome) {
        match (record, outcome) {
            (Record::Create { maker, members, .. }, Outcome::Created(room)) => {
                self.build(room, maker.clone(), members);
            }
            (Record::Direct { people, .. }, Outcome::Created(room)) => {
                self.build(room, people.first().cloned(), people);
            }
            (Record::Change { .. }, Outcome::Changed(room)) => self.mend(room.id, |door| door.describe(room)),
            (Record::Invite { person, .. }, Outcome::Invited(room)) => {
                let (folded, member) = self.member(person);
                self.mend(room.id, |door| _ = door.members.entry(folded).or_insert(member));
            }
            (Record::Remove { room, person, .. }, Outcome::Removed(maker)) => {
                self.mend(*room, |door| {
                    door.members.remove(&person.folded());
                    door.maker.clone_from(maker);
                });
                self.removals.fetch_add(1, SeqCst);
            }
            // It took no number: it was there before, or cannot be.
            (Record::Post { room, author, .. }, Outcome::Repeated(_) | Outcome::Refused(_)) => {
                self.spoken.lock().remove(&(*room, author.folded()));
            }
            _ => {}
        }
    }

    /// Whether there is such a room.
    pub fn knows(&self, room: RoomId) -> bool {
        self.rooms.read().contains_key(&room)
    }

    /// Takes in how a room stands now, changed by others, and gives what is to be told of it.
    pub fn renew(&self, found: Membership) -> Vec<Recorded> {
        let Membership { room, maker, members } = found;
        if !self.knows(room.id) {
            self.build(&room, maker, &members);
            return vec![Recorded::Created(room)];
        }
        let now: BTreeMap<String, Member> = members.iter().map(|name| self.member(name)).collect();
        let mut news = Vec::new();
        self.mend(room.id, |door| {
            let (here, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
                std::mem::take(&mut door.members).into_iter().partition(|(folded, _)| now.contains_key(folded));
            door.members = here;
            news.extend(gone.into_values().map(|member| Recorded::Removed(room.id, member.name)));
            self.removals.fetch_add(news.len() as u64, SeqCst);
            if !door.is_described_by(&room) || door.maker != maker {
                door.describe(&room);
                door.maker = maker;
                news.push(Recorded::Changed(room.clone()));
            }
            for (folded, member) in now {
                if let Entry::Vacant(free) = door.members.entry(folded) {
                    news.push(Recorded::Invited(room.clone(), member.name.clone()));
                    free.insert(member);
                }
            }
        });
        news
    }

    /// Why a person may not say anything in a room just now, or write that they are about to.
    pub fn refuses_to_hear(&self, room: RoomId, person: &PersonName, role: Role) -> Option<Problem> {
        let rooms = self.rooms.read();
        rooms.get(&room).and_then(|door| self.refuses_speech(room, door, person, role, false))
    }

    /// Whether a person may not speak: nowhere, or not in this room. A post takes its turn in a room that is slow.
    fn refuses_speech(
        &self,
        room: RoomId,
        door: &Door,
        person: &PersonName,
        role: Role,
        is_post: bool,
    ) -> Option<Problem> {
        if let Some(muted) = self.sanctions.silences(person) {
            return Some(Problem { room: Some(door.name.as_str().to_owned()), ..muted });
        }
        // In most rooms there is nothing more to look at.
        if !door.read_only && door.slow == 0 || door.looks_after(person, role) {
            return None;
        }
        if door.read_only {
            return Some(
                door.not_allowed("this room is read only just now: those who look after it have asked for quiet"),
            );
        }
        if !is_post || door.slow == 0 {
            return None;
        }
        let (now, pause) = (Instant::now(), Duration::from_secs(door.slow.into()));
        let mut spoken = self.spoken.lock();
        if spoken.len() >= SPOKEN {
            spoken.retain(|_, at| now.saturating_duration_since(*at) < Duration::from_secs(SLOWEST.into()));
        }
        let key = (room, person.folded());
        if let Some(left) = spoken.get(&key).and_then(|at| (*at + pause).checked_duration_since(now))
            && !left.is_zero()
        {
            let message = format!("this room is slow: one message in {} s from each", door.slow);
            return Some(Problem::rate_limited(message, left).room(door.name.as_str()));
        }
        spoken.insert(key, now);
        None
    }

    /// A person is called otherwise from now on, and is as welcome as before.
    pub fn rename(&self, old: &PersonName, new: &PersonName) {
        self.sanctions.rename(old, new);
        for door in self.rooms.write().values_mut() {
            if let Some(Member { ticket, .. }) = door.members.remove(&old.folded()) {
                door.members.insert(new.folded(), Member { name: new.clone(), ticket });
            }
            if door.maker.as_ref().is_some_and(|maker| maker.folded() == old.folded()) {
                door.maker = Some(new.clone());
            }
        }
    }

    fn mend(&self, room: RoomId, mend: impl FnOnce(&mut Door)) {
        self.rooms.write().get_mut(&room).map(mend);
    }
}

impl Door {
    fn describe(&mut self, room: &Room) {
        (self.title, self.topic) = (room.title.clone(), room.topic.clone());
        (self.archived, self.slow, self.read_only) = (room.archived, room.slow, room.read_only);
    }

    fn is_described_by(&self, room: &Room) -> bool {
        let rules = (self.archived, self.slow, self.read_only) == (room.archived, room.slow, room.read_only);
        rules && self.title == room.title && self.topic == room.topic
    }

    fn ticket(&self, person: &PersonName) -> Option<Ticket> {
        match self.kind {
            Kind::Public => Some(0),
            Kind::Private | Kind::Direct => self.members.get(&person.folded()).map(|member| member.ticket),
        }
    }

    fn names(&self) -> Vec<PersonName> {
        self.members.values().map(|member| member.name.clone()).collect()
    }

    fn refuses_entry(&self, person: &PersonName) -> Option<Problem> {
        self.ticket(person).is_none().then(|| Problem::no_such_room(&self.name))
    }

    fn refuses_post(&self, author: &PersonName, is_program: bool) -> Option<Problem> {
        if !is_program && let Some(stranger) = self.refuses_entry(author) {
            return Some(stranger);
        }
        let archived = || self.not_allowed("this room is archived: it can be read, and nothing new be said in it");
        self.archived.then(archived)
    }

    /// Whether a room is this person's to look after: it is never closed to them, and never slow.
    fn looks_after(&self, name: &PersonName, role: Role) -> bool {
        role >= Role::Moderator || self.maker.as_ref().is_some_and(|maker| maker.folded() == name.folded())
    }

    fn refuses_change(&self, archived: Option<bool>, by: Option<&(PersonName, Role)>) -> Option<Problem> {
        let refused = by.and_then(|by| self.refuses_power(by));
        if refused.is_some() {
            return refused;
        }
        if self.kind == Kind::Direct {
            return Some(self.not_allowed("a direct room has no title or topic of its own, and is not archived"));
        }
        let closes_lobby = archived == Some(true) && self.name == RoomName::lobby();
        closes_lobby.then(|| self.not_allowed("the lobby is where everybody arrives; it stays open"))
    }

    /// Of who may invite and remove. `leaver`: who is to go; everyone may remove themselves.
    fn refuses_members(&self, by: Option<&(PersonName, Role)>, leaver: Option<&PersonName>) -> Option<Problem> {
        if let Some(stranger) = by.and_then(|(name, _)| self.refuses_entry(name)) {
            return Some(stranger);
        }
        match self.kind {
            Kind::Public => Some(self.not_allowed("a public room has no members: everyone may join it and leave it")),
            Kind::Direct => Some(self.not_allowed("a direct room is for these people; make another for others")),
            Kind::Private => {
                let by = by.filter(|(name, _)| leaver.is_none_or(|leaver| leaver.folded() != name.folded()));
                by.and_then(|by| self.refuses_power(by))
            }
        }
    }

    /// Whether it is not this person's to change. Whoever looks after all rooms sees no more of them than anybody.
    fn refuses_power(&self, (name, role): &(PersonName, Role)) -> Option<Problem> {
        if let Some(stranger) = self.refuses_entry(name) {
            return Some(stranger);
        }
        (!self.looks_after(name, *role))
            .then(|| self.not_allowed("only who made this room, and the moderators, may do that"))
    }

    fn not_allowed(&self, why: &str) -> Problem {
        Problem::new(Code::NotAllowed, why).room(self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Time;

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).unwrap()
    }

    fn room(id: RoomId, name: &str, kind: Kind) -> Room {
        let name = RoomName::parse(name).unwrap();
        let (title, topic, archived, slow, read_only) = Default::default();
        Room { id, name, title, topic, kind, archived, slow, read_only, head: 0 }
    }

    /// The lobby is 1, a private room of ann, who made it, and bob 2, a direct room of both 3.
    fn doors() -> Doors {
        let members = vec![name("ann"), name("bob")];
        let lobby = Membership { room: room(1, "lobby", Kind::Public), maker: None, members: Vec::new() };
        let den =
            Membership { room: room(2, "den", Kind::Private), maker: Some(name("ann")), members: members.clone() };
        let direct = Membership { room: room(3, "d-0", Kind::Direct), maker: Some(name("ann")), members };
        Doors::new(vec![lobby, den, direct])
    }

    fn code(judged: Result<(), Problem>) -> &'static str {
        judged.map_or_else(|problem| problem.code.as_str(), |()| "ok")
    }

    fn by(who: &str, role: Role) -> Option<(PersonName, Role)> {
        Some((name(who), role))
    }

    fn change(room: RoomId, archived: bool, by: Option<(PersonName, Role)>) -> Record {
        let (title, topic, slow, read_only) = Default::default();
        Record::Change { room, title, topic, archived: Some(archived), slow, read_only, by }
    }

    fn remove(person: &str, by: Option<(PersonName, Role)>) -> Record {
        Record::Remove { room: 2, person: name(person), by }
    }

    #[test]
    fn a_room_that_is_not_open_to_all_is_not_there_for_others() {
        let doors = doors();
        for room in [2, 3] {
            assert!(doors.ticket(room, &name("ANN")).is_some());
            assert_eq!(doors.ticket(room, &name("eve")), None);
            let post = |author: &str, role| Record::Post {
                role,
                reply_to: None,
                room,
                author: name(author),
                id: "1".into(),
                body: "x".into(),
                at: Time::now(),
            };
            assert_eq!(code(doors.judge(&post("eve", Some(Role::Owner)))), "no_such_room");
            assert_eq!(code(doors.judge(&post("Bob", Some(Role::Guest)))), "ok");
            assert_eq!(code(doors.judge(&post("eve", None))), "ok", "the program may");
        }
        assert_eq!(doors.ticket(1, &name("eve")), Some(0));
        assert_eq!(code(doors.judge(&change(2, true, by("eve", Role::Owner)))), "no_such_room");
    }

    #[test]
    fn what_may_be_done_depends_on_who_one_is() {
        let doors = doors();
        for (record, expected) in [
            (change(2, true, by("ann", Role::Guest)), "ok"),
            (change(2, true, by("bob", Role::Member)), "not_allowed"),
            (change(2, true, by("bob", Role::Moderator)), "ok"),
            (change(1, false, by("eve", Role::Member)), "not_allowed"),
            (change(1, false, by("eve", Role::Owner)), "ok"),
            (change(1, true, by("eve", Role::Owner)), "not_allowed"),
            (change(3, true, by("ann", Role::Owner)), "not_allowed"),
            (remove("bob", by("ann", Role::Guest)), "ok"),
            (remove("ann", by("bob", Role::Guest)), "not_allowed"),
            (remove("bob", by("BOB", Role::Guest)), "ok"),
            (remove("ann", by("bob", Role::Moderator)), "ok"),
            (remove("ann", None), "ok"),
            (remove("bob", by("eve", Role::Owner)), "no_such_room"),
            (Record::Remove { room: 1, person: name("eve"), by: by("eve", Role::Owner) }, "not_allowed"),
            (Record::Remove { room: 3, person: name("bob"), by: by("bob", Role::Guest) }, "not_allowed"),
        ] {
            assert_eq!(code(doors.judge(&record)), expected, "{record:?}");
        }
    }

    #[test]
    fn who_is_removed_and_invited_again_has_another_ticket() {
        let doors = doors();
        let before = doors.ticket(2, &name("bob"));
        doors.take(&remove("Bob", None), &Outcome::Removed(None));
        assert_eq!((doors.ticket(2, &name("bob")), doors.removals()), (None, 1));
        let invite = Record::Invite { room: 2, person: name("bob"), by: None, at: Time::now() };
        doors.take(&invite, &Outcome::Invited(room(2, "den", Kind::Private)));
        let again = doors.ticket(2, &name("bob"));
        assert!(again.is_some() && again != before);
        assert_eq!(doors.members(2), [name("ann"), name("bob")]);
    }
}
