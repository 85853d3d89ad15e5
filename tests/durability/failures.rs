//! When the disk, the database or the clock fails: what is not stored is not acknowledged, what is there can be read,
//! the operator is told once, and all is well again by itself when the cause is gone.

use crate::common::{DEADLINE, eventually, status};
use crate::disk::Disk;
use crate::service::{Service, all, history, post};
use crate::witness::integrity;
use diesel::connection::{Connection, SimpleConnection};
use serde_json::json;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Much less than anything waits for a database that is held by another program.
const SOON: Duration = Duration::from_secs(3);

#[test]
fn on_a_full_disk_one_can_read_and_once_there_is_room_write() {
    a_disk_that("full", "make room on it");
}

#[test]
fn on_a_disk_that_has_become_read_only_one_can_read_and_later_write() {
    a_disk_that("readonly", "read only");
}

#[test]
fn on_a_disk_with_errors_one_can_read_and_later_write() {
    a_disk_that("broken", "the disk is broken");
}

fn a_disk_that(fault: &str, advice: &str) {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), Some(&disk));
    let (mut ann, mut bob) = (service.in_lobby("ann"), service.in_lobby("bob"));
    for n in 1..=50 {
        assert_eq!(post(&mut ann, &n.to_string(), &"before ".repeat(100))["rev"], n);
    }
    while bob.hear("message")["rev"] != 50 {}

    disk.becomes(fault);
    for n in 51..=70 {
        let refused = post(&mut ann, &n.to_string(), &"meanwhile ".repeat(100));
        assert_eq!(refused["code"], "unavailable", "{refused}");
    }
    assert!(bob.so_far().is_empty(), "nobody sees what is not stored");
    let everything: Vec<i64> = (1..=50).collect();
    assert_eq!(all(&mut bob), everything, "what is there can be read");
    assert_eq!(history(&mut bob, 51)["messages"].as_array().unwrap().len(), 20);
    assert_eq!(all(&mut service.in_lobby("eve")), everything, "by whoever comes, too");
    assert_eq!(status(&service.get("/")), 200);
    let account = json!({"name": "carl", "password": "correct horse"}).to_string();
    for _ in 0..3 {
        assert_eq!(status(&service.ask("POST", "/api/register", "", &account)), 503);
    }
    let errors = service.logs("nothing can be stored");
    assert!(errors.len() == 1 && errors[0].contains(advice), "{errors:?}");
    let errors = service.logs("accounts cannot be changed");
    assert!(errors.len() == 1 && errors[0].contains(advice), "{errors:?}");
    assert_eq!(service.counts("parlor_errors_total{code=\"unavailable\"}"), 20.0);
    assert!(service.counts("parlor_store_failures_total") >= 1.0);

    disk.mends();
    let receipt = post(&mut ann, "51", "at last");
    assert_eq!((&receipt["rev"], &receipt["body"]), (&json!(51), &json!("at last")), "{receipt}");
    assert_eq!(bob.hear("message")["rev"], 51);
    assert_eq!(status(&service.ask("POST", "/api/register", "", &account)), 200);
    assert_eq!(service.logs("the database answers again").len(), 1);
    assert_eq!(service.logs("accounts can be changed again").len(), 1);
    // The indexer says so for itself, if it had something to do meanwhile.
    let (of_index, others): (Vec<String>, Vec<String>) =
        service.logged("ERROR").into_iter().partition(|line| line.contains("cannot be indexed"));
    assert!(others.len() == 2 && of_index.len() <= 1, "{others:?} {of_index:?}");
    assert!(service.stop().success());
    assert_eq!(integrity(folder.path()), "ok");
}

/// A folder on a disk of its own, which is small.
struct Small(PathBuf, #[allow(dead_code, reason = "removed with it")] tempfile::TempDir);

impl Small {
    fn disk(size: &str) -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        std::fs::create_dir(&path).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(&path).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Small(path, folder));
        }
        eprintln!("SKIPPED: only who may mount a disk can fill one up");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_really_full_takes_nothing_from_what_is_there() {
    let Some(disk) = Small::disk("4m") else { return };
    let filler = disk.0.join("other things");
    std::fs::write(&filler, vec![1; 2_000_000]).unwrap();
    let data = disk.0.join("data");
    let service = Service::start(&data, None);
    let mut ann = service.in_lobby("ann");
    let mut stored = 0;
    let refused = loop {
        let answer = post(&mut ann, &format!("{stored}"), &"much ".repeat(1600));
        if answer["type"] == "error" {
            break answer;
        }
        stored += 1;
        assert!(stored < 2000, "it is never full");
    };
    assert_eq!(refused["code"], "unavailable");
    assert_eq!(all(&mut ann), (1..=stored).collect::<Vec<i64>>());
    std::fs::remove_file(filler).unwrap();
    assert_eq!(post(&mut ann, "at last", "x")["rev"], stored + 1);
    service.stop();
    let service = Service::start(&data, None);
    assert_eq!(all(&mut service.in_lobby("ann")), (1..=stored + 1).collect::<Vec<i64>>());
    assert_eq!(integrity(&data), "ok");
}

