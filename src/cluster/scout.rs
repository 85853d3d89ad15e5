//! The scout: the one thread that compares this node with the store, since the bus may have lost something.

use super::errands::{Look, ROUND};
use super::{Heard, Node};
use crate::line::Line;
use crate::order;
use log::debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is compared how far the rooms have come.
const HEADS: Duration = Duration::from_secs(2);

/// Looks until the node is told to stop.
pub(super) fn run(node: &Node, line: &Arc<Line>) {
    let begin = Instant::now();
    let (mut heads, mut everything) = (begin + HEADS, begin + ROUND);
    while let Some(look) = node.errands.next(heads, everything) {
        let looked = match look {
            Look::Heads => {
                let tell = |heads| drop(node.heard.send(Heard::Heads { heads, is_coming: true }));
                line.store.heads().map(tell)
            }
            Look::Rooms => line.look_at_rooms(),
            Look::Sanctions => line.look_at_sanctions().map(|()| order::show_out(line)),
            #[cfg(feature = "http")]
            Look::Webhooks => crate::webhooks::look(line),
            #[cfg(not(feature = "http"))]
            Look::Webhooks => Ok(()),
            Look::Everything => line.refresh(),
        };
        let now = Instant::now();
        match look {
            Look::Heads => heads = now + HEADS,
            Look::Rooms | Look::Sanctions | Look::Webhooks => {}
            Look::Everything => (heads, everything) = (now + HEADS, now + ROUND),
        }
        if let Err(cause) = looked {
            // That the database does not answer, is said by who reads it.
            debug!("cannot compare with the database: {cause}");
            match look {
                Look::Heads => {}
                Look::Webhooks => node.errands.look_at_webhooks(),
                Look::Rooms | Look::Sanctions | Look::Everything => node.errands.look_at_everything(),
            }
        }
        if !node.errands.rest() {
            return;
        }
    }
}
