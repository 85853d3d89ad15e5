//! Search, on every store alike; and what is SQL's own: an index that is made and mended beside the messages.

use super::*;
use crate::words::{Term, words};

fn term(text: &str) -> Term {
    let begun = text.ends_with('*');
    Term { words: words(text).into_iter().map(|word| word.text).collect(), begun }
}

pub(super) fn wanted(terms: &[&str]) -> Wanted {
    Wanted {
        terms: terms.iter().map(|text| term(text)).collect(),
        from: Vec::new(),
        within: Within::PublicAnd(Vec::new()),
        before: None,
        after: None,
        cursor: None,
        limit: 50,
    }
}

/// What is found, once everything is in the index.
pub(super) fn found(store: &dyn Store, wanted: &Wanted) -> Vec<String> {
    let found = (0..40).map(|_| store.search(wanted).unwrap()).find(|found| !found.indexing);
    found.expect("the index catches up").hits.into_iter().map(|hit| hit.body).collect()
}

fn at(record: Record, time: i64) -> Record {
    let Record::Post { room, author, id, body, reply_to, .. } = record else { panic!() };
    Record::Post { room, author, id, body, role: None, reply_to, at: Time(time) }
}

fn amend(seq: Rev, change: Change) -> Record {
    Record::Amend { room: 1, seq, by: name("ann"), role: Role::Member, change, at: Time::now() }
}

#[test]
fn messages_are_found_by_words_and_phrases_the_newest_first() {
    on_each(|store| {
        let room = lobby(store).id;
        let bodies = ["Green tea", "tea, not green", "TÉA for two", "meetings", "明日の会議室", "done 🎉", "ΟΔΟΣ"];
        let posts = bodies.iter().enumerate().map(|(n, body)| post(room, "ann", &n.to_string(), body));
        store.record(&posts.collect::<Vec<_>>()).unwrap();
        for (terms, expected) in [
            (vec!["tea"], vec!["TÉA for two", "tea, not green", "Green tea"]),
            (vec!["tea", "GREEN"], vec!["tea, not green", "Green tea"]),
            (vec!["green tea"], vec!["Green tea"]),
            (vec!["meet"], vec![]),
            (vec!["meet*"], vec!["meetings"]),
            (vec!["会議"], vec!["明日の会議室"]),
            (vec!["🎉"], vec!["done 🎉"]),
            (vec!["οδός"], vec!["ΟΔΟΣ"]),
            (vec!["tea", "milk"], vec![]),
        ] {
            assert_eq!(found(store, &wanted(&terms)), expected, "{terms:?}");
        }
        let hit = store.search(&wanted(&["two"])).unwrap().hits.remove(0);
        let at = Time(1_700_000_000_123);
        let (room_name, from, body) = (RoomName::lobby(), name("ann"), "TÉA for two".into());
        assert_eq!(hit, Hit { room, room_name, seq: 3, from, at, body });
    });
}

#[test]
fn search_follows_edits_and_deletions() {
    on_each(|store| {
        store.record(&[post(1, "ann", "a", "a slip of the pen"), post(1, "ann", "b", "a secret")]).unwrap();
        assert_eq!(found(store, &wanted(&["slip"])).len(), 1);
        store.record(&[amend(1, Change::Edit("as it was meant".into())), amend(2, Change::Delete)]).unwrap();
        for (word, expected) in [("slip", 0), ("meant", 1), ("secret", 0)] {
            assert_eq!(found(store, &wanted(&[word])).len(), expected, "{word}");
        }
        // Changed in the same batch in which it came.
        store.record(&[post(1, "ann", "c", "one"), amend(5, Change::Edit("two".into()))]).unwrap();
        store.record(&[post(1, "ann", "d", "three"), amend(7, Change::Delete)]).unwrap();
        store.record(&[amend(5, Change::React { emoji: "👍".into(), on: true })]).unwrap();
        for (word, expected) in [("one", 0), ("two", 1), ("three", 0)] {
            assert_eq!(found(store, &wanted(&[word])).len(), expected, "{word}");
        }
    });
}

#[test]
fn only_rooms_that_are_asked_for_are_searched() {
    on_each(|store| {
        let create = create_as("den", Kind::Private, Some("ann"), &["ann"]);
        let Outcome::Created(den) = store.record(&[create]).unwrap().remove(0) else { panic!() };
        store.record(&[post(1, "ann", "a", "tea here"), post(den.id, "ann", "b", "tea there")]).unwrap();
        let within = |within| found(store, &Wanted { within, ..wanted(&["tea"]) });
        assert_eq!(within(Within::PublicAnd(vec![])), ["tea here"]);
        assert_eq!(within(Within::PublicAnd(vec![den.id])), ["tea there", "tea here"]);
        assert_eq!(within(Within::Only(vec![den.id])), ["tea there"]);
        assert_eq!(within(Within::Only(vec![])), Vec::<String>::new());
    });
}

