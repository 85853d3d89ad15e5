//! What a program can do with the server that it embeds.

use crate::common::*;
use parlor::{DialError, Error, Server, Start};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn the_program_posts_and_hears_like_everybody_else() {
    let server = server();
    let (handle, mut ann) = (&server.handle, server.in_lobby("ann"));
    let mut messages = handle.subscribe("lobby").unwrap();
    let posted = handle.post("lobby", "Weather", "21 °C").unwrap();
    assert_eq!((posted.rev, posted.from.as_str()), (1, "Weather"));
    assert_eq!(ann.expect("message")["body"], "21 °C");
    ann.post("lobby", "1", "thank you");
    assert_eq!(messages.next(), Some(posted));
    assert_eq!(messages.next().unwrap().body, "thank you");
    assert!(messages.next_within(Duration::from_millis(10)).is_none());
    let again: Vec<i64> = handle.subscribe_since("lobby", 0).unwrap().take(2).map(|message| message.rev).collect();
    assert_eq!(again, [1, 2]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let server = server();
    let _ann = server.in_lobby("ann");
    let refused = |done: Result<_, Error>, word: &str| match done {
        Err(Error::Refused(why)) => assert!(why.contains(word), "{why}"),
        other => panic!("{word}: {other:?}"),
    };
    refused(server.handle.post("attic", "Weather", "x"), "no room \"attic\"");
    refused(server.handle.post("lobby", "a:b", "x"), "colon");
    refused(server.handle.post("lobby", "Ann", "x"), "in use by a guest");
    refused(server.handle.post("lobby", "Weather", " "), "empty");
    refused(server.handle.post("lobby", "Weather", &"x".repeat(9000)), "8192 is the most");
    server.handle.post("lobby", "Weather", "fine").unwrap();
    assert_eq!(Client::connect(server.address, "/ws?name=weather", None).err(), Some(409), "its name is its own now");
}

#[test]
fn a_name_that_is_reserved_is_no_guests_from_the_start() {
    let server = server_with(Server::builder().reserve("Oven"));
    assert_eq!(Client::connect(server.address, "/ws?name=oven", None).err(), Some(409));
    assert_eq!(server.handle.post("lobby", "Oven", "180 °C").unwrap().from, "Oven");
}

#[test]
fn the_program_reads_the_metrics_even_after_the_end() {
    let server = server();
    let has = |line: &str| server.handle.metrics().lines().any(|other| other == line);
    server.handle.create_room("news", "").unwrap();
    server.handle.post("news", "Editor", "hot").unwrap();
    let ann = server.handle.client("ann").unwrap();
    ann.join("news", Start::Last(0)).unwrap();
    assert!(has("parlor_messages_stored_total 1") && has("parlor_connections_total 1"));
    eventually("ann and the room are counted", || has("parlor_clients 1") && has("parlor_rooms 2"));
    server.stop();
    assert!(has("parlor_messages_stored_total 1") && has("parlor_open_connections 0") && has("parlor_clients 0"));
}

#[test]
fn rooms_are_made_by_the_program_too() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    server.handle.create_room("news", "The news").unwrap();
    assert_eq!(ann.expect("room")["title"], "The news");
    server.handle.create_room("news", "Other news").unwrap();
    assert!(matches!(server.handle.create_room("No Such", ""), Err(Error::Refused(_))));
    assert_eq!(server.handle.post("news", "Editor", "hot").unwrap().room, "news");
}

#[test]
fn a_subscription_misses_nothing_however_slow_it_is() {
    const MESSAGES: i64 = 2000;
    let server = server();
    let slow = server.handle.subscribe("lobby").unwrap();
    let channel = server.handle.subscribe("lobby").unwrap().into_channel(1).unwrap();
    let ann = server.handle.client("ann").unwrap();
    ann.join("lobby", Start::Last(0)).unwrap();
    for n in 1..=MESSAGES {
        ann.send("lobby", &n.to_string()).unwrap();
    }
    assert!(ann.flush(DEADLINE));
    let bodies = |messages: Vec<parlor::Message>| messages.into_iter().map(|message| message.body).collect::<Vec<_>>();
    let expected: Vec<String> = (1..=MESSAGES).map(|n| n.to_string()).collect();
    assert_eq!(bodies(slow.take(MESSAGES as usize).collect()), expected);
    assert_eq!(bodies(channel.iter().take(MESSAGES as usize).collect()), expected);
}

