//! Seeds, changed at random: for a moment with each test, for as long as `PARLOR_FUZZ` says in seconds.
//!
//! What leads to another result than all before is kept, and changed further. What fails is said with the bytes: they belong
//! among the seeds.

use super::targets::{self, Target};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// With each test.
const LEAST: usize = 1000;

/// The longest input, in bytes.
const LONGEST: usize = 20_000;

/// Inputs that are changed further.
const LARGEST_POOL: usize = 2000;

/// What means something to one of the parsers.
const WORDS: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b"\0",
    b":",
    b",",
    b"HTTP/1.1",
    b"GET ",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked",
    b"Host: x\r\n",
    b"Origin: null\r\n",
    b"PROXY TCP4 ",
    b"\r\n\r\n\0\r\nQUIT\n",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"-1",
    b"99999999999999999999",
    b"1e999",
    b"\"type\":\"post\"",
    b"\"room\":\"lobby\"",
    b"\xc1\xff",
    b"\xc1\xfe\x01\x00",
    b"\x80\x80",
    b"\x00\x00\xff\xff",
    b"\xff\xff\xff\xff",
    b"@",
    "\u{1f469}\u{200d}\u{1f680}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{301}".as_bytes(),
    "\u{ac00}".as_bytes(),
    b"from:\"",
    b"before:2026-01-01",
];

/// Numbers that look random; the same ones for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most.max(1)
    }
}

fn mutant(pool: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = pool[dice.below(pool.len())].clone();
    for _ in 0..=dice.below(5) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(32)).min(bytes.len());
        match dice.below(8) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = dice.below(256) as u8),
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            4 => {
                let part = bytes[at..end].repeat(1 + dice.below(8));
                bytes.splice(at..at, part);
            }
            5 => {
                let other = &pool[dice.below(pool.len())];
                let from = dice.below(other.len() + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
            _ => {
                bytes.splice(at..at, WORDS[dice.below(WORDS.len())].iter().copied());
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fuzz/seeds").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn tried(name: &str, target: Target, bytes: &[u8]) -> String {
    catch_unwind(AssertUnwindSafe(|| target(bytes))).unwrap_or_else(|_| {
        panic!("src/fuzz/seeds/{name} lacks this, with which it fails:\n\"{}\"", bytes.escape_ascii());
    })
}

fn fuzz(name: &str, target: Target) {
    let time = std::env::var("PARLOR_FUZZ").map_or(0, |seconds| seconds.parse().expect("PARLOR_FUZZ is in seconds"));
    let (mut pool, mut seen) = (seeds(name), HashSet::new());
    assert!(pool.len() >= 3, "too few seeds of {name}");
    for seed in &pool {
        seen.insert(tried(name, target, seed));
    }
    let (begun, mut count) = (Instant::now(), pool.len());
    let mut start = [0; 8];
    getrandom::fill(&mut start).unwrap();
    let mut dice = Dice(u64::from_le_bytes(start) | 1);
    while count < LEAST || begun.elapsed() < Duration::from_secs(time) {
        let bytes = mutant(&pool, &mut dice);
        let result = tried(name, target, &bytes);
        if pool.len() < LARGEST_POOL && seen.insert(result) {
            pool.push(bytes);
        }
        count += 1;
    }
    println!("{name}: {count} inputs, {} results, in {:.0?}", seen.len(), begun.elapsed());
}

#[test]
fn of_a_request_head() {
    fuzz("head", targets::head);
}

#[test]
fn of_what_the_front_lets_through() {
    fuzz("front", targets::front);
}

#[test]
fn of_a_frame() {
    fuzz("frame", targets::frame);
}

#[test]
fn of_what_a_proxy_says() {
    fuzz("proxy", targets::proxy);
}

#[test]
fn of_what_is_packed() {
    fuzz("deflate", targets::deflate);
}

#[test]
fn of_a_text() {
    fuzz("text", targets::text);
}

#[test]
fn what_fails_is_found_and_said() {
    let brittle: Target = |bytes| {
        assert!(!bytes.windows(2).any(|pair| pair == b"\r\n" || pair == b"[["), "a fault that the test made");
        String::new()
    };
    let said = catch_unwind(|| fuzz("text", brittle)).unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(
        said.contains("src/fuzz/seeds/text lacks this") && (said.contains("\\r\\n") || said.contains("[[")),
        "{said}"
    );
}
