//! Names that guests have at other nodes.

use super::note::Guest;
use crate::name::PersonName;
use crate::store::TokenHash;
use std::collections::HashMap;

/// By folded name, and by node: one guest may be at several.
#[derive(Default)]
pub struct Elsewhere(HashMap<String, HashMap<String, Guest>>);

impl Elsewhere {
    /// A guest has a name at a node.
    #[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "there is no other node"))]
    pub fn put(&mut self, node: &str, folded: String, guest: Guest) {
        self.0.entry(folded).or_default().insert(node.into(), guest);
    }

    /// None has it there any more.
    #[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "there is no other node"))]
    pub fn take(&mut self, node: &str, folded: &str) {
        let Some(nodes) = self.0.get_mut(folded) else { return };
        nodes.remove(node);
        if nodes.is_empty() {
            self.0.remove(folded);
        }
    }

    /// Nobody is at that node any more.
    #[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "there is no other node"))]
    pub fn forget(&mut self, node: &str) {
        self.0.values_mut().for_each(|nodes| _ = nodes.remove(node));
        self.0.retain(|_, nodes| !nodes.is_empty());
    }

    /// Whether a guest with another key, or with none, has it.
    pub fn is_taken(&self, folded: &str, key: Option<&TokenHash>) -> bool {
        let mut nodes = self.0.get(folded).into_iter().flat_map(HashMap::values);
        nodes.any(|guest| guest.key.is_none() || guest.key.as_ref() != key)
    }

    /// The name as the one who has it writes it.
    pub fn shown(&self, folded: &str) -> Option<PersonName> {
        let guest = self.0.get(folded)?.values().next()?;
        Some(PersonName::trusted(&guest.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_for_all_but_the_same_guest_until_no_node_has_it() {
        let mut there = Elsewhere::default();
        let guest = |key| Guest { name: "Ann".into(), key, since: 1 };
        there.put("a", "ann".into(), guest(Some([1; 32])));
        there.put("b", "ann".into(), guest(Some([1; 32])));
        assert!(there.is_taken("ann", None) && there.is_taken("ann", Some(&[2; 32])));
        assert!(!there.is_taken("ann", Some(&[1; 32])) && !there.is_taken("bob", None));
        assert_eq!(there.shown("ann"), Some(PersonName::trusted("Ann")));
        there.take("a", "ann");
        assert!(there.is_taken("ann", None));
        there.forget("b");
        assert!(!there.is_taken("ann", None));
        there.put("a", "ann".into(), guest(None));
        assert!(there.is_taken("ann", None), "nothing shows that it is the same");
    }
}