#[test]
fn a_database_that_another_program_holds_is_waited_for_once_and_not_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), None);
    let (mut ann, mut bob) = (service.in_lobby("ann"), service.in_lobby("bob"));
    assert_eq!(post(&mut ann, "1", "before")["rev"], 1);
    let database = folder.path().join("parlor.db");
    let mut other = diesel::SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(post(&mut ann, "2", "x")["code"], "unavailable");
    let errors = service.logs("nothing can be stored");
    assert!(errors.len() == 1 && errors[0].contains("another program holds it"), "{errors:?}");
    // From now on nobody is kept waiting.
    let start = Instant::now();
    assert_eq!(post(&mut ann, "2", "x")["code"], "unavailable");
    assert_eq!(all(&mut bob), [1]);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(post(&mut ann, "2", "x")["rev"], 2);
    service.logs("the database answers again");

    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(post(&mut ann, "3", "x")["code"], "unavailable");
    ann.post("lobby", "4", "x");
    drop((ann, bob));
    let start = Instant::now();
    assert!(service.stop().success());
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn on_a_slow_disk_who_reads_does_not_wait_and_the_operator_is_told() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), Some(&disk));
    let (mut ann, mut bob) = (service.in_lobby("ann"), service.in_lobby("bob"));
    assert_eq!(post(&mut ann, "1", "before")["rev"], 1);
    assert_eq!(service.counts("parlor_stalls_total{thread=\"recorder\"}"), 0.0);
    bob.hear("message");
    disk.slows_down(4000);
    ann.post("lobby", "2", "slowly");
    let told = service.logs("the recorder has not come round");
    assert!(told[0].contains("WARN") && told[0].contains("the disk is slow"), "{told:?}");
    assert_eq!(service.counts("parlor_stalls_total{thread=\"recorder\"}"), 1.0);
    assert!(service.counts("parlor_stalled_seconds{thread=\"recorder\"}") >= 1.0);
    assert_eq!(service.counts("parlor_stalled_seconds{thread=\"dispatcher\"}"), 0.0);
    assert_eq!(all(&mut bob), [1], "it is not on the disk, so nobody sees it");
    assert_eq!(all(&mut service.in_lobby("eve")), [1]);
    disk.mends();
    assert_eq!(ann.hear("message")["rev"], 2);
    assert_eq!(bob.hear("message")["rev"], 2);
    service.logs("the recorder comes round again");
    eventually("it comes round", || service.counts("parlor_stalled_seconds{thread=\"recorder\"}") == 0.0);
}

#[test]
fn a_clock_that_jumps_changes_the_times_and_nothing_else() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), Some(&disk));
    let account = json!({"name": "carl", "password": "correct horse"}).to_string();
    let signed_in = service.ask("POST", "/api/register", "", &account);
    let cookie = signed_in.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).expect("a session");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let mut ann = service.in_lobby("ann");
    let mut said = vec![post(&mut ann, "0", "x")];
    for (n, days) in [-3, 2, -400, 0].into_iter().enumerate() {
        disk.clock_is_off_by(days * 24 * 60 * 60);
        let id = (n + 1).to_string();
        said.push(post(&mut ann, &id, "x"));
        assert_eq!(post(&mut ann, &id, "x"), said[n + 1], "said again, it is the same");
        if days > -400 {
            let who = service.ask("GET", "/api/session", &format!("Cookie: {cookie}\r\n"), "");
            assert!(who.contains("\"carl\""), "{who}");
        }
    }
    let at = |n: usize| said[n]["at"].as_str().unwrap().to_owned();
    assert!(at(1) < at(0) && at(2) > at(0) && at(3) < at(1), "{said:?}");
    assert!(said.iter().enumerate().all(|(n, frame)| frame["rev"] == n as i64 + 1), "{said:?}");
    assert_eq!(all(&mut ann), [1, 2, 3, 4, 5]);
    service.stop();
    let service = Service::start(folder.path(), None);
    assert_eq!(all(&mut service.in_lobby("ann")), [1, 2, 3, 4, 5]);
}

