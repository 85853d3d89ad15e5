use crossbeam_channel::Receiver;
use std::thread::sleep;
use std::time::Duration;

pub fn newest_only(prices: &Receiver<u64>, gap: Duration, push: &mut dyn FnMut(u64)) {
    // No clock is asked: whoever sleeps for the gap after each push cannot push too early.
    while let Ok(price) = prices.recv() {
        push(prices.try_iter().last().unwrap_or(price));
        sleep(gap);
    }
}
