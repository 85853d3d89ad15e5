//! The recorder: stores what waits, a whole batch in one transaction, and passes it on.
//!
//! It is the only thread that gives numbers. Nothing becomes visible before it is stored.

use crate::cluster::{Cluster, Heard, Sequencer, note::Note};
use crate::doors::Doors;
use crate::error::Error;
use crate::event::{Asker, Entry, Event, Recorded, Renaming};
use crate::metrics::Metrics;
use crate::name::PersonName;
use crate::order;
use crate::pace::Pace;
use crate::protocol::{MESSAGE_OVERHEAD, Problem};
use crate::store::{Change, Message, Outcome, PersonId, Record, Rev, Room, RoomId, Store};
use crate::trouble::Trouble;
use crossbeam_channel::{Receiver, Sender, at, never, select};
use log::{debug, error, info};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Records in one transaction.
const BATCH: usize = 1024;

/// A reaction shows its message again, and what that weighs is not known before it is stored: so much is counted.
const SHOWN_AGAIN: usize = 8 * 1024;

/// Messages read at once where some were missed.
const PAGE: usize = 500;

pub(crate) struct Recorder {
    store: Arc<dyn Store>,
    events: Sender<Event>,
    /// The number passed on last, by room: what lies between it and the next was missed, and is read from the store.
    line: Sequencer,
    /// The other nodes, and what they say; none, where there are none.
    cluster: Cluster,
    heard: Option<Receiver<Heard>>,
    /// Bytes of bodies in one transaction.
    batch_bytes: usize,
    doors: Arc<Doors>,
    /// Who has another name since the start, and what it was before: some of their connections may not know it yet.
    renamed: HashMap<PersonId, (PersonName, PersonName)>,
    metrics: Arc<Metrics>,
    pace: Arc<Pace>,
    /// How long the last batch took.
    storing: Duration,
    trouble: Trouble,
    #[cfg(feature = "http")]
    webhooks: Option<Arc<crate::webhooks::board::Board>>,
}

impl Recorder {
    /// A recorder that goes on from the heads as they now stand, and stores `batch_bytes` of bodies at once.
    pub fn new(
        store: Arc<dyn Store>,
        heads: HashMap<RoomId, Rev>,
        events: Sender<Event>,
        batch_bytes: usize,
        doors: Arc<Doors>,
        pace: Arc<Pace>,
        metrics: Arc<Metrics>,
    ) -> Recorder {
        let (renamed, storing, trouble) = (HashMap::new(), Duration::ZERO, Trouble::default());
        Recorder {
            store,
            events,
            line: Sequencer::new(heads),
            cluster: Cluster::alone(),
            heard: None,
            batch_bytes,
            doors,
            renamed,
            metrics,
            pace,
            storing,
            trouble,
            #[cfg(feature = "http")]
            webhooks: None,
        }
    }

    /// The same, which tells the webhooks what was stored.
    #[cfg(feature = "http")]
    pub fn telling(self, webhooks: Arc<crate::webhooks::board::Board>) -> Recorder {
        Recorder { webhooks: Some(webhooks), ..self }
    }

    /// The same, as one of several nodes.
    pub fn among(self, cluster: Cluster, heard: Option<Receiver<Heard>>) -> Recorder {
        Recorder { cluster, heard, ..self }
    }

    /// Records until it is told to stop.
    pub fn run(mut self, entries: &Receiver<Entry>) {
        loop {
            self.metrics.recorder.rest();
            let Some(first) = self.next(entries) else { return };
            self.metrics.recorder.work();
            self.pace.gather(self.storing);
            let (records, askers, last) = batch(first, entries, self.batch_bytes);
            self.record(records, askers);
            match last {
                Some(Entry::Stop) => return,
                Some(Entry::Rename(renaming)) => self.rename(renaming),
                // Whoever asked may be gone by now.
                Some(Entry::Refresh(done)) => drop(done.send(self.refresh())),
                _ => {}
            }
        }
    }

