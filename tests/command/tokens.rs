//! `parlor token`: made, listed and revoked, with a server on the folder and without.

use super::admin::Place;
use crate::common::*;
use serde_json::{Value, json};

/// Makes a token and gives it; it is all that standard output has.
fn made(place: &Place, args: &[&str]) -> String {
    let out = place.done(&[&["token", "make"], args].concat());
    let token = out.strip_suffix('\n').unwrap().to_owned();
    assert!(token.starts_with("parlor_") && !token.contains(char::is_whitespace), "{out}");
    token
}

fn connected(place: &Place, token: &str) -> Result<Client, u16> {
    place.connected_with("authorization", &format!("Bearer {token}"))
}

#[test]
fn a_token_lets_in_until_it_is_revoked_and_then_what_it_let_in_is_closed() {
    let place = Place::with_server();
    place.done(&["user", "add", "ann", "--role", "moderator"]);
    let mut guest = Client::json(place.address, "oven");
    let (of_ann, of_bot) = (made(&place, &["Ann"]), made(&place, &["oven", "--bot", "--label", "kitchen"]));
    assert_eq!(guest.close_code(), Some(4001), "the name is the bot's now");
    let mut ann = connected(&place, &of_ann).unwrap();
    assert_eq!(ann.welcome["you"], json!({"name": "ann", "role": "moderator"}));
    let mut oven = connected(&place, &of_bot).unwrap();
    assert_eq!(oven.welcome["you"], json!({"name": "oven", "role": "member"}));

    let list = place.json(&["token", "list"]);
    let shown: Vec<Value> =
        list.as_array().unwrap().iter().map(|one| json!([one["name"], one["bot"], one["label"]])).collect();
    assert_eq!(shown, [json!(["ann", false, "made in the shell"]), json!(["oven", true, "kitchen"])]);
    assert!(list[1]["used_at"].is_string() && !list.to_string().contains("parlor_"), "{list}");
    let told = place.done(&["token", "revoke", list[1]["id"].as_str().unwrap()]);
    assert!(told.ends_with(" of oven lets nobody in any more; the server that runs knows it\n"), "{told}");
    assert_eq!(oven.close_code(), Some(4001));
    assert_eq!(connected(&place, &of_bot).err(), Some(401));
    assert!(ann.so_far().iter().all(|frame| frame["type"] == "left"), "hers is another");
    assert!(connected(&place, &of_ann).is_ok());
    // A bot that is there has another one.
    let again = made(&place, &["OVEN", "--bot"]);
    assert_eq!(connected(&place, &again).unwrap().welcome["you"]["name"], "oven");
}

#[test]
fn tokens_are_made_listed_and_revoked_before_the_first_start() {
    let mut place = Place::without_server();
    let (code, out, err) = place.give(&["token", "make", "oven", "--bot"], "");
    assert!(code == 0 && err.contains("it is made") && err.contains("the bot oven has the new token "), "{err}");
    place.done(&["user", "add", "ann"]);
    let made_as_json = place.json(&["token", "make", "ann", "--label", "of «ann»"]);
    assert_eq!((&made_as_json["name"], &made_as_json["label"]), (&json!("ann"), &json!("of «ann»")));
    let secret = made_as_json["token"].as_str().unwrap();
    let own = place.json(&["token", "list", "ann"]);
    assert_eq!((own.as_array().unwrap().len(), &own[0]["id"]), (1, &made_as_json["id"]));
    assert_eq!(own[0]["used_at"], Value::Null);
    let shown = place.done(&["token", "list"]);
    assert!(shown.starts_with("ID  ") && shown.contains("  oven (bot)  ") && shown.contains("  of «ann»\n"), "{shown}");

    place.start();
    assert_eq!(connected(&place, secret).unwrap().welcome["you"]["name"], "ann");
    assert_eq!(connected(&place, out.trim()).unwrap().welcome["you"]["name"], "oven");
    place.stop();
    assert!(!place.done(&["token", "revoke", own[0]["id"].as_str().unwrap()]).contains("server"));
    place.start();
    assert_eq!(connected(&place, secret).err(), Some(401));
    assert!(connected(&place, out.trim()).is_ok());
}

#[test]
fn what_is_no_token_and_no_bot_is_said() {
    for place in [Place::without_server(), Place::with_server()] {
        place.done(&["user", "add", "ann"]);
        assert!(place.done(&["token", "list"]).starts_with("There is no token"));
        assert_eq!(place.json(&["token", "list"]), json!([]));
        place.refused(&["token", "make", "bob"], "nobody called bob has an account");
        place.refused(&["token", "list", "bob"], "nobody called bob has an account");
        place.refused(&["token", "make", "ann", "--bot"], "the name ann, or one that looks like it, is taken");
        place.refused(&["token", "make", "ann", "--label", ""], "1 to 64 characters");
        place.refused(&["token", "make", "oven", "--bot", "--label", "a\nb"], "all in one line");
        let bots = place.json(&["user", "list"]).as_array().unwrap().len() - 1;
        assert_eq!(bots, 0, "nothing is made by halves");
        place.refused(&["token", "revoke", "0123456789abcdef"], "there is no token 0123456789abcdef");
    }
    let nowhere = Place::without_server();
    for args in [&["token", "list"][..], &["token", "make", "ann"], &["token", "revoke", "0"]] {
        nowhere.refused(args, "there is no database in");
    }
}
