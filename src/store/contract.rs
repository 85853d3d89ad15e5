//! The contract of [`Store`], checked on every store alike.

use super::*;
use std::collections::HashSet;

type Check = fn(&dyn Store);

/// Runs `check` on each kind of store, empty but for the lobby, holding five rooms at most.
fn on_each(check: Check) {
    check(&Memory::new(5).unwrap());
    let folder = tempfile::tempdir().unwrap();
    check(&Sql::sqlite(folder.path(), Synchronous::Full, 5).unwrap());
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn post(room: RoomId, author: &str, id: &str, body: &str) -> Record {
    Record::Post { room, author: name(author), id: id.into(), body: body.into(), at: Time(1_700_000_000_123) }
}

fn create(room: &str) -> Record {
    Record::Create { name: RoomName::parse(room).unwrap(), title: "A title".into(), at: Time::now() }
}

fn lobby(store: &dyn Store) -> Room {
    store.room(&RoomName::lobby()).unwrap().unwrap()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|m| m.body.as_str()).collect()
}

#[test]
fn the_lobby_is_there_from_the_start() {
    on_each(|store| {
        let room = lobby(store);
        assert_eq!((room.name.as_str(), room.kind.as_str(), room.head), ("lobby", "public", 0));
        assert_eq!(store.room(&RoomName::parse("nowhere").unwrap()).unwrap(), None);
        assert_eq!(store.rooms(&name("ann"), 9).unwrap().0, [RoomView { room, unread: 0 }]);
    });
}

