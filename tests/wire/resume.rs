//! Coming back: `since`, `last`, history, and stepping onto a line that moves.

use crate::common::*;
use parlor::{Server, Synchronous};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

fn fill(server: &TestServer, count: usize) {
    let mut writer = server.in_lobby("writer");
    let run = writer.welcome["rooms"][0]["head"].clone();
    for n in 1..=count {
        writer.post("lobby", &format!("{run}-{n}"), &format!("message {n}"));
    }
    for _ in 1..=count {
        writer.expect("message");
    }
}

/// The revs of the replay, and the `joined` at its end.
fn replay(client: &mut Client, join: Value) -> (Vec<i64>, Value) {
    client.send(join);
    let mut revs = Vec::new();
    loop {
        let frame = client.next();
        match frame["type"].as_str().unwrap() {
            "message" => revs.push(frame["rev"].as_i64().unwrap()),
            "joined" => return (revs, frame),
            "presence" => {}
            other => panic!("{other}: {frame}"),
        }
    }
}

#[test]
fn since_replays_what_came_after_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Server::builder().sqlite(folder.path(), Synchronous::Normal);
    let first = server_with(settings());
    fill(&first, 700);
    let mut warm = first.json("warm");
    for since in [0, 1, 350, 699, 700] {
        let (revs, joined) = replay(&mut warm, json!({"type": "join", "room": "lobby", "since": since}));
        assert_eq!(revs, (since + 1..=700).collect::<Vec<i64>>());
        assert_eq!(joined["head"], 700);
    }
    first.stop();
    let mut cold = server_with(settings());
    let mut client = cold.json("cold");
    let (revs, _) = replay(&mut client, json!({"type": "join", "room": "lobby", "since": 123}));
    assert_eq!(revs, (124..=700).collect::<Vec<i64>>(), "nothing of the line is in memory now");
    fill(&cold, 1);
    assert_eq!(client.expect("message")["rev"], 701);
    cold.handle.shutdown();
    cold.handle.join().unwrap();
    cold = server_with(settings());
    let (revs, _) = replay(&mut cold.json("back"), json!({"type": "join", "room": "lobby", "since": 700}));
    assert_eq!(revs, [701]);
}

#[test]
fn last_brings_the_last_and_fifty_if_not_told() {
    let server = server();
    fill(&server, 120);
    let mut client = server.json("reader");
    assert_eq!(replay(&mut client, json!({"type": "join", "room": "lobby"})).0, (71..=120).collect::<Vec<i64>>());
    assert_eq!(replay(&mut client, json!({"type": "join", "room": "lobby", "last": 3})).0, [118, 119, 120]);
    let (revs, joined) = replay(&mut client, json!({"type": "join", "room": "lobby", "last": 0}));
    assert_eq!((revs.len(), &joined["head"]), (0, &json!(120)));
}

#[test]
fn a_number_from_the_future_holds_nothing_back() {
    let server = server();
    fill(&server, 2);
    let mut client = server.json("reader");
    let (revs, joined) = replay(&mut client, json!({"type": "join", "room": "lobby", "since": 1_000_000}));
    assert_eq!((revs.len(), &joined["head"]), (0, &json!(2)));
    client.post("lobby", "x", "seen at once");
    assert_eq!(client.expect("message")["rev"], 3);
}

#[test]
fn history_goes_back_page_by_page() {
    let server = server();
    fill(&server, 120);
    let mut client = server.in_lobby("reader");
    let mut page = |before: i64, limit: i64| {
        client.send(json!({"type": "history", "room": "lobby", "before": before, "limit": limit, "ref": before}));
        let page = client.expect("history");
        assert_eq!(page["ref"], before);
        let seqs: Vec<i64> = page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        (seqs, page["more"].as_bool().unwrap())
    };
    assert_eq!(page(121, 50), ((71..=120).collect(), true));
    assert_eq!(page(71, 50), ((21..=70).collect(), true));
    assert_eq!(page(21, 50), ((1..=20).collect(), false));
    assert_eq!(page(1, 50), (vec![], false));
    assert_eq!(page(51, 50), ((1..=50).collect(), false));
    assert_eq!(page(121, 100_000).0.len(), 120);
}