    /// The next entry. Until it comes, what other nodes have stored is passed on.
    fn next(&mut self, entries: &Receiver<Entry>) -> Option<Entry> {
        let Some(heard) = self.heard.clone() else { return entries.recv().ok() };
        loop {
            let due = self.line.due().map_or_else(never, at);
            select! {
                recv(entries) -> entry => return entry.ok(),
                recv(heard) -> news => {
                    let mut recorded = Vec::new();
                    news.into_iter().for_each(|news| self.hear(news, &mut recorded));
                    self.hear_out(&heard, &mut recorded);
                    self.show(recorded);
                }
                recv(due) -> _ => self.fill_gaps(),
            }
        }
    }

    /// What other nodes have said by now.
    fn hear_out(&mut self, heard: &Receiver<Heard>, recorded: &mut Vec<Recorded>) {
        while recorded.len() < BATCH
            && let Ok(news) = heard.try_recv()
        {
            self.hear(news, recorded);
        }
    }

    fn hear(&mut self, news: Heard, recorded: &mut Vec<Recorded>) {
        let now = Instant::now();
        match news {
            Heard::Said(messages) => {
                for message in messages {
                    if self.knows(message.room, recorded) {
                        recorded.extend(self.line.take(message, now).into_iter().map(Recorded::Posted));
                    }
                }
            }
            Heard::Heads { heads, is_coming } => {
                for (room, head) in heads {
                    if self.knows(room, recorded) {
                        self.line.hear(room, head, is_coming, now);
                    }
                }
            }
            Heard::Renamed(person, old, new) => {
                self.doors.rename(&old, &new);
                self.renamed.insert(person, (new, old));
            }
        }
    }

    /// Whether there is such a room; one that another node has just made is looked up.
    fn knows(&mut self, room: RoomId, recorded: &mut Vec<Recorded>) -> bool {
        if self.doors.knows(room) {
            return true;
        }
        // What is new in other rooms comes behind what was found of them so far.
        self.show(std::mem::take(recorded));
        self.refresh().is_ok() && self.doors.knows(room)
    }

    /// Reads from the store what did not come.
    fn fill_gaps(&mut self) {
        for room in self.line.overdue(Instant::now()) {
            let mut recorded = Vec::new();
            while self.line.is_overdue(room, Instant::now()) {
                match self.store.since(room, self.line.passed(room), PAGE) {
                    Ok(read) => {
                        let is_all = read.len() < PAGE;
                        recorded.extend(self.line.fill(room, read).into_iter().map(Recorded::Posted));
                        if is_all {
                            self.line.postpone(room, Instant::now());
                        } else {
                            self.show(std::mem::take(&mut recorded));
                            self.wait_for_dispatcher();
                        }
                    }
                    // Whoever reads the store says that it does not answer.
                    Err(cause) => {
                        debug!("room {room} waits for the store: {cause}");
                        self.line.postpone(room, Instant::now());
                    }
                }
            }
            self.show(recorded);
        }
    }

    /// Has the dispatcher show it. It outlives the recorder.
    fn show(&self, recorded: Vec<Recorded>) {
        #[cfg(feature = "http")]
        if let Some(webhooks) = &self.webhooks {
            webhooks.ring(recorded.iter().filter_map(|recorded| match recorded {
                Recorded::Posted(message) => Some(message),
                _ => None,
            }));
        }
        if !recorded.is_empty() {
            self.pace.stored();
            let _ = self.events.send(Event::Recorded(recorded));
        }
    }

    fn wait_for_dispatcher(&self) {
        let (tell, sent) = oneshot::channel();
        let _ = self.events.send(Event::Look(Box::new(|_| drop(tell.send(())))));
        let _ = sent.recv();
    }

