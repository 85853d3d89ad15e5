//! Order: what moderators and owners may do to people. Every act is judged, stored with a note of it in the book, and takes
//! effect at once. Whoever calls, the page or another, has found out who acts.

use crate::cluster::note::Note;
use crate::doors::Doors;
use crate::error::Error;
use crate::event::{Asker, Entry, Party};
use crate::line::Line;
use crate::name::PersonName;
use crate::peer::Tongue;
use crate::protocol::{self, close};
use crate::registry::Registry;
use crate::sanctions::{network, when};
use crate::store::{Change, Deed, Outcome, Penalty, Record, Rev, Role, RoomId, Sanction, Store, Time};
use log::{error, info};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Messages that are deleted in one batch: what others say is stored in between.
const SLICE: usize = 64;

/// How long one request deletes; for more it is asked again.
const SPELL: Duration = Duration::from_secs(5);

/// The longest time for which somebody is muted or banned, in seconds; for longer it is until it is lifted.
pub(crate) const LONGEST: i64 = 366 * 24 * 60 * 60;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// Who acts.
pub(crate) struct Keeper {
    pub name: PersonName,
    pub role: Role,
    /// From where: it is never banned along with somebody else.
    pub address: Option<IpAddr>,
}

/// For how long, and why.
pub(crate) struct Terms {
    pub until: Option<Time>,
    pub reason: String,
}

