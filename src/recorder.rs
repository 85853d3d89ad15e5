//! The recorder: stores what waits, a whole batch in one transaction, and passes it on.
//!
//! It is the only thread that gives numbers. Nothing becomes visible before it is stored.

use crate::doors::Doors;
use crate::event::{Asker, Entry, Event, Recorded};
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::protocol::{MESSAGE_OVERHEAD, Problem};
use crate::store::{Change, Message, Outcome, Record, Rev, RoomId, Store};
use crossbeam_channel::{Receiver, Sender};
use log::{error, info};
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
    passed: HashMap<RoomId, Rev>,
    /// Bytes of bodies in one transaction.
    batch_bytes: usize,
    doors: Arc<Doors>,
    metrics: Arc<Metrics>,
    pace: Arc<Pace>,
    /// How long the last batch took.
    storing: Duration,
    failing: bool,
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
        let storing = Duration::ZERO;
        Recorder { store, events, passed: heads, batch_bytes, doors, metrics, pace, storing, failing: false }
    }

    /// Records until it is told to stop.
    pub fn run(mut self, entries: &Receiver<Entry>) {
        let mut stop = false;
        while !stop {
            let Ok(first) = entries.recv() else { return };
            self.pace.gather(self.storing);
            let (records, askers);
            (records, askers, stop) = batch(first, entries, self.batch_bytes);
            self.record(records, askers);
        }
    }

    fn record(&mut self, records: Vec<Record>, askers: Vec<Asker>) {
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
                if std::mem::take(&mut self.failing) {
                    info!("the database answers again");
                }
                self.pass_on(&records, outcomes, askers);
            }
            Err(cause) => {
                self.metrics.store_failures.inc();
                if !std::mem::replace(&mut self.failing, true) {
                    error!("nothing can be stored, posts are answered with \"unavailable\": {cause}");
                }
                records.iter().zip(askers).for_each(|(record, asker)| refuse(record, asker, Problem::unavailable()));
            }
        }
    }

    /// Turns away what may not be. Whoever asked was looked at before; but that was before this moment.
    fn allowed(&self, records: Vec<Record>, askers: Vec<Asker>) -> (Vec<Record>, Vec<Asker>) {
        let mut allowed = (Vec::with_capacity(records.len()), Vec::with_capacity(askers.len()));
        for (record, asker) in records.into_iter().zip(askers) {
            match self.doors.judge(&record, matches!(asker, Asker::Thread(_))) {
                Ok(()) => allowed.extend([(record, asker)]),
                Err(problem) => refuse(&record, asker, problem),
            }
        }
        allowed
    }

    fn pass_on(&mut self, records: &[Record], outcomes: Vec<Outcome>, askers: Vec<Asker>) {
        let mut recorded = Vec::with_capacity(outcomes.len());
        let mut answers = Vec::new();
        for ((record, outcome), asker) in records.iter().zip(outcomes).zip(askers) {
            self.doors.take(record, &outcome);
            let asker = match asker {
                Asker::Thread(answer) => {
                    answers.push((answer, outcome.clone()));
                    None
                }
                client => Some(client),
            };
            match (outcome, asker, record) {
                (Outcome::Posted(message), ..) => self.line_up(message, &mut recorded),
                (Outcome::Created(room), ..) => recorded.push(Recorded::Created(room)),
                (Outcome::Changed(room), ..) => recorded.push(Recorded::Changed(room)),
                (Outcome::Invited(room), _, Record::Invite { person, .. }) => {
                    recorded.push(Recorded::Invited(room, person.clone()));
                }
                (Outcome::Removed(_), _, Record::Remove { room, person, .. }) => {
                    recorded.push(Recorded::Removed(*room, person.clone()));
                }
                (Outcome::Repeated(message), Some(Asker::Client(party)), _) => {
                    recorded.push(Recorded::Repeated(party.id, message));
                }
                (Outcome::Read, Some(Asker::Reader(party, room)), Record::Read { rev, .. }) => {
                    recorded.push(Recorded::Read(party.id, room, *rev));
                }
                (Outcome::Refused(fault), Some(asker), record) => refuse(record, asker, Problem::of(fault)),
                _ => {}
            }
        }
        let posted =
            recorded.iter().filter(|recorded| matches!(recorded, Recorded::Posted(m) if m.rev == m.seq)).count();
        self.metrics.messages_stored.inc_by(posted as u64);
        if !recorded.is_empty() {
            self.pace.stored();
            // The dispatcher outlives the recorder.
            let _ = self.events.send(Event::Recorded(recorded));
        }
        for (answer, outcome) in answers {
            // Whoever asked may be gone by now; what is stored is stored.
            let _ = answer.send(Ok(outcome));
        }
    }

    /// Passes a message on, and before it those that stand in the store but were never passed on: a commit whose
    /// success was reported as a failure. Numbers that another change took over meanwhile are not among them.
    fn line_up(&mut self, message: Message, recorded: &mut Vec<Recorded>) {
        let passed = self.passed.entry(message.room).or_insert(0);
        while *passed + 1 < message.rev {
            let missed = self.store.since(message.room, *passed, PAGE).unwrap_or_default();
            let before = *passed;
            for missed in missed.into_iter().filter(|m| m.rev < message.rev) {
                *passed = missed.rev;
                recorded.push(Recorded::Posted(missed));
            }
            if *passed == before {
                error!("room {} lacks numbers {} to {}", message.room, before + 1, message.rev - 1);
                break;
            }
        }
        *passed = message.rev;
        recorded.push(Recorded::Posted(message));
    }
}

/// What waits, up to a batch; and whether it was the last. What changes who may do what ends a batch: what comes
/// behind it is judged by what it made so.
fn batch(first: Entry, entries: &Receiver<Entry>, most_bytes: usize) -> (Vec<Record>, Vec<Asker>, bool) {
    let (mut records, mut askers, mut bytes, mut ends) = (Vec::new(), Vec::new(), 0, false);
    let mut next = Some(first);
    while let Some(entry) = next {
        match entry {
            Entry::Stop => return (records, askers, true),
            Entry::Record(record, asker) => {
                bytes += match &record {
                    Record::Post { body, .. } => body.len(),
                    Record::Amend { change: Change::Edit(body), .. } => body.len() + MESSAGE_OVERHEAD,
                    Record::Amend { change: Change::Delete, .. } => MESSAGE_OVERHEAD,
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
    (records, askers, false)
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
    use crate::name::PersonName;
    use crate::store::{Memory, Time};
    use crossbeam_channel::unbounded;

    fn post(id: &str) -> Record {
        let author = PersonName::parse("ann").unwrap();
        Record::Post { room: 1, author, id: id.into(), body: id.into(), reply_to: None, at: Time::now() }
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
        let (records, askers, stop) = batch(first, &entries, 1000);
        assert_eq!((records.len(), askers.len(), stop), (3, 3, true));
    }

    #[test]
    fn a_batch_is_bounded_in_bytes() {
        let (send, entries) = unbounded();
        for n in 0..100 {
            let author = PersonName::parse("ann").unwrap();
            let (id, body, at) = (n.to_string(), "x".repeat(8192), Time::now());
            let record = Record::Post { room: 1, author, id, body, reply_to: None, at };
            send.send(Entry::Record(record, asker())).unwrap();
        }
        let first = entries.recv().unwrap();
        assert_eq!(batch(first, &entries, 5 * 8192).0.len(), 5);
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
