//! A database that is copied into another is the same there, down to its numbers and its epoch.

use super::super::address::Address;
use super::super::copy::copy_database;
use super::super::tokens::NewToken;
use super::super::webhooks::NewWebhook;
use super::*;

/// A folder, and the addresses of databases in it that are not there yet.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn sqlite(&self, name: &str) -> String {
        format!("sqlite:{}", self.0.path().join(name).display())
    }
}

fn open(address: &str) -> Sql {
    Sql::open(&Address::parse(address).unwrap(), Synchronous::Normal, 50).unwrap()
}

fn copy(from: &str, to: &str) -> Result<u64, Error> {
    let (mut last, mut of) = (0, 0);
    let copied = copy_database(from, to, |progress| {
        assert!(progress.done >= last && progress.done <= progress.of, "{progress:?}");
        (last, of) = (progress.done, progress.of);
    })?;
    assert_eq!(last, of, "it tells of everything");
    Ok(copied.iter().map(|table| table.added).sum())
}

/// Something in each table, and more messages than a slice has.
fn furnish(address: &str) -> Sql {
    let store = open(address);
    // A session of long ago would be swept away by whoever opens the next one.
    let signed_in = NewSession { at: Time::now(), ..session(1) };
    let Registered::Done(ann) = store.register(&account("ann", Err(Role::Owner)), &signed_in).unwrap() else {
        panic!()
    };
    store.set_avatar(ann.id, Some(&[0, 1, 255])).unwrap();
    store.invite(&invitation(ann.id)).unwrap();
    store.record(&[create_as("den", Kind::Private, Some("ann"), &["ann", "Bob"])]).unwrap();
    for batch in 0..3 {
        let posts: Vec<Record> =
            (0..500).map(|n| post(1, "bob", &format!("{batch}-{n}"), &format!("@ann {n} 👩\u{200d}🚀"))).collect();
        store.record(&posts).unwrap();
    }
    store.record(&[edit(1, "bob", "changed"), react(2, "ann", "👍", true), changed(3, "bob", Change::Delete)]).unwrap();
    store.record(&[Record::Read { person: name("ann"), room: 1, rev: 700 }, post(2, "bob", "x", "")]).unwrap();
    furnish_further(&store, ann.id);
    store
}

/// What keeps order, and what belongs to programs.
fn furnish_further(store: &Sql, ann: PersonId) {
    let at = Time::now();
    let change = Record::Change {
        room: 2,
        title: None,
        topic: None,
        archived: None,
        slow: Some(30),
        read_only: Some(true),
        by: None,
    };
    store.record(&[change]).unwrap();
    let deed = Deed {
        at,
        by: "ann".into(),
        act: "ban".into(),
        whom: Some("Mallory".into()),
        room: None,
        detail: None,
        reason: Some("ads 👎".into()),
    };
    let ban = Sanction {
        name: name("Mallory"),
        penalty: Penalty::Ban,
        until: None,
        reason: "ads".into(),
        by: "ann".into(),
        at,
        networks: vec!["192.0.2.1".into()],
    };
    store.sanction(&ban, &deed).unwrap();
    store.make_token(ann, &NewToken { token: [3; 32], label: "script".into(), at }).unwrap();
    store.make_bot(&name("weather"), at).unwrap().unwrap();
    let (url, secret) = ("https://example.org".into(), "secret".into());
    let webhook = NewWebhook { id: "hook".into(), person: ann, room: Some(1), url, secret, at };
    store.make_webhook(&webhook).unwrap();
    store.mark_webhook("hook", &[(1, 1200)], Some(at)).unwrap();
}

fn invitation(by: PersonId) -> Invitation {
    let (created_at, expires_at) = (Time::now(), Time(Time::now().0 + 1_000_000));
    Invitation { token: [9; 32], role: Role::Moderator, by: Some(by), created_at, expires_at, uses_left: 2 }
}

