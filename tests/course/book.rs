//! The page that leads through the course, and the course: neither has what the other does not.

use std::collections::BTreeSet;
use std::fs;

pub fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The names of the Rust files in a folder, without their ending.
pub fn sources(folder: &str) -> BTreeSet<String> {
    let folder = fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned())).collect()
}

/// What looks like the name of an example: `01_echo_server`.
fn examples_named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let numbered = |word: &&str| word.len() > 3 && word[..2].bytes().all(|byte| byte.is_ascii_digit());
    words.filter(numbered).filter(|word| word[2..].starts_with('_')).map(str::to_owned).collect()
}

/// The commands shown in the page, without the comments behind them.
pub fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap().trim()).collect()
}

#[test]
fn every_example_has_its_chapter_and_every_chapter_its_example() {
    assert_eq!(examples_named(&read("examples/README.md")), sources("examples"));
}

/// Small enough to be read as text.
#[test]
fn every_picture_is_shown_and_every_picture_shown_is_there() {
    let page = read("examples/README.md");
    let shown: BTreeSet<&str> = page.split("](pictures/").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    let folder = fs::read_dir(format!("{}/examples/pictures", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let there: BTreeSet<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(shown, there.iter().map(String::as_str).collect());
    for picture in there {
        assert!(read(&format!("examples/pictures/{picture}")).len() < 4096, "{picture} is large");
    }
}

/// Short enough to be read in one sitting.
#[test]
fn every_example_is_short() {
    for name in sources("examples") {
        let lines = read(&format!("examples/{name}.rs")).lines().count();
        assert!(lines <= 120, "{name} has {lines} lines");
    }
}

#[test]
fn every_command_shown_can_be_given() {
    let (examples, tests) = (sources("examples"), sources("tests/exercises"));
    for command in commands(&read("examples/README.md")) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cargo", "run", "--example", name, ..] => assert!(examples.contains(name), "{command}"),
            ["cargo", "run"] | ["cargo", "run", "--", "connect", ..] | ["cargo", "test", "--test", "exercises"] => {}
            ["cargo", "test", "--test", "exercises", name, "--", "--ignored"] => {
                assert!(tests.contains(name), "{command}");
            }
            ["cargo", ..] => panic!("what is this? {command}"),
            _ => {}
        }
    }
    for command in commands(&read("README.md")).into_iter().filter(|command| command.contains("--example")) {
        assert!(examples_named(command).is_subset(&examples), "{command}");
    }
}

#[test]
fn every_exercise_has_a_solution_a_check_and_a_place_in_the_page() {
    let without = |folder, name: &str| {
        let mut names = sources(folder);
        assert!(names.remove(name), "{folder} has no {name}");
        names
    };
    let exercises = without("examples/exercises", "mod");
    assert_eq!(exercises, without("examples/solutions", "mod"));
    assert_eq!(exercises, without("tests/exercises", "main"));
    let page = read("examples/README.md");
    let shown = commands(&page);
    for name in exercises {
        assert!(page.contains(&format!("exercises/{name}.rs")), "{name} is not in the page");
        let command = format!("cargo test --test exercises {name} -- --ignored");
        assert!(shown.contains(&command.as_str()), "{command} is not in the page");
        let check = read(&format!("tests/exercises/{name}.rs"));
        assert!(check.contains(&format!("exercise!({name}, \"yours to make pass: examples/exercises/{name}.rs\");")));
    }
}