    /// Gives a person another name. What the same person still says under the old one is said under the new one: else it
    /// would be a stranger's, and be said twice.
    fn rename(&mut self, Renaming { person, name, answer }: Renaming) {
        let renamed = self.store.rename(person.id, &name);
        if let Ok(true) = renamed {
            self.doors.rename(&person.name, &name);
            let (old, new) = (person.name.as_str().to_owned(), name.as_str().to_owned());
            self.cluster.tell(|| Note::Renamed(person.id, old, new));
            self.renamed.insert(person.id, (name, person.name));
        }
        let _ = answer.send(renamed);
    }

    fn record(&mut self, mut records: Vec<Record>, askers: Vec<Asker>) {
        for (record, asker) in records.iter_mut().zip(&askers) {
            if let Some((new, old)) = asker.account().and_then(|account| self.renamed.get(&account)) {
                record.sign(new, old);
            }
        }
        let (records, askers) = self.allowed(records, askers);
        if records.is_empty() {
            return;
        }
        let begin = Instant::now();
        let stored = self.store.record(&records);
        self.storing = begin.elapsed();
        self.metrics.commit_seconds.observe(self.storing.as_secs_f64());
        self.metrics.batch_messages.observe(records.len() as f64);
        match stored {
            Ok(outcomes) => {
                if self.trouble.worked() {
                    info!("the database answers again");
                }
                self.pass_on(&records, outcomes, askers);
            }
            Err(cause) => {
                self.metrics.store_failures.inc();
                if !cause.is_said()
                    && let Some(unsaid) = self.trouble.failed(Instant::now())
                {
                    error!("nothing can be stored, posts are answered with \"unavailable\": {cause}{unsaid}");
                }
                records.iter().zip(askers).for_each(|(record, asker)| refuse(record, asker, Problem::unavailable()));
            }
        }
    }

    /// Turns away what may not be. Whoever asked was looked at before; but that was before this moment.
    fn allowed(&self, records: Vec<Record>, askers: Vec<Asker>) -> (Vec<Record>, Vec<Asker>) {
        let mut allowed = (Vec::with_capacity(records.len()), Vec::with_capacity(askers.len()));
        for (record, asker) in records.into_iter().zip(askers) {
            match self.doors.judge(&record) {
                Ok(()) => allowed.extend([(record, asker)]),
                Err(problem) => refuse(&record, asker, problem),
            }
        }
        allowed
    }

    fn pass_on(&mut self, records: &[Record], outcomes: Vec<Outcome>, askers: Vec<Asker>) {
        let mut recorded = Vec::with_capacity(outcomes.len());
        let mut answers = Vec::new();
        let mut deeds = Vec::new();
        for ((record, outcome), asker) in records.iter().zip(outcomes).zip(askers) {
            self.doors.take(record, &outcome);
            deeds.extend(order::deeds(&self.doors, record, &outcome));
            let asker = match asker {
                Asker::Thread(answer) => {
                    answers.push((answer, outcome.clone()));
                    None
                }
                client => Some(client),
            };
            match (outcome, asker, record) {
                (Outcome::Posted(message), ..) => {
                    self.cluster.said(&message);
                    self.line_up(message, &mut recorded);
                }
                (Outcome::Created(room), ..) => recorded.push(Recorded::Created(room)),
                (Outcome::Changed(room), ..) => recorded.push(Recorded::Changed(room)),
                (Outcome::Invited(room), _, Record::Invite { person, .. }) => {
                    recorded.push(Recorded::Invited(room, person.clone()));
                }
                (Outcome::Removed(_), _, Record::Remove { room, person, .. }) => {
                    recorded.push(Recorded::Removed(*room, person.clone()));
                }
                (Outcome::Repeated(message), Some(Asker::Client(party)), _) => {
                    match self.come_up_to(&message, &mut recorded) {
                        true => recorded.push(Recorded::Repeated(party.id, message)),
                        false => party.refuse(&Problem::unavailable().id(Some(message.id))),
                    }
                }
                (Outcome::Read, Some(Asker::Reader(party, room)), Record::Read { rev, .. }) => {
                    self.cluster.tell(|| Note::Read(party.name.as_str().into(), room.as_str().into(), *rev));
                    recorded.push(Recorded::Read(party.id, room, *rev));
                }
                (Outcome::Refused(fault), Some(asker), record) => refuse(record, asker, Problem::of(fault)),
                _ => {}
            }
        }
        let posted =
            recorded.iter().filter(|recorded| matches!(recorded, Recorded::Posted(m) if m.rev == m.seq)).count();
        self.metrics.messages_stored.inc_by(posted as u64);
        let is_of_rooms = |recorded: &Recorded| {
            use Recorded::{Changed, Created, Invited, Removed};
            matches!(recorded, Created(_) | Changed(_) | Invited(..) | Removed(..))
        };
        if recorded.iter().any(is_of_rooms) {
            self.cluster.tell(|| Note::Rooms);
        }
        self.show(recorded);
        for (answer, outcome) in answers {
            // Whoever asked may be gone by now; what is stored is stored.
            let _ = answer.send(Ok(outcome));
        }
        deeds.iter().for_each(|deed| order::note(&*self.store, deed));
    }

