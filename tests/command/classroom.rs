//! A lesson: the class reads only at a key, and what was written is kept in a page.

use crate::common::program::Program;
use crate::common::*;
use crate::parlor;
use std::ffi::OsStr;
use std::io::Write;

fn lesson() -> (tempfile::TempDir, Program, Client) {
    lesson_with(&[])
}

fn lesson_with(environment: &[(&str, &OsStr)]) -> (tempfile::TempDir, Program, Client) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = parlor(&["--classroom", "--listen", "127.0.0.1:0"]);
    command.current_dir(folder.path()).envs(environment.iter().copied());
    let mut program = Program::start(&mut command);
    let address = program.after("http://").parse().unwrap();
    program.after("q  end of the lesson");
    let mut pupil = Client::json(address, "Zo%C3%AB");
    pupil.send(serde_json::json!({"type": "join", "room": "lobby"}));
    pupil.expect("joined");
    (folder, program, pupil)
}

fn press(program: &mut Program, key: &str) {
    writeln!(program.child.stdin.as_mut().unwrap(), "{key}").unwrap();
}

#[test]
fn the_class_reads_only_at_a_key_and_writes_again_at_the_same() {
    let (_folder, mut program, mut pupil) = lesson();
    press(&mut program, "r");
    let quiet = pupil.expect("message");
    assert_eq!(quiet["from"], "Teacher");
    assert!(quiet["body"].as_str().unwrap().contains("reading only"), "{quiet}");
    pupil.post("lobby", "1", "but…");
    let refused = pupil.expect("error");
    assert_eq!((refused["code"].as_str(), refused["id"].as_str()), (Some("not_allowed"), Some("1")));
    press(&mut program, "s Open page 12");
    assert_eq!(pupil.expect("message")["body"], "Open page 12");
    press(&mut program, "r");
    assert!(pupil.expect("message")["body"].as_str().unwrap().contains("write again"));
    pupil.post("lobby", "2", "thank you");
    assert_eq!(pupil.expect("message")["from"], "Zoë");
    assert_eq!(Client::connect(pupil.socket.get_ref().peer_addr().unwrap(), "/ws?name=teacher", None).err(), Some(409));
}

#[test]
fn at_the_end_the_lesson_is_a_page() {
    let (folder, mut program, mut pupil) = lesson();
    pupil.post("lobby", "1", "is 3 < 5?");
    pupil.expect("message");
    press(&mut program, "q");
    let path = program.after("The lesson is in ");
    assert_eq!(program.end().code(), Some(0));
    assert!(std::path::Path::new(&path).starts_with(folder.path().canonicalize().unwrap()), "{path}");
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.contains("is 3 &lt; 5?") && page.contains("1 here: Zoë"), "{page}");
}

#[test]
fn a_lesson_without_a_word_leaves_nothing() {
    let (folder, program, _pupil) = lesson();
    program.signal("TERM");
    let mut program = program;
    program.after("Nothing was written");
    assert_eq!(program.end().code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no database either");
}

#[test]
fn a_lesson_that_cannot_be_written_here_is_written_elsewhere_and_one_that_is_lost_is_a_failure() {
    for elsewhere in [true, false] {
        let temporary = tempfile::tempdir().unwrap();
        let (folder, mut program, mut pupil) = lesson_with(&[("TMPDIR", temporary.path().as_os_str())]);
        pupil.post("lobby", "1", "hello");
        pupil.expect("message");
        // Not even root can write into a folder that is gone.
        drop(folder);
        if !elsewhere {
            std::fs::remove_dir_all(&temporary).unwrap();
        }
        press(&mut program, "q");
        assert_eq!(program.end().code(), Some(if elsewhere { 0 } else { 1 }));
        let said = program.errors();
        assert!(said.contains("cannot be written here"), "{said}");
        assert_eq!(said.contains("the lesson is lost"), !elsewhere, "{said}");
        let pages = std::fs::read_dir(&temporary).into_iter().flatten().flatten();
        let written = pages.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "html")).count();
        assert_eq!(written, usize::from(elsewhere));
    }
}
