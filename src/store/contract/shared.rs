//! What a database promises that several servers write into, with a network in between.

use super::super::address::Address;
use super::super::link::ANSWER;
use super::super::order::Deed;
use super::tripwire::{Trap, Tripwire};
use super::*;
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Instant;

fn open(url: &str) -> Sql {
    Sql::open(&Address::parse(url).unwrap(), Synchronous::Full, 50).unwrap()
}

/// Runs `check` on a fresh database of each kind, with its server.
fn on_each_shared(check: fn(&'static Engine, &str)) {
    engines().into_iter().for_each(|engine| check(engine, &engine.fresh()));
}

/// The URL of a database by way of a tripwire.
fn through(engine: &Engine, url: &str) -> (Tripwire, String) {
    let wire = Tripwire::to(engine.address);
    let by_wire = engine.url(url.rsplit('/').next().unwrap(), wire.address);
    (wire, by_wire)
}

#[test]
fn two_servers_give_the_numbers_of_one_room_without_a_gap_and_each_once() {
    on_each_shared(|_, url| {
        const BATCHES: usize = 20;
        let stores = [open(url), open(url)];
        let start = Barrier::new(2);
        let posted: Vec<Vec<Rev>> = std::thread::scope(|scope| {
            let post_all = |at: usize| {
                let (store, start) = (&stores[at], &start);
                move || {
                    start.wait();
                    let mut revs = Vec::new();
                    for batch in 0..BATCHES {
                        // Both know the same new person at the same time, and one message comes in by both ways.
                        let who = format!("person {batch}");
                        let own = format!("{at}-{batch}");
                        let both = format!("both-{batch}");
                        let records =
                            [post(1, &who, &own, &own), post(1, &who, &both, &both), post(1, "ann", &own, &own)];
                        for outcome in store.record(&records).unwrap() {
                            match outcome {
                                Outcome::Posted(message) => revs.push(message.rev),
                                Outcome::Repeated(_) => {}
                                other => panic!("{other:?}"),
                            }
                        }
                    }
                    revs
                }
            };
            let threads = [scope.spawn(post_all(0)), scope.spawn(post_all(1))];
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let all: BTreeSet<Rev> = posted.iter().flatten().copied().collect();
        let count = BATCHES as Rev * 5;
        assert_eq!((posted.concat().len(), all.len()), (count as usize, count as usize), "each number once");
        assert_eq!((all.first(), all.last()), (Some(&1), Some(&count)));
        let stored = stores[0].since(1, 0, 1000).unwrap();
        assert_eq!(stored.iter().map(|message| message.rev).collect::<Vec<_>>(), (1..=count).collect::<Vec<_>>());
    });
}

#[test]
fn servers_that_start_at_the_same_time_make_one_database() {
    on_each_shared(|_, url| {
        let start = Barrier::new(4);
        let epochs: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        open(url).epoch().to_owned()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
        assert_eq!(open(url).every_room().unwrap().len(), 1);
    });
}

#[test]
fn the_same_room_and_the_same_name_are_given_once() {
    on_each_shared(|_, url| {
        let stores = [open(url), open(url)];
        for n in 0..10 {
            let start = Barrier::new(2);
            let (room, who) = (format!("room-{n}"), format!("ann {n}"));
            let made: Vec<(Outcome, Registered)> = std::thread::scope(|scope| {
                let make = |at: usize| {
                    let (store, start, room, who) = (&stores[at], &start, &room, &who);
                    move || {
                        start.wait();
                        let made = store.record(&[create(room)]).unwrap().remove(0);
                        let token = (10 * n + at) as u8;
                        (made, store.register(&account(who, Err(Role::Member)), &session(token)).unwrap())
                    }
                };
                let threads = [scope.spawn(make(0)), scope.spawn(make(1))];
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let rooms = made.iter().filter(|(made, _)| matches!(made, Outcome::Created(_))).count();
            let people = made.iter().filter(|(_, made)| matches!(made, Registered::Done(_))).count();
            assert_eq!((rooms, people), (1, 1), "{made:?}");
        }
    });
}

#[test]
fn a_name_that_another_server_has_given_away_is_not_the_old_persons() {
    on_each_shared(|_, url| {
        let (one, two) = (open(url), open(url));
        let ann = registered(&one, "ann", Role::Member, 1);
        two.record(&[post(1, "ann", "1", "mine")]).unwrap();
        assert!(one.rename(ann.id, &name("eva")).unwrap());
        two.record(&[post(1, "ann", "2", "another's")]).unwrap();
        let said: Vec<String> =
            one.since(1, 0, 9).unwrap().iter().map(|m| format!("{}: {}", m.from.as_str(), m.body)).collect();
        assert_eq!(said, ["eva: mine", "ann: another's"]);
    });
}

/// Stores something while the line breaks at its commit.
fn broken(trap: Trap) {
    for engine in engines() {
        let url = engine.fresh();
        let (wire, by_wire) = through(engine, &url);
        let store = open(&by_wire);
        for n in 1..=3 {
            wire.set(trap);
            let outcomes = store.record(&[post(1, "ann", &n.to_string(), "once")]).unwrap();
            assert!(
                matches!(&outcomes[0], Outcome::Posted(m) if m.rev == n && m.body == "once"),
                "{trap:?}: {outcomes:?}"
            );
            assert!(wire.is_open(), "there was a commit");
        }
        assert_eq!(open(&url).since(1, 0, 9).unwrap().len(), 3, "each is there once");
    }
}

#[test]
fn a_commit_that_took_place_unheard_is_found() {
    broken(Trap::AfterCommit);
}

#[test]
fn a_commit_that_did_not_arrive_is_made_again() {
    broken(Trap::BeforeCommit);
}

#[test]
fn an_account_made_while_the_line_broke_is_made_once() {
    on_each_shared(|engine, url| {
        let (wire, by_wire) = through(engine, url);
        let store = open(&by_wire);
        wire.set(Trap::AfterCommit);
        registered(&store, "ann", Role::Member, 1);
        assert!(wire.is_open());
        assert_eq!(store.sessions(store.account(&name("ann")).unwrap().unwrap().person.id).unwrap().len(), 1);
    });
}

#[test]
fn while_the_database_is_away_everyone_is_told_at_once_and_it_goes_on_by_itself() {
    on_each_shared(|engine, url| {
        let (wire, by_wire) = through(engine, url);
        let store = open(&by_wire);
        store.record(&[post(1, "ann", "1", "before")]).unwrap();
        store.since(1, 0, 9).unwrap();
        wire.set(Trap::Shut);
        for n in 0..100 {
            let begin = Instant::now();
            let refused = store.record(&[post(1, "ann", &format!("away {n}"), "x")]).unwrap_err();
            let unread = store.since(1, 0, 9).unwrap_err();
            assert!(matches!(refused, Error::Unreachable(_)), "{refused:?}");
            assert!(matches!(unread, Error::Unreachable(_)), "{unread:?}");
            assert!(n == 0 || begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        }
        wire.set(Trap::Open);
        let deadline = Instant::now() + Duration::from_secs(20);
        while store.record(&[post(1, "ann", "2", "after")]).is_err() {
            assert!(Instant::now() < deadline, "it does not come back");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(bodies(&store.since(1, 0, 9).unwrap()), ["before", "after"]);
    });
}

#[test]
fn while_the_database_hangs_everyone_is_told_and_nothing_is_lost_or_there_twice() {
    on_each_shared(|engine, url| {
        let (wire, by_wire) = through(engine, url);
        let store = open(&by_wire);
        store.record(&[post(1, "ann", "1", "before")]).unwrap();
        store.since(1, 0, 9).unwrap();
        wire.set(Trap::Held);
        let begin = Instant::now();
        std::thread::scope(|scope| {
            // All readers are in it, and questions wait behind them.
            let unread: Vec<_> = (0..9).map(|_| scope.spawn(|| store.since(1, 0, 9))).collect();
            let refused = store.record(&[post(1, "ann", "2", "meanwhile")]).unwrap_err();
            assert!(matches!(&refused, Error::Unreachable(why) if why.contains("has not answered")), "{refused:?}");
            for unread in unread {
                assert!(matches!(unread.join().unwrap(), Err(Error::Unreachable(_))));
            }
        });
        assert!(begin.elapsed() < ANSWER * 2, "{:?}", begin.elapsed());
        let begin = Instant::now();
        for n in 0..100 {
            store.record(&[post(1, "ann", &format!("away {n}"), "x")]).unwrap_err();
            store.since(1, 0, 9).unwrap_err();
            store.note(&deed()).unwrap_err();
        }
        assert!(begin.elapsed() < Duration::from_secs(2), "at once from then on: {:?}", begin.elapsed());
        wire.set(Trap::Open);
        let deadline = Instant::now() + Duration::from_secs(20);
        while store.record(&[post(1, "ann", "2", "meanwhile"), post(1, "ann", "3", "after")]).is_err() {
            assert!(Instant::now() < deadline, "it does not come back");
            std::thread::sleep(Duration::from_millis(20));
        }
        store.note(&deed()).unwrap();
        let all = store.since(1, 0, 9).unwrap();
        assert_eq!(bodies(&all), ["before", "meanwhile", "after"]);
        assert_eq!(all.iter().map(|message| message.rev).collect::<Vec<_>>(), [1, 2, 3]);
    });
}

fn deed() -> Deed {
    let (by, act) = ("ann".into(), "ban".into());
    Deed { at: NOON, by, act, whom: None, room: None, detail: None, reason: None }
}

#[test]
fn nobody_listens_is_said_with_the_address_and_without_the_password() {
    for engine in engines() {
        let url = engine.url("parlor", "127.0.0.1:1".parse().unwrap()).replace("parlor@", "parlor:secret@");
        let refused = Sql::open(&Address::parse(&url).unwrap(), Synchronous::Full, 5).err().unwrap();
        let text = refused.to_string();
        assert!(matches!(refused, Error::Unreachable(_)) && text.contains("127.0.0.1:1/parlor"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn tables_whose_making_was_cut_off_at_any_place_are_made_to_the_end() {
    let Some(engine) = engines().into_iter().find(|engine| engine.fresh().starts_with("mysql")) else { return };
    let url = engine.fresh();
    let database = url.rsplit('/').next().unwrap();
    drop(open(&url));
    for version in 1..=5 {
        // It was made, and the power failed before that was noted.
        let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version >= '{version:014}'");
        engine.say_in(database, &forget);
        open(&url).record(&[post(1, "ann", &version.to_string(), "there")]).unwrap();
    }
    // Half of one was made.
    engine.say_in(database, "DROP TABLE webhooks; DROP TABLE bots");
    engine.say_in(database, "DELETE FROM __diesel_schema_migrations WHERE version = '00000000000005'");
    let store = open(&url);
    assert!(store.bots().unwrap().is_empty() && store.webhooks().unwrap().is_empty());
    assert_eq!(store.since(1, 0, 9).unwrap().len(), 5);
}

#[test]
fn a_newer_version_of_each_is_refused() {
    on_each_shared(|engine, url| {
        drop(open(url));
        let database = url.rsplit('/').next().unwrap();
        engine.say_in(database, "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101')");
        let refused = Sql::open(&Address::parse(url).unwrap(), Synchronous::Full, 5).err().unwrap();
        assert!(matches!(&refused, Error::NewerDatabase(_, version) if version == "99990101"), "{refused}");
    });
}