    /// Looks at all rooms anew, for others have written to the database, and passes on what has changed: who is in them, how
    /// they are called, what was said.
    fn refresh(&mut self) -> Result<(), Error> {
        for found in self.store.every_room()? {
            let (room, is_new) = (found.room.clone(), !self.doors.knows(found.room.id));
            let changed = self.doors.renew(found);
            self.show(changed);
            if is_new {
                // Nobody stands on its line yet: whoever comes reads what there is.
                let waited = self.line.skip(room.id, room.head);
                self.show(waited.into_iter().map(Recorded::Posted).collect());
            } else {
                self.catch_up(&room)?;
            }
        }
        Ok(())
    }

    /// Passes on what others have said in a room. A page waits until the one before is sent: there may be many.
    fn catch_up(&mut self, room: &Room) -> Result<(), Error> {
        while self.line.passed(room.id) < room.head {
            let missed = self.store.since(room.id, self.line.passed(room.id), PAGE)?;
            if missed.is_empty() {
                break;
            }
            let next = self.line.fill(room.id, missed);
            self.show(next.into_iter().map(Recorded::Posted).collect());
            self.wait_for_dispatcher();
        }
        let waited = self.line.skip(room.id, room.head);
        self.show(waited.into_iter().map(Recorded::Posted).collect());
        Ok(())
    }

    /// Passes a message on, and before it those that stand in the store but were never passed on: others have stored them, or a
    /// commit whose success was reported as a failure. Numbers that another change took over meanwhile are not among them.
    fn line_up(&mut self, message: Message, recorded: &mut Vec<Recorded>) {
        if self.line.step(message.room, message.rev) {
            return recorded.push(Recorded::Posted(message));
        }
        let (room, rev) = (message.room, message.rev);
        if self.heard.is_none() && rev <= self.line.passed(room) {
            // A database that has lost what it had taken gives its numbers anew.
            self.line.turn_back(room, rev);
            return recorded.push(Recorded::Posted(message));
        }
        if let Some(heard) = self.heard.clone() {
            // Most of what is missing is here already.
            self.hear_out(&heard, recorded);
        }
        if !self.read_up_to(room, rev, recorded) && self.heard.is_none() {
            error!("room {room} lacks numbers {} to {}", self.line.passed(room) + 1, rev - 1);
            recorded.extend(self.line.skip(room, rev - 1).into_iter().map(Recorded::Posted));
        }
        let next = self.line.take(message, Instant::now());
        recorded.extend(next.into_iter().map(Recorded::Posted));
    }

