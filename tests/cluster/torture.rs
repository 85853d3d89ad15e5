//! Everything that can go wrong goes wrong while people talk; at the end all have the same, and so has the store.
//!
//! The short form is one of the tests. The long one: `PARLOR_TORTURE=300 cargo test --release --features cluster,postgres --test
//! cluster torture -- --nocapture`, where the number is that of the clients; then a node is paused for 20 s.

use crate::chance::Chance;
use crate::common::*;
use crate::engines;
use crate::hub::Redis;
use crate::island::Island;
use crate::player::{Game, Player, room};
use crate::program::Node;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// How much of it there is.
struct Extent {
    clients: usize,
    rooms: usize,
    /// Between two things that a client does, in milliseconds.
    pause: u64,
    /// Between two faults.
    calm: Duration,
    paused: Duration,
}

fn extent() -> Extent {
    let pace = |clients: usize| (clients as u64 * 1000 / 200).max(400);
    match std::env::var("PARLOR_TORTURE").map(|clients| clients.parse().expect("a number of clients")) {
        Ok(clients) => Extent {
            clients,
            rooms: 6,
            pause: pace(clients),
            calm: Duration::from_secs(8),
            paused: Duration::from_secs(20),
        },
        Err(_) => Extent {
            clients: 40,
            rooms: 4,
            pause: 800,
            calm: Duration::from_millis(1500),
            paused: Duration::from_secs(3),
        },
    }
}

fn wait(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::thread::park_timeout(until - Instant::now());
    }
}

/// All that a newcomer is told of a room.
fn everything(node: SocketAddr, room: &str) -> (BTreeMap<i64, Value>, i64) {
    static CAME: AtomicU64 = AtomicU64::new(0);
    let mut witness = Client::json(node, &format!("witness {}", CAME.fetch_add(1, SeqCst)).replace(' ', "-"));
    witness.send(json!({"type": "join", "room": room, "since": 0}));
    let mut messages = BTreeMap::new();
    loop {
        let frame = witness.next();
        match frame["type"].as_str().unwrap() {
            "message" => drop(messages.insert(frame["seq"].as_i64().unwrap(), frame)),
            "joined" => {
                let head = frame["head"].as_i64().unwrap();
                let _ = witness.socket.close(None);
                let _ = witness.closed();
                return (messages, head);
            }
            _ => {}
        }
    }
}

#[test]
fn torture_of_all_that_nodes_stand_on() {
    let extent = extent();
    let Some(postgres) = engines::start_postgres(&[("restart_after_crash", "on")]) else { return };
    let Some(mut redis) = Redis::start() else { return };
    let database = postgres.fresh();
    let name = database.rsplit('/').next().unwrap().to_owned();
    let island = Island::new(postgres.address, redis.address);
    let start = || Node::start(&database, &redis.url(), &[]);
    let mut nodes = vec![start(), start(), island.start(|at| postgres.url(&name, at), postgres.address, redis.address)];
    let mut host = Client::json(nodes[0].address, "host");
    for number in 0..extent.rooms {
        host.send(json!({"type": "create", "room": room(number)}));
        host.hear("joined");
    }
    host.cut();
    let seed = Chance::from_environment("PARLOR_SEED").next() % 1_000_000;
    let game = Game {
        nodes: Mutex::new(nodes.iter().map(|node| node.address).collect()),
        over: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        heads: Mutex::new(None),
        pause: AtomicU64::new(extent.pause),
    };
    let players: Vec<Player> = std::thread::scope(|scope| {
        let play = |number| {
            let player = Player::new(&game, number, extent.rooms, seed);
            scope.spawn(move || player.play())
        };
        let _end = End(&game);
        let playing: Vec<_> = (0..extent.clients).map(play).collect();
        let fault = |what: &str| {
            wait(extent.calm);
            println!("{what}");
        };
        fault("a node is killed, and another comes");
        nodes[1].program.child.kill().unwrap();
        nodes[1] = Node::start(&database, &redis.url(), &[]);
        game.nodes.lock().unwrap()[1] = nodes[1].address;
        fault("Redis is killed, and comes back empty");
        redis.kill();
        wait(extent.calm);
        redis.run();
        fault("PostgreSQL crashes, and comes back");
        postgres.crash();
        fault("a node stands still");
        nodes[0].program.signal("STOP");
        wait(extent.paused);
        nodes[0].program.signal("CONT");
        fault("a node is cut off");
        island.cut();
        wait(extent.paused);
        island.mend();
        fault("Redis forgets everything");
        redis.say(&["FLUSHALL"]);
        wait(extent.calm);
        println!("it is over");
        game.over.store(true, SeqCst);
        let heads = settled(&nodes, extent.rooms);
        *game.heads.lock().unwrap() = Some(heads);
        let played = playing.into_iter().map(|player| player.join());
        let played: Vec<_> = played.collect();
        if played.iter().any(Result::is_err) {
            for (n, node) in nodes.iter().enumerate() {
                let said = node.log_so_far();
                let said: Vec<&str> = said.lines().filter(|line| !line.contains(" client ")).collect();
                println!("node {n} at {}:\n{}", node.address, said.join("\n"));
            }
            panic!("a client has not got everything");
        }
        played.into_iter().flatten().collect()
    });
    let whole: HashMap<String, (BTreeMap<i64, Value>, i64)> =
        (0..extent.rooms).map(|n| (room(n), everything(nodes[0].address, &room(n)))).collect();
    for player in &players {
        let (messages, _) = &whole[player.room()];
        let seqs = |messages: &BTreeMap<i64, Value>| messages.keys().copied().collect::<Vec<_>>();
        assert_eq!(seqs(&player.messages), seqs(messages), "in {}", player.room());
        for (seq, message) in messages {
            assert_eq!(&player.messages[seq], message, "in {}", player.room());
        }
        for (id, seq) in &player.receipts {
            assert_eq!(messages[seq]["id"], **id, "each receipt stands");
        }
        let own = player.receipts.len();
        let stored = messages.values().filter(|message| player.receipts.contains_key(message["id"].as_str().unwrap()));
        assert_eq!(stored.count(), own, "each once");
    }
    let (messages, moves) = (whole.values().map(|(all, _)| all.len()), players.iter().map(|player| player.moves));
    let changes: i64 = whole.values().map(|(_, head)| head).sum();
    let (messages, moves): (usize, usize) = (messages.sum(), moves.sum());
    println!("{} clients, {messages} messages, {changes} changes, {moves} connections", players.len());
    assert!(messages > extent.clients * 3, "{messages}");
}

/// Ends the game if the test fails.
struct End<'a>(&'a Game);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.failed.store(std::thread::panicking(), SeqCst);
    }
}

/// Waits until nothing new is stored any more, and gives how far each room has come.
fn settled(nodes: &[Node], rooms: usize) -> HashMap<String, i64> {
    let mut before = HashMap::new();
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        wait(Duration::from_millis(1500));
        let heads: HashMap<String, i64> =
            (0..rooms).map(|n| (room(n), everything(nodes[1].address, &room(n)).1)).collect();
        if heads == before {
            return heads;
        }
        assert!(Instant::now() < until, "it does not come to rest");
        before = heads;
    }
}
