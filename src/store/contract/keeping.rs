//! Looking after a store: the same on each.

use super::*;
use crate::store::keeping::{Exported, Import, Imported};

fn account(store: &dyn Store, who: &str, role: Role, token: u8) -> Person {
    let session = NewSession { token: [token; 32], agent: String::new(), at: Time::now() };
    let account = NewAccount { name: name(who), password: "$argon2id$".into(), by: Err(role) };
    let Registered::Done(person) = store.register(&account, &session).unwrap() else { panic!() };
    person
}

fn exported(store: &dyn Store, room: &str) -> Option<(Membership, Vec<Message>)> {
    let (mut found, mut count, mut messages) = (None, 0, Vec::new());
    let head = store.export(&RoomName::parse(room).unwrap(), &mut |exported| {
        match exported {
            Exported::Room(membership, messages) => (found, count) = (Some(membership), messages),
            Exported::Message(message) => messages.push(message),
        }
        Ok(())
    });
    assert_eq!(head.unwrap(), found.as_ref().map(|found| found.room.head));
    assert_eq!(messages.len() as u64, count);
    found.map(|found| (found, messages))
}

/// A room in which everything has become of messages that can.
fn lively(store: &dyn Store) -> RoomId {
    let den = create_as("den", Kind::Private, Some("ann"), &["ann", "bob"]);
    let Outcome::Created(room) = store.record(&[den]).unwrap().remove(0) else { panic!() };
    let amend = |seq, by: &str, change| Record::Amend {
        room: room.id,
        seq,
        by: name(by),
        role: Role::Member,
        change,
        at: Time(1_700_000_001_000),
    };
    let react = |emoji: &str| Change::React { emoji: emoji.into(), on: true };
    let posts = (1..=4).map(|n| post(room.id, "ann", &n.to_string(), &format!("{n} @bob")));
    store.record(&posts.collect::<Vec<_>>()).unwrap();
    store
        .record(&[
            amend(2, "ann", Change::Edit("two".into())),
            amend(2, "bob", react("🎉")),
            amend(2, "ann", react("👍")),
            amend(2, "ann", react("🎉")),
            amend(3, "ann", Change::Delete),
            Record::Post {
                room: room.id,
                author: name("bob"),
                role: None,
                id: "1".into(),
                body: "why?".into(),
                reply_to: Some(3),
                at: Time(7),
            },
        ])
        .unwrap();
    room.id
}

fn import_of((found, messages): (Membership, Vec<Message>)) -> Import {
    Import { room: found.room, maker: found.maker, members: found.members, messages }
}

#[test]
fn a_room_is_carried_from_one_store_to_another_as_it_was() {
    on_each(|from| {
        lively(from);
        let whole = exported(from, "den").unwrap();
        assert_eq!((whole.0.room.head, whole.1.len()), (10, 5));
        on_each_with(&whole, |to, whole| {
            // Who is known here is called as here.
            to.record(&[post(1, "BOB", "x", "hi")]).unwrap();
            assert!(matches!(to.import(&import_of(whole.clone())).unwrap(), Imported::Done(room) if room.head == 10));
            let (found, messages) = exported(to, "den").unwrap();
            let here = |mut message: Message| {
                let people = message.reactions.iter_mut().flat_map(|reaction| &mut reaction.people);
                let bob = |person: &mut PersonName| {
                    if person.folded() == "bob" {
                        *person = name("BOB");
                    }
                };
                people.chain([&mut message.from]).for_each(bob);
                Message { room: found.room.id, ..message }
            };
            assert_eq!(messages, whole.1.iter().cloned().map(here).collect::<Vec<_>>());
            assert_eq!(found.room, Room { id: found.room.id, ..whole.0.room.clone() });
            assert_eq!((found.maker, found.members), (Some(name("ann")), vec![name("ann"), name("BOB")]));
            let revs: Vec<Rev> = to.since(found.room.id, 0, 99).unwrap().iter().map(|m| m.rev).collect();
            assert_eq!(revs, [1, 4, 8, 9, 10]);
            let view = to.rooms(&name("bob"), 9).unwrap().0.pop().unwrap();
            assert_eq!((view.unread, view.mentions), (0, 0), "a member has read what there is");
            // On it goes from there.
            let next = to.record(&[post(found.room.id, "ann", "5", "@BOB next")]).unwrap().remove(0);
            assert!(matches!(next, Outcome::Posted(message) if message.seq == 11));
            assert_eq!(to.rooms(&name("bob"), 9).unwrap().0.pop().unwrap().mentions, 1);
            let again = to.record(&[post(found.room.id, "ann", "1", "again")]).unwrap().remove(0);
            assert!(matches!(again, Outcome::Repeated(message) if message.seq == 1), "its id is known");
        });
    });
}

