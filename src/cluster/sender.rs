//! The sender: the one thread that writes to the bus. What waits while it writes goes together the next time.

use super::bus::{Bus, Mouth, Trouble};
use super::letters::Desk;
use super::note::Note;
use super::outgoing::Taken;
use super::{Node, nodes};
use crate::event::{Elsewhere, Event};
use crate::line::Line;
use crate::trouble;
use log::{info, warn};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it waits before it tries again; each time twice as long.
const SOON: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(2);

/// Sends until the node is told to stop.
pub(super) fn run(node: &Node, line: &Arc<Line>, bus: &dyn Bus) {
    let mut desk = Desk::new(&node.name, bus.longest(), bus.carries_messages());
    let mut mouth: Option<Box<dyn Mouth>> = None;
    let (trouble, mut pause) = (trouble::Trouble::default(), SOON);
    loop {
        let Taken { mut notes, stopping } = node.outgoing.take(Instant::now() + nodes::SIGN_OF_LIFE);
        if stopping {
            notes.push(Note::Bye);
        }
        let letters = desk.write(&notes);
        match send(&mut mouth, bus, &letters) {
            Ok(()) => {
                pause = SOON;
                if !node.errands.sending(true) {
                    // What was told of who is here may not have arrived.
                    tell_all(line);
                }
                if trouble.worked() {
                    info!("the other nodes are told again, over {}", bus.shown());
                }
            }
            Err(cause) => {
                node.errands.sending(false);
                if let Some(unsaid) = trouble.failed(Instant::now()) {
                    warn!(
                        "the other nodes cannot be told anything over {}, and read it from the database meanwhile: \
                         {cause}{unsaid}",
                        bus.shown()
                    );
                }
                node.outgoing.put_back(notes);
                if !stopping && !node.outgoing.rest(pause) {
                    pause = (pause * 2).min(LATEST);
                }
            }
        }
        if stopping {
            return;
        }
    }
}

/// Tells the others who is here, all of it.
pub(super) fn tell_all(line: &Line) {
    line.cluster.tell(|| Note::Guests(line.guests.all()));
    let _ = line.events.send(Event::Elsewhere(Elsewhere::Ask));
}

/// Over the connection that there is, or a new one.
fn send(mouth: &mut Option<Box<dyn Mouth>>, bus: &dyn Bus, letters: &[Vec<u8>]) -> Result<(), Trouble> {
    let mut own = mouth.take().map_or_else(|| bus.mouth(), Ok)?;
    own.send(letters)?;
    *mouth = Some(own);
    Ok(())
}
