//! Clients that never read.

use super::*;

#[test]
fn a_thousand_who_never_read_are_sent_away_and_hold_up_nobody() {
    const CROWD: usize = 1000;
    // So little that it is soon reached: the kernel holds more than that for each.
    let siege = Siege::of("1,000 who never read", &["--outbox-limit", "65536"]);
    let _crowd: Vec<Client> = (0..CROWD)
        .map(|n| {
            let mut client = Client::json(siege.address, &format!("stuck{n}"));
            client.send(json!({"type": "join", "room": "lobby", "last": 0}));
            client
        })
        .collect();
    let mut ann = siege.in_lobby("ann");
    eventually("all are in", || siege.figure("parlor_people") == CROWD + 1);
    let mut took = Vec::new();
    while siege.figure("parlor_evictions_total") < CROWD {
        for _ in 0..5 {
            let start = Instant::now();
            ann.post("lobby", &took.len().to_string(), &"x".repeat(8000));
            ann.expect("message");
            took.push(start.elapsed());
        }
        assert!(took.len() < 2000, "not all were sent away");
    }
    siege.within("words are back", &mut took, HEARD);
    siege.lets_newcomers_in();
    // What is said is held once, for all of them; and what each may have waiting of its own is small.
    siege.held(CROWD * 80 / 1024);
}

#[test]
fn who_asks_for_history_without_end_and_never_reads_holds_an_outbox_and_no_more() {
    const CROWD: usize = 100;
    const OUTBOX: usize = 128;
    let siege = Siege::of("100 who ask for history and never read", &["--outbox-limit", "131072"]);
    let mut ann = siege.in_lobby("ann");
    for n in 0..200 {
        ann.post("lobby", &n.to_string(), &format!("{n} ").repeat(1500));
        ann.hear("message");
    }
    let crowd: Vec<Client> = (0..CROWD)
        .map(|n| {
            let mut client = Client::json(siege.address, &format!("greedy{n}"));
            client.socket.get_mut().set_write_timeout(Some(Duration::from_millis(200))).unwrap();
            let ask = json!({"type": "history", "room": "lobby", "before": 200, "limit": 200}).to_string();
            for _ in 0..40 {
                if client.socket.send(tungstenite::Message::text(ask.as_str())).is_err() {
                    break;
                }
            }
            client
        })
        .collect();
    siege.lets_newcomers_in();
    siege.hears(&mut ann);
    // A page is read, and encoded, before it waits for room.
    siege.held(CROWD * (OUTBOX + 40) / 1024 + 16);
    drop(crowd);
}
