//! Backups, made while others write, and put back.

use super::admin::Place;
use crate::common::*;
use diesel::prelude::*;
use serde_json::json;
use std::path::Path;

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = diesel::sql_types::Text)]
    integrity_check: String,
}

fn is_whole(file: &Path) -> bool {
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let found: Vec<Finding> = diesel::sql_query("PRAGMA integrity_check").load(&mut database).unwrap();
    found.len() == 1 && found[0].integrity_check == "ok"
}

#[test]
fn a_backup_under_load_has_every_message_that_was_acknowledged_before() {
    let mut place = Place::with_server();
    let backup = place.folder.path().join("backup of today?.db");
    let mut ann = Client::json(place.address, "ann");
    let epoch = ann.welcome["epoch"].clone();
    ann.send(json!({"type": "join", "room": "lobby"}));
    ann.hear("joined");
    let mut acknowledged = 0;
    let mut post = |acknowledged: &mut i64| {
        ann.post("lobby", &acknowledged.to_string(), &"on and on ".repeat(100));
        *acknowledged = ann.hear("message")["rev"].as_i64().unwrap();
    };
    for _ in 0..300 {
        post(&mut acknowledged);
    }
    let before = acknowledged;
    std::thread::scope(|scope| {
        let backing_up = scope.spawn(|| place.done(&["backup", backup.to_str().unwrap()]));
        while !backing_up.is_finished() {
            post(&mut acknowledged);
        }
        let said = backing_up.join().unwrap();
        assert!(said.contains(" messages, ") && said.contains("kB"), "{said}");
    });
    assert!(acknowledged > before, "nothing was said meanwhile");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&backup).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "there are hashes in it");
    assert!(is_whole(&backup));
    let bytes = std::fs::read(&backup).unwrap();
    place.refused(&["backup", backup.to_str().unwrap()], "is there already");
    place.refused(&["restore", backup.to_str().unwrap()], "stop it first");
    assert_eq!(std::fs::read(&backup).unwrap(), bytes);
    place.stop();

    let mut elsewhere = Place::without_server();
    elsewhere.done(&["restore", backup.to_str().unwrap()]);
    for place in [&mut place, &mut elsewhere] {
        if place.folder.path().join("backup of today?.db").exists() {
            let said = place.done(&["restore", backup.to_str().unwrap()]);
            let kept = said.split("is kept: ").nth(1).unwrap().trim();
            assert!(is_whole(Path::new(kept)), "{said}");
        }
        place.start();
        let mut late = Client::json(place.address, "late");
        assert_ne!(late.welcome["epoch"], epoch, "numbers that were seen may be given anew");
        late.send(json!({"type": "join", "room": "lobby", "since": 0}));
        let replayed = late.everything_until(|frame| frame["type"] == "joined");
        let revs: Vec<i64> = replayed.iter().filter_map(|frame| frame["rev"].as_i64()).collect();
        assert!(revs.len() as i64 >= before && revs.len() as i64 <= acknowledged, "{} of {before}", revs.len());
        assert_eq!(revs, (1..=revs.len() as i64).collect::<Vec<_>>());
        let backed_up = revs.len() as i64;
        late.post("lobby", "new", "on it goes");
        assert_eq!(late.hear("message")["rev"], backed_up + 1);
    }
}

#[test]
fn what_is_no_backup_is_refused_and_the_database_stays() {
    let mut place = Place::with_server();
    place.done(&["room", "add", "garden"]);
    let folder = place.folder.path().to_owned();
    let file = |name: &str| folder.join(name);
    let (good, garbage, foreign, newer, damaged) =
        (file("good.db"), file("garbage.db"), file("foreign.db"), file("newer.db"), file("damaged.db"));
    place.done(&["backup", good.to_str().unwrap(), "--quiet"]);
    std::fs::write(&garbage, "my holiday diary ".repeat(1000)).unwrap();
    let mut other = SqliteConnection::establish(foreign.to_str().unwrap()).unwrap();
    diesel::sql_query("CREATE TABLE recipes (name TEXT)").execute(&mut other).unwrap();
    std::fs::copy(&good, &newer).unwrap();
    let mut other = SqliteConnection::establish(newer.to_str().unwrap()).unwrap();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101')")
        .execute(&mut other)
        .unwrap();
    let mut bytes = std::fs::read(&good).unwrap();
    let end = bytes.len();
    bytes[4096..end].iter_mut().step_by(3).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&damaged, bytes).unwrap();
    place.stop();

    let before = std::fs::read(place.folder.path().join("parlor.db")).unwrap();
    let all = || std::fs::read_dir(place.folder.path()).unwrap().count();
    let count = all();
    for (file, word) in [
        (&garbage, "not a database"),
        (&foreign, "none of Parlor's"),
        (&newer, "newer Parlor"),
        (&damaged, "damaged"),
        (&file("nowhere.db"), "No such file"),
    ] {
        place.refused(&["restore", file.to_str().unwrap()], word);
    }
    place.refused(&["backup", file("no/such/folder.db").to_str().unwrap()], "No such file");
    assert_eq!(std::fs::read(place.folder.path().join("parlor.db")).unwrap(), before);
    assert_eq!(all(), count, "nothing is left lying about");
    // Another program has it open.
    let url = place.folder.path().join("parlor.db");
    let mut open = SqliteConnection::establish(url.to_str().unwrap()).unwrap();
    diesel::sql_query("PRAGMA journal_mode = WAL").execute(&mut open).unwrap();
    diesel::sql_query("BEGIN IMMEDIATE").execute(&mut open).unwrap();
    place.refused(&["restore", good.to_str().unwrap()], "another program has");
    drop(open);
    place.done(&["restore", good.to_str().unwrap()]);
    assert_eq!(place.json(&["room", "list"]).as_array().unwrap().len(), 2);
}
