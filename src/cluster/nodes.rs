//! The other nodes, as far as they were heard of lately. Pure: no I/O and no clock of its own.

use std::collections::HashMap;
use std::time::Duration;

/// How often a node gives a sign of life, if it has nothing else to tell.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// Who was not heard for so long, in milliseconds by the clock of the bus, is gone.
const GONE: u64 = 15_000;

/// Who was heard.
#[derive(Default)]
pub struct Nodes {
    all: HashMap<String, Other>,
    now: u64,
}

struct Other {
    number: u64,
    heard: u64,
}

/// What a letter tells by its number.
#[derive(Debug, PartialEq)]
pub enum Met {
    /// It is the next.
    Next,
    /// Nothing was heard of that node before.
    New,
    /// Something of that node was lost before this one.
    Gap,
    /// It was heard before.
    Again,
}

impl Nodes {
    /// The clock of the bus has come so far. Gives those who are gone.
    pub fn tick(&mut self, at: u64) -> Vec<String> {
        self.now = self.now.max(at);
        let now = self.now;
        let is_gone = |other: &Other| now.saturating_sub(other.heard) > GONE;
        let gone: Vec<String> = self.all.iter().filter(|(_, o)| is_gone(o)).map(|(name, _)| name.clone()).collect();
        gone.iter().for_each(|name| self.forget(name));
        gone
    }

    /// A letter came.
    pub fn hear(&mut self, name: &str, number: u64) -> Met {
        let now = self.now;
        let Some(other) = self.all.get_mut(name) else {
            self.all.insert(name.into(), Other { number, heard: now });
            return Met::New;
        };
        let before = other.number;
        other.number = number.max(before);
        other.heard = now;
        match number {
            next if next == before + 1 => Met::Next,
            old if old <= before => Met::Again,
            _ => Met::Gap,
        }
    }

    /// All that are there.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.all.keys()
    }

    /// A node has said goodbye.
    pub fn forget(&mut self, name: &str) {
        self.all.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_is_missing_is_noticed_and_one_that_comes_twice_too() {
        let mut nodes = Nodes::default();
        let met: Vec<Met> = [7, 8, 8, 11, 12].into_iter().map(|number| nodes.hear("a", number)).collect();
        assert_eq!(met, [Met::New, Met::Next, Met::Again, Met::Gap, Met::Next]);
        assert_eq!(nodes.hear("b", 1), Met::New);
        nodes.forget("a");
        assert_eq!(nodes.hear("a", 13), Met::New);
    }

    #[test]
    fn who_was_not_heard_for_15_s_by_the_clock_of_the_bus_is_gone() {
        let mut nodes = Nodes::default();
        nodes.tick(1000);
        nodes.hear("a", 1);
        assert!(nodes.tick(9000).is_empty());
        nodes.hear("b", 1);
        assert!(nodes.tick(16_000).is_empty());
        assert_eq!(nodes.tick(16_001), ["a"]);
        assert!(nodes.tick(16_001).is_empty());
        assert_eq!(nodes.hear("b", 2), Met::Next);
    }
}
