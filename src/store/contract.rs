//! The contract of [`Store`], checked on every store alike.

mod batches;
mod copies;
#[path = "../../tests/common/engines.rs"]
mod engines;
mod keeping;
mod search;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod shared;
mod texts;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod tls;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod tripwire;

use super::address::Address;
use super::people::{Invitation, NewAccount, NewSession, PersonId, Registered};
use super::*;
use engines::Engine;
use std::collections::HashSet;

mod api;
mod order;

type Check = fn(&dyn Store);

/// Runs `check` on each kind of store, empty but for the lobby, holding five rooms at most.
fn on_each(check: Check) {
    check(&Memory::new(5).unwrap());
    let folder = tempfile::tempdir().unwrap();
    check(&Sql::sqlite(folder.path(), Synchronous::Full, 5).unwrap());
    for engine in engines() {
        check(&Sql::open(&Address::parse(&engine.fresh()).unwrap(), Synchronous::Full, 5).unwrap());
    }
}

/// The database servers that this build can speak to, and that this machine has.
fn engines() -> Vec<&'static Engine> {
    let postgres = if cfg!(feature = "postgres") { engines::postgres() } else { None };
    let mariadb = if cfg!(feature = "mysql") { engines::mariadb() } else { None };
    postgres.into_iter().chain(mariadb).collect()
}

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

fn post(room: RoomId, author: &str, id: &str, body: &str) -> Record {
    let (author, at) = (name(author), Time(1_700_000_000_123));
    Record::Post { room, author, role: None, id: id.into(), body: body.into(), reply_to: None, at }
}

fn create(room: &str) -> Record {
    create_as(room, Kind::Public, None, &[])
}