/// A database with a room full of messages, of which those from 1,500 on lie on a page that can be damaged.
struct Damaged {
    folder: tempfile::TempDir,
    at: u64,
    before: Vec<u8>,
}

impl Damaged {
    const PAGE: usize = 4096;

    fn database() -> Damaged {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::start(folder.path(), None);
        let mut ann = service.in_lobby("ann");
        for n in 1..=2000 {
            ann.post("lobby", &n.to_string(), &format!("number {n}: {}", "word ".repeat(40)));
        }
        while ann.hear("message")["rev"] != 2000 {}
        drop(ann);
        // At its end all of it is carried over into the one file.
        assert!(service.stop().success());
        let bytes = std::fs::read(folder.path().join("parlor.db")).unwrap();
        let word = b"number 1500: ";
        let found = bytes.windows(word.len()).position(|part| part == word).unwrap();
        let at = found - found % Damaged::PAGE;
        Damaged { at: at as u64, before: bytes[at..at + Damaged::PAGE].to_vec(), folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, bytes: &[u8]) {
        let file = std::fs::OpenOptions::new().write(true).open(self.path().join("parlor.db")).unwrap();
        file.write_all_at(bytes, self.at).unwrap();
    }

    fn damage(&self) {
        self.write(&[0xA5; Damaged::PAGE]);
    }

    /// What is on that page cannot be read, all else can, and posts are taken.
    fn is_served_around(service: &Service) {
        let mut bob = service.in_lobby("bob");
        for _ in 0..30 {
            let refused = history(&mut bob, 1502);
            assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("unavailable")), "{refused}");
        }
        assert_eq!(history(&mut bob, 2001)["messages"].as_array().unwrap().len(), 20);
        assert_eq!(history(&mut bob, 500)["messages"].as_array().unwrap().len(), 20);
        let receipt = post(&mut bob, "bob", "is this kept?");
        let last = history(&mut bob, 3000)["messages"][19].clone();
        assert_eq!((&last["rev"], &last["body"]), (&receipt["rev"], &json!("is this kept?")), "{receipt}");
        let errors = service.logs("cannot read");
        assert!(errors.len() <= 3 && errors[0].contains("the file is damaged"), "{errors:#?}");
    }

    fn is_well(service: &Service) {
        let mut eve = service.in_lobby("eve");
        assert_eq!(history(&mut eve, 1502)["messages"].as_array().unwrap().len(), 20);
        let all = all(&mut eve);
        assert!(all.len() > 2000 && all.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{}", all.len());
    }
}

#[test]
fn a_page_that_was_damaged_while_it_was_stopped_is_all_that_is_lost() {
    let damaged = Damaged::database();
    damaged.damage();
    let service = Service::start(damaged.path(), None);
    Damaged::is_served_around(&service);
    assert!(service.stop().success());
    assert_ne!(integrity(damaged.path()), "ok");
    damaged.write(&damaged.before);
    Damaged::is_well(&Service::start(damaged.path(), None));
    assert_eq!(integrity(damaged.path()), "ok");
}

#[test]
fn a_page_that_is_damaged_while_it_runs_is_read_again_once_it_is_whole() {
    let damaged = Damaged::database();
    let service = Service::start(damaged.path(), None);
    damaged.damage();
    Damaged::is_served_around(&service);
    damaged.write(&damaged.before);
    Damaged::is_well(&service);
    assert!(service.stop().success());
    assert_eq!(integrity(damaged.path()), "ok");
}

/// Standard error is a pipe whose reader is gone: writing to it fails.
#[test]
fn a_server_whose_log_nobody_reads_any_more_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = crate::parlor(folder.path());
    let mut program = crate::common::program::Program::start(command.args(["--log", "info"]));
    let address = program.after("open  http://").parse().unwrap();
    drop(program.child.stderr.take());
    let mut ann = crate::common::Client::json(address, "ann");
    assert_eq!(ann.so_far().len(), 0);
    program.signal("TERM");
    assert_eq!(ann.close_code(), Some(1001));
    let start = Instant::now();
    assert_eq!(program.end().code(), Some(0));
    assert!(start.elapsed() < DEADLINE / 2);
}