fn same(one: &Sql, two: &Sql) {
    assert_eq!(one.epoch(), two.epoch());
    assert_eq!(one.every_room().unwrap(), two.every_room().unwrap());
    for room in [1, 2] {
        assert_eq!(one.since(room, 0, 9999).unwrap(), two.since(room, 0, 9999).unwrap());
    }
    assert_eq!(one.people().unwrap(), two.people().unwrap());
    assert_eq!(one.account(&name("ann")).unwrap(), two.account(&name("ann")).unwrap());
    assert_eq!(one.avatar(&name("ann")).unwrap(), two.avatar(&name("ann")).unwrap());
    assert_eq!(one.session(&[1; 32], NOON).unwrap(), two.session(&[1; 32], NOON).unwrap());
    assert_eq!(one.invitations(NOON).unwrap(), two.invitations(NOON).unwrap());
    assert_eq!(one.rooms(&name("ann"), 9).unwrap(), two.rooms(&name("ann"), 9).unwrap());
    let now = Time::now();
    assert_eq!(one.sanctions(now).unwrap(), two.sanctions(now).unwrap());
    assert_eq!(one.sanctions(now).unwrap().len(), 1);
    assert_eq!(one.deeds(None, 9).unwrap(), two.deeds(None, 9).unwrap());
    assert_eq!(one.token(&[3; 32], now).unwrap(), two.token(&[3; 32], now).unwrap());
    assert_eq!(one.bots().unwrap(), two.bots().unwrap());
    let hook = |store: &Sql| format!("{:?} {:?}", store.webhook("hook").unwrap(), store.webhook_marks("hook").unwrap());
    assert_eq!(hook(one), hook(two));
    let wanted = super::search::wanted(&["ann", "2"]);
    assert_eq!(super::search::found(one, &wanted), super::search::found(two, &wanted));
}

#[test]
fn through_every_database_and_back_it_stays_the_same() {
    let place = Place::new();
    let mut all = vec![place.sqlite("first.db")];
    all.extend(engines().iter().map(|engine| engine.fresh()));
    all.push(place.sqlite("last.db"));
    let first = furnish(&all[0]);
    for pair in all.windows(2) {
        assert!(copy(&pair[0], &pair[1]).unwrap() > 3000);
        let new = open(&pair[1]);
        same(&first, &new);
    }
    for address in &all {
        let store = open(address);
        assert!(
            matches!(&store.record(&[post(1, "bob", "0-0", "x")]).unwrap()[0], Outcome::Repeated(m) if m.rev == 1501)
        );
        // Ids go on behind those that were copied.
        let made = store.record(&[create("new"), post(1, "somebody new", "1", "x")]).unwrap();
        assert!(matches!(&made[0], Outcome::Created(room) if room.id == 3), "{made:?}");
        assert!(matches!(&made[1], Outcome::Posted(m) if m.rev == 1504), "{made:?}");
    }
}

#[test]
fn a_copy_that_broke_off_goes_on_and_is_no_chat_before_it_is_done() {
    let place = Place::new();
    let from = place.sqlite("from.db");
    let first = furnish(&from);
    let mut targets = vec![place.sqlite("to.db")];
    targets.extend(engines().iter().map(|engine| engine.fresh()));
    for to in targets {
        let broken = std::panic::catch_unwind(|| {
            copy_database(&from, &to, |progress| {
                assert!(progress.table != "messages" || progress.done < 900, "the power fails")
            })
        });
        assert!(broken.is_err());
        let refused = Sql::open(&Address::parse(&to).unwrap(), Synchronous::Normal, 5).err().unwrap().to_string();
        assert!(refused.contains("is not finished") && refused.contains("parlor migrate"), "{refused}");
        let refused = copy(&to, &place.sqlite("half.db")).unwrap_err().to_string();
        assert!(refused.contains("holds no chat"), "{refused}");
        let added = copy(&from, &to).unwrap();
        assert!((500..3000).contains(&added), "what was there is kept: {added}");
        same(&first, &open(&to));
        assert_eq!(copy(&from, &to).unwrap(), 0, "once more, and nothing is missing");
    }
}

#[test]
fn what_would_be_written_over_is_refused() {
    let place = Place::new();
    let (from, other) = (place.sqlite("from.db"), place.sqlite("other.db"));
    let store = open(&from);
    drop(open(&other));
    let refused = copy(&from, &other).unwrap_err();
    assert!(matches!(&refused, Error::Setting(why) if why.contains("holds another chat")), "{refused}");
    let to = place.sqlite("to.db");
    copy(&from, &to).unwrap();
    open(&to).record(&[post(1, "ann", "1", "only here")]).unwrap();
    let refused = copy(&from, &to).unwrap_err().to_string();
    assert!(refused.contains("rooms") || refused.contains("people"), "{refused}");
    assert_eq!(store.since(1, 0, 9).unwrap(), []);
    assert!(copy(&from, &from).unwrap_err().to_string().contains("onto itself"));
    let missing = place.sqlite("nowhere.db");
    assert!(copy(&missing, &to).unwrap_err().to_string().contains("no database at"));
    assert!(!place.0.path().join("nowhere.db").exists());
}
