//! `parlor user ban`, `mute` and what lifts them, with a server on the folder and without.

use super::accounts::ask;
use super::admin::Place;
use crate::common::*;
use serde_json::{Value, json};

/// The status with which a guest of that name is refused, if one is.
fn refusal(place: &Place, name: &str) -> Option<u16> {
    Client::try_json(place.address, &format!("/ws?name={name}")).err()
}

#[test]
fn who_is_banned_is_shown_out_at_once_and_let_in_again() {
    let place = Place::with_server();
    place.done(&["user", "add", "ann"]);
    let session = place.signed_in("ann", "correct horse");
    let mut ann = place.connected(&session).unwrap();
    let (mut eve, mut bob) = (Client::json(place.address, "eve"), Client::json(place.address, "bob"));

    let told = place.done(&["user", "ban", "EVE", "--reason", "spam"]);
    assert_eq!(told, "EVE is banned: spam; the server that runs knows it\n");
    let farewell = eve.closed().unwrap();
    assert_eq!(u16::from(farewell.code), 1008);
    assert!(farewell.reason.contains("you are banned") && farewell.reason.ends_with(": spam"), "{farewell:?}");
    assert_eq!(refusal(&place, "eve"), Some(403));
    place.done(&["user", "ban", "ann", "--for", "2h"]);
    assert_eq!(ann.close_code(), Some(1008));
    assert_eq!(place.connected(&session).err(), Some(403));
    assert!(bob.so_far().iter().all(|frame| frame["type"] == "left"), "nobody else is concerned");

    place.done(&["user", "unban", "eve"]);
    place.done(&["user", "unban", "Ann"]);
    assert_eq!(refusal(&place, "eve"), None);
    assert!(place.connected(&session).is_ok());
}

#[test]
fn who_is_muted_is_told_and_says_nothing_until_it_is_lifted() {
    let place = Place::with_server();
    let (mut bob, mut ann) = (place.in_room("bob", "lobby"), place.in_room("ann", "lobby"));
    ann.so_far();
    place.done(&["user", "mute", "bob", "--for", "30m", "--reason", "enough"]);
    let you = bob.hear("you");
    assert_eq!(you["muted"]["reason"], "enough");
    assert!(you["muted"]["until"].as_str().unwrap().ends_with('Z'), "{you}");
    bob.post("lobby", "1", "still here");
    assert_eq!(bob.hear_error()["code"], "muted");
    // What else is done from the shell is no news to whoever is muted.
    place.done(&["user", "add", "carl"]);
    assert!(bob.so_far().iter().all(|frame| frame["type"] != "you"));
    place.done(&["user", "unmute", "bob"]);
    assert_eq!(bob.hear("you").get("muted"), None);
    bob.post("lobby", "2", "thank you");
    assert_eq!(ann.hear("message")["body"], "thank you");
    assert!(ann.so_far().iter().all(|frame| frame["type"] != "you"), "nobody else is concerned");
}

#[test]
fn a_server_that_starts_later_knows_who_is_banned_or_muted() {
    let mut place = Place::without_server();
    place.done(&["user", "add", "ann", "--role", "owner"]);
    assert!(!place.done(&["user", "ban", "eve"]).contains("server"));
    place.done(&["user", "mute", "bob"]);
    place.start();
    assert_eq!(refusal(&place, "Eve"), Some(403));
    assert!(Client::json(place.address, "bob").welcome["you"]["muted"].is_object());
    place.stop();
    place.done(&["user", "unban", "eve"]);
    place.done(&["user", "unmute", "bob"]);
    place.start();
    assert_eq!(refusal(&place, "eve"), None);
    assert_eq!(Client::json(place.address, "bob").welcome["you"].get("muted"), None);

    // And all of it stands in the book.
    let session = place.signed_in("ann", "correct horse");
    let answer = ask(place.address, "GET", "/api/audit", &session, &Value::Null);
    let book: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let book = book["deeds"].as_array().unwrap().iter();
    let done: Vec<String> = book.map(|deed| format!("{} {} {}", deed["by"], deed["act"], deed["whom"])).collect();
    let shell = |what: &str, whom: &str| format!("\"(the shell)\" \"{what}\" \"{whom}\"");
    assert_eq!(done, [shell("unmute", "bob"), shell("unban", "eve"), shell("mute", "bob"), shell("ban", "eve")]);
}

#[test]
fn the_list_shows_who_is_banned_or_muted_guests_too() {
    for place in [Place::without_server(), Place::with_server()] {
        place.done(&["user", "add", "ann", "--role", "owner"]);
        place.done(&["user", "add", "bob"]);
        place.done(&["user", "ban", "BOB", "--for", "7d", "--reason", "first this"]);
        place.done(&["user", "mute", "bob", "--reason", "then that"]);
        place.done(&["user", "ban", "eve"]);
        // The last one counts.
        place.done(&["user", "ban", "bob", "--reason", "spam"]);
        let list = place.json(&["user", "list"]);
        assert_eq!(list[0].get("sanctions"), None);
        let laid = |n: usize| {
            let all = list[n]["sanctions"].as_array().unwrap().iter();
            let mut all: Vec<Value> =
                all.map(|one| json!([one["penalty"], one["until"], one["reason"], one["by"]])).collect();
            all.sort_by_key(|one| one[0].to_string());
            all
        };
        assert_eq!(
            laid(1),
            [json!(["ban", null, "spam", "(the shell)"]), json!(["mute", null, "then that", "(the shell)"])]
        );
        assert_eq!((&list[2]["name"], &list[2]["role"], laid(2).len()), (&json!("eve"), &json!("guest"), 1));
        assert_eq!((&list[2]["sessions"], list[2].get("seen_at")), (&json!(0), Some(&Value::Null)));
        assert_eq!(list.as_array().unwrap().len(), 3);
        let shown = place.done(&["user", "list"]);
        assert!(shown.contains("STANDING\n") && shown.contains("banned: spam"), "{shown}");
        assert!(shown.contains("\neve   guest   -          -                banned\n"), "{shown}");
        place.done(&["user", "unban", "eve"]);
        assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 2);
    }
}

#[test]
fn what_cannot_be_banned_or_lifted_is_said() {
    for place in [Place::without_server(), Place::with_server()] {
        place.done(&["user", "add", "ann", "--role", "owner"]);
        place.refused(&["user", "ban", "Ann"], "there is no ban of an owner; give ann another role first");
        place.refused(&["user", "mute", "ann"], "there is no mute of an owner");
        place.refused(&["user", "ban", "a:b"], "no colon");
        place.refused(&["user", "unban", "eve"], "eve is not banned");
        place.done(&["user", "ban", "eve"]);
        place.refused(&["user", "unmute", "eve"], "eve is not muted");
        place.refused(&["user", "ban", "bob", "--for", "53w"], "366 days");
        place.refused(&["user", "ban", "bob", "--reason", &"x".repeat(201)], "200 characters at most");
        place.refused(&["user", "mute", "bob", "--reason", "two\nlines"], "all in one line");
        let (code, _, err) = place.give(&["user", "ban", "bob", "--for", "long"], "");
        assert!(code == 2 && err.contains("90s, 30m, 12h, 7d or 2w"), "{err}");
        assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 2, "ann, and eve");
    }
    let nowhere = Place::without_server();
    nowhere.refused(&["user", "ban", "eve"], "there is no database in");
}
