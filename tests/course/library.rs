//! 13 to 16, and 18: programs that stand on the library.

use crate::common::DEADLINE;
use crate::example;
#[cfg(feature = "sqlite")]
use parlor::{Server, Subscription};
use std::io::Write;
use std::net::TcpStream;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

type Client = WebSocket<MaybeTlsStream<TcpStream>>;

fn client(url: &str) -> Client {
    let (client, _) = connect(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let MaybeTlsStream::Plain(stream) = client.get_ref() else { unreachable!() };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    client
}

/// The next text that it hears.
fn hear(client: &mut Client) -> String {
    match client.read() {
        Ok(Message::Text(text)) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_ticker_tells_everyone_the_same_and_is_asked_by_nobody() {
    let mut ticker = example("13_ticker", &["localhost:0"]);
    let url = ticker.after("Listening on ");
    let (mut ann, mut bob) = (client(&url), client(&url.replace("ann", "bob")));
    let heard: Vec<String> = (0..2).map(|_| hear(&mut ann)).collect();
    assert!(heard.iter().all(|price| price.parse::<f64>().is_ok()) && heard[0] != heard[1], "{heard:?}");
    // He may have come a price later.
    assert!(heard.contains(&hear(&mut bob)));
    ann.send(Message::text("sell!")).unwrap();
    assert!(std::iter::repeat_with(|| hear(&mut ann)).take(3).any(|text| text == "! this room is for listening"));
}

#[test]
fn the_ticker_measures_what_it_costs() {
    let mut ticker = example("13_ticker", &["localhost:0", "20"]);
    let mut bytes = |way: &str| -> f64 { ticker.after(way).split_whitespace().next().unwrap().parse().unwrap() };
    let (told, asking) = (bytes("told by WebSocket"), bytes("asking every second"));
    assert!(told > 0.0 && told * 5.0 < asking, "{told} {asking}");
}

/// A frame of the game: seat, people, points, then the ball and the paddles.
fn frame(client: &mut Client) -> ([u8; 4], [u16; 4]) {
    let Message::Binary(bytes) = client.read().unwrap() else { panic!("a frame of the game is binary") };
    assert_eq!(bytes.len(), 12);
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    ([bytes[0], bytes[1], bytes[2], bytes[3]], [number(4), number(6), number(8), number(10)])
}

/// Waits for a frame that is as wanted.
fn frame_with(client: &mut Client, what: &str, wanted: impl Fn([u8; 4], [u16; 4]) -> bool) -> [u16; 4] {
    for _ in 0..600 {
        let (bytes, numbers) = frame(client);
        if wanted(bytes, numbers) {
            return numbers;
        }
    }
    panic!("no {what} in ten seconds");
}

#[test]
fn the_game_is_on_the_server_and_players_only_say_what_they_wish() {
    let mut game = example("14_game", &["localhost:0"]);
    let url = game.after("Listening on ");
    let page = read_to_string(&url.replace("ws://", "").replace("/game", ""));
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.ends_with("</script>\n"), "{page}");

    let mut ann = client(&url);
    frame_with(&mut ann, "game against the machine", |[seat, people, ..], _| (seat, people) == (0, 1));
    let mut bob = client(&url);
    frame_with(&mut bob, "seat on the right", |[seat, people, ..], _| (seat, people) == (1, 2));
    let mut cy = client(&url);
    frame_with(&mut cy, "place to watch", |[seat, people, ..], _| (seat, people) == (2, 3));

    // A wish beyond the field ends at its edge, and the way there is not jumped.
    ann.send(Message::binary(u16::MAX.to_be_bytes().to_vec())).unwrap();
    bob.send(Message::binary(vec![0, 0])).unwrap();
    let mut before = frame(&mut bob).1;
    loop {
        let now = frame(&mut bob).1;
        // A frame may have been left out.
        assert!(now[2] - before[2] <= 20 * 6, "{before:?} {now:?}");
        if now[2] == 810 && now[3] == 90 {
            break;
        }
        before = now;
    }
    // Who watches has no say, and nobody may send what is no wish.
    cy.send(Message::binary(vec![1, 194])).unwrap();
    ann.send(Message::binary(vec![0])).unwrap();
    ann.send(Message::text("up")).unwrap();
    bob.send(Message::binary(vec![1, 0])).unwrap();
    frame_with(&mut ann, "wish of the other player", |_, numbers| numbers[3] == 256 && numbers[2] == 810);

    drop(ann);
    frame_with(&mut cy, "seat for who waited", |[seat, people, ..], _| (seat, people) == (0, 2));
}

/// What an HTTP server answers to `GET /`.
fn read_to_string(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    std::io::read_to_string(stream).unwrap()
}

#[test]
fn the_oven_obeys_whoever_has_the_pin_and_is_switched_off_in_order() {
    let mut program = example("15_embedding", &["localhost:0"]);
    let url = program.after("Listening on ");
    let mut ann = client(&format!("{url}&last=0&name=ann"));
    let mut operator = client(&format!("{url}&last=0&pin=4711"));
    for (way, status) in [("name=operator", 409), ("pin=0000", 401)] {
        let refused = connect(format!("{url}&{way}")).unwrap_err();
        assert!(matches!(&refused, tungstenite::Error::Http(answer) if answer.status() == status), "{way}: {refused}");
    }
    ann.send(Message::text("heat 250")).unwrap();
    assert_eq!(hear(&mut ann), "! ann, only the operator may command the oven");
    for (command, answer) in [
        ("bake a cake", "Oven: I know: heat 20 to heat 250, off, status"),
        ("heat 300", "Oven: I know: heat 20 to heat 250, off, status"),
        ("status", "Oven: 20 °C now, 20 °C wished"),
        ("heat 25", "Oven: 20 °C now, 25 °C wished"),
    ] {
        operator.send(Message::text(command)).unwrap();
        for client in [&mut operator, &mut ann] {
            assert_eq!(hear(client), format!("operator: {command}"));
            assert_eq!(hear(client), answer);
        }
    }
    assert_eq!(hear(&mut ann), "Oven: 25 °C, as wished");

    drop(program.child.stdin.take());
    assert_eq!(hear(&mut ann), "Oven: switching off");
    let Ok(Message::Close(Some(frame))) = ann.read() else { panic!("nobody says goodbye") };
    assert_eq!(u16::from(frame.code), 1001);
    drop((ann, operator));
    program.after("The oven is off: told to stop in the terminal");
    program.after("Goodbye");
    assert!(program.end().success());
}

#[cfg(feature = "sqlite")]
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !is() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

/// What it answered: the next message from the bot.
#[cfg(feature = "sqlite")]
fn answer(messages: &mut Subscription) -> String {
    let next = || messages.next_within(DEADLINE).expect("the bot says nothing");
    std::iter::repeat_with(next).find(|message| message.from == "dicebot").unwrap().body
}

#[test]
#[cfg(feature = "sqlite")]
fn the_bot_answers_each_question_once_whoever_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("dicebot.json");
    let start = |address: &str| {
        let server = Server::builder().listen(address.parse().unwrap());
        server.sqlite(folder.path(), parlor::Synchronous::Normal).bind().unwrap().spawn().unwrap()
    };
    let server = start("127.0.0.1:0");
    let address = server.address().to_string();
    let arguments = [&format!("ws://{address}"), "dicebot", memory.to_str().unwrap()];
    server.post("lobby", "ann", "!dice").unwrap(); // before its time
    let mut bot = example("16_bot", &arguments);
    bot.after("Connected to parlor/");
    wait_until("it has joined when it remembers it", || memory.exists());
    let mut messages = server.subscribe("lobby").unwrap();
    server.post("lobby", "ann", "hello").unwrap();
    server.post("lobby", "ann", "!dice").unwrap();
    let rolled = answer(&mut messages);
    let rolled = rolled.strip_prefix("ann rolls a ").unwrap_or_else(|| panic!("{rolled}"));
    assert!((1..=6).contains(&rolled.parse().unwrap()));

    // The server goes, and comes back.
    server.shutdown();
    server.join().unwrap();
    bot.after("the server closed with 1001");
    let server = start(&address);
    let mut messages = server.subscribe("lobby").unwrap();
    server.post("lobby", "ann", "!time").unwrap();
    assert!(answer(&mut messages).ends_with(" UTC"));

    // The bot goes, without a goodbye, and comes back.
    let remembered = || std::fs::read_to_string(&memory).unwrap();
    wait_until("it remembers both questions", || remembered().contains(r#""questions":2"#));
    drop(bot);
    server.post("lobby", "ann", "!seen").unwrap();
    let mut bot = example("16_bot", &arguments);
    assert_eq!(answer(&mut messages), "3 questions since I began");
    server.post("lobby", "ann", "!seen").unwrap();
    assert_eq!(answer(&mut messages), "4 questions since I began");
    server.shutdown();
    server.join().unwrap();
    bot.after("the server closed with 1001");
}

#[test]
fn two_nodes_hear_the_same_and_do_not_agree_on_the_order() {
    let mut nodes = example("18_two_nodes", &["localhost:0", "localhost:0"]);
    let mut say = nodes.child.stdin.take().unwrap();
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| {
        let url = nodes.after("Listening on ");
        let mut client = client(&format!("{url}&name={name}"));
        assert!(hear(&mut client).ends_with("I pass on what is said there."), "who hears this is there");
        client
    });
    ann.send(Message::text("hello")).unwrap();
    assert_eq!((hear(&mut ann), hear(&mut bob)), ("ann: hello".into(), "north: ann: hello".into()));
    bob.send(Message::text("hi")).unwrap();
    assert_eq!((hear(&mut bob), hear(&mut ann)), ("bob: hi".into(), "south: bob: hi".into()));
    say.write_all(b"cut\n").unwrap();
    nodes.after("the cable is cut");
    for (client, name) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        client.send(Message::text("I was first")).unwrap();
        assert_eq!(hear(client), format!("{name}: I was first"));
    }
    say.write_all(b"mend\n").unwrap();
    assert_eq!(hear(&mut ann), "south: bob: I was first");
    assert_eq!(hear(&mut bob), "north: ann: I was first");
    say.write_all(b"show\n").unwrap();
    nodes.after("north  ");
    let mut row = |number: &str| {
        nodes
            .after(&format!(" {number}  "))
            .split("  ")
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
    };
    assert_eq!(row("4"), ["ann: I was first", "bob: I was first"]);
    assert_eq!(row("5"), ["south: bob: I was first", "north: ann: I was first"]);
    drop(say);
    drop((ann, bob));
    assert!(nodes.end().success());
}