#[test]
fn numbers_rise_by_one_in_each_room() {
    on_each(|store| {
        let lobby = lobby(store).id;
        let Outcome::Created(garden) = store.record(&[create("garden")]).unwrap().remove(0) else { panic!() };
        let batch = [post(lobby, "ann", "1", "a"), post(garden.id, "ann", "2", "b"), post(lobby, "bob", "3", "c")];
        let outcomes = store.record(&batch).unwrap();
        let numbers: Vec<(RoomId, Rev, Rev)> = outcomes
            .iter()
            .map(|o| match o {
                Outcome::Posted(m) => (m.room, m.seq, m.rev),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(numbers, [(lobby, 1, 1), (garden.id, 1, 1), (lobby, 2, 2)]);
        assert_eq!(store.room(&garden.name).unwrap().unwrap().head, 1);
    });
}

#[test]
fn posting_twice_is_posting_once_and_takes_no_number() {
    on_each(|store| {
        let room = lobby(store).id;
        let first = store.record(&[post(room, "ann", "x", "hello"), post(room, "ann", "x", "again")]).unwrap();
        let Outcome::Posted(hello) = &first[0] else { panic!("{first:?}") };
        assert_eq!(first[1], Outcome::Repeated(hello.clone()));
        let second = store.record(&[
            post(room, "ANN", "x", "later"),
            post(room, "bob", "x", "mine"),
            post(room, "ann", "y", "next"),
        ]);
        let second = second.unwrap();
        assert!(matches!(&second[0], Outcome::Repeated(m) if m.body == "hello" && m.seq == 1), "{second:?}");
        assert!(matches!(&second[1], Outcome::Posted(m) if m.seq == 2), "another's same id is another message");
        assert!(matches!(&second[2], Outcome::Posted(m) if m.seq == 3), "a repeat leaves no gap");
        assert_eq!(lobby(store).head, 3);
        assert_eq!(bodies(&store.since(room, 0, 10).unwrap()), ["hello", "mine", "next"]);
    });
}

#[test]
fn pages_come_in_order_from_either_end() {
    on_each(|store| {
        let room = lobby(store).id;
        let batch: Vec<Record> = (1..=10).map(|n| post(room, "ann", &n.to_string(), &n.to_string())).collect();
        store.record(&batch).unwrap();
        let (last, head) = store.last(room, 3).unwrap();
        assert_eq!((bodies(&last), head), (vec!["8", "9", "10"], 10));
        assert_eq!(store.last(room, 50).unwrap().0.len(), 10);
        assert_eq!(bodies(&store.since(room, 7, 2).unwrap()), ["8", "9"]);
        assert_eq!(bodies(&store.since(room, 9, 2).unwrap()), ["10"]);
        assert!(store.since(room, 10, 2).unwrap().is_empty());
        assert_eq!(bodies(&store.before(room, 4, 2).unwrap()), ["2", "3"]);
        assert!(store.before(room, 1, 2).unwrap().is_empty());
    });
}

#[test]
fn what_is_stored_comes_back_as_it_was() {
    on_each(|store| {
        let room = lobby(store).id;
        let body = "tab\tline\nquote\" back\\ 日本語 👩‍👩‍👧‍👦 \u{1d11e} '; DROP TABLE messages; --";
        let Outcome::Posted(shown) = store.record(&[post(room, "👩‍🚀", "🦀", body)]).unwrap().remove(0) else {
            panic!()
        };
        assert_eq!((shown.body.as_str(), shown.from.as_str(), shown.at), (body, "👩‍🚀", Time(1_700_000_000_123)));
        assert_eq!(store.since(room, 0, 10).unwrap(), [shown]);
    });
}

#[test]
fn rooms_are_made_once_and_up_to_the_limit() {
    on_each(|store| {
        let outcomes =
            store.record(&[create("a"), create("a"), create("b"), create("c"), create("d"), create("e")]).unwrap();
        assert!(matches!(&outcomes[0], Outcome::Created(room) if room.name.as_str() == "a" && room.title == "A title"));
        assert_eq!(outcomes[1], Outcome::RoomExists);
        assert_eq!(outcomes[5], Outcome::RoomsFull, "the lobby counts");
        let ids: HashSet<RoomId> = store.rooms(&name("ann"), 9).unwrap().0.iter().map(|v| v.room.id).collect();
        assert_eq!(ids.len(), 5);
    });
}

#[test]
fn the_last_none_come_with_the_head() {
    on_each(|store| {
        let room = lobby(store).id;
        assert_eq!(store.last(room, 0).unwrap(), (vec![], 0));
        assert_eq!(store.last(room, 5).unwrap(), (vec![], 0));
        store.record(&[post(room, "ann", "1", "x"), post(room, "ann", "2", "y")]).unwrap();
        assert_eq!(store.last(room, 0).unwrap(), (vec![], 2));
    });
}

#[test]
fn of_many_rooms_those_where_one_has_read_come_before_others() {
    on_each(|store| {
        store.record(&[create("a"), create("b"), create("c")]).unwrap();
        let c = store.room(&RoomName::parse("c").unwrap()).unwrap().unwrap();
        store.record(&[Record::Read { person: name("ann"), room: c.id, rev: 0 }]).unwrap();
        let listed = |who: &str, most| -> Vec<String> {
            store.rooms(&name(who), most).unwrap().0.iter().map(|view| view.room.name.as_str().to_owned()).collect()
        };
        assert_eq!(listed("ann", 2), ["lobby", "c"]);
        assert_eq!(listed("Ann", 1), ["c"]);
        assert_eq!(listed("bob", 2), ["lobby", "a"]);
        assert_eq!(listed("ann", 9), ["lobby", "a", "b", "c"]);
        let more = |most| store.rooms(&name("ann"), most).unwrap().1;
        assert!(more(3) && !more(4));
    });
}

#[test]
fn unread_counts_from_the_mark_which_only_moves_forward() {
    on_each(|store| {
        let room = lobby(store).id;
        let batch: Vec<Record> = (1..=150).map(|n| post(room, "bob", &n.to_string(), "x")).collect();
        store.record(&batch).unwrap();
        let unread = |who: &str| store.rooms(&name(who), 9).unwrap().0[0].unread;
        let read = |rev| Record::Read { person: name("ann"), room, rev };
        assert_eq!(unread("ann"), 0, "one who has never read here owes nothing");
        store.record(&[read(10)]).unwrap();
        assert_eq!(unread("ann"), UNREAD_COUNTED);
        store.record(&[read(147), read(100)]).unwrap();
        assert_eq!(unread("Ann"), 3);
        assert_eq!(unread("bob"), 0);
    });
}

#[test]
fn a_session_lasts_until_it_ends() {
    on_each(|store| {
        let token = [7; 32];
        assert_eq!(store.session(&token).unwrap(), None);
        store.open_session(&token, &name("Ann"), Time::now()).unwrap();
        assert_eq!(store.session(&token).unwrap(), Some(Person { name: name("Ann"), role: Role::Guest }));
        store.end_session(&token).unwrap();
        store.end_session(&token).unwrap();
        assert_eq!(store.session(&token).unwrap(), None);
    });
}

#[test]
fn sqlite_keeps_everything_and_its_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Sql::sqlite(folder.path(), Synchronous::Normal, 5).unwrap();
    let store = open();
    let (epoch, room) = (store.epoch().to_owned(), lobby(&store).id);
    store.record(&[post(room, "ann", "1", "kept")]).unwrap();
    drop(store);
    let store = open();
    assert_eq!(store.epoch(), epoch);
    assert_eq!(bodies(&store.since(room, 0, 10).unwrap()), ["kept"]);
    assert!(matches!(&store.record(&[post(room, "ann", "1", "kept")]).unwrap()[0], Outcome::Repeated(m) if m.seq == 1));
}

#[test]
fn another_folder_has_another_epoch() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let epoch =
        |folder: &tempfile::TempDir| Sql::sqlite(folder.path(), Synchronous::Full, 5).unwrap().epoch().to_owned();
    assert_ne!(epoch(&one), epoch(&two));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parlor.db");
    std::fs::write(&path, "my holiday diary ".repeat(100)).unwrap();
    let refused = Sql::sqlite(folder.path(), Synchronous::Full, 5).err().unwrap().to_string();
    assert!(refused.contains("not a database") && refused.contains("parlor.db"), "{refused}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("my holiday diary"));
}

#[test]
fn a_database_from_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(Sql::sqlite(folder.path(), Synchronous::Full, 5).unwrap());
    {
        use diesel::prelude::*;
        let url = folder.path().join("parlor.db").to_string_lossy().into_owned();
        let mut newer = SqliteConnection::establish(&url).unwrap();
        diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101')")
            .execute(&mut newer)
            .unwrap();
    }
    let refused = Sql::sqlite(folder.path(), Synchronous::Full, 5).err().unwrap();
    assert!(matches!(&refused, Error::NewerDatabase(_, version) if version == "99990101"), "{refused}");
}

#[test]
fn memory_forgets_the_oldest_past_its_budget() {
    let store = Memory::with_budget(5, 10_000).unwrap();
    let room = lobby(&store).id;
    for n in 1..=100 {
        store.record(&[post(room, "ann", &n.to_string(), &"x".repeat(100))]).unwrap();
    }
    let kept = store.since(room, 0, 1000).unwrap();
    assert!(kept.len() < 30, "{}", kept.len());
    assert_eq!(kept.last().unwrap().seq, 100);
    assert_eq!(lobby(&store).head, 100, "the numbers go on");
    assert!(matches!(store.record(&[post(room, "ann", "100", "")]).unwrap()[0], Outcome::Repeated(_)));
}
