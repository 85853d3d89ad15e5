//! The metrics: what they count, who may read them, and what the README says of them.

use crate::common::*;
use crate::slow::talk_until_left;
use parlor::Server;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tungstenite::Message;

/// One thing that is measured, as OpenMetrics groups it.
#[derive(Default)]
struct Family {
    kind: String,
    unit: String,
    help: String,
    /// By name and labels, as they are written.
    samples: Vec<(String, f64)>,
}

/// Reads OpenMetrics text, and is strict: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    let body = text.strip_suffix("# EOF\n").expect("an end");
    for line in body.lines() {
        if let Some(said) = line.strip_prefix("# ") {
            let [word, name, rest] = said.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            if name != current {
                assert!(!families.contains_key(name), "{name} comes twice");
                current = name.to_owned();
            }
            let family = families.entry(current.clone()).or_default();
            assert!(family.samples.is_empty(), "what is said of {name} comes behind its figures");
            let said = match word {
                "HELP" => &mut family.help,
                "TYPE" => &mut family.kind,
                "UNIT" => &mut family.unit,
                _ => panic!("{line}"),
            };
            assert!(said.is_empty(), "{line} is said twice");
            *said = rest.to_owned();
            continue;
        }
        let family = families.get_mut(&current).expect("a description first");
        let (sample, figure) = line.rsplit_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        let suffixes: &[&str] = match family.kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_sum", "_count", "_bucket"],
            kind => panic!("{kind} of {current}"),
        };
        let suffix = name.strip_prefix(&current).unwrap_or_else(|| panic!("{line} is none of {current}"));
        assert!(suffixes.contains(&suffix), "{line} is no {}", family.kind);
        assert!(family.samples.iter().all(|(other, _)| other != sample), "{line} comes twice");
        let figure: f64 = figure.parse().unwrap();
        assert!(family.kind == "gauge" || figure >= 0.0, "{line}");
        family.samples.push((sample.to_owned(), figure));
    }
    for (name, family) in &families {
        assert!(!family.samples.is_empty() && !family.kind.is_empty(), "{name} is empty");
        assert!(family.help.ends_with('.'), "{name} says nothing of itself");
        assert!(name.ends_with(&family.unit), "{name} is no name for {}", family.unit);
        if family.kind == "histogram" {
            check_histogram(name, family);
        }
    }
    families
}

/// Its buckets rise, in bound and in count, and the last one has all.
fn check_histogram(name: &str, family: &Family) {
    let buckets: Vec<(f64, f64)> = family
        .samples
        .iter()
        .filter_map(|(sample, count)| {
            let bound = sample.strip_prefix(&format!("{name}_bucket{{le=\""))?.strip_suffix("\"}")?;
            Some((bound.replace("+Inf", "inf").parse().unwrap(), *count))
        })
        .collect();
    assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{buckets:?}");
    let last = buckets.last().unwrap();
    assert!(last.0.is_infinite() && family.samples.contains(&(format!("{name}_count"), last.1)), "{name}");
}

/// What a server says now, by sample.
fn told(server: &TestServer) -> BTreeMap<String, f64> {
    parse(&server.handle.metrics()).into_values().flat_map(|family| family.samples).collect()
}

