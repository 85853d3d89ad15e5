//! Looking for what was said: what is found, in which order, by whom; and pages of history in both directions.

use crate::common::*;
use parlor::{Server, Synchronous};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server with a database, and one without: search is promised of both.
fn servers() -> [(TestServer, Option<TempDir>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let with_database = server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    [(server(), None), (with_database, Some(folder))]
}

/// Everything that is said in these lines is stored, in their order.
fn say(client: &mut Client, room: &str, bodies: &[&str]) {
    for body in bodies {
        client.send(json!({"type": "post", "room": room, "id": format!("{room} {body}"), "body": body}));
    }
    for body in bodies {
        while client.hear("message")["body"] != *body {}
    }
}

/// What is found, once it is all in the index.
#[track_caller]
fn search(client: &mut Client, query: &str, more: Value) -> Value {
    let mut found = Value::Null;
    eventually("everything is indexed", || {
        let mut frame = json!({"type": "search", "query": query, "ref": query.chars().take(9).collect::<String>()});
        for (name, value) in more.as_object().unwrap() {
            frame[name] = value.clone();
        }
        client.send(frame);
        found = client.hear("found");
        found["indexing"] != true
    });
    found
}

#[track_caller]
fn texts(client: &mut Client, query: &str) -> Vec<String> {
    let found = search(client, query, json!({}));
    found["hits"].as_array().unwrap().iter().map(|hit| hit["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_hit_says_where_it_is_and_where_the_words_stand() {
    for (server, _folder) in servers() {
        let mut ann = server.in_lobby("ann");
        say(&mut ann, "lobby", &["𝄞 Grüne Bäume", "nothing", "bäume, GRÜNE!"]);
        ann.send(json!({"type": "search", "query": "grune baume", "ref": 7}));
        let mut found = ann.hear("found");
        let at = found["hits"][0]["at"].take();
        assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
        found["hits"][1]["at"].take();
        let expected = json!({"type": "found", "ref": 7, "more": false, "hits": [
            {"room": "lobby", "seq": 3, "from": "ann", "at": null, "text": "bäume, GRÜNE!", "marks": [[0, 5], [7, 12]]},
            {"room": "lobby", "seq": 1, "from": "ann", "at": null, "text": "𝄞 Grüne Bäume", "marks": [[2, 7], [8, 13]]},
        ]});
        assert_eq!(found, expected);
    }
}

#[test]
fn any_language_is_found() {
    for (server, _folder) in servers() {
        let mut ann = server.in_lobby("ann");
        let all = [
            "ÄPFEL und Straße",
            "ΟΔΟΣ ΣΤΗΝ ΑΘΉΝΑ",
            "明日の会議は3時です",
            "회의실에서 만나요",
            "สวัสดีครับ",
            "party🎉🎉",
            "done 👍🏽",
        ];
        say(&mut ann, "lobby", &all);
        for (query, expected) in [
            ("äpfel", 0),
            ("apfel STRASSE", 0),
            ("οδος", 1),
            ("Αθηνα", 1),
            ("会議", 2),
            ("3時です", 2),
            ("회의실", 3),
            ("ดีครับ", 4),
            ("party", 5),
            ("🎉", 5),
            ("👍", 6),
        ] {
            assert_eq!(texts(&mut ann, query), [all[expected]], "{query}");
        }
        for query in ["議会", "pfel", "🎈"] {
            assert_eq!(texts(&mut ann, query), Vec::<String>::new(), "{query}");
        }
    }
}

#[test]
fn what_was_deleted_is_not_found_and_what_was_edited_as_it_stands() {
    for (server, _folder) in servers() {
        let mut ann = server.in_lobby("ann");
        say(&mut ann, "lobby", &["a secret", "a slip"]);
        assert_eq!(texts(&mut ann, "secret"), ["a secret"]);
        ann.send(json!({"type": "delete", "room": "lobby", "seq": 1}));
        ann.send(json!({"type": "edit", "room": "lobby", "seq": 2, "body": "as meant"}));
        assert_eq!(ann.hear("message")["deleted"], true);
        assert_eq!(ann.hear("message")["body"], "as meant");
        for (query, expected) in [("secret", vec![]), ("slip", vec![]), ("meant", vec!["as meant"])] {
            assert_eq!(texts(&mut ann, query), expected, "{query}");
        }
    }
}

#[test]
fn a_closed_room_is_searched_for_its_members_alone() {
    for (server, _folder) in servers() {
        let (mut ann, mut eve) = (server.in_lobby("ann"), server.in_lobby("eve"));
        ann.send(json!({"type": "create", "room": "den", "kind": "private", "members": ["eve"]}));
        ann.hear("joined");
        ann.send(json!({"type": "direct", "people": ["eve"], "ref": 1}));
        ann.hear("joined");
        ann.send(json!({"type": "create", "room": "cellar", "kind": "private"}));
        ann.hear("joined");
        say(&mut ann, "lobby", &["wine for all"]);
        say(&mut ann, "den", &["wine for us"]);
        say(&mut ann, "cellar", &["wine for me"]);
        assert_eq!(texts(&mut ann, "wine"), ["wine for me", "wine for us", "wine for all"]);
        assert_eq!(texts(&mut eve, "wine"), ["wine for us", "wine for all"]);
        let mut mallory = server.in_lobby("mallory");
        assert_eq!(texts(&mut mallory, "wine"), ["wine for all"]);
        assert_eq!(texts(&mut mallory, "from:ann"), ["wine for all"]);
        mallory.send(json!({"type": "search", "query": "wine in:den", "ref": 1}));
        assert_eq!(mallory.everything_until(|frame| frame["type"] == "error").pop().unwrap()["code"], "no_such_room");
        // Whoever is removed is a stranger at once.
        ann.send(json!({"type": "remove", "room": "den", "name": "eve"}));
        while eve.hear("room")["gone"] != true {}
        assert_eq!(texts(&mut eve, "wine"), ["wine for all"]);
    }
}

#[test]
fn names_rooms_and_dates_narrow_it_down() {
    for (server, _folder) in servers() {
        let (mut ann, mut bob) = (server.in_lobby("ann"), server.in_lobby("Bob%20Ross"));
        ann.send(json!({"type": "create", "room": "garden"}));
        ann.hear("joined");
        say(&mut ann, "lobby", &["a tree"]);
        say(&mut ann, "garden", &["a happy tree"]);
        say(&mut bob, "lobby", &["trees and a tree"]);
        assert_eq!(texts(&mut ann, "tree from:\"BOB ROSS\""), ["trees and a tree"]);
        assert_eq!(texts(&mut ann, "from:ann in:#garden"), ["a happy tree"]);
        assert_eq!(texts(&mut ann, "tree in:garden in:lobby from:ann"), ["a happy tree", "a tree"]);
        assert_eq!(texts(&mut ann, "tree after:2020-01-01 before:2999-01-01").len(), 3);
        assert_eq!(texts(&mut ann, "tree before:2020-01-01"), Vec::<String>::new());
        assert_eq!(texts(&mut ann, "after:2020-01-01T00:00:00Z \"happy tree\""), ["a happy tree"]);
        assert_eq!(texts(&mut ann, "tre*").len(), 3);
    }
}

#[test]
fn a_query_that_cannot_be_read_is_told_where() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    for (query, place, word) in [
        ("", "character 1:", "write what to look for"),
        ("tea \"green", "character 5:", "not closed"),
        ("tea before:soon", "character 12:", "before:2026-11-23"),
        ("from:nobody tea", "character 6:", "nobody called nobody"),
        ("…", "character 1:", "expected a word"),
        (&"a ".repeat(30), "character 41:", "20 parts"),
    ] {
        ann.send(json!({"type": "search", "query": query, "ref": "r"}));
        let error = ann.everything_until(|frame| frame["type"] == "error").pop().unwrap();
        assert_eq!((&error["code"], &error["ref"]), (&json!("bad_field"), &json!("r")), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("\"query\", ") && message.contains(place) && message.contains(word), "{message}");
    }
    ann.send(json!({"type": "search", "query": "tea", "cursor": "x"}));
    assert!(
        ann.everything_until(|frame| frame["type"] == "error").pop().unwrap()["message"]
            .as_str()
            .unwrap()
            .contains("\"cursor\"")
    );
}

#[test]
fn pages_follow_each_other() {
    for (server, _folder) in servers() {
        let mut ann = server.in_lobby("ann");
        let bodies: Vec<String> = (1..=120).map(|n| format!("tea {n}")).collect();
        say(&mut ann, "lobby", &bodies.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut seqs, mut cursor, mut pages) = (Vec::new(), Value::Null, Vec::new());
        loop {
            let found = search(&mut ann, "tea", json!({"limit": 999, "cursor": cursor}));
            let hits = found["hits"].as_array().unwrap();
            seqs.extend(hits.iter().map(|hit| hit["seq"].as_i64().unwrap()));
            pages.push(hits.len());
            assert_eq!(found["more"], !found["cursor"].is_null());
            if found["more"] == false {
                break;
            }
            cursor = found["cursor"].clone();
        }
        assert_eq!(pages, [50, 50, 20]);
        assert_eq!(seqs, (1..=120).rev().collect::<Vec<_>>());
    }
}

#[test]
fn over_http_the_same_is_found_by_whoever_is_signed_in() {
    let server = server();
    let mut ann = server.in_lobby("ann");
    say(&mut ann, "lobby", &["green tea", "tea & cake"]);
    assert_eq!(status(&server.get("/api/search?q=tea")), 401);
    let body = r#"{"name":"bob"}"#;
    let signed_in = server.raw(
        format!(
            "POST /api/session HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.address,
            body.len()
        )
        .as_bytes(),
    );
    let cookie = signed_in.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let ask = |query: &str| {
        let asked = format!("GET /api/search?{query} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", server.address);
        let answer = server.raw(asked.as_bytes());
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status(&answer), serde_json::from_str::<Value>(body).unwrap())
    };
    let (status, found) = ask("q=tea%20cake&limit=5");
    assert_eq!((status, found["more"].clone(), found["type"].clone()), (200, json!(false), Value::Null));
    assert_eq!(found["hits"][0]["text"], "tea & cake");
    let (_, first) = ask("q=tea&limit=1");
    assert_eq!((&first["hits"][0]["seq"], &first["more"]), (&json!(2), &json!(true)));
    let (_, second) = ask(&format!("q=tea&limit=1&cursor={}", first["cursor"].as_str().unwrap()));
    assert_eq!((&second["hits"][0]["seq"], &second["more"]), (&json!(1), &json!(false)));
    for (query, code, expected) in [
        ("", 400, "bad_field"),
        ("q=%22", 400, "bad_field"),
        ("q=tea&limit=0", 400, "bad_field"),
        ("q=in:nowhere", 404, "no_such_room"),
    ] {
        let (status, refused) = ask(query);
        assert_eq!((status, &refused["error"]["code"]), (code, &json!(expected)), "{query}: {refused}");
    }
}

#[test]
fn history_goes_forth_as_it_goes_back() {
    for (server, _folder) in servers() {
        let mut ann = server.in_lobby("ann");
        let bodies: Vec<String> = (1..=60).map(|n| format!("m{n}")).collect();
        say(&mut ann, "lobby", &bodies.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut after, mut seqs) = (json!(0), Vec::new());
        loop {
            ann.send(json!({"type": "history", "room": "lobby", "after": after, "limit": 25, "ref": after}));
            let page = ann.hear("history");
            assert_eq!(page["ref"], after);
            seqs.extend(page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_i64().unwrap()));
            if page["more"] == false {
                break;
            }
            after = json!(seqs.last());
        }
        assert_eq!(seqs, (1..=60).collect::<Vec<_>>());
        ann.send(json!({"type": "history", "room": "lobby", "after": 60}));
        let page = ann.hear("history");
        assert_eq!((&page["messages"], &page["more"]), (&json!([]), &json!(false)));
        ann.send(json!({"type": "history", "room": "lobby", "after": 6, "before": 9}));
        assert!(
            ann.everything_until(|frame| frame["type"] == "error").pop().unwrap()["message"]
                .as_str()
                .unwrap()
                .contains("exclude")
        );
    }
}
