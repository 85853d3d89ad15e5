//! The client of the library: it comes back by itself, and nothing is lost or comes twice.

use crate::cable::Cable;
use crate::common::*;
use parlor::{Client, DialError, Dialer, Event, Incoming, Message, Start};
use std::time::Duration;

fn client(address: impl std::fmt::Display, name: &str) -> Client {
    let client = Client::connect(&format!("ws://{address}"), name).unwrap();
    // From the beginning: others may be quicker than this one is in.
    client.join("lobby", Start::Since(0)).unwrap();
    client
}

/// The next event of interest; what comes in between is let fall.
fn next<T>(client: &Client, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        let event = client.events().recv_timeout(DEADLINE).expect("an event within the deadline");
        let shown = format!("{event:?}");
        match wanted(event) {
            Some(found) => return found,
            None => assert!(!shown.starts_with("Ended"), "{shown}"),
        }
    }
}

fn message(client: &Client) -> Message {
    next(client, |event| if let Event::Message(message) = event { Some(message) } else { None })
}

fn lost(client: &Client) -> DialError {
    next(client, |event| if let Event::Lost { cause, .. } = event { Some(cause) } else { None })
}

fn ended(client: &Client) -> DialError {
    loop {
        if let Event::Ended(cause) = client.events().recv_timeout(DEADLINE).expect("the end within the deadline") {
            return cause;
        }
    }
}

#[test]
fn two_clients_talk() {
    let server = server();
    let (ann, bob) = (client(server.address, "ann"), client(server.address, "bob"));
    let stored = ann.post("lobby", "hello").unwrap();
    assert_eq!((stored.rev, stored.from.as_str(), stored.body.as_str()), (1, "ann", "hello"));
    assert_eq!(message(&bob), stored);
    assert_eq!(message(&ann), stored, "its own comes as everybody's");
    let id = bob.send("lobby", "and back").unwrap();
    assert_eq!(message(&ann).id, id);
    assert!(bob.flush(DEADLINE));
}

#[test]
fn a_change_comes_as_the_message_now_stands_over_a_break_too() {
    let server = server();
    let cable = Cable::to(server.address);
    let (ann, bob) = (client(server.address, "ann"), client(cable.address, "bob"));
    let tea = ann.post("lobby", "tea?").unwrap();
    assert_eq!(message(&bob), tea);
    let yes = ann.reply("lobby", tea.seq, "yes").unwrap();
    assert_eq!((yes.reply_to, message(&bob)), (Some(tea.seq), yes.clone()));
    cable.cut();
    lost(&bob);
    ann.edit("lobby", tea.seq, "coffee?").unwrap();
    ann.react("lobby", tea.seq, "☕", true).unwrap();
    ann.delete("lobby", yes.seq).unwrap();
    while message(&ann).rev < 5 {}
    cable.mend();
    let (coffee, gone) = (message(&bob), message(&bob));
    assert_eq!((coffee.seq, coffee.rev, coffee.body.as_str()), (1, 4, "coffee?"), "once, not once for each change");
    assert!(coffee.edited_at.is_some_and(|at| at >= coffee.at));
    assert_eq!((coffee.reactions[0].emoji.as_str(), &coffee.reactions[0].people[..]), ("☕", &["ann".to_owned()][..]));
    assert_eq!((gone.seq, gone.rev, gone.deleted, gone.body.as_str()), (2, 5, true, ""));
    let Err(DialError::Problem(refused)) = ann.edit("lobby", 1, &"x".repeat(9000)) else { panic!() };
    assert_eq!(refused.code, "too_long");
    bob.edit("lobby", 1, "mine").unwrap();
    let refused = next(&bob, |event| if let Event::Refused(problem) = event { Some(problem) } else { None });
    assert_eq!((refused.code.as_str(), refused.room.as_deref()), ("not_allowed", Some("lobby")));
}

