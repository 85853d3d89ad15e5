use crossbeam_channel::{Receiver, select, tick};
use std::time::Duration;

pub fn main_loop(commands: &Receiver<u32>, period: Duration, step: &mut dyn FnMut(&[u32])) {
    let clock = tick(period);
    let mut waiting = Vec::new();
    loop {
        select! {
            recv(clock) -> _ => step(&std::mem::take(&mut waiting)),
            recv(commands) -> command => match command {
                Ok(command) => waiting.push(command),
                Err(_) => break,
            },
        }
    }
    if !waiting.is_empty() {
        step(&waiting);
    }
}