#[test]
fn what_is_posted_before_the_end_is_heard_before_the_goodbye() {
    for _ in 0..5 {
        let server = server();
        let mut bob = server.plain("bob");
        // Until then he is on his way in, and the goodbye may meet him before the room does.
        eventually("bob is in the lobby", || server.handle.people("lobby").unwrap().len() == 1);
        server.handle.post("lobby", "Weather", "a storm comes; we close").unwrap();
        server.handle.shutdown();
        assert_eq!(bob.text(), "Weather: a storm comes; we close");
        assert_eq!(u16::from(bob.closed().unwrap().code), 1001);
    }
}

#[test]
fn a_subscription_ends_with_the_server_after_the_last_message() {
    let server = server();
    let messages = server.handle.subscribe("lobby").unwrap();
    let channel = server.handle.subscribe("lobby").unwrap().into_channel(10).unwrap();
    server.handle.post("lobby", "Weather", "the last").unwrap();
    server.stop();
    assert_eq!(messages.map(|message| message.body).collect::<Vec<_>>(), ["the last"]);
    assert_eq!(channel.iter().count(), 1);
}

#[test]
fn plain_clients_of_a_room_get_what_is_broadcast() {
    let server = server();
    let (mut json, mut plain) = (server.in_lobby("ann"), server.plain("bob"));
    plain.say("here");
    assert_eq!(plain.text(), "bob: here");
    assert_eq!(server.handle.broadcast_text("lobby", "17:04:05").unwrap(), 1);
    assert_eq!(plain.text(), "17:04:05");
    assert_eq!(server.handle.broadcast_binary("lobby", &[0, 159, 146]).unwrap(), 1);
    assert_eq!(plain.socket.read().unwrap().into_data().as_ref(), [0, 159, 146]);
    assert_eq!(json.so_far().len(), 1, "the chat got the message alone");
}

#[test]
fn it_knows_who_is_here() {
    let server = server();
    let _ann = server.in_lobby("ann");
    let phone = Client::try_json(server.address, "/ws?name=bob&key=k").unwrap();
    let mut laptop = Client::try_json(server.address, "/ws?name=bob&key=k").unwrap();
    laptop.send(serde_json::json!({"type": "join", "room": "lobby"}));
    laptop.expect("joined");
    let people = server.handle.people("lobby").unwrap();
    let people: Vec<_> = people.iter().map(|person| (person.name.as_str(), person.connections)).collect();
    assert_eq!(people, [("ann", 1), ("bob", 1)], "the phone is not in the room");
    let counts = server.handle.counts().unwrap();
    assert_eq!((counts.connections, counts.clients, counts.people), (3, 3, 2));
    drop(phone);
}

#[test]
fn whoever_is_kicked_is_told_why_on_every_connection() {
    let server = server();
    let (mut ann, mut bob) = (server.in_lobby("ann"), server.plain("bob"));
    let client = parlor::Client::connect(&format!("ws://{}", server.address), "cy").unwrap();
    // The handshake is answered a moment before it is known who has come.
    bob.say("here");
    assert_eq!(bob.text(), "bob: here");
    assert_eq!(server.handle.kick("BOB", "mind your manners").unwrap(), 1);
    assert_eq!(server.handle.kick("cy", "you too").unwrap(), 1);
    assert_eq!(server.handle.kick("nobody", "x").unwrap(), 0);
    let close = bob.closed().unwrap();
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "mind your manners"));
    let end = client.events().iter().last().unwrap();
    assert!(
        matches!(&end, parlor::Event::Ended(DialError::Closed(1008, why)) if why == "you too"),
        "it does not come back: {end:?}"
    );
    assert_eq!(ann.so_far().len(), 1, "she is still here, and heard bob");
}

/// The flusher waits for its socket, perhaps for ever; it must hear that there is a deadline now.
#[test]
fn one_that_reads_nothing_is_hung_up_on_soon_after_it_was_told_to_go() {
    let (tell, left) = crossbeam_channel::bounded(1);
    let builder =
        Server::builder().outbox_limit(8 << 20).on_leave(move |person, _| drop(tell.try_send(person.to_owned())));
    let server = server_with(builder);
    let mut stuck = server.handle.attach().unwrap();
    stuck.write_all(upgrade(server.address, "/ws?name=stuck", "").as_bytes()).unwrap();
    let mut answer = [0; 12];
    stuck.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    eventually("it is here", || !server.handle.people("lobby").unwrap().is_empty());
    // More than the way to it holds.
    for _ in 0..60 {
        server.handle.post("lobby", "Weather", &"x".repeat(8000)).unwrap();
    }
    assert_eq!(server.handle.kick("stuck", "wake up").unwrap(), 1);
    assert_eq!(left.recv_timeout(DEADLINE).unwrap(), "stuck");
}

#[test]
fn a_listener_that_is_there_already_can_be_used() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Server::builder().listener(listener).bind().unwrap().spawn().unwrap();
    assert_eq!(handle.address(), address);
    let mut ann = Client::json(address, "ann");
    assert!(ann.so_far().is_empty());
    handle.shutdown();
    handle.join().unwrap();
}

