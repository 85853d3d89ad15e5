//! How late things were: a histogram, so that the slowest are known however many there were.

use hdrhistogram::{CreationError, Histogram};

pub struct Latency(Histogram<u64>);

impl Latency {
    pub fn new() -> Result<Latency, CreationError> {
        // Two digits are right, from a microsecond to an hour.
        Histogram::new_with_max(3_600_000_000, 2).map(Latency)
    }

    /// Something came so many nanoseconds after it was sent or asked for.
    pub fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record(nanoseconds / 1000);
    }

    pub fn restart(&mut self) {
        self.0.reset();
    }

    /// The latency in milliseconds that this part of them stays under.
    pub fn at(&self, part: f64) -> f64 {
        self.0.value_at_quantile(part) as f64 / 1000.0
    }
}