#[test]
fn a_page_of_the_longest_messages_fits_the_outbox() {
    let server = server();
    let mut client = server.in_lobby("writer");
    for n in 0..60 {
        client.post("lobby", &n.to_string(), &"\u{7f}é".repeat(2700));
        client.expect("message");
    }
    client.send(json!({"type": "history", "room": "lobby", "before": 61, "limit": 200}));
    let page = client.expect("history");
    let seqs: Vec<i64> = page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect();
    assert!(page["more"].as_bool().unwrap() && seqs.last() == Some(&60) && seqs.len() > 5, "{seqs:?}");
    let (revs, _) = replay(&mut client, json!({"type": "join", "room": "lobby", "since": 0}));
    assert_eq!(revs.len(), 60);
}

/// Clients join again and again, at random places, while the line moves as fast as it can.
#[test]
fn stepping_onto_the_moving_line_misses_nothing_and_repeats_nothing() {
    for sync in [None, Some(Synchronous::Normal)] {
        let folder = tempfile::tempdir().unwrap();
        let builder = Server::builder();
        let server = server_with(match sync {
            Some(sync) => builder.sqlite(folder.path(), sync),
            None => builder,
        });
        let done = AtomicBool::new(false);
        let writers = [server.in_lobby("writer0"), server.in_lobby("writer1")];
        std::thread::scope(|scope| {
            for (writer, mut client) in writers.into_iter().enumerate() {
                let done = &done;
                scope.spawn(move || {
                    let mut sent = 0;
                    while !done.load(SeqCst) {
                        for _ in 0..64 {
                            sent += 1;
                            client.post("lobby", &format!("{writer}-{sent}"), "as fast as it goes");
                        }
                        let mut own = 0;
                        while own < 64 {
                            let message = client.expect("message");
                            own += i32::from(message["from"] == format!("writer{writer}"));
                        }
                    }
                });
            }
            let joins = |n: usize| {
                let connect = || Client::try_json(server.address, &format!("/ws?name=joiner{n}&key=k")).unwrap();
                let mut client = connect();
                let mut last = 0;
                for round in 0..40 {
                    // A little back each time, more and more; now and then from the beginning.
                    let since = if round % 13 == 0 { 0 } else { (last - round * 37).max(0) };
                    last = since;
                    client.send(json!({"type": "join", "room": "lobby", "since": since}));
                    // What was on its way from the join before ends where the answer to this one begins.
                    let mut answered = false;
                    let mut after_joined = None;
                    while after_joined != Some(20) {
                        let Some(frame) = client.next_unless(4000) else {
                            // It did not keep up. It comes back to where it was, and finds everything.
                            client = connect();
                            client.send(json!({"type": "join", "room": "lobby", "since": last}));
                            (answered, after_joined) = (true, None);
                            continue;
                        };
                        match frame["type"].as_str().unwrap() {
                            "message" => {
                                let rev = frame["rev"].as_i64().unwrap();
                                answered |= rev == since + 1;
                                if answered {
                                    assert_eq!(rev, last + 1, "joiner {n}, round {round}, since {since}");
                                    last = rev;
                                    after_joined = after_joined.map(|count| count + 1);
                                }
                            }
                            "joined" => (answered, after_joined) = (true, Some(0)),
                            _ => {}
                        }
                    }
                }
            };
            let joiners: Vec<_> = (0..3).map(|n| scope.spawn(move || joins(n))).collect();
            let joined: Vec<_> = joiners.into_iter().map(|joiner| joiner.join()).collect();
            done.store(true, SeqCst);
            assert!(joined.iter().all(Result::is_ok));
        });
    }
}