#[test]
fn they_are_told_over_http_in_the_format_that_prometheus_reads() {
    let server = server();
    let answer = server.get("/metrics?x=y");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(status(head), 200);
    assert!(head.contains("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    let families = parse(body);
    for (name, kind, unit) in [
        ("parlor_clients", "gauge", ""),
        ("parlor_connections", "counter", ""),
        ("parlor_delivered_bytes", "counter", "bytes"),
        ("parlor_batch_messages", "histogram", "messages"),
        ("parlor_commit_seconds", "histogram", "seconds"),
        ("parlor_build_info", "gauge", ""),
        ("process_cpu_seconds", "counter", "seconds"),
        ("process_resident_memory_bytes", "gauge", "bytes"),
        ("process_start_time_seconds", "gauge", "seconds"),
    ] {
        let family = families.get(name).unwrap_or_else(|| panic!("no {name} in {body}"));
        assert_eq!((family.kind.as_str(), family.unit.as_str()), (kind, unit), "{name}");
    }
    assert_eq!(status(&server.raw(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")), 405);
    assert!(server.raw(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("\r\n\r\n"));
}

/// Bytes of a text frame from the server, whose length takes 1 byte or 3.
fn weight(text: &str) -> f64 {
    (text.len() + if text.len() < 126 { 2 } else { 4 }) as f64
}

#[test]
fn what_was_said_is_counted_exactly() {
    let server = server_with(Server::builder().max_clients(50));
    let mut ann = server.in_lobby("ann");
    let mut bob = server.plain("bob");
    eventually("both are in the lobby", || server.handle.people("lobby").unwrap().len() == 2);
    let mut bytes = 0.0;
    let mut hear = |ann: &mut Client, bob: &mut Client| {
        let message = loop {
            let text = ann.text();
            if text.contains("\"type\":\"message\"") {
                break text;
            }
        };
        bytes += weight(&message) + weight(&bob.text());
    };
    for n in 0..3 {
        ann.post("lobby", &n.to_string(), "hello");
        hear(&mut ann, &mut bob);
    }
    bob.say(&"é".repeat(100));
    hear(&mut ann, &mut bob);
    // Said again, it is a receipt for her alone; and two things that are refused.
    ann.post("lobby", "2", "hello");
    ann.expect("message");
    ann.post("attic", "3", "hello");
    ann.say("{");
    for code in ["no_such_room", "bad_json"] {
        assert_eq!(ann.expect("error")["code"], code);
    }
    ann.send(json!({"type": "history", "room": "lobby", "before": 4}));
    ann.expect("history");

    eventually("all is counted", || {
        let told = told(&server);
        told["parlor_deliveries_total"] >= 8.0 && told["parlor_delivered_bytes_total"] >= bytes
    });
    let told = told(&server);
    for (name, count) in [
        ("parlor_connections_total", 2.0),
        ("parlor_open_connections", 2.0),
        ("parlor_capacity_connections", 50.0),
        ("parlor_clients", 2.0),
        ("parlor_people", 2.0),
        ("parlor_rooms", 1.0),
        // A join, four posts and one repeat, one that is refused, one that is no JSON, and one for the history.
        ("parlor_messages_in_total", 9.0),
        ("parlor_messages_stored_total", 4.0),
        ("parlor_deliveries_total", 8.0),
        ("parlor_delivered_bytes_total", bytes),
        ("parlor_history_pages_total", 1.0),
        ("parlor_errors_total{code=\"no_such_room\"}", 1.0),
        ("parlor_errors_total{code=\"bad_json\"}", 1.0),
        ("parlor_errors_total{code=\"unavailable\"}", 0.0),
        ("parlor_evictions_total", 0.0),
        ("parlor_store_failures_total", 0.0),
        // Each waited for the one before.
        ("parlor_batch_messages_sum", 5.0),
        ("parlor_batch_messages_bucket{le=\"1.0\"}", 5.0),
        ("parlor_commit_seconds_count", 5.0),
        ("parlor_queue_length{queue=\"recorder\"}", 0.0),
    ] {
        assert_eq!(told[name], count, "{name}");
    }
    assert!(told["parlor_commit_seconds_sum"] > 0.0);
    drop((ann, bob));
    eventually("nobody is left", || {
        let told = crate::metrics::told(&server);
        told["parlor_clients"] + told["parlor_people"] + told["parlor_open_connections"] == 0.0
    });
}

#[test]
fn what_was_refused_is_counted_by_its_reason() {
    let server = server_with(Server::builder().max_clients(1));
    let refused = |reason: &str| told(&server)[&format!("parlor_refused_total{{reason=\"{reason}\"}}")];
    let elsewhere = upgrade(server.address, "/elsewhere", "");
    assert_eq!(status(&server.raw(elsewhere.as_bytes())), 404);
    let ann = loop {
        // The thread of the one before may not have ended yet; how often that is so is not known.
        match Client::connect(server.address, "/ws?name=ann", None) {
            Ok(ann) => break ann,
            Err(status) => assert_eq!(status, 503),
        }
    };
    let full = refused("full");
    assert_eq!(status(&server.get("/")), 503);
    assert_eq!(Client::connect(server.address, "/ws?name=bob", None).err(), Some(503));
    assert!(server.handle.client("eve").is_err(), "nor is there room in memory");
    assert_eq!((refused("full"), refused("not_found"), refused("name_taken")), (full + 3.0, 1.0, 0.0));
    drop(ann);
}

#[test]
fn a_name_that_is_taken_is_a_reason() {
    let server = server();
    let _ann = server.json("ann");
    for _ in 0..2 {
        assert_eq!(Client::connect(server.address, "/ws?name=ann", None).err(), Some(409));
    }
    // The welcome comes from her own thread, before the dispatcher has heard of her.
    eventually("she is counted", || told(&server)["parlor_clients"] == 1.0);
    let told = told(&server);
    assert_eq!(told["parlor_refused_total{reason=\"name_taken\"}"], 2.0);
    assert_eq!((told["parlor_connections_total"], told["parlor_clients"]), (3.0, 1.0));
}

#[test]
fn who_comes_through_a_proxy_reads_them_only_where_they_are_open() {
    let ask = |server: &TestServer, field: &str| {
        server.raw(format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{field}: 192.0.2.7\r\n\r\n").as_bytes())
    };
    let (closed, open) = (server(), server_with(Server::builder().open_metrics(true)));
    for field in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        let answer = ask(&closed, field);
        assert_eq!(status(&answer), 403, "{field}: {answer}");
        assert!(answer.contains("Content-Type: application/json") && answer.contains("--open-metrics"), "{answer}");
        assert!(!answer.contains("parlor_"), "{answer}");
        assert_eq!(status(&ask(&open, field)), 200, "{field}");
    }
    assert_eq!(told(&closed)["parlor_refused_total{reason=\"metrics_closed\"}"], 3.0);
}

#[test]
fn who_does_not_read_is_seen_and_counted_once_when_sent_away() {
    // Many times what is said between two looks, so that it is seen before it is sent away.
    let server = server_with(Server::builder().outbox_limit(4 * 1024 * 1024));
    let mut slow = server.in_lobby("slow");
    let mut talker = server.in_lobby("talker");
    let behind = || told(&server)["parlor_queue_length{queue=\"flusher\"}"];
    let mut said = 0;
    while behind() == 0.0 {
        for _ in 0..10 {
            said += 1;
            talker.post("lobby", &format!("behind {said}"), &"x".repeat(8000));
            talker.expect("message");
        }
        assert!(said < 20_000, "it is never behind");
    }
    assert_eq!(told(&server)["parlor_evictions_total"], 0.0);
    talk_until_left(&mut talker, "slow");
    assert_eq!(told(&server)["parlor_evictions_total"], 1.0);
    while !matches!(slow.socket.read().unwrap(), Message::Close(_)) {}
    drop(slow);
    eventually("nobody is behind", || behind() == 0.0);
    assert_eq!(told(&server)["parlor_evictions_total"], 1.0);
}

/// A section of the README.
fn section(title: &str) -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let behind = readme.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no {title}")).1.to_owned();
    behind.split("\n## ").next().unwrap().to_owned()
}

/// The words in a text that could be names of metrics.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn the_readme_names_every_metric_and_none_that_is_not_there() {
    let server = server();
    let families = parse(&server.handle.metrics());
    let samples: BTreeSet<String> = families
        .values()
        .flat_map(|family| family.samples.iter().map(|(name, _)| name.split('{').next().unwrap().to_owned()))
        .collect();
    let section = section("Watching it");
    let is_name = |word: &&str| word.starts_with("parlor_") || word.starts_with("process_");
    let named: BTreeSet<&str> = words(&section).filter(is_name).collect();
    for name in &named {
        let is_histogram = families.get(*name).is_some_and(|family| family.kind == "histogram");
        assert!(samples.contains(*name) || is_histogram, "there is no {name}");
    }
    for (name, family) in &families {
        let sample = family.samples[0].0.split('{').next().unwrap();
        let said = if family.kind == "histogram" { name } else { sample };
        assert!(section.contains(&format!("`{said}`")), "the table lacks {said}");
    }

    // What a rule asks for, besides functions and numbers, without labels and times.
    let rules: Vec<&str> = section.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(rules.len() >= 8, "{rules:?}");
    for rule in rules {
        let mut plain = rule.to_owned();
        for (open, close) in [('{', '}'), ('[', ']')] {
            while let Some((before, rest)) = plain.split_once(open) {
                plain = format!("{before} {}", rest.split_once(close).unwrap().1);
            }
        }
        let asked: Vec<&str> = words(&plain).filter(|word| !plain.contains(&format!("{word}("))).collect();
        let asked: Vec<&str> = asked.into_iter().filter(|word| word.parse::<f64>().is_err()).collect();
        assert!(!asked.is_empty(), "{rule}");
        for name in asked {
            assert!(name == "up" || samples.contains(name), "{rule}: there is no {name}");
        }
    }
    // The labels that the rules pick are there, too.
    for label in section.split("reason=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(told(&server).contains_key(&format!("parlor_refused_total{{reason=\"{label}\"}}")), "{label}");
    }
}