#[test]
fn two_servers_live_in_one_process_and_know_nothing_of_each_other() {
    let (one, other) = (server(), server());
    let mut ann = one.in_lobby("ann");
    let _namesake = other.in_lobby("ann");
    other.handle.post("lobby", "Weather", "elsewhere").unwrap();
    assert!(ann.so_far().is_empty());
    other.stop();
    assert_eq!(one.handle.post("lobby", "Weather", "still here").unwrap().rev, 1);
}

#[test]
fn a_client_needs_no_socket() {
    let server = server();
    let (ann, mut bob) = (server.handle.client("ann").unwrap(), server.in_lobby("bob"));
    ann.join("lobby", Start::Last(0)).unwrap();
    assert_eq!(ann.post("lobby", "through memory").unwrap().rev, 1);
    assert_eq!(bob.expect("message")["from"], "ann");
    assert_eq!(server.handle.counts().unwrap().connections, 2);
    let taken = server.handle.client("bob").unwrap_err();
    assert!(matches!(&taken, DialError::Refused { status: 409, .. }), "{taken}");

    // Any library that speaks WebSocket over reading and writing will do.
    let (mut plain, response) = tungstenite::client("ws://memory/echo", server.handle.attach().unwrap()).unwrap();
    assert_eq!(response.status(), 101);
    plain.send(tungstenite::Message::text("hello")).unwrap();
    assert_eq!(plain.read().unwrap(), tungstenite::Message::text("hello"));
}

#[test]
fn a_server_that_has_stopped_says_so_and_waits_for_nobody() {
    let server = server();
    let client = server.handle.client("ann").unwrap();
    server.stop();
    let handle = &server.handle;
    assert!(matches!(handle.post("lobby", "Weather", "x"), Err(Error::Stopped)));
    assert!(matches!(handle.subscribe("lobby"), Err(Error::Stopped)));
    assert!(matches!(handle.counts(), Err(Error::Stopped)));
    assert!(matches!(handle.kick("ann", ""), Err(Error::Stopped)));
    assert!(matches!(handle.attach(), Err(Error::Stopped)));
    assert!(matches!(client.events().iter().last(), Some(parlor::Event::Ended(DialError::Over))));
}

#[test]
fn a_server_that_never_ran_is_let_go_and_whoever_waits_for_it_is_told() {
    let server = Server::builder().listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let handle = server.handle();
    let waiter = std::thread::spawn(move || handle.post("lobby", "Weather", "x"));
    drop(server);
    assert!(matches!(waiter.join().unwrap(), Err(Error::Stopped)));
}

#[test]
fn the_program_says_who_may_be_in_a_private_room() {
    let server = server();
    let handle = &server.handle;
    handle.create_private_room("den", "The den", &["ann", "bob"]).unwrap();
    assert!(matches!(handle.create_private_room("den", "", &[]), Err(Error::Refused(_))));
    assert!(matches!(handle.create_private_room("d-0123456789abcdef0123", "", &[]), Err(Error::Refused(_))));
    let room = handle.rooms().unwrap().remove(1);
    assert_eq!((room.room.as_str(), room.kind.as_str(), room.archived), ("den", "private", false));
    let ann = handle.client("ann").unwrap();
    ann.join("den", Start::Since(0)).unwrap();
    handle.post("den", "Clock", "tick").unwrap();
    let body = |event| if let parlor::Event::Message(message) = event { Some(message.body) } else { None };
    assert_eq!(next(&ann, body), "tick");
    handle.remove("den", "ANN").unwrap();
    let gone = |event| if let parlor::Event::Room(room) = event { room.gone.then_some(room.room) } else { None };
    assert_eq!(next(&ann, gone), "den");
    assert!(matches!(ann.post("den", "x"), Err(DialError::Problem(problem)) if problem.code == "no_such_room"));
    assert_eq!(handle.members("den").unwrap(), ["bob"]);
    for refused in [handle.invite("lobby", "ann"), handle.invite("nowhere", "ann"), handle.archive("lobby", true)] {
        assert!(matches!(refused, Err(Error::Refused(_))));
    }
    handle.archive("den", true).unwrap();
    assert!(matches!(handle.post("den", "Clock", "tock"), Err(Error::Refused(why)) if why.contains("archived")));
}

/// The next event that is so.
fn next<T>(client: &parlor::Client, is_so: impl Fn(parlor::Event) -> Option<T>) -> T {
    loop {
        let event = client.events().recv_timeout(DEADLINE).expect("an event within the deadline");
        if let Some(found) = is_so(event) {
            return found;
        }
    }
}