fn create_as(room: &str, kind: Kind, maker: Option<&str>, members: &[&str]) -> Record {
    Record::Create {
        name: RoomName::parse(room).unwrap(),
        title: "A title".into(),
        topic: String::new(),
        kind,
        maker: maker.map(name),
        members: members.iter().map(|member| name(member)).collect(),
        at: Time::now(),
    }
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
        assert_eq!(store.rooms(&name("ann"), 9).unwrap().0, [RoomView { room, unread: 0, mentions: 0 }]);
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
        let mut heads = store.heads().unwrap();
        heads.sort_unstable();
        assert_eq!(heads, [(lobby, 2), (garden.id, 1)]);
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
fn a_private_room_is_listed_for_its_members_alone_and_before_others() {
    on_each(|store| {
        store.record(&[create("a"), create_as("den", Kind::Private, Some("ann"), &["ann", "Bob"])]).unwrap();
        let listed = |who: &str, most| -> Vec<String> {
            store.rooms(&name(who), most).unwrap().0.iter().map(|view| view.room.name.as_str().to_owned()).collect()
        };
        assert_eq!(listed("bob", 9), ["lobby", "a", "den"]);
        assert_eq!(listed("bob", 1), ["den"]);
        assert_eq!(listed("eve", 9), ["lobby", "a"]);
        assert!(!store.rooms(&name("eve"), 2).unwrap().1, "not even that there is another is told");
        assert!(store.rooms(&name("ann"), 2).unwrap().1);
        let den = store.every_room().unwrap().remove(2);
        assert_eq!((den.room.kind, den.maker, den.members.len()), (Kind::Private, Some(name("ann")), 2));
    });
}

#[test]
fn a_member_has_read_what_was_before_and_whoever_is_removed_is_forgotten() {
    on_each(|store| {
        let made = store.record(&[create_as("den", Kind::Private, Some("ann"), &["ann"])]).unwrap().remove(0);
        let Outcome::Created(den) = made else { panic!("{made:?}") };
        let invite = |who: &str| Record::Invite { room: den.id, person: name(who), by: None, at: Time::now() };
        let remove = |who: &str| Record::Remove { room: den.id, person: name(who), by: None };
        let unread = |who: &str| store.rooms(&name(who), 9).unwrap().0.get(1).map(|view| view.unread);
        store.record(&[post(den.id, "ann", "1", "x"), post(den.id, "ann", "2", "x")]).unwrap();
        assert_eq!(unread("bob"), None);
        assert!(matches!(&store.record(&[invite("bob")]).unwrap()[0], Outcome::Invited(room) if room.head == 2));
        assert_eq!(unread("bob"), Some(0));
        store.record(&[post(den.id, "ann", "3", "x"), invite("BOB")]).unwrap();
        assert_eq!(unread("bob"), Some(1), "who is invited twice is invited once");
        assert_eq!(store.record(&[remove("Bob")]).unwrap(), [Outcome::Removed(Some(name("ann")))]);
        assert_eq!(unread("bob"), None);
        store.record(&[invite("bob")]).unwrap();
        assert_eq!(unread("bob"), Some(0));
        let passed_on = store.record(&[remove("ann"), remove("bob")]).unwrap();
        assert!(matches!(&passed_on[0], Outcome::Removed(Some(maker)) if maker.folded() == "bob"), "{passed_on:?}");
        assert_eq!(passed_on[1], Outcome::Removed(None));
    });
}

#[test]
fn the_same_people_have_one_direct_room() {
    on_each(|store| {
        let direct = |people: &[&str]| {
            let people = people.iter().map(|who| name(who)).collect();
            store.record(&[Record::Direct { people, at: Time::now() }]).unwrap().remove(0)
        };
        let Outcome::Created(room) = direct(&["ann", "bob"]) else { panic!() };
        assert!(room.kind == Kind::Direct && room.name.is_of_direct_rooms(), "{room:?}");
        assert_eq!(direct(&["Bob", "ANN"]), Outcome::Found(room.clone()));
        let Outcome::Created(other) = direct(&["ann", "bob", "eve"]) else { panic!() };
        assert_ne!(other.name, room.name);
        assert_eq!(store.every_room().unwrap()[1].members.len(), 2);
        direct(&["a", "b"]);
        direct(&["a", "c"]);
        assert_eq!(direct(&["a", "d"]), Outcome::RoomsFull);
    });
}

#[test]
fn a_room_is_changed_in_what_is_given() {
    on_each(|store| {
        let room = lobby(store).id;
        let change = |title: Option<&str>, topic: Option<&str>, archived| {
            let (title, topic) = (title.map(str::to_owned), topic.map(str::to_owned));
            let (slow, read_only, by) = Default::default();
            store.record(&[Record::Change { room, title, topic, archived, slow, read_only, by }]).unwrap().remove(0)
        };
        let Outcome::Changed(changed) = change(None, Some("Birds"), None) else { panic!() };
        assert_eq!((changed.title.as_str(), changed.topic.as_str(), changed.archived), ("Lobby", "Birds", false));
        change(Some("Hall"), None, Some(true));
        let kept = lobby(store);
        assert_eq!((kept.title.as_str(), kept.topic.as_str(), kept.archived), ("Hall", "Birds", true));
    });
}

#[test]
fn whoever_did_something_here_is_known() {
    on_each(|store| {
        assert_eq!(store.known(&name("ann")).unwrap(), None);
        store.record(&[post(lobby(store).id, "Ann", "1", "x")]).unwrap();
        assert_eq!(store.known(&name("ANN")).unwrap(), Some(name("Ann")));
        store.open_session(&session(1), &name("bob")).unwrap();
        assert_eq!(store.known(&name("bob")).unwrap(), Some(name("bob")));
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

fn changed(seq: Rev, by: &str, change: Change) -> Record {
    Record::Amend { room: 1, seq, by: name(by), role: Role::Guest, change, at: Time(1_700_000_000_456) }
}

fn edit(seq: Rev, by: &str, body: &str) -> Record {
    changed(seq, by, Change::Edit(body.into()))
}

fn react(seq: Rev, by: &str, emoji: &str, on: bool) -> Record {
    changed(seq, by, Change::React { emoji: emoji.into(), on })
}

/// Stores records one by one; each is as it was told of, when it is read.
fn shown(store: &dyn Store, records: &[Record]) -> Message {
    let mut last = None;
    for record in records {
        let outcome = store.record(std::slice::from_ref(record)).unwrap().remove(0);
        let Outcome::Posted(message) = outcome else { panic!("{record:?}: {outcome:?}") };
        assert_eq!(store.since(message.room, message.rev - 1, 9).unwrap(), std::slice::from_ref(&message));
        last = Some(message);
    }
    last.unwrap()
}

fn refused(store: &dyn Store, record: Record, fault: Fault) {
    let head = lobby(store).head;
    assert_eq!(store.record(&[record]).unwrap(), [Outcome::Refused(fault)]);
    assert_eq!(lobby(store).head, head, "it takes no number");
}

#[test]
fn an_edit_takes_the_next_number_and_keeps_the_place() {
    on_each(|store| {
        store.record(&[post(1, "ann", "a", "helo"), post(1, "bob", "b", "hi")]).unwrap();
        let edited = shown(store, &[edit(1, "ANN", "hello")]);
        assert_eq!((edited.seq, edited.rev, edited.body.as_str()), (1, 3, "hello"));
        assert_eq!((edited.from.folded().as_str(), edited.at), ("ann", Time(1_700_000_000_123)));
        assert_eq!(edited.edited_at, Some(Time(1_700_000_000_456)));
        assert_eq!(bodies(&store.last(1, 9).unwrap().0), ["hello", "hi"]);
        assert_eq!(bodies(&store.since(1, 0, 9).unwrap()), ["hi", "hello"], "each once, by its last change");
        assert_eq!(bodies(&store.since(1, 0, 1).unwrap()), ["hi"]);
        assert_eq!(bodies(&store.before(1, 2, 9).unwrap()), ["hello"]);
        assert_eq!(store.record(&[edit(1, "ann", "hello")]).unwrap(), [Outcome::Unchanged]);
        refused(store, edit(1, "bob", "mine"), Fault::NotOwn);
        refused(store, edit(3, "ann", "there is no third"), Fault::NoSuchMessage);
        let Record::Amend { room, seq, by, change, at, .. } = edit(1, "mod", "moderated") else { panic!() };
        let moderated = shown(store, &[Record::Amend { room, seq, by, role: Role::Moderator, change, at }]);
        assert_eq!((moderated.from.folded().as_str(), moderated.rev), ("ann", 4));
        let repeated = store.record(&[post(1, "ANN", "a", "helo")]).unwrap();
        assert_eq!(repeated, [Outcome::Repeated(moderated)], "a receipt is the message as it now stands");
    });
}

#[test]
fn what_is_deleted_leaves_its_number_alone() {
    on_each(|store| {
        store.record(&[post(1, "ann", "a", "secret"), react(1, "bob", "👍", true)]).unwrap();
        refused(store, changed(1, "bob", Change::Delete), Fault::NotOwn);
        let gone = shown(store, &[changed(1, "ann", Change::Delete)]);
        assert_eq!((gone.seq, gone.rev, gone.deleted, gone.body.as_str()), (1, 3, true, ""));
        assert_eq!(gone.reactions, []);
        assert_eq!(store.record(&[changed(1, "ann", Change::Delete)]).unwrap(), [Outcome::Unchanged]);
        refused(store, edit(1, "ann", "again"), Fault::Deleted);
        refused(store, react(1, "bob", "👍", true), Fault::Deleted);
        assert_eq!(store.last(1, 9).unwrap(), (vec![gone], 3));
    });
}

#[test]
fn reactions_stand_in_the_order_of_their_first_use() {
    on_each(|store| {
        store.record(&[post(1, "ann", "a", "hello")]).unwrap();
        let given = [("bob", "🎉"), ("ann", "👍"), ("Eve", "🎉")].map(|(who, emoji)| react(1, who, emoji, true));
        let all = |message: &Message| -> Vec<String> {
            let one =
                |r: &Reaction| format!("{}{}", r.emoji, r.people.iter().map(PersonName::as_str).collect::<String>());
            message.reactions.iter().map(one).collect()
        };
        let message = shown(store, &given);
        assert_eq!(all(&message), ["🎉bobEve", "👍ann"]);
        assert_eq!((message.rev, message.edited_at), (4, None));
        assert_eq!(
            store.record(&[react(1, "BOB", "🎉", true), react(1, "eve", "👍", false)]).unwrap(),
            [Outcome::Unchanged, Outcome::Unchanged]
        );
        assert_eq!(lobby(store).head, 4, "what changes nothing takes no number");
        assert_eq!(all(&shown(store, &[react(1, "eve", "🎉", false), react(1, "ann", "👍", false)])), ["🎉bob"]);
        let edited = shown(store, &[edit(1, "ann", "hello, all")]);
        assert_eq!(all(&edited), ["🎉bob"]);
        refused(store, react(9, "ann", "👍", true), Fault::NoSuchMessage);
    });
}

#[test]
fn a_message_has_so_many_reactions_and_no_more() {
    on_each(|store| {
        store.record(&[post(1, "ann", "a", "one"), post(1, "ann", "b", "two")]).unwrap();
        let sign = |n: usize| char::from_u32(0x1f600 + n as u32).unwrap().to_string();
        let different: Vec<Record> = (0..20).map(|n| react(1, "bob", &sign(n), true)).collect();
        store.record(&different).unwrap();
        refused(store, react(1, "ann", &sign(20), true), Fault::TooManyReactions);
        shown(store, &[react(1, "ann", &sign(19), true)]);
        let people: Vec<Record> = (0..200).map(|n| react(2, &format!("p{n}"), "👍", true)).collect();
        store.record(&people).unwrap();
        refused(store, react(2, "one more", "👍", true), Fault::TooManyReactions);
    });
}

#[test]
fn a_reply_names_a_message_of_its_room() {
    on_each(|store| {
        let reply = |id: &str, to| {
            let Record::Post { room, author, id, body, at, .. } = post(1, "bob", id, "yes") else { panic!() };
            Record::Post { room, author, role: None, id, body, reply_to: Some(to), at }
        };
        store.record(&[post(1, "ann", "a", "tea?")]).unwrap();
        assert_eq!(shown(store, &[reply("b", 1)]).reply_to, Some(1));
        for to in [0, 3, 99, i64::MAX] {
            refused(store, reply("c", to), Fault::NothingToReplyTo);
        }
        let again = store.record(&[reply("b", 99)]).unwrap();
        assert!(matches!(&again[0], Outcome::Repeated(m) if m.reply_to == Some(1)), "{again:?}");
    });
}

#[test]
fn a_batch_may_post_and_change_the_same_message() {
    on_each(|store| {
        let batch = [
            post(1, "ann", "a", "one"),
            edit(1, "ann", "two"),
            edit(1, "bob", "no"),
            react(1, "bob", "👍", true),
            post(1, "ann", "a", "one"),
            post(1, "bob", "b", "next"),
        ];
        let outcomes = store.record(&batch).unwrap();
        let revs = |o: &Outcome| match o {
            Outcome::Posted(m) => m.rev,
            Outcome::Repeated(m) => -m.rev,
            _ => 0,
        };
        assert_eq!(outcomes.iter().map(revs).collect::<Vec<Rev>>(), [1, 2, 0, 3, -3, 4]);
        assert_eq!(lobby(store).head, 4);
    });
}

#[test]
fn who_is_spoken_to_is_counted_among_the_unread() {
    on_each(|store| {
        let read = |who: &str, rev| Record::Read { person: name(who), room: 1, rev };
        store.record(&[read("Ann Lee", 0), read("ann", 0), read("bob", 0)]).unwrap();
        let counted = |who: &str| {
            let view = store.rooms(&name(who), 9).unwrap().0.remove(0);
            (view.unread, view.mentions)
        };
        store.record(&[post(1, "bob", "1", "hi @ANN Lee, and @bob, and @nobody")]).unwrap();
        assert_eq!([counted("ann lee"), counted("ann"), counted("bob")], [(1, 1), (1, 0), (1, 0)]);
        store.record(&[post(1, "bob", "2", "@ann! @ann?"), post(1, "eve", "3", "hm")]).unwrap();
        assert_eq!([counted("ann lee"), counted("ann")], [(3, 1), (3, 1)]);
        store.record(&[edit(3, "eve", "hm, @bob @ann"), edit(2, "bob", "never mind")]).unwrap();
        assert_eq!([counted("ann"), counted("bob")], [(3, 1), (3, 1)]);
        store.record(&[changed(3, "eve", Change::Delete)]).unwrap();
        assert_eq!([counted("ann"), counted("ann lee")], [(2, 0), (2, 1)]);
        store.record(&[read("ann lee", 1)]).unwrap();
        assert_eq!(counted("ann lee"), (1, 0));
        store.record(&[read("ann lee", i64::MAX)]).unwrap();
        assert_eq!(counted("ann lee"), (0, 0));
    });
}
fn session(token: u8) -> NewSession {
    NewSession { token: [token; 32], agent: format!("Browser {token}"), at: NOON }
}

fn account(who: &str, by: Result<TokenHash, Role>) -> NewAccount {
    NewAccount { name: name(who), password: format!("$argon2id${who}"), by }
}

fn registered(store: &dyn Store, who: &str, role: Role, token: u8) -> Person {
    match store.register(&account(who, Err(role)), &session(token)).unwrap() {
        Registered::Done(person) => person,
        other => panic!("{other:?}"),
    }
}

const NOON: Time = Time(1_700_000_000_000);

#[test]
fn a_session_lasts_until_it_ends() {
    on_each(|store| {
        let token = [7; 32];
        assert_eq!(store.session(&token, NOON).unwrap(), None);
        let opened = store.open_session(&session(7), &name("Ann")).unwrap().unwrap();
        assert_eq!((opened.name.clone(), opened.role), (name("Ann"), Role::Guest));
        assert_eq!(store.session(&token, NOON).unwrap(), Some(opened));
        store.end_session(&token).unwrap();
        store.end_session(&token).unwrap();
        assert_eq!(store.session(&token, NOON).unwrap(), None);
    });
}

#[test]
fn an_account_is_made_once_and_is_signed_in_to() {
    on_each(|store| {
        assert_eq!(store.account(&name("Ann")).unwrap(), None);
        let ann = registered(store, "Ann", Role::Member, 1);
        assert_eq!((ann.name.as_str(), ann.role), ("Ann", Role::Member));
        assert_eq!(store.session(&[1; 32], NOON).unwrap(), Some(ann.clone()));
        let found = store.account(&name("ANN")).unwrap().unwrap();
        assert_eq!((found.person, found.password.as_str()), (ann.clone(), "$argon2id$Ann"));
        let again = store.register(&account("aNN", Err(Role::Owner)), &session(2)).unwrap();
        assert_eq!(again, Registered::NameTaken);
        assert_eq!(store.open_session(&session(3), &name("ann")).unwrap(), None, "no guest has the name of an account");
        store.sign_in(ann.id, &session(4)).unwrap();
        assert_eq!(store.session(&[4; 32], NOON).unwrap(), Some(ann));
        assert_eq!(store.session(&[3; 32], NOON).unwrap(), None);
    });
}

#[test]
fn what_a_guest_wrote_is_the_accounts_and_the_guests_sessions_end() {
    on_each(|store| {
        let room = lobby(store).id;
        store.open_session(&session(1), &name("ann")).unwrap();
        store.record(&[post(room, "ann", "x", "as a guest")]).unwrap();
        registered(store, "ann", Role::Member, 2);
        assert_eq!(store.session(&[1; 32], NOON).unwrap(), None);
        let again = store.record(&[post(room, "ann", "x", "again")]).unwrap();
        assert!(matches!(&again[0], Outcome::Repeated(m) if m.body == "as a guest"), "{again:?}");
    });
}

#[test]
fn sessions_are_listed_and_all_but_one_ended() {
    on_each(|store| {
        let ann = registered(store, "ann", Role::Member, 1);
        let bob = registered(store, "bob", Role::Member, 9);
        store.sign_in(ann.id, &session(2)).unwrap();
        store.sign_in(ann.id, &NewSession { at: Time(NOON.0 - 1000), ..session(3) }).unwrap();
        let later = Time(NOON.0 + 60 * 60 * 1000);
        store.session(&[2; 32], later).unwrap();
        let listed = store.sessions(ann.id).unwrap();
        let tokens: Vec<u8> = listed.iter().map(|session| session.token[0]).collect();
        assert_eq!(tokens, [2, 1, 3], "the one used last comes first");
        assert_eq!((listed[0].seen_at, listed[0].created_at, listed[0].agent.as_str()), (later, NOON, "Browser 2"));
        let mut ended = store.end_others(ann.id, &[1; 32]).unwrap();
        ended.sort();
        assert_eq!(ended, [[2; 32], [3; 32]]);
        assert_eq!(store.sessions(ann.id).unwrap().len(), 1);
        assert!(store.session(&[9; 32], NOON).unwrap().is_some_and(|person| person == bob));
    });
}

#[test]
fn a_name_is_changed_with_all_that_was_written_under_it() {
    on_each(|store| {
        let room = lobby(store).id;
        let ann = registered(store, "ann", Role::Member, 1);
        registered(store, "bob", Role::Member, 2);
        let said = [post(room, "ann", "1", "mine"), post(room, "eve", "2", "a guest's")];
        store.record(&said).unwrap();
        store.record(&[Record::Read { person: name("ann"), room, rev: 1 }]).unwrap();
        assert!(!store.rename(ann.id, &name("BOB")).unwrap());
        assert!(!store.rename(ann.id, &name("Eve")).unwrap(), "somebody wrote under it");
        assert!(store.rename(ann.id, &name("Anna")).unwrap());
        assert!(store.rename(ann.id, &name("ANNA")).unwrap(), "it is her own");
        assert_eq!(store.session(&[1; 32], NOON).unwrap().unwrap().name, name("ANNA"));
        assert_eq!(store.since(room, 0, 9).unwrap()[0].from, name("ANNA"));
        assert_eq!(store.rooms(&name("anna"), 9).unwrap().0[0].unread, 1);
        let again = store.record(&[post(room, "ANNA", "1", "again"), post(room, "ANNA", "2", "new")]).unwrap();
        assert!(matches!(&again[0], Outcome::Repeated(m) if m.body == "mine"), "{again:?}");
        assert!(matches!(&again[1], Outcome::Posted(m) if m.from == name("ANNA")), "{again:?}");
        assert_eq!(store.account(&name("ann")).unwrap(), None);
        assert!(store.open_session(&session(5), &name("ann")).unwrap().is_some(), "the old name is free");
    });
}

#[test]
fn whoever_has_another_name_keeps_rooms_reactions_and_mentions() {
    on_each(|store| {
        let ann = registered(store, "ann", Role::Member, 1);
        store.record(&[create_as("den", Kind::Private, Some("ann"), &["ann"]), post(1, "bob", "b", "@ann!")]).unwrap();
        store.record(&[react(1, "ann", "👍", true), Record::Read { person: name("ann"), room: 1, rev: 0 }]).unwrap();
        assert!(store.rename(ann.id, &name("Eva")).unwrap());
        let lobby = store.last(1, 9).unwrap().0;
        assert_eq!(lobby[0].reactions, [Reaction { emoji: "👍".into(), people: vec![name("Eva")] }]);
        let (rooms, _) = store.rooms(&name("eva"), 9).unwrap();
        let seen: Vec<_> = rooms.iter().map(|view| (view.room.name.as_str(), view.mentions)).collect();
        assert_eq!(seen, [("lobby", 1), ("den", 0)]);
        let den = store.every_room().unwrap().remove(1);
        assert_eq!((den.maker, den.members), (Some(name("Eva")), vec![name("Eva")]));
    });
}

#[test]
fn passwords_roles_and_pictures_are_kept() {
    on_each(|store| {
        assert!(!store.has_owner().unwrap());
        let ann = registered(store, "ann", Role::Owner, 1);
        let bob = registered(store, "bob", Role::Member, 2);
        store.open_session(&session(3), &name("guest")).unwrap();
        assert!(store.has_owner().unwrap());
        store.set_password(ann.id, "another").unwrap();
        assert_eq!(store.account(&name("ann")).unwrap().unwrap().password, "another");
        assert!(!store.set_role(ann.id, Role::Member).unwrap(), "somebody must own it");
        assert!(store.set_role(bob.id, Role::Owner).unwrap() && store.set_role(ann.id, Role::Moderator).unwrap());
        store.set_avatar(bob.id, Some(&[0, 1, 255])).unwrap();
        assert_eq!(store.avatar(&name("Bob")).unwrap(), Some(vec![0, 1, 255]));
        let all = store.people().unwrap();
        let all: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.role, one.avatar)).collect();
        assert_eq!(all, [("ann", Role::Moderator, false), ("bob", Role::Owner, true)]);
        store.set_avatar(bob.id, None).unwrap();
        assert_eq!(store.avatar(&name("bob")).unwrap(), None);
        assert_eq!(store.avatar(&name("nobody")).unwrap(), None);
    });
}

#[test]
fn an_invitation_lets_as_many_in_as_it_says_and_no_longer() {
    on_each(|store| {
        let host = registered(store, "host", Role::Owner, 1);
        let later = |seconds: i64| Time(NOON.0 + 1000 * seconds);
        let invitation = |token: u8, by: Option<PersonId>| Invitation {
            token: [token; 32],
            role: Role::Moderator,
            by,
            created_at: later(i64::from(token)),
            expires_at: later(100),
            uses_left: 2,
        };
        for (token, by) in [(1, Some(host.id)), (2, None), (3, Some(host.id)), (4, None)] {
            store.invite(&invitation(token, by)).unwrap();
        }
        let tokens = |now| store.invitations(now).unwrap().iter().map(|one| one.token[0]).collect::<Vec<u8>>();
        assert_eq!(tokens(NOON), [4, 3, 1], "the server has one of its own at a time");
        store.withdraw(&[3; 32]).unwrap();
        let come = |who: &str, token: u8, at| {
            store.register(&account(who, Ok([token; 32])), &NewSession { at, ..session(who.as_bytes()[0]) }).unwrap()
        };
        assert_eq!(come("late", 1, later(100)), Registered::NotInvited);
        assert_eq!(come("a", 3, NOON), Registered::NotInvited);
        assert_eq!(come("HOST", 1, NOON), Registered::NameTaken, "and no use is lost");
        assert!(matches!(come("a", 1, NOON), Registered::Done(person) if person.role == Role::Moderator));
        assert!(matches!(come("b", 1, NOON), Registered::Done(_)));
        assert_eq!(come("c", 1, NOON), Registered::NotInvited);
        assert_eq!(store.account(&name("c")).unwrap(), None);
        assert_eq!(tokens(NOON), [4]);
        assert_eq!(tokens(later(100)), [0; 0]);
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
