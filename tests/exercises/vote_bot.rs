exercise!(vote_bot, "yours to make pass: examples/exercises/vote_bot.rs");

use parlor::{Client, Handle, Server, Subscription};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(10);

fn ask(server: &Handle, messages: &mut Subscription, expected: &str, why: &str) {
    server.post("lobby", "host", "!result").unwrap();
    let next = || messages.next_within(LONG).unwrap_or_else(|| panic!("no answer to !result: {why}"));
    let answer = std::iter::repeat_with(next).find(|message| message.from == "votes").unwrap();
    assert_eq!(answer.body, expected, "{why}");
}

fn check(vote_bot: impl Fn(&Client) + Send + 'static) {
    let server = Server::builder().listen("127.0.0.1:0".parse().unwrap()).bind().unwrap().spawn().unwrap();
    server.post("lobby", "ann", "!vote milk").unwrap(); // before the bot is there
    let mut messages = server.subscribe("lobby").unwrap();
    let bot = server.client("votes").unwrap();
    let running = std::thread::spawn(move || vote_bot(&bot));
    while server.people("lobby").unwrap().is_empty() {
        assert!(!running.is_finished(), "it ended before it began");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let vote = |who: &str, what: &str| drop(server.post("lobby", who, what).unwrap());
    ask(&server, &mut messages, "no votes yet", "what was said before it came does not count");
    vote("ann", "!vote tea");
    ask(&server, &mut messages, "tea 1", "one vote");
    vote("bob", "!vote coffee");
    vote("cy", "!vote tea");
    ask(&server, &mut messages, "coffee 1, tea 2", "in the order of the names");
    vote("ann", "!vote tea");
    ask(&server, &mut messages, "coffee 1, tea 2", "one vote for each, however often");
    vote("cy", "!vote coffee");
    ask(&server, &mut messages, "coffee 2, tea 1", "the last vote counts");
    vote("ann", "!vote green tea");
    ask(&server, &mut messages, "coffee 2, green tea 1", "what has no votes any more is not there");
    vote("dan", "I say !vote tea");
    vote("dan", "!votes");
    ask(&server, &mut messages, "coffee 2, green tea 1", "not everything is a vote");

    server.shutdown();
    server.join().unwrap();
    let late = messages.filter(|message| message.from == "votes").count();
    assert_eq!(late, 0, "it said something that it was not asked");
    running.join().expect("it must not panic");
}
