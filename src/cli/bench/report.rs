//! The figures, as a table or as JSON.

use super::options::Options;
use super::swarm::Talk;
use super::target::Cost;
use serde::Serialize;
use std::time::Duration;

/// What was measured. What is not known, because nobody said which process the server is, is missing.
#[derive(Debug, Serialize)]
pub struct Report {
    clients: usize,
    senders: usize,
    rooms: usize,
    payload: usize,
    seconds: f64,
    connect_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_cpu_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_kib: Option<f64>,
    messages_per_second: f64,
    deliveries_per_second: f64,
    deliveries: u64,
    bytes_per_delivery: f64,
    latency_ms: Latency,
    lost: u64,
    repeated: u64,
    out_of_order: u64,
    /// Clients that the server closed, or whose connection broke.
    gone: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ns_per_delivery: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mib: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Report {
    pub fn new(options: &Options, talk: &Talk, connecting: Duration, around: [Option<Cost>; 2]) -> Report {
        let clients = options.clients as f64;
        let entered = around[0].zip(around[1]);
        let spent = talk.costs.map(|[before, after]| after.cpu - before.cpu);
        let tally = &talk.tally;
        Report {
            clients: options.clients,
            senders: if options.idle { 0 } else { options.senders },
            rooms: options.rooms,
            payload: options.payload,
            seconds: talk.seconds,
            connect_seconds: connecting.as_secs_f64(),
            connect_cpu_us: entered.map(|(before, after)| (after.cpu - before.cpu) * 1e6 / clients),
            connection_kib: entered.map(|(before, after)| (after.memory - before.memory) / clients),
            messages_per_second: talk.messages as f64 / talk.seconds,
            deliveries_per_second: tally.deliveries as f64 / talk.seconds,
            deliveries: tally.deliveries,
            bytes_per_delivery: tally.bytes as f64 / tally.deliveries.max(1) as f64,
            latency_ms: Latency {
                p50: tally.latency(0.5),
                p99: tally.latency(0.99),
                p999: tally.latency(0.999),
                max: tally.latency(1.0),
            },
            lost: tally.lost(),
            repeated: tally.repeated,
            out_of_order: tally.out_of_order,
            gone: talk.gone,
            cpu_ns_per_delivery: spent.filter(|_| tally.deliveries > 0).map(|cpu| cpu * 1e9 / tally.deliveries as f64),
            cpu_percent: spent.map(|cpu| cpu * 100.0 / talk.seconds),
            memory_mib: talk.costs.map(|[_, after]| after.memory / 1024.0),
        }
    }

    /// Whether everything arrived, once and in order.
    pub fn is_whole(&self) -> bool {
        self.lost == 0 && self.repeated == 0 && self.out_of_order == 0 && self.gone == 0
    }

    pub fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string(self).unwrap_or_default());
            return;
        }
        let mut rows =
            vec![("clients", format!("{}, {} of them sending, {} room(s)", self.clients, self.senders, self.rooms))];
        let connected = format!("in {:.2} s", self.connect_seconds);
        let cost = self.connect_cpu_us.zip(self.connection_kib);
        let cost = cost.map(|(cpu, memory)| format!(", {cpu:.0} µs CPU and {memory:.1} KiB each")).unwrap_or_default();
        rows.push(("connected", connected + &cost));
        if self.senders > 0 {
            let latency = &self.latency_ms;
            rows.push((
                "messages",
                format!("{} a second, {} bytes of text", grouped(self.messages_per_second), self.payload),
            ));
            let bytes = self.bytes_per_delivery;
            rows.push((
                "deliveries",
                format!("{} a second, {bytes:.0} bytes each", grouped(self.deliveries_per_second)),
            ));
            rows.push((
                "latency",
                format!(
                    "p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms",
                    latency.p50, latency.p99, latency.p999, latency.max
                ),
            ));
            rows.push((
                "wrong",
                format!(
                    "{} lost, {} repeated, {} out of order, {} clients gone",
                    self.lost, self.repeated, self.out_of_order, self.gone
                ),
            ));
        }
        if let Some((percent, memory)) = self.cpu_percent.zip(self.memory_mib) {
            let each = self.cpu_ns_per_delivery.map(|cpu| format!("{cpu:.0} ns CPU a delivery, ")).unwrap_or_default();
            rows.push(("server", format!("{each}{percent:.0} % of a processor, {memory:.1} MiB resident")));
        }
        for (label, text) in rows {
            println!("{label:<11} {text}");
        }
    }
}

/// A large number as people read it: 9,532,412.
fn grouped(number: f64) -> String {
    if number < 100.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in [(0.25, "0.2"), (99.96, "100.0"), (1000.0, "1,000"), (9_532_412.4, "9,532,412")] {
            assert_eq!(super::grouped(number), text);
        }
    }
}
