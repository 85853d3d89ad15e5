use crossbeam_channel::Sender;
use std::collections::HashMap;

pub fn broadcast(speaker: u64, text: &str, senders: &mut HashMap<u64, Sender<String>>) {
    let said = format!("Client {speaker}: {text}");
    senders.retain(|id, sender| *id == speaker || sender.send(said.clone()).is_ok());
}
