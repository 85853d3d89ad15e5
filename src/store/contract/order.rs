//! Order, on every store alike: penalties, the book, and what is needed to delete what somebody said.

use super::*;

fn sanction(who: &str, penalty: Penalty, until: Option<i64>, networks: &[&str]) -> Sanction {
    let networks = networks.iter().map(|network| network.to_string()).collect();
    let (until, at) = (until.map(Time), Time(1_000));
    Sanction { name: name(who), penalty, until, reason: "spam 🦀".into(), by: "host".into(), at, networks }
}

fn deed(act: &str) -> Deed {
    Deed::new(&name("host"), act)
}

fn noted(store: &dyn Store) -> Vec<String> {
    store.deeds(None, 99).unwrap().into_iter().map(|noted| noted.deed.act).collect()
}

#[test]
fn a_penalty_holds_until_it_is_over_or_lifted() {
    on_each(|store| {
        let mute = sanction("Ann", Penalty::Mute, Some(5_000), &[]);
        let ban = sanction("bob", Penalty::Ban, None, &["192.0.2.7/32", "2001:db8::/64"]);
        store.sanction(&mute, &deed("mute")).unwrap();
        store.sanction(&ban, &deed("ban")).unwrap();
        let found = store.sanctions(Time(4_999)).unwrap();
        assert!(found.len() == 2 && found.contains(&mute) && found.contains(&ban), "{found:?}");
        assert_eq!(store.sanctions(Time(5_000)).unwrap(), std::slice::from_ref(&ban));
        let longer = Sanction { until: None, ..sanction("ann", Penalty::Mute, None, &[]) };
        store.sanction(&longer, &deed("mute")).unwrap();
        assert_eq!(store.sanctions(Time(5_000)).unwrap().len(), 2, "it took the place of the one before");
        assert!(!store.lift(&name("ann"), Penalty::Ban, &deed("unban")).unwrap());
        assert!(!store.lift(&name("nobody"), Penalty::Mute, &deed("unmute")).unwrap());
        assert!(store.lift(&name("ANN"), Penalty::Mute, &deed("unmute")).unwrap());
        let shorter = Sanction { networks: vec!["192.0.2.8/32".into()], ..ban };
        store.sanction(&shorter, &deed("ban")).unwrap();
        assert_eq!(store.sanctions(Time(5_000)).unwrap(), [shorter]);
        assert_eq!(noted(store), ["ban", "unmute", "mute", "ban", "mute"], "what was not done is not noted");
    });
}

#[test]
fn a_penalty_goes_with_its_person() {
    on_each(|store| {
        store.sanction(&sanction("ann", Penalty::Mute, None, &[]), &deed("mute")).unwrap();
        let (password, by) = (String::new(), Err(Role::Member));
        let account = NewAccount { name: name("ann"), password, by };
        let session = NewSession { token: [1; 32], agent: String::new(), at: Time(1) };
        let Registered::Done(person) = store.register(&account, &session).unwrap() else { panic!() };
        assert!(store.rename(person.id, &name("Anna")).unwrap());
        let found = store.sanctions(Time(0)).unwrap();
        assert_eq!(found.iter().map(|sanction| sanction.name.as_str()).collect::<Vec<_>>(), ["Anna"]);
    });
}

#[test]
fn the_book_is_read_from_its_end() {
    on_each(|store| {
        assert!(store.deeds(None, 5).unwrap().is_empty());
        for n in 0..5 {
            store.note(&deed(&n.to_string())).unwrap();
        }
        let full = Deed { room: Some("lobby".into()), ..deed("full") }.to(&name("ann")).detail("how").reason("why");
        store.note(&full).unwrap();
        let last = store.deeds(None, 2).unwrap();
        assert_eq!((&last[0].deed, last[1].deed.act.as_str()), (&full, "4"));
        let before = store.deeds(Some(last[1].id), 3).unwrap();
        assert_eq!(before.iter().map(|noted| noted.deed.act.as_str()).collect::<Vec<_>>(), ["3", "2", "1"]);
        assert!(before.windows(2).all(|pair| pair[0].id > pair[1].id));
    });
}

#[test]
fn what_somebody_said_is_found_in_slices_and_deleted_wherever_it_stands() {
    on_each(|store| {
        let lobby = lobby(store).id;
        let archive = Record::Change {
            room: lobby,
            title: None,
            topic: None,
            archived: Some(true),
            slow: None,
            read_only: None,
            by: None,
        };
        let said = |who: &str, n: i64| post(lobby, who, &n.to_string(), "x");
        store.record(&[said("eve", 1), said("ann", 2), said("EVE", 3), said("eve", 4), archive]).unwrap();
        let written = |after, count| store.written_by(&name("Eve"), lobby, after, count).unwrap();
        assert_eq!((written(0, 2), written(3, 2)), (vec![1, 3], vec![4]));
        assert!(store.written_by(&name("nobody"), lobby, 0, 9).unwrap().is_empty());
        let purge = |seq| Record::Purge { room: lobby, seq, by: name("host"), at: Time(9) };
        let outcomes = store.record(&[purge(1), purge(3), purge(1), purge(99)]).unwrap();
        assert!(
            matches!(&outcomes[0], Outcome::Posted(m) if m.deleted && m.body.is_empty() && m.rev == 5),
            "{outcomes:?}"
        );
        assert!(matches!(&outcomes[1], Outcome::Posted(m) if m.rev == 6));
        assert_eq!(outcomes[2..], [Outcome::Unchanged, Outcome::Refused(Fault::NoSuchMessage)]);
        assert_eq!(written(0, 9), [4]);
        assert_eq!(store.room(&RoomName::lobby()).unwrap().unwrap().head, 6, "no number is lost");
    });
}

#[test]
fn a_room_is_slow_and_read_only_until_that_is_changed() {
    on_each(|store| {
        let room = lobby(store).id;
        let change = |slow, read_only| {
            let (title, topic, archived, by) = Default::default();
            let record = Record::Change { room, title, topic, archived, slow, read_only, by };
            let Outcome::Changed(room) = store.record(&[record]).unwrap().remove(0) else { panic!() };
            assert_eq!(store.room(&room.name).unwrap().unwrap(), room);
            (room.slow, room.read_only)
        };
        assert_eq!(change(None, None), (0, false));
        assert_eq!(change(Some(30), None), (30, false));
        assert_eq!(change(None, Some(true)), (30, true));
        let found = store.every_room().unwrap().remove(0).room;
        assert_eq!((found.slow, found.read_only), (30, true));
        assert_eq!(change(Some(0), Some(false)), (0, false));
    });
}
