//! A crowd: who is in a room at another node. Of many only how many, as it is told to people.

use crate::name::PersonName;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Who is in a room at one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Crowd {
    /// These, each once.
    Names(Vec<String>),
    /// So many.
    Count(usize),
}

impl Crowd {
    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        match self {
            Crowd::Names(names) => names.is_empty(),
            Crowd::Count(count) => *count == 0,
        }
    }

    fn names(&self) -> &[String] {
        match self {
            Crowd::Names(names) => names,
            Crowd::Count(_) => &[],
        }
    }
}

/// Who is in one room at all other nodes, by node.
#[derive(Default)]
pub struct Elsewhere(HashMap<String, Crowd>);

impl Elsewhere {
    /// Takes what a node tells of itself.
    pub fn put(&mut self, node: &str, crowd: Crowd) {
        match crowd.is_empty() {
            true => drop(self.0.remove(node)),
            false => drop(self.0.insert(node.into(), crowd)),
        }
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody is there by name.
    pub fn has(&self, name: &PersonName) -> bool {
        self.0.values().any(|crowd| crowd.names().iter().any(|other| other == name.as_str()))
    }

    /// Those who are there by name, each once.
    pub fn names(&self) -> HashSet<&str> {
        self.0.values().flat_map(Crowd::names).map(String::as_str).collect()
    }

    /// How many more there are, of whom no name is known. Somebody may be among them twice.
    pub fn nameless(&self) -> usize {
        self.0.values().map(|crowd| if let Crowd::Count(count) = crowd { *count } else { 0 }).sum()
    }
}
