//! Webhooks: messages that are sent to an address elsewhere, as they are stored. Two threads of their own send them, and nobody
//! waits for those: what is still to be sent is read from the store, after a mark that the store keeps.

pub(crate) mod address;
pub(crate) mod board;
mod courier;
mod round;

use crate::error::Error;
use crate::line::Line;
use crate::mishap::caught;
#[cfg(feature = "cluster")]
use crate::store::WebhookId;
use board::{Rooms, Went};
use courier::Courier;
use log::error;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Threads that send. A webhook is sent to by one of them at a time.
const SENDERS: usize = 2;

/// The longest that a webhook waits before it is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// How long nothing is tried where the store does not answer.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// Starts the threads, with what was not yet sent when the server stopped.
pub(crate) fn start(line: &Arc<Line>) -> Result<Vec<JoinHandle<()>>, Error> {
    #[cfg(feature = "cluster")]
    line.webhooks.lead(!line.cluster.is_there());
    put_on_board(line)?;
    let courier = Arc::new(Courier::new(line.networks.clone()));
    let mut threads = Vec::new();
    for n in 1..=SENDERS {
        let (line, courier) = (line.clone(), courier.clone());
        let thread = std::thread::Builder::new().name(format!("webhooks {n}")).spawn(move || send(&line, &courier));
        match thread {
            Ok(thread) => threads.push(thread),
            Err(cause) => {
                error!("cannot start a thread for webhooks: {cause}");
                break;
            }
        }
    }
    Ok(threads)
}

/// Looks at all webhooks anew: another node has made or changed some, or has sent until now.
#[cfg(feature = "cluster")]
pub(crate) fn look(line: &Line) -> Result<(), Error> {
    let all: Vec<WebhookId> = line.store.webhooks()?.into_iter().map(|webhook| webhook.id).collect();
    line.webhooks.keep(&all);
    put_on_board(line)
}

/// What there is to send, as the store has it.
fn put_on_board(line: &Line) -> Result<(), Error> {
    let heads: Rooms = line.store.every_room()?.into_iter().map(|all| (all.room.id, all.room.head)).collect();
    for webhook in line.store.webhooks()? {
        let marks: Rooms = line.store.webhook_marks(&webhook.id)?.into_iter().collect();
        let rooms = heads.iter().filter(|(room, _)| webhook.room.is_none_or(|own| own == **room));
        let behind = rooms.map(|(room, head)| (*room, marks.get(room).copied().unwrap_or(0), *head));
        let touched = behind.filter(|(_, mark, head)| mark < head).map(|(room, mark, _)| (room, mark)).collect();
        line.webhooks.add(webhook.id, webhook.room, marks, touched, webhook.paused);
    }
    Ok(())
}

fn send(line: &Line, courier: &Courier) {
    while let Some((id, touched, mut marks)) = line.webhooks.take() {
        let left = touched.clone();
        let went = caught("a webhook", || round::run(line, courier, &id, touched, &mut marks));
        let went = went.unwrap_or(Went::Failed(left, LONGEST_WAIT));
        line.webhooks.put_back(&id, marks, went);
    }
}
