use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::HashMap;

exercise!(broadcast, "yours to make pass: examples/exercises/broadcast.rs");

fn check(broadcast: fn(u64, &str, &mut HashMap<u64, Sender<String>>)) {
    let mut senders = HashMap::new();
    let mut clients: HashMap<u64, Receiver<String>> = HashMap::new();
    for id in 1..=5 {
        let (sender, client) = unbounded();
        senders.insert(id, sender);
        clients.insert(id, client);
    }
    let heard = |clients: &HashMap<u64, Receiver<String>>, id| clients[&id].try_iter().collect::<Vec<_>>();

    broadcast(2, "hello", &mut senders);
    for id in [1, 3, 4, 5] {
        assert_eq!(heard(&clients, id), ["Client 2: hello"], "what client {id} heard when client 2 said hello");
    }
    assert!(heard(&clients, 2).is_empty(), "client 2 said it; it need not hear it");
    assert_eq!(senders.len(), 5, "nobody has left, so all are still there, the speaker as well");

    clients.remove(&1);
    clients.remove(&4);
    broadcast(3, "who is here?", &mut senders);
    for id in [2, 5] {
        assert_eq!(heard(&clients, id), ["Client 3: who is here?"], "clients 1 and 4 are gone; client {id} is not");
    }
    let mut left: Vec<u64> = senders.keys().copied().collect();
    left.sort_unstable();
    assert_eq!(left, [2, 3, 5], "clients 1 and 4 cannot be sent to: they are taken out");

    senders.remove(&2);
    broadcast(2, "", &mut senders);
    assert_eq!(
        heard(&clients, 3),
        ["Client 2: "],
        "client 2 has left since, and its last words are empty: still words"
    );
    assert!(!senders.contains_key(&2), "nobody comes back by having spoken");
}
