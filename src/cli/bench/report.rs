//! The figures, as a table or as JSON.

use super::latency::Latency;
use super::options::Options;
use super::pages::PAGE;
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
    /// Further clients, which never read.
    stuck: usize,
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
    latency_ms: Quantiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<History>,
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
struct Quantiles {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Quantiles {
    fn of(latency: &Latency) -> Quantiles {
        Quantiles { p50: latency.at(0.5), p99: latency.at(0.99), p999: latency.at(0.999), max: latency.at(1.0) }
    }
}

/// Pages of messages from before, as they were asked for.
#[derive(Debug, Serialize)]
struct History {
    askers: usize,
    /// Messages in the room.
    messages: u64,
    pages: u64,
    pages_per_second: f64,
    bytes_per_page: f64,
}

impl Report {
    pub fn new(options: &Options, talk: &Talk, connecting: Duration, around: [Option<Cost>; 2]) -> Report {
        let clients = (options.clients + options.stuck) as f64;
        let entered = around[0].zip(around[1]);
        let spent = talk.costs.map(|[before, after]| after.cpu - before.cpu);
        let (tally, pages) = (&talk.tally, &talk.pages);
        let history = (options.history > 0).then(|| History {
            askers: pages.askers(),
            messages: talk.head,
            pages: pages.answered,
            pages_per_second: pages.answered as f64 / talk.seconds,
            bytes_per_page: pages.bytes as f64 / pages.answered.max(1) as f64,
        });
        Report {
            clients: options.clients,
            senders: if options.is_silent() { 0 } else { options.senders },
            rooms: options.rooms,
            stuck: options.stuck,
            payload: options.payload,
            seconds: talk.seconds,
            connect_seconds: connecting.as_secs_f64(),
            connect_cpu_us: entered.map(|(before, after)| (after.cpu - before.cpu) * 1e6 / clients),
            connection_kib: entered.map(|(before, after)| (after.memory - before.memory) / clients),
            messages_per_second: talk.messages as f64 / talk.seconds,
            deliveries_per_second: tally.deliveries as f64 / talk.seconds,
            deliveries: tally.deliveries,
            bytes_per_delivery: tally.bytes as f64 / tally.deliveries.max(1) as f64,
            latency_ms: Quantiles::of(if history.is_some() { &pages.latency } else { &tally.latency }),
            history,
            lost: tally.lost() + pages.waiting() as u64,
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

    /// Who is there, and what they do.
    fn company(&self) -> String {
        let doing = match &self.history {
            Some(history) => {
                format!("{} of them asking in {} messages", history.askers, grouped(history.messages as f64))
            }
            None => format!("{} of them sending", self.senders),
        };
        let stuck = if self.stuck > 0 { format!(", {} more that never read", self.stuck) } else { String::new() };
        format!("{}, {doing}, {} room(s){stuck}", self.clients, self.rooms)
    }

    pub fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string(self).unwrap_or_default());
            return;
        }
        let mut rows = vec![("clients", self.company())];
        let connected = format!("in {:.2} s", self.connect_seconds);
        let cost = self.connect_cpu_us.zip(self.connection_kib);
        let cost = cost.map(|(cpu, memory)| format!(", {cpu:.0} µs CPU and {memory:.1} KiB each")).unwrap_or_default();
        rows.push(("connected", connected + &cost));
        if let Some(history) = &self.history {
            let (rate, bytes) = (grouped(history.pages_per_second), grouped(history.bytes_per_page));
            rows.push(("pages", format!("{rate} a second, of {PAGE} messages and {bytes} bytes")));
        }
        if self.senders > 0 {
            rows.push((
                "messages",
                format!("{} a second, {} bytes of text", grouped(self.messages_per_second), self.payload),
            ));
            let bytes = self.bytes_per_delivery;
            rows.push((
                "deliveries",
                format!("{} a second, {bytes:.0} bytes each", grouped(self.deliveries_per_second)),
            ));
        }
        if self.senders > 0 || self.history.is_some() {
            let latency = &self.latency_ms;
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
    if number < 100.0 && number.fract() != 0.0 {
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
        for (number, text) in
            [(0.25, "0.2"), (99.96, "100.0"), (60.0, "60"), (1000.0, "1,000"), (9_532_412.4, "9,532,412")]
        {
            assert_eq!(super::grouped(number), text);
        }
    }
}