/// Why nothing was done.
pub(crate) enum Wrong {
    NoSuchPerson,
    NotAllowed(&'static str),
    Store(Error),
}

impl From<Error> for Wrong {
    fn from(cause: Error) -> Wrong {
        Wrong::Store(cause)
    }
}

/// What a purge has come to.
pub(crate) struct Purged {
    pub deleted: usize,
    /// There are others left: ask again.
    pub more: bool,
}

/// Whom it is about, as that person writes the name.
struct Subject {
    name: PersonName,
    role: Role,
}

/// Silences a person, everywhere.
pub(crate) fn mute(line: &Line, by: &Keeper, whom: &PersonName, terms: Terms) -> Result<Sanction, Wrong> {
    let subject = subject(line, by, whom)?;
    let sanction = lay(line, by, &subject, Penalty::Mute, terms, Vec::new())?;
    tell_standing(line, &subject.name);
    Ok(sanction)
}

/// Keeps a person out, and with `addresses` whoever comes from where that person is connected from just now.
pub(crate) fn ban(
    line: &Line,
    by: &Keeper,
    whom: &PersonName,
    terms: Terms,
    addresses: bool,
) -> Result<Sanction, Wrong> {
    let subject = subject(line, by, whom)?;
    let networks = if addresses { networks(line, by, &subject) } else { Vec::new() };
    let sanction = lay(line, by, &subject, Penalty::Ban, terms, networks)?;
    show_out(line);
    Ok(sanction)
}

/// Lifts a penalty. False: there was none.
pub(crate) fn lift(line: &Line, by: &Keeper, whom: &PersonName, penalty: Penalty, why: &str) -> Result<bool, Wrong> {
    let subject = subject(line, by, whom)?;
    let acting = line.doors.sanctions.acting();
    let deed = written_off(&by.name, &subject.name, penalty).reason(why);
    let lifted = line.store.lift(&subject.name, penalty, &deed)?;
    line.doors.sanctions.lift(&subject.name, penalty);
    drop(acting);
    line.cluster.tell(|| Note::Sanctions);
    if lifted {
        info!("{} lifted the {} of {}", by.name, penalty.as_str(), subject.name);
    }
    if penalty == Penalty::Mute {
        tell_standing(line, &subject.name);
    }
    Ok(lifted)
}

/// Closes a person's connections. Gives how many there were.
pub(crate) fn kick(line: &Line, by: &Keeper, whom: &PersonName, why: &str) -> Result<usize, Wrong> {
    let subject = subject(line, by, whom)?;
    let reason = if why.is_empty() { "a moderator asks you to leave".into() } else { why.to_owned() };
    line.cluster.tell(|| Note::Kicked(subject.name.as_str().into(), reason.clone()));
    let folded = subject.name.folded();
    let count = look(line, move |registry| {
        let connections = registry.person(&folded);
        connections.iter().for_each(|party| party.outbox.close(close::POLICY, &reason));
        connections.len()
    });
    info!("{} showed {} the door", by.name, subject.name);
    line.store.note(&Deed::new(&by.name, "kick").to(&subject.name).reason(why))?;
    Ok(count.unwrap_or_default())
}

/// Deletes what a person has said: in the rooms that whoever asks can see, and if that is an owner, in all. It stops after a
/// while; what is left is for the next call.
pub(crate) fn purge(line: &Line, by: &Keeper, whom: &PersonName, why: &str) -> Result<Purged, Wrong> {
    let subject = subject(line, by, whom)?;
    let until = Instant::now() + SPELL;
    let mut purged = Purged { deleted: 0, more: false };
    for room in line.store.every_room()? {
        let room = room.room.id;
        if by.role < Role::Owner && line.doors.ticket(room, &by.name).is_none() {
            continue;
        }
        let mut after = 0;
        loop {
            purged.more = Instant::now() >= until || line.is_stopping();
            let slice = line.store.written_by(&subject.name, room, after, SLICE)?;
            let Some(last) = slice.last() else { break };
            if purged.more {
                break;
            }
            after = *last;
            purged.deleted += delete(line, by, room, &slice)?;
        }
        if purged.more {
            break;
        }
    }
    info!("{} deleted {} messages of {}", by.name, purged.deleted, subject.name);
    let deed = Deed::new(&by.name, "purge").to(&subject.name).detail(match purged.deleted {
        1 => "1 message".into(),
        many => format!("{many} messages"),
    });
    line.store.note(&deed.reason(why))?;
    Ok(purged)
}

/// All penalties that are in force, for those who keep order.
pub(crate) fn sanctions(line: &Line) -> Result<Vec<Sanction>, Error> {
    line.store.sanctions(Time::now())
}

/// Notes something that was done and cannot be undone for want of a note.
pub(crate) fn note(store: &dyn Store, deed: &Deed) {
    if let Err(cause) = store.note(deed) {
        error!("{} of {} is not in the book: {cause}", deed.act, deed.by);
    }
}

/// What of a stored record is for the book: what those who keep order did in rooms, and to what others have said.
pub(crate) fn deeds(doors: &Doors, record: &Record, outcome: &Outcome) -> Vec<Deed> {
    let (by, room) = match record {
        Record::Change { by: Some((by, role)), room, .. } | Record::Remove { by: Some((by, role)), room, .. }
            if *role >= Role::Moderator =>
        {
            (by, room)
        }
        Record::Amend { by, role, room, .. } if *role >= Role::Moderator => (by, room),
        _ => return Vec::new(),
    };
    // That there is a room behind closed doors, is not for everyone who reads the book.
    let deed = |act: &str| Deed { room: doors.open_name(*room), ..Deed::new(by, act) };
    match (record, outcome) {
        (Record::Change { archived, slow, read_only, .. }, Outcome::Changed(_)) => {
            let archived = archived.map(|archived| deed(if archived { "archive" } else { "reopen" }));
            let slow = slow.map(|slow| deed("slow").detail(if slow == 0 { "off".into() } else { format!("{slow} s") }));
            let read_only = read_only.map(|on| deed("read_only").detail(if on { "on" } else { "off" }));
            [archived, slow, read_only].into_iter().flatten().collect()
        }
        (Record::Remove { person, .. }, Outcome::Removed(_)) if person.folded() != by.folded() => {
            vec![deed("remove").to(person)]
        }
        (Record::Amend { change: Change::Edit(_) | Change::Delete, .. }, Outcome::Posted(message))
            if message.from.folded() != by.folded() =>
        {
            let act = if message.deleted { "delete" } else { "edit" };
            vec![deed(act).to(&message.from).detail(format!("message {}", message.seq))]
        }
        _ => Vec::new(),
    }
}

/// Who it is about, if that person is known and stands below who acts.
fn subject(line: &Line, by: &Keeper, whom: &PersonName) -> Result<Subject, Wrong> {
    if by.role < Role::Moderator {
        return Err(Wrong::NotAllowed("this is for moderators and owners"));
    }
    if line.guests.is_reserved(whom) {
        return Err(Wrong::NotAllowed("this name is the server's own"));
    }
    let subject = match line.store.account(whom)? {
        Some(account) => Subject { name: account.person.name, role: account.person.role },
        None => {
            let known = match line.guests.shown(whom) {
                Some(shown) => Some(shown),
                None => line.store.known(whom)?,
            };
            Subject { name: known.ok_or(Wrong::NoSuchPerson)?, role: Role::Guest }
        }
    };
    if subject.name.folded() == by.name.folded() {
        return Err(Wrong::NotAllowed("this is you"));
    }
    if subject.role >= by.role {
        return Err(Wrong::NotAllowed("this person has the same role as you, or a higher one"));
    }
    Ok(subject)
}

fn lay(
    line: &Line,
    by: &Keeper,
    subject: &Subject,
    penalty: Penalty,
    terms: Terms,
    networks: Vec<String>,
) -> Result<Sanction, Wrong> {
    let (sanction, deed) = written(&by.name, &subject.name, penalty, terms, networks);
    let acting = line.doors.sanctions.acting();
    line.store.sanction(&sanction, &deed)?;
    line.doors.sanctions.lay(sanction.clone());
    drop(acting);
    line.cluster.tell(|| Note::Sanctions);
    info!("{}: {} of {} {}", by.name, penalty.as_str(), sanction.name, when(sanction.until));
    Ok(sanction)
}

/// A penalty as it is stored, and the note of it for the book.
pub(crate) fn written(
    by: &PersonName,
    whom: &PersonName,
    penalty: Penalty,
    terms: Terms,
    networks: Vec<String>,
) -> (Sanction, Deed) {
    let Terms { until, reason } = terms;
    let places = if networks.is_empty() { String::new() } else { format!(", and from {}", networks.join(", ")) };
    let detail = format!("{}{places}", when(until));
    let deed = Deed::new(by, penalty.as_str()).to(whom).detail(detail).reason(&reason);
    let (name, by, at) = (whom.clone(), by.as_str().to_owned(), deed.at);
    (Sanction { name, penalty, until, reason, by, at, networks }, deed)
}

/// The note for the book that a penalty was lifted.
pub(crate) fn written_off(by: &PersonName, whom: &PersonName, penalty: Penalty) -> Deed {
    Deed::new(by, &format!("un{}", penalty.as_str())).to(whom)
}

/// A reason as it is stored, or what is wrong with it.
pub(crate) fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err("it has 200 characters at most, all in one line");
    }
    Ok(text.to_owned())
}

