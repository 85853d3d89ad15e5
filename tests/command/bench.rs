//! `parlor bench`: it counts what arrives, and sees what does not.

use super::run;
use crate::common::*;
use serde_json::Value;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket, accept};

/// A short measurement; its figures and its exit code.
fn measured(args: &[&str]) -> (i32, Value) {
    let short = ["bench", "--json", "--seconds", "0.3"];
    let (code, out, err) = run(&[&short, args].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{code}: {out}{err}")))
}

#[test]
fn it_starts_a_server_of_its_own_and_tells_what_it_carries_and_costs() {
    let (code, figures) = measured(&["--memory", "--clients", "20", "--senders", "3"]);
    assert_eq!(code, 0, "{figures}");
    let number = |name: &str| figures[name].as_f64().unwrap_or_else(|| panic!("{name}: {figures}"));
    assert!((number("clients"), number("senders"), number("payload")) == (20.0, 3.0, 64.0));
    assert!(number("messages_per_second") > 100.0 && number("cpu_ns_per_delivery") > 0.0, "{figures}");
    let reach = number("deliveries_per_second") / number("messages_per_second");
    assert!((18.0..22.0).contains(&reach), "each message reaches twenty: {figures}");
    assert!(figures["latency_ms"]["p50"].as_f64().unwrap() <= figures["latency_ms"]["max"].as_f64().unwrap());
}

#[test]
fn it_measures_a_server_that_runs_in_rooms_at_a_rate_and_at_rest() {
    let server = server();
    let url = format!("ws://{}", server.address);
    for _ in ["new rooms", "rooms that are there already"] {
        let (code, figures) = measured(&[&url, "--clients", "6", "--senders", "6", "--rooms", "6"]);
        assert_eq!(code, 0, "{figures}");
    }
    let pid = std::process::id().to_string();
    let (code, figures) = measured(&[&url, "--clients", "5", "--rate", "40", "--pid", &pid]);
    assert_eq!(code, 0, "{figures}");
    assert!((30.0..50.0).contains(&figures["messages_per_second"].as_f64().unwrap()), "{figures}");
    assert!(figures["memory_mib"].as_f64().unwrap() > 1.0);
    let plain = format!("{url}/ws?last=0&name={{}}");
    let (code, figures) = measured(&[&plain, "--plain", "--clients", "4"]);
    assert_eq!(code, 0, "{figures}");
    assert!(figures["memory_mib"].as_f64().is_some_and(|mib| mib > 1.0), "it told itself what it costs: {figures}");
    let (code, out, _) = run(&["bench", &url, "--idle", "--clients", "30", "--seconds", "0.2"]);
    assert!(code == 0 && out.starts_with("clients     30, 0 of them sending"), "{out}");
}

#[test]
fn clients_that_never_read_are_there_and_are_not_measured() {
    let server = server();
    let url = format!("ws://{}", server.address);
    let people = || server.handle.people("lobby").unwrap().into_iter().filter(|p| p.name.starts_with("bench-"));
    let measuring = std::thread::scope(|scope| {
        let args = [&url, "--clients", "4", "--stuck", "3", "--rate", "50"];
        let measuring = scope.spawn(move || measured(&args));
        eventually("those that never read are there, too", || people().count() == 7);
        measuring.join().unwrap()
    });
    let (code, figures) = measuring;
    assert_eq!((code, &figures["clients"], &figures["stuck"]), (0, &4.into(), &3.into()), "{figures}");
    let number = |name: &str| figures[name].as_f64().unwrap();
    let reach = number("deliveries_per_second") / number("messages_per_second");
    assert!((3.0..5.0).contains(&reach), "each message is counted where it is read: {figures}");
    // As fast as it goes the server sends them away, and that is no error.
    let (code, figures) = measured(&[&url, "--clients", "2", "--stuck", "2", "--payload", "4096"]);
    assert_eq!((code, &figures["gone"]), (0, &0.into()), "{figures}");
}

#[test]
fn it_fills_a_room_and_asks_for_pages_of_its_history() {
    let server = server();
    let url = format!("ws://{}", server.address);
    let (code, figures) = measured(&[&url, "--clients", "6", "--history", "4", "--fill", "300"]);
    assert_eq!((code, &figures["deliveries"], &figures["senders"]), (0, &0.into(), &0.into()), "{figures}");
    let history = &figures["history"];
    assert_eq!((&history["askers"], &history["messages"]), (&4.into(), &300.into()), "{figures}");
    let number = |name: &str| history[name].as_f64().unwrap();
    assert!(number("pages") > 10.0 && number("pages_per_second") > 30.0, "{figures}");
    assert!(number("bytes_per_page") > 20.0 * 64.0, "they have messages on them: {figures}");
    let latency = |name: &str| figures["latency_ms"][name].as_f64().unwrap();
    assert!(0.0 < latency("p50") && latency("p50") <= latency("p99") && latency("p99") <= latency("max"));
    assert_eq!(server.handle.subscribe_since("lobby", 0).unwrap().take(300).count(), 300, "all of them were stored");
    let (code, out, _) =
        run(&["bench", "--memory", "--clients", "2", "--history", "2", "--fill", "60", "--seconds", "0.2"]);
    assert!(code == 0 && out.contains("2 of them asking in 60 messages") && out.contains("\npages  "), "{out}");
}

/// A broadcast that loses, repeats and swaps messages.
#[test]
fn it_sees_what_is_lost_repeated_and_out_of_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let all: Arc<Mutex<Vec<WebSocket<_>>>> = Arc::default();
        for stream in listener.incoming().flatten() {
            let all = all.clone();
            std::thread::spawn(move || {
                // It is asked for its metrics, too, and has none.
                let Ok(mut socket) = accept(stream) else { return };
                let writer = socket.get_ref().try_clone().unwrap();
                all.lock().unwrap().push(WebSocket::from_raw_socket(writer, Role::Server, None));
                let (mut count, mut kept) = (0, None);
                while let Ok(message @ Message::Text(_)) = socket.read() {
                    count += 1;
                    let out: Vec<Message> = match count {
                        // The first of three is lost, the next is said twice, and the fifth after the sixth.
                        3 => vec![],
                        4 => vec![message.clone(), message],
                        5 => {
                            kept = Some(message);
                            vec![]
                        }
                        6 => [Some(message), kept.take()].into_iter().flatten().collect(),
                        _ => vec![message],
                    };
                    for message in out {
                        all.lock().unwrap().iter_mut().for_each(|one| drop(one.send(message.clone())));
                    }
                }
            });
        }
    });
    let (code, figures) = measured(&[&url, "--plain", "--clients", "2", "--rate", "20"]);
    assert_eq!((code, figures["cpu_percent"].is_null()), (1, true), "nobody said what it costs: {figures}");
    assert_eq!(
        (&figures["lost"], &figures["repeated"], &figures["out_of_order"]),
        (&2.into(), &2.into(), &2.into()),
        "{figures}"
    );
}