#[test]
fn what_is_posted_under_an_id_of_its_own_is_stored_once_whoever_posts_it_again() {
    let server = server();
    let url = format!("ws://{}", server.address);
    let start = || {
        let bot = Client::builder(&url).name("bot").key("k").connect().unwrap();
        bot.join("lobby", Start::Last(50)).unwrap();
        bot
    };
    server.handle.create_room("den", "").unwrap();
    let bot = start();
    bot.join("den", Start::Last(0)).unwrap();
    let first = bot.post_once("lobby", "7", "five").unwrap();
    assert_eq!(bot.post_once("den", "7", "elsewhere").unwrap(), first, "an id is used up, wherever");
    drop(bot);
    let again = start();
    let ann = client(server.address, "ann");
    std::thread::scope(|scope| {
        let both = [
            scope.spawn(|| again.post_once("lobby", "8", "six")),
            scope.spawn(|| again.post_once("lobby", "8", "two")),
        ];
        let [one, other] = both.map(|thread| thread.join().unwrap().unwrap());
        assert_eq!(one, other);
    });
    assert_eq!(again.post_once("lobby", "7", "two").unwrap(), first);
    assert_eq!(ann.post_once("lobby", "7", "her own").unwrap().body, "her own");
    assert_eq!((0..3).map(|_| message(&ann).rev).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn what_happens_around_the_messages_is_told() {
    let server = server();
    let ann = client(server.address, "ann");
    let rooms = next(&ann, |event| if let Event::Connected { rooms, .. } = event { Some(rooms) } else { None });
    assert_eq!(rooms[0].room, "lobby");
    let members = next(&ann, |event| if let Event::Joined { members, .. } = event { members } else { None });
    assert_eq!(members, ["ann"]);
    let bob = client(server.address, "bob");
    let came = next(&ann, |event| match event {
        Event::Presence { joined, .. } if joined == ["bob"] => Some(joined),
        _ => None,
    });
    assert_eq!(came, ["bob"]);
    bob.create("den", "The den").unwrap();
    let made = next(&ann, |event| if let Event::Room(room) = event { Some(room) } else { None });
    assert_eq!((made.room.as_str(), made.title.as_str()), ("den", "The den"));
    assert_eq!(bob.post("den", "quiet here").unwrap().room, "den");
    bob.typing("lobby").unwrap();
    assert_eq!(next(&ann, |event| if let Event::Typing { from, .. } = event { Some(from) } else { None }), "bob");
    for body in ["1", "2", "3"] {
        ann.post("lobby", body).unwrap();
    }
    ann.history("lobby", 3, 1).unwrap();
    let (older, more) = next(&ann, |event| match event {
        Event::History { messages, more, .. } => Some((messages, more)),
        _ => None,
    });
    assert_eq!((older.len(), older[0].body.as_str(), more), (1, "2", true));
}

#[test]
fn what_is_refused_is_told_to_whoever_asked() {
    let server = server();
    let ann = client(server.address, "ann");
    assert!(matches!(ann.post("attic", "x"), Err(DialError::Problem(problem)) if problem.code == "no_such_room"));
    assert!(
        matches!(ann.post("lobby", &"x".repeat(9000)), Err(DialError::Problem(problem)) if problem.code == "too_long")
    );
    ann.join("attic", Start::Last(1)).unwrap();
    let refused = |event| if let Event::Refused(problem) = event { Some(problem) } else { None };
    while next(&ann, refused).code != "no_such_room" {}
    assert_eq!(ann.post("lobby", "still here").unwrap().body, "still here");
}

#[test]
fn a_connection_that_cannot_be_had_says_why() {
    let server = server();
    let _ann = client(server.address, "ann");
    let url = format!("ws://{}", server.address);
    let refused = Client::connect(&url, "ann").unwrap_err();
    assert!(matches!(&refused, DialError::Refused { status: 409, code, .. } if code == "name_taken"), "{refused}");
    assert!(!refused.may_pass() && refused.to_string().contains("in use by another guest"), "{refused}");
    let nobody = Client::connect("ws://127.0.0.1:1", "ann").unwrap_err();
    assert!(matches!(&nobody, DialError::Unreachable(place, _) if place == "127.0.0.1:1"), "{nobody}");
    assert!(matches!(Client::builder("gopher://x").connect(), Err(DialError::Url(_))));
    // Not an upgrade, no JSON, no answer.
    let echo = format!("{url}/echo");
    assert!(matches!(Client::connect(&echo, "ann"), Err(DialError::NotWebSocket(_))));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("ws://{}", listener.local_addr().unwrap());
    let silent = Client::builder(&silent).dial(|dialer| dialer.timeout(Duration::from_millis(50))).connect();
    assert!(matches!(silent, Err(DialError::TimedOut)));
}

#[test]
fn after_a_break_nothing_is_lost_and_nothing_comes_twice() {
    const MESSAGES: usize = 300;
    let server = server();
    let cable = Cable::to(server.address);
    let (ann, bob) = (client(cable.address, "ann"), client(server.address, "bob"));
    let (heard_by_ann, heard_by_bob) = std::thread::scope(|scope| {
        // Both speak at once, and the line of one of them breaks again and again.
        scope.spawn(|| (0..MESSAGES).for_each(|n| drop(ann.send("lobby", &format!("ann {n}")).unwrap())));
        scope.spawn(|| (0..MESSAGES).for_each(|n| drop(bob.send("lobby", &format!("bob {n}")).unwrap())));
        let hear = |n| {
            if n % 60 == 7 {
                cable.cut();
                cable.mend();
            }
            message(&ann)
        };
        let by_ann: Vec<_> = (0..2 * MESSAGES).map(hear).collect();
        (by_ann, (0..2 * MESSAGES).map(|_| message(&bob)).collect::<Vec<_>>())
    });
    assert!(heard_by_ann == heard_by_bob, "one line for both");
    let revs: Vec<i64> = heard_by_ann.iter().map(|message| message.rev).collect();
    assert_eq!(revs, (1..=2 * MESSAGES as i64).collect::<Vec<_>>());
    for name in ["ann", "bob"] {
        let of: Vec<_> = heard_by_ann.iter().filter(|m| m.from == name).map(|m| m.body.clone()).collect();
        assert_eq!(of, (0..MESSAGES).map(|n| format!("{name} {n}")).collect::<Vec<_>>(), "in the order of its sender");
    }
}

#[test]
fn what_is_sent_while_the_line_is_down_is_sent_when_it_is_back() {
    let server = server();
    let cable = Cable::to(server.address);
    let (ann, bob) = (client(cable.address, "ann"), client(server.address, "bob"));
    ann.post("lobby", "before").unwrap();
    assert_eq!(message(&ann).body, "before");
    cable.cut();
    lost(&ann);
    let id = ann.send("lobby", "meanwhile").unwrap();
    bob.post("lobby", "elsewhere").unwrap();
    cable.mend();
    assert!(ann.flush(DEADLINE));
    assert_eq!((message(&ann).body, message(&ann).body), ("elsewhere".into(), "meanwhile".into()));
    assert_eq!((message(&bob).body, message(&bob).body, message(&bob).id), ("before".into(), "elsewhere".into(), id));
}

#[test]
fn a_program_that_does_not_keep_up_gets_everything_later() {
    const MESSAGES: i64 = 6000;
    let server = server();
    let (slow, ann) = (client(server.address, "slow"), client(server.address, "ann"));
    std::thread::scope(|scope| {
        scope.spawn(|| ann.messages().take(MESSAGES as usize).count());
        for n in 1..=MESSAGES {
            ann.send("lobby", &n.to_string()).unwrap();
        }
    });
    assert!(ann.flush(DEADLINE));
    assert!(slow.events().len() < 3000, "{} wait", slow.events().len());
    for n in 1..=MESSAGES {
        let message = message(&slow);
        assert_eq!((message.rev, message.body), (n, n.to_string()));
    }
}

#[test]
#[cfg(feature = "sqlite")]
fn a_server_that_was_started_again_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let start = |address| {
        let builder = parlor::Server::builder().sqlite(folder.path(), parlor::Synchronous::Normal);
        builder.listen(address).bind().unwrap().spawn().unwrap()
    };
    let first = start("127.0.0.1:0".parse().unwrap());
    let address = first.address();
    let ann = client(address, "ann");
    ann.post("lobby", "before").unwrap();
    first.shutdown();
    first.join().unwrap();
    assert!(matches!(lost(&ann), DialError::Closed(1001, _)));
    let second = start(address);
    assert_eq!(ann.post("lobby", "after").unwrap().rev, 2);
    assert_eq!((message(&ann).rev, ann.close()), (2, ()));
    second.shutdown();
    second.join().unwrap();
}

#[test]
fn with_another_database_the_numbers_begin_anew() {
    let (first, second) = (server(), server());
    let cable = Cable::to(first.address);
    let ann = client(cable.address, "ann");
    for n in 0..5 {
        ann.post("lobby", &n.to_string()).unwrap();
        message(&ann);
    }
    cable.cut();
    lost(&ann);
    cable.lead_to(second.address);
    cable.mend();
    assert_eq!(ann.post("lobby", "hello again").unwrap().rev, 1);
    assert_eq!(message(&ann).body, "hello again");
}

#[test]
fn a_client_that_is_dropped_is_gone() {
    let server = server();
    let ann = client(server.address, "ann");
    ann.post("lobby", "bye").unwrap();
    drop(ann);
    // Its name is free again, without its key, once the server has seen the end.
    let url = format!("ws://{}", server.address);
    let mut again = Client::connect(&url, "ann");
    eventually("the name is free", || {
        if again.is_err() {
            again = Client::connect(&url, "ann");
        }
        again.is_ok()
    });
    let again = again.unwrap();
    again.close();
    assert!(matches!(ended(&again), DialError::Over));
    assert!(matches!(again.post("lobby", "x"), Err(DialError::Over)));
    assert!(again.events().recv().is_err(), "nothing comes after the end");
}

#[test]
fn any_websocket_can_be_spoken_to() {
    let server = server();
    let (tell, seen) = crossbeam_channel::unbounded();
    let dialer = Dialer::new(&format!("http://{}/echo", server.address)).unwrap().tap(move |direction, bytes| {
        let _ = tell.send((direction, bytes.to_vec()));
    });
    let echo = dialer.connect().unwrap();
    assert_eq!(echo.response().status, 101);
    assert!(echo.response().fields.iter().any(|(name, _)| name == "sec-websocket-accept"));
    echo.send_text("héllo").unwrap();
    assert_eq!(echo.read().unwrap(), Incoming::Text("héllo".into()));
    echo.send_binary(&[0, 255]).unwrap();
    assert_eq!(echo.read().unwrap(), Incoming::Binary(vec![0, 255]));
    echo.ping(b"?").unwrap();
    assert_eq!(echo.read().unwrap(), Incoming::Pong(b"?".to_vec()));
    assert!(matches!(echo.read_within(Duration::from_millis(10)), Err(DialError::TimedOut)));
    let reader = echo.clone();
    let read = std::thread::spawn(move || reader.read());
    echo.close(1000, "done");
    assert!(matches!(read.join().unwrap(), Err(DialError::Over)));
    assert!(matches!(echo.send_text("x"), Err(DialError::Over)));
    drop(echo);
    drop(dialer);
    let seen: Vec<_> = seen.iter().collect();
    assert!(seen[0].1.starts_with(b"GET /echo HTTP/1.1\r\n"), "the request is seen first");
    assert!(
        seen.iter()
            .any(|(direction, bytes)| *direction == parlor::Direction::Received && bytes.starts_with(b"HTTP/1.1 101"))
    );
    assert!(
        seen.iter().any(|(_, bytes)| bytes.as_slice() == b"\x81\x06h\xc3\xa9llo"),
        "the answer, as it is on the wire"
    );
}