    /// Passes on what the store has before a number. False: it does not answer.
    fn read_up_to(&mut self, room: RoomId, rev: Rev, recorded: &mut Vec<Recorded>) -> bool {
        while self.line.lacks(room, rev) {
            let Ok(mut read) = self.store.since(room, self.line.passed(room), PAGE) else { return false };
            let is_all = read.len() < PAGE || read.last().is_some_and(|last| last.rev >= rev);
            read.retain(|missed| missed.rev < rev);
            recorded.extend(self.line.fill(room, read).into_iter().map(Recorded::Posted));
            if is_all {
                // What is still missing, later changes have taken over.
                recorded.extend(self.line.skip(room, rev - 1).into_iter().map(Recorded::Posted));
            }
        }
        true
    }

    /// A receipt comes after what stands before it on the line. False: that cannot be read.
    fn come_up_to(&mut self, message: &Message, recorded: &mut Vec<Recorded>) -> bool {
        message.rev <= self.line.passed(message.room) || self.read_up_to(message.room, message.rev + 1, recorded)
    }
}

/// What waits, up to a batch; and what it ended with, where that is no record. What changes who may do what ends a batch:
/// what comes behind it is judged by what it made so.
fn batch(first: Entry, entries: &Receiver<Entry>, most_bytes: usize) -> (Vec<Record>, Vec<Asker>, Option<Entry>) {
    let (mut records, mut askers, mut bytes, mut ends) = (Vec::new(), Vec::new(), 0, false);
    let mut next = Some(first);
    while let Some(entry) = next {
        match entry {
            last @ (Entry::Stop | Entry::Rename(_) | Entry::Refresh(_)) => return (records, askers, Some(last)),
            Entry::Record(record, asker) => {
                bytes += match &record {
                    Record::Post { body, .. } => body.len(),
                    Record::Amend { change: Change::Edit(body), .. } => body.len() + MESSAGE_OVERHEAD,
                    Record::Amend { change: Change::Delete, .. } | Record::Purge { .. } => MESSAGE_OVERHEAD,
                    Record::Amend { change: Change::React { .. }, .. } => SHOWN_AGAIN,
                    // Everyone is told of it, in one write for all rooms of a batch.
                    Record::Create { title, .. } => title.len() + MESSAGE_OVERHEAD,
                    Record::Direct { .. } | Record::Change { .. } | Record::Invite { .. } | Record::Remove { .. } => {
                        MESSAGE_OVERHEAD
                    }
                    Record::Read { .. } => 0,
                };
                ends |= matches!(record, Record::Change { .. } | Record::Invite { .. } | Record::Remove { .. });
                records.push(record);
                askers.push(asker);
            }
        }
        next = if records.len() < BATCH && bytes < most_bytes && !ends { entries.try_recv().ok() } else { None };
    }
    (records, askers, None)
}

