//! What people write comes back as it was, whatever they write, from every store.

use super::*;

/// Characters of every plane and of every length in UTF-8, and what databases are known to stumble over.
const TEXTS: [&str; 12] = [
    "plain",
    "é ü ß Ω ж א ع ไทย",
    "日本語 한국어 ﷽",
    "😀 👩\u{200d}👩\u{200d}👧 \u{1f3f4}\u{e0067}\u{e007f} \u{20000} \u{30000} \u{e0100} \u{f0000} \u{10fffd}",
    "e\u{301} is not \u{e9}",
    "\u{1}\u{7f}\u{80}\u{feff}\u{fffd}\u{ffff}",
    " spaces before and behind  ",
    "\ttabs\r\nand lines\n",
    "100 % _ \\ \\\\ ' \" `",
    "'; DROP TABLE messages; -- $1 ? :a {} \\x00",
    "NULL",
    "",
];

#[test]
fn a_text_of_any_characters_comes_back_as_it_was() {
    on_each(|store| {
        let room = lobby(store).id;
        for (n, text) in TEXTS.iter().enumerate() {
            let Outcome::Posted(shown) = store.record(&[post(room, "ann", &n.to_string(), text)]).unwrap().remove(0)
            else {
                panic!("{text:?}")
            };
            assert_eq!(shown.body, *text);
        }
        assert_eq!(bodies(&store.since(room, 0, 99).unwrap()), TEXTS);
        let Outcome::Changed(changed) = store
            .record(&[Record::Change {
                room,
                title: Some(TEXTS[3].into()),
                topic: Some(TEXTS[9].into()),
                archived: None,
                slow: None,
                read_only: None,
                by: None,
            }])
            .unwrap()
            .remove(0)
        else {
            panic!()
        };
        assert_eq!((changed.title.as_str(), changed.topic.as_str()), (TEXTS[3], TEXTS[9]));
    });
}

#[test]
fn ids_and_signs_that_differ_are_different() {
    on_each(|store| {
        let ids = ["x", "x ", "X", " x", "\u{e9}", "e\u{301}", "ß", "ss", "x\t", "ı", "i"];
        for (n, id) in ids.iter().enumerate() {
            let outcomes = store.record(&[post(1, "ann", id, id)]).unwrap();
            assert!(matches!(&outcomes[0], Outcome::Posted(m) if m.rev == n as Rev + 1), "{id:?}: {outcomes:?}");
        }
        for id in ids {
            assert!(
                matches!(&store.record(&[post(1, "ann", id, "again")]).unwrap()[0], Outcome::Repeated(m) if m.body == id)
            );
        }
        for sign in ["👍", "👍🏽", "❤", "❤\u{fe0f}", "a", "A"] {
            shown(store, &[react(1, "bob", sign, true)]);
        }
        assert_eq!(store.last(1, 99).unwrap().0[0].reactions.len(), 6);
    });
}

#[test]
fn the_longest_of_everything_is_kept() {
    on_each(|store| {
        // Eighteen letters when names are compared.
        let longest = "\u{fdfa}".repeat(32);
        let (id, body) = ("\u{10ffff}".repeat(64), "\u{10fffd}".repeat(300_000));
        let outcomes = store.record(&[post(1, &longest, &id, &body)]).unwrap();
        assert!(matches!(&outcomes[0], Outcome::Posted(m) if m.id == id && m.body == body));
        assert!(name(&longest).folded().len() > 500);
        let Record::Post { author, .. } = post(1, &longest, &id, &body) else { panic!() };
        assert_eq!(store.known(&author).unwrap(), Some(author));
        assert!(store.last(1, 1).unwrap().0[0].body == body);
        let members: Vec<PersonName> = (0..50).map(|n| name(&format!("{n:02}{}", "名".repeat(30)))).collect();
        let direct = store.record(&[Record::Direct { people: members.clone(), at: NOON }]).unwrap().remove(0);
        assert!(matches!(&direct, Outcome::Created(room) if room.title.chars().count() > 1600), "{direct:?}");
        let ann = registered(store, "ann", Role::Member, 1);
        let picture: Vec<u8> = (0..300_000).map(|n| n as u8).collect();
        store.set_avatar(ann.id, Some(&picture)).unwrap();
        assert!(store.avatar(&name("ann")).unwrap() == Some(picture));
    });
}

#[test]
fn times_are_kept_to_the_millisecond() {
    on_each(|store| {
        // Before there were computers, now, and when years have five digits.
        let times = [0, 1, 999, 1_700_000_000_123, 4_102_444_800_000, 253_402_300_800_001];
        for (n, at) in times.into_iter().enumerate() {
            let Record::Post { room, author, body, .. } = post(1, "ann", "", "x") else { panic!() };
            store
                .record(&[Record::Post {
                    room,
                    author,
                    id: n.to_string(),
                    body,
                    role: None,
                    reply_to: None,
                    at: Time(at),
                }])
                .unwrap();
        }
        assert_eq!(store.since(1, 0, 9).unwrap().iter().map(|m| m.at.0).collect::<Vec<_>>(), times);
    });
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    on_each(|store| {
        // A room that is not there: memory keeps no rooms apart, and has nothing to roll back.
        let is_memory = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.record(&[post(1, "ann", "a", "first"), post(99, "ann", "b", "x")])
        }));
        if let Ok(refused) = is_memory {
            assert!(refused.is_err());
            assert_eq!((lobby(store).head, store.since(1, 0, 9).unwrap().len()), (0, 0));
            assert!(
                matches!(&store.record(&[post(1, "ann", "a", "again")]).unwrap()[0], Outcome::Posted(m) if m.rev == 1)
            );
        }
    });
}