#[test]
fn authors_and_times_narrow_it_down() {
    on_each(|store| {
        let posts =
            (0..100).map(|n| at(post(1, ["ann", "Bob"][n % 2], &n.to_string(), &format!("tea {n}")), n as i64 * 1000));
        store.record(&posts.collect::<Vec<_>>()).unwrap();
        let by =
            |from: &[&str]| Wanted { from: from.iter().map(|text| name(text).folded()).collect(), ..wanted(&["tea"]) };
        assert_eq!(found(store, &by(&["BOB"]))[..2], ["tea 99", "tea 97"]);
        assert_eq!(found(store, &by(&["bob", "ann"])).len(), 50);
        assert_eq!(found(store, &by(&["eve"])), Vec::<String>::new());
        let between = |after, before| Wanted { after: Some(Time(after)), before: Some(Time(before)), ..wanted(&[]) };
        assert_eq!(found(store, &between(7000, 9000)), ["tea 8", "tea 7"]);
        assert_eq!(found(store, &between(99_001, 200_000)), Vec::<String>::new());
        assert_eq!(found(store, &Wanted { from: vec![name("ann").folded()], ..between(7000, 9000) }), ["tea 8"]);
    });
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    on_each(|store| {
        let posts = |from: usize| (from..from + 60).map(|n| post(1, "ann", &n.to_string(), &format!("tea {n}")));
        store.record(&posts(0).collect::<Vec<_>>()).unwrap();
        found(store, &wanted(&["tea"]));
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.search(&Wanted { cursor, limit: 25, ..wanted(&["tea"]) }).unwrap();
            all.extend(page.hits.into_iter().map(|hit| hit.seq));
            // What comes meanwhile belongs to no page of this search.
            if all.len() == 25 {
                store.record(&posts(60).collect::<Vec<_>>()).unwrap();
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(all, (1..=60).rev().collect::<Vec<_>>());
        let exactly = Wanted { limit: 60, before: Some(Time(i64::MAX)), ..wanted(&["tea 0"]) };
        assert_eq!(store.search(&exactly).unwrap().next, None);
    });
}

#[test]
fn a_page_after_a_message_is_the_nearest_ones() {
    on_each(|store| {
        let batch: Vec<Record> = (1..=10).map(|n| post(1, "ann", &n.to_string(), &n.to_string())).collect();
        store.record(&batch).unwrap();
        assert_eq!(bodies(&store.after(1, 4, 2).unwrap()), ["5", "6"]);
        assert_eq!(bodies(&store.after(1, 8, 5).unwrap()), ["9", "10"]);
        assert_eq!(bodies(&store.after(1, 0, 1).unwrap()), ["1"]);
        assert!(store.after(1, 10, 2).unwrap().is_empty());
    });
}

#[test]
fn memory_forgets_what_it_can_no_longer_find() {
    let store = Memory::with_budget(5, 4000).unwrap();
    for n in 0..50 {
        store.record(&[post(1, "ann", &n.to_string(), &format!("tea {n}"))]).unwrap();
    }
    let all = found(&store, &wanted(&["tea"]));
    assert!(all.len() > 2 && all.len() < 20, "{all:?}");
    assert_eq!(all[0], "tea 49");
    let page = store.search(&Wanted { limit: 2, ..wanted(&["tea"]) }).unwrap();
    let rest = store.search(&Wanted { cursor: page.next, ..wanted(&["tea"]) }).unwrap();
    assert_eq!(rest.hits.len() + 2, all.len());
}

#[test]
fn a_database_without_an_index_gets_one_in_the_order_of_what_was_said() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let folder = tempfile::tempdir().unwrap();
    let store = Sql::sqlite(folder.path(), Synchronous::Normal, 5).unwrap();
    let Outcome::Created(other) = store.record(&[create("other")]).unwrap().remove(0) else { panic!() };
    // Room after room would be another order.
    let posts: Vec<Record> = (0..3000)
        .map(|n| at(post([1, other.id][n % 2], "ann", &n.to_string(), &format!("tea {n}")), n as i64 * 1000))
        .collect();
    posts.chunks(500).for_each(|batch| drop(store.record(batch).unwrap()));
    store.record(&[amend(7, Change::Edit("coffee".into())), amend(8, Change::Delete)]).unwrap();
    drop(store);
    let mut plain = SqliteConnection::establish(folder.path().join("parlor.db").to_str().unwrap()).unwrap();
    let emptied = "DELETE FROM search_marks; DELETE FROM search_places; INSERT INTO search_words (search_words) VALUES ('delete-all');";
    plain.batch_execute(emptied).unwrap();
    drop(plain);
    let store = Sql::sqlite(folder.path(), Synchronous::Normal, 5).unwrap();
    let all = found(&store, &wanted(&["tea"]));
    let expected: Vec<String> = (2950..3000).rev().map(|n| format!("tea {n}")).collect();
    assert_eq!(all, expected);
    assert_eq!(found(&store, &wanted(&["coffee"])), ["coffee"]);
    assert_eq!(found(&store, &wanted(&["tea 14"])), Vec::<String>::new(), "it was deleted");
    let early = Wanted { before: Some(Time(3000)), ..wanted(&["tea"]) };
    assert_eq!(found(&store, &early), ["tea 2", "tea 1", "tea 0"]);
}

#[test]
fn what_was_not_indexed_at_the_end_is_indexed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..3 {
        let store = Sql::sqlite(folder.path(), Synchronous::Normal, 5).unwrap();
        store.record(&[post(1, "ann", &n.to_string(), &format!("tea {n}"))]).unwrap();
    }
    let store = Sql::sqlite(folder.path(), Synchronous::Normal, 5).unwrap();
    assert_eq!(found(&store, &wanted(&["tea"])), ["tea 2", "tea 1", "tea 0"]);
}