fn refuse(record: &Record, asker: Asker, problem: Problem) {
    match asker {
        Asker::Thread(answer) => drop(answer.send(Err(problem))),
        Asker::Client(party) => {
            let id = if let Record::Post { id, .. } = record { Some(id.clone()) } else { None };
            party.refuse(&problem.id(id));
        }
        Asker::Changer(party, room, reference) => {
            party.refuse(&Problem { reference, ..problem.room(room.as_str()) });
        }
        // A mark that was not kept will be sent again with the next one.
        Asker::Reader(..) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Memory, Time};
    use crossbeam_channel::unbounded;

    fn post(id: &str) -> Record {
        let author = PersonName::parse("ann").unwrap();
        let (role, at) = (None, Time::now());
        Record::Post { room: 1, author, role, id: id.into(), body: id.into(), reply_to: None, at }
    }

    fn asker() -> Asker {
        Asker::Thread(oneshot::channel().0)
    }

    #[test]
    fn what_waits_is_one_batch_and_a_stop_ends_it() {
        let (send, entries) = unbounded();
        for n in 0..3 {
            send.send(Entry::Record(post(&n.to_string()), asker())).unwrap();
        }
        send.send(Entry::Stop).unwrap();
        let first = entries.recv().unwrap();
        let (records, askers, last) = batch(first, &entries, 1000);
        assert_eq!((records.len(), askers.len()), (3, 3));
        assert!(matches!(last, Some(Entry::Stop)));
    }

    #[test]
    fn a_batch_is_bounded_in_bytes() {
        let (send, entries) = unbounded();
        for n in 0..100 {
            let author = PersonName::parse("ann").unwrap();
            let (id, body, at) = (n.to_string(), "x".repeat(8192), Time::now());
            let record = Record::Post { room: 1, author, role: None, id, body, reply_to: None, at };
            send.send(Entry::Record(record, asker())).unwrap();
        }
        let first = entries.recv().unwrap();
        assert_eq!(batch(first, &entries, 5 * 8192).0.len(), 5);
    }

    #[cfg(feature = "http")]
    #[test]
    fn what_is_said_while_the_name_changes_is_the_same_persons_and_said_once() {
        use crate::store::{NewAccount, NewSession, Registered, Role};
        use crate::{duplex, event::Party, flusher, outbox::Outbox, peer::Tongue};
        let store: Arc<dyn Store> = Arc::new(Memory::new(5).unwrap());
        let [ann, eva] = ["ann", "Eva"].map(|name| PersonName::parse(name).unwrap());
        let account = NewAccount { name: ann.clone(), password: String::new(), by: Err(Role::Member) };
        let session = NewSession { token: [1; 32], agent: String::new(), at: Time::now() };
        let Registered::Done(person) = store.register(&account, &session).unwrap() else { panic!() };
        let metrics = Arc::new(Metrics::new(1));
        let (_near, far) = duplex::pair();
        let (flusher, _watched) = flusher::handle_for_tests();
        let outbox = Outbox::new(far, flusher, 65536, metrics.evictions.clone());
        let (account, session, tongue) = (Some(person.id), None, Tongue::Json);
        let (id, name, role, address, counted) = (1, ann, Role::Member, None, metrics.clone());
        let is_vouched_for = false;
        let party =
            Party { id, name, role, address, account, session, is_vouched_for, tongue, outbox, metrics: counted };
        let party = Arc::new(party);
        let (entries, waiting) = unbounded();
        let said = |id| Entry::Record(post(id), Asker::Client(party.clone()));
        let (answer, renamed) = oneshot::channel();
        let renaming = Entry::Rename(Renaming { person, name: eva.clone(), answer });
        for entry in [said("a"), renaming, said("a"), said("b"), Entry::Stop] {
            entries.send(entry).unwrap();
        }
        let (send, _events) = unbounded();
        let doors = Arc::new(Doors::new(Vec::new()));
        let heads = HashMap::from([(1, 0)]);
        Recorder::new(store.clone(), heads, send, 1000, doors, Arc::default(), metrics).run(&waiting);
        assert!(renamed.recv().unwrap().unwrap());
        let all = store.since(1, 0, 9).unwrap();
        let all: Vec<_> = all.iter().map(|m| (m.id.as_str(), m.from.as_str())).collect();
        assert_eq!(all, [("a", "Eva"), ("b", "Eva")]);
    }

    #[test]
    fn what_was_stored_but_never_passed_on_is_passed_on_with_the_next() {
        let store: Arc<dyn Store> = Arc::new(Memory::new(5).unwrap());
        let (send, events) = unbounded();
        let mut recorder = Recorder::new(
            store.clone(),
            HashMap::from([(1, 0)]),
            send,
            1000,
            Arc::new(Doors::new(Vec::new())),
            Arc::default(),
            Arc::new(Metrics::new(1)),
        );
        recorder.record(vec![post("a")], vec![asker()]);
        store.record(&[post("b"), post("c")]).unwrap();
        recorder.record(vec![post("d")], vec![asker()]);
        let mut revs = Vec::new();
        for event in events.try_iter() {
            let Event::Recorded(recorded) = event else { panic!() };
            revs.extend(recorded.iter().map(|r| if let Recorded::Posted(m) = r { m.rev } else { 0 }));
        }
        assert_eq!(revs, [1, 2, 3, 4]);
    }
}