/// The same on each kind of store, with something that came from another.
fn on_each_with<T>(given: &T, check: fn(&dyn Store, &T)) {
    check(&Memory::new(5).unwrap(), given);
    let folder = tempfile::tempdir().unwrap();
    check(&Sql::sqlite(folder.path(), Synchronous::Full, 5).unwrap(), given);
}

#[test]
fn a_room_is_taken_in_where_nothing_was_said_and_beside_itself_under_another_name() {
    on_each(|store| {
        lively(store);
        let whole = exported(store, "den").unwrap();
        assert_eq!(store.import(&import_of(whole.clone())).unwrap(), Imported::NotEmpty);
        let mut other = import_of(whole.clone());
        other.room.name = RoomName::lobby();
        assert!(matches!(store.import(&other).unwrap(), Imported::OtherKind(room) if room.name == RoomName::lobby()));
        other.room.name = RoomName::parse("den-2").unwrap();
        let Imported::Done(room) = store.import(&other).unwrap() else { panic!() };
        let (_, messages) = exported(store, "den-2").unwrap();
        let said = |messages: &[Message]| messages.iter().map(|m| (m.seq, m.rev, m.body.clone())).collect::<Vec<_>>();
        assert_eq!(said(&messages), said(&whole.1));
        let ids: HashSet<&String> = messages.iter().chain(&whole.1).map(|message| &message.id).collect();
        assert_eq!(ids.len(), 9, "both of one name have used the id 1");
        assert_eq!(exported(store, "den").unwrap(), whole);
        assert!(room.id != whole.0.room.id && exported(store, "nowhere").is_none());
    });
}

#[test]
fn a_direct_room_is_found_by_its_people() {
    on_each(|store| {
        let direct = || Record::Direct { people: vec![name("eve"), name("ann")], at: Time(1) };
        let Outcome::Created(room) = store.record(&[direct()]).unwrap().remove(0) else { panic!() };
        let message = Message::born(0, 1, "1".into(), name("ann"), Time(5), "psst".into(), None);
        let import = Import {
            room: Room { name: RoomName::parse("d-0").unwrap(), head: 1, ..room.clone() },
            maker: Some(name("ann")),
            members: vec![name("ann"), name("eve")],
            messages: vec![message],
        };
        assert!(matches!(store.import(&import).unwrap(), Imported::Done(found) if found.id == room.id));
        assert_eq!(bodies(&store.last(room.id, 9).unwrap().0), ["psst"]);
        assert_eq!(store.import(&import).unwrap(), Imported::NotEmpty);
    });
}

#[test]
fn it_is_known_whose_sessions_are_whose() {
    on_each(|store| {
        let bob = account(store, "bob", Role::Member, 8);
        assert!(store.set_role(bob.id, Role::Moderator).unwrap(), "where nobody owns the server, nobody is lost");
        let ann = account(store, "ann", Role::Owner, 1);
        store.forget();
        assert_eq!(store.whose(&[[9; 32], [1; 32]]).unwrap(), [None, Some(ann.clone())]);
        assert!(store.set_role(ann.id, Role::Owner).unwrap());
        store.end_session(&[1; 32]).unwrap();
        assert_eq!(store.whose(&[[1; 32]]).unwrap(), [None]);
        assert_eq!(store.whose(&[]).unwrap(), []);
    });
}

#[test]
fn an_account_that_is_closed_is_nobodys_and_in_no_room() {
    on_each(|store| {
        let ann = account(store, "ann", Role::Owner, 1);
        let room = lively(store);
        store.set_avatar(ann.id, Some(b"picture")).unwrap();
        assert!(!store.close_account(ann.id).unwrap(), "nobody would own the server");
        assert!(store.account(&name("ann")).unwrap().is_some());
        account(store, "eve", Role::Owner, 2);
        assert!(store.close_account(ann.id).unwrap());
        assert_eq!((store.account(&name("ann")).unwrap(), store.session(&[1; 32], Time::now()).unwrap()), (None, None));
        assert_eq!(store.avatar(&name("ann")).unwrap(), None);
        let den = store.every_room().unwrap().into_iter().find(|found| found.room.id == room).unwrap();
        assert_eq!((den.maker, den.members), (Some(name("bob")), vec![name("bob")]));
        assert_eq!(store.last(room, 9).unwrap().0[0].from, name("ann"), "what was said stays");
        // The name is free again.
        account(store, "Ann", Role::Member, 3);
    });
}