/// From where a person is connected, but for where whoever bans is, too: behind a proxy that is everywhere.
fn networks(line: &Line, by: &Keeper, subject: &Subject) -> Vec<String> {
    let folded = subject.name.folded();
    let own = by.address.map(network);
    let found = look(line, move |registry| {
        let connections = registry.person(&folded);
        connections.iter().filter_map(|party| party.address).map(network).collect::<Vec<_>>()
    });
    let mut networks = found.unwrap_or_default();
    networks.sort_unstable();
    networks.dedup();
    networks.retain(|network| Some(network) != own.as_ref());
    networks
}

/// Closes the connections of all who are not let in any more.
pub(crate) fn show_out(line: &Line) {
    let doors = line.doors.clone();
    line.tell(move |registry| {
        for party in registry.all() {
            if let Some(why) = doors.sanctions.bars(&party.name, party.role, party.address) {
                party.outbox.close(close::POLICY, &why);
            }
        }
    });
}

/// Tells a person whether they may speak.
pub(crate) fn tell_standing(line: &Line, name: &PersonName) {
    let (doors, folded) = (line.doors.clone(), name.folded());
    line.tell(move |registry| {
        for party in registry.person(&folded) {
            let muted = doors.sanctions.muted(&party.name);
            if party.tongue == Tongue::Json {
                party.outbox.send(&[protocol::you(&party.name, party.role, muted.as_ref())]);
            }
        }
    });
}

/// Deletes these messages, in one batch, and waits until that is stored. Gives how many there were still.
fn delete(line: &Line, by: &Keeper, room: RoomId, slice: &[Rev]) -> Result<usize, Wrong> {
    let unavailable = || Wrong::Store(Error::Stopped);
    let mut answers = Vec::with_capacity(slice.len());
    for seq in slice {
        let (asker, answer) = oneshot::channel();
        let record = Record::Purge { room, seq: *seq, by: by.name.clone(), at: Time::now() };
        line.entries.send(Entry::Record(record, Asker::Thread(asker))).map_err(|_| unavailable())?;
        answers.push(answer);
    }
    let mut deleted = 0;
    for answer in answers {
        match answer.recv() {
            Ok(Ok(outcome)) => deleted += usize::from(matches!(outcome, Outcome::Posted(_))),
            Ok(Err(problem)) => return Err(Wrong::Store(Error::Store(problem.message))),
            Err(_) => return Err(unavailable()),
        }
    }
    Ok(deleted)
}

/// Asks the dispatcher. None: it is gone, and with it all connections.
fn look<T: Send + 'static>(line: &Line, ask: impl FnOnce(&Registry<Arc<Party>>) -> T + Send + 'static) -> Option<T> {
    let (tell, answer) = oneshot::channel();
    line.tell(move |registry| drop(tell.send(ask(registry))));
    answer.recv().ok()
}