#[test]
fn what_cannot_be_measured_is_said() {
    for (args, code, word) in [
        (&["bench", "ws://127.0.0.1:1"][..], 1, "refused"),
        (&["bench", "wss://127.0.0.1:1"], 1, "without TLS"),
        (&["bench", "--payload", "8"], 2, "32 bytes at least"),
        (&["bench", "--senders", "0"], 2, "--idle"),
        (&["bench", "--history", "101"], 2, "no more than there are clients"),
        (&["bench", "--history", "1", "--idle"], 2, "not idle"),
        (&["bench", "--fill", "1", "--rooms", "2"], 2, "of one room"),
        (&["bench", "--memory", "--history", "1"], 1, "too few to ask for those before"),
        (&["bench", "ws://127.0.0.1:1", "--memory"], 2, "server of its own"),
        (&["bench", "--server", "/nowhere/parlor"], 1, "cannot start /nowhere/parlor"),
        (&["bench", "--server", "/bin/true"], 1, "did not say where it listens"),
    ] {
        let (exit, _, err) = run(args);
        assert!(exit == code && err.contains(word), "{args:?}: {exit} {err}");
    }
    let server = server_with(parlor::Server::builder().max_clients(3));
    let (exit, _, err) = run(&["bench", &format!("ws://{}", server.address), "--clients", "5"]);
    assert!(exit == 1 && err.contains("503") && err.contains("holds 3 clients"), "{exit} {err}");
}
