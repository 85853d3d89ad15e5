//! Lines that break anywhere, all the time: who comes back has what is stored, no more and no less.

use crate::cable::Cable;
use crate::chance::Chance;
use crate::common::{DEADLINE, server_with};
use crate::crowd::{CLERK, Place, ROOMS, Talker};
use crate::witness::Ledger;
use parlor::{Client, Event, Message, Server, Start, Synchronous};
use std::time::Instant;

const MESSAGES: usize = 10_000;

/// The clients of this crowd are written by hand, to the letter of the protocol.
#[test]
fn a_crowd_whose_lines_break_at_any_byte_has_what_is_stored() {
    const CROWD: usize = 5;
    let mut chance = Chance::from_environment("PARLOR_TORTURE_SEED");
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    let crowd: Vec<Talker> = (0..CROWD).map(|number| Talker::new(number, CROWD, chance.clone())).collect();
    crate::crowd::furnish(server.address, &crowd);
    let (cable, place) = (Cable::to(server.address), Place::default());
    let breaks = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = breaks.clone();
    cable.fray(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Some break before they are through with the handshake.
        if chance.percent(10) { chance.below(500) } else { chance.below(400_000) }
    });
    std::thread::scope(|scope| {
        for talker in crowd {
            scope.spawn(|| talker.run(&place));
        }
        let _end = crate::crowd::End(&place);
        place.open(cable.address);
        while place.witness.states() < MESSAGES {
            assert!(place.witness.wait_for(100), "nothing is heard any more");
            place.is_well();
        }
        cable.is_whole();
        place.hush(CROWD);
        let mut all = Ledger::of(&ROOMS);
        all.read_on(server.address, CLERK, &place.witness);
        place.witness.compare_all(&all);
        place.finish(all);
    });
    place.is_well();
    let lines = breaks.load(std::sync::atomic::Ordering::Relaxed) / 2;
    println!("{} states of messages over {lines} lines", place.witness.states());
    assert!(lines > 20, "{lines} lines are no trial");
}

/// And the library's own client, which promises to do all that by itself.
#[test]
fn the_librarys_client_over_lines_that_break_at_any_byte_hears_all_of_it_once() {
    let mut chance = Chance::from_environment("PARLOR_TORTURE_SEED");
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    let cable = Cable::to(server.address);
    cable.fray(move || 2_000 + chance.below(200_000));
    let client = |address, name: &str| {
        // The line may break before there is a client that could come back.
        let client = std::iter::repeat_with(|| Client::connect(&format!("ws://{address}"), name)).find_map(Result::ok);
        let client = client.unwrap();
        client.join("lobby", Start::Since(0)).unwrap();
        client
    };
    let (ann, bob) = (client(cable.address, "ann"), client(server.address, "bob"));
    let each = MESSAGES / 2;
    let (by_ann, by_bob, breaks) = std::thread::scope(|scope| {
        scope.spawn(|| (0..each).for_each(|n| drop(ann.send("lobby", &format!("ann {n}")).unwrap())));
        scope.spawn(|| (0..each).for_each(|n| drop(bob.send("lobby", &format!("bob {n}")).unwrap())));
        let of_bob = scope.spawn(|| hear_all(&bob).0);
        let (by_ann, breaks) = hear_all(&ann);
        (by_ann, of_bob.join().unwrap(), breaks)
    });
    println!("{breaks} breaks");
    assert!(breaks > 5, "{breaks} breaks are no trial");
    assert!(by_ann == by_bob, "one line for both");
    let stored: Vec<Message> = server.handle.subscribe_since("lobby", 0).unwrap().take(2 * each).collect();
    assert!(by_ann == stored, "and it is what is stored");
    for name in ["ann", "bob"] {
        let of = stored.iter().filter(|message| message.from == name).map(|message| message.body.clone());
        assert!(of.eq((0..each).map(|n| format!("{name} {n}"))), "{name}'s in the order in which they were sent");
    }
}

/// All messages, and how often the line broke meanwhile.
fn hear_all(client: &Client) -> (Vec<Message>, usize) {
    let (mut heard, mut breaks) = (Vec::new(), 0);
    let mut last = Instant::now();
    while heard.len() < MESSAGES {
        match client.events().recv_timeout(DEADLINE).expect("an event within the deadline") {
            Event::Message(message) => {
                heard.push(message);
                last = Instant::now();
            }
            Event::Lost { .. } => breaks += 1,
            Event::Ended(cause) => panic!("{cause}"),
            _ => {}
        }
        assert!(last.elapsed() < 2 * DEADLINE, "{} messages, and no more", heard.len());
    }
    (heard, breaks)
}
