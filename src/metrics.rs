//! The metrics: what the server has counted since its start, in the text format of OpenMetrics, which Prometheus reads.
//!
//! Whoever counts holds its counter: one atomic addition, no lock and no search. The recorder's histograms have a lock of
//! their own, taken once a batch; what is refused is looked up by its reason, which is never on the way of a message. What
//! can be asked is not counted, but asked when somebody reads.

use crate::deflate::Packer;
use crate::protocol::Code;
use crate::pulse::Pulse;
use crate::registry::Delivered;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// What [`Metrics::text`] is, for whoever sends it over HTTP.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds of a transaction: a disk in memory, a good disk, a bad one, one that is held by somebody else.
const COMMITS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The codes of all refusals. Each is there from the start: one that appeared with its first refusal would seem not to
/// have risen.
const REASONS: [&str; 25] = [
    "bad_field",
    "bad_handshake",
    "bad_request",
    "busy",
    "crowded",
    "fault",
    "full",
    "head_too_large",
    "length_required",
    "method_not_allowed",
    "metrics_closed",
    "name_taken",
    "no_such_room",
    "no_tls",
    "not_found",
    "origin_not_allowed",
    "stopping",
    "tls_required",
    "too_large",
    "too_late",
    "unavailable",
    "unknown_credentials",
    "unknown_subprotocol",
    "upgrade_required",
    "wrong_version",
];

type Label = [(&'static str, &'static str); 1];

/// The counters of one server.
pub(crate) struct Metrics {
    pub connections: Counter,
    pub messages_in: Counter,
    pub messages_stored: Counter,
    pub evictions: Counter,
    pub store_failures: Counter,
    pub history_pages: Counter,
    pub panics: Counter,
    pub batch_messages: Histogram,
    pub commit_seconds: Histogram,
    /// Where packed frames are counted.
    pub packer: Arc<Packer>,
    deliveries: Counter,
    delivered_bytes: Counter,
    clients: Gauge,
    people: Gauge,
    rooms: Gauge,
    /// Whether they come round.
    pub recorder: Pulse,
    pub dispatcher: Pulse,
    refused: Family<Label, Counter>,
    stalls: Family<Label, Counter>,
    errors: Family<Label, Counter>,
    all: Registry,
}

/// What is asked when somebody reads. After the server's end nothing waits and nobody is there.
#[derive(Default)]
pub(crate) struct Now {
    pub connections: usize,
    pub recorder: usize,
    pub dispatcher: usize,
    pub flusher: usize,
}

impl Metrics {
    /// All at 0, of a server that admits so many connections.
    pub fn new(admits: usize) -> Metrics {
        let mut all = Registry::default();
        let own = all.sub_registry_with_prefix("parlor");
        // A gauge, as everywhere: not all that read this know the type "info".
        let build = Family::<Label, Gauge>::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        own.register("build_info", "The version that runs", build);
        own.register_with_unit(
            "capacity",
            "Connections that are admitted at the same time",
            Unit::Other("connections".into()),
            ConstGauge::new(admits as u64),
        );
        let refused = Family::default();
        own.register(
            "refused",
            "Requests and handshakes that were refused, by the code they were told",
            refused.clone(),
        );
        let errors = Family::default();
        own.register("errors", "Errors that clients of the chat were told, by their code", errors.clone());
        let stalls = Family::default();
        let help = "Times that a thread for which all others wait did not come round for a second";
        own.register("stalls", help, stalls.clone());
        let batch_messages = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        own.register_with_unit(
            "batch",
            "What one transaction of the recorder stores: messages, rooms, read marks",
            Unit::Other("messages".into()),
            batch_messages.clone(),
        );
        let commit_seconds = Histogram::new(COMMITS);
        own.register_with_unit(
            "commit",
            "How long one transaction of the recorder takes, failed ones included",
            Unit::Seconds,
            commit_seconds.clone(),
        );
        let delivered_bytes = Counter::default();
        own.register_with_unit(
            "delivered",
            "Bytes of those deliveries, as frames",
            Unit::Bytes,
            delivered_bytes.clone(),
        );
        let packer = Arc::new(Packer::default());
        own.register("packed_frames", "Frames that were sent packed, each receiver counted", packer.frames.clone());
        own.register_with_unit("packed_saved", "Bytes that this saved", Unit::Bytes, packer.saved.clone());
        let metrics = Metrics {
            packer,
            connections: counter(own, "connections", "Connections that came, those turned away included"),
            messages_in: counter(own, "messages_in", "Text messages of any type that clients of the chat sent"),
            messages_stored: counter(own, "messages_stored", "Messages that got a number on a room's line"),
            evictions: counter(own, "evictions", "Clients closed with 4000 because they did not read"),
            store_failures: counter(own, "store_failures", "Transactions of the recorder that failed"),
            panics: counter(own, "panics", "Clients closed, and requests answered with 500, by a fault of ours"),
            history_pages: counter(own, "history_pages", "Pages of older messages that clients asked for and got"),
            deliveries: counter(own, "deliveries", "Live messages handed to members of rooms, each member counted"),
            clients: gauge(own, "clients", "Connections of the chat"),
            people: gauge(own, "people", "People, each counted once however many connections they have"),
            rooms: gauge(own, "rooms", "Rooms that there are"),
            delivered_bytes,
            batch_messages,
            commit_seconds,
            recorder: Pulse::new(),
            dispatcher: Pulse::new(),
            refused,
            stalls,
            errors,
            all,
        };
        for reason in REASONS {
            drop(metrics.refused.get_or_create(&[("reason", reason)]));
        }
        for thread in ["recorder", "dispatcher"] {
            drop(metrics.stalls.get_or_create(&[("thread", thread)]));
        }
        for code in Code::ALL {
            drop(metrics.errors.get_or_create(&[("code", code.as_str())]));
        }
        metrics
    }

    /// A request or a handshake was refused, with this code.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// The thread of that name has not come round for a while.
    pub fn stalled(&self, thread: &'static str) {
        self.stalls.get_or_create(&[("thread", thread)]).inc();
    }

    /// A client was told of an error.
    pub fn error(&self, code: Code) {
        self.errors.get_or_create(&[("code", code.as_str())]).inc();
    }

    /// A room's members were handed what was new.
    pub fn delivered(&self, delivered: &Delivered) {
        self.deliveries.inc_by(delivered.frames);
        self.delivered_bytes.inc_by(delivered.bytes);
    }

    /// So many are here now.
    pub fn here(&self, (clients, people): (usize, usize), rooms: usize) {
        self.clients.set(clients as i64);
        self.people.set(people as i64);
        self.rooms.set(rooms as i64);
    }

    /// Everything, as text.
    pub fn text(&self, now: &Now) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Into memory: nothing here can fail.
        let _ = encode_registry(&mut text, &self.all)
            .and_then(|()| encode_registry(&mut text, &now.registry(self)))
            .and_then(|()| encode_eof(&mut text));
        text
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

impl Now {
    fn registry(&self, metrics: &Metrics) -> Registry {
        let mut all = Registry::default();
        let own = all.sub_registry_with_prefix("parlor");
        let connections = ConstGauge::new(self.connections as u64);
        own.register(
            "open_connections",
            "Connections of any kind: the chat, the echo, the page, half-open",
            connections,
        );
        let queues = Family::<Label, Gauge>::default();
        for (queue, length) in [("recorder", self.recorder), ("dispatcher", self.dispatcher), ("flusher", self.flusher)]
        {
            queues.get_or_create(&[("queue", queue)]).set(length as i64);
        }
        let help =
            "What waits for the recorder and for the dispatcher, and clients whose socket is full, for the flusher";
        own.register("queue_length", help, queues);
        let stalled = Family::<Label, Gauge<f64, AtomicU64>>::default();
        for (thread, pulse) in [("recorder", &metrics.recorder), ("dispatcher", &metrics.dispatcher)] {
            let seconds = pulse.stalled(Instant::now()).as_secs_f64();
            stalled.get_or_create(&[("thread", thread)]).set(seconds);
        }
        let help = "For how long a thread for which all others wait has not come round; 0 for less than a second";
        own.register_with_unit("stalled", help, Unit::Seconds, stalled);
        if let Some(process) = Process::this() {
            process.register(&mut all);
        }
        all
    }
}

/// What this process costs, under the names that all programs give it.
struct Process {
    cpu_seconds: f64,
    memory_bytes: u64,
    /// Since 1970.
    start_seconds: f64,
    open_fds: u64,
    max_fds: u64,
}

impl Process {
    /// None where there is no `/proc` as Linux has it.
    fn this() -> Option<Process> {
        let boot = fs::read_to_string("/proc/stat").ok()?;
        let boot = boot.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok())?;
        let process = Process::of(&fs::read_to_string("/proc/self/stat").ok()?, boot)?;
        // The folder that is being read is open, too.
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as u64;
        Some(Process { open_fds, ..process })
    }

    /// Behind the name, which may have spaces and brackets: state, then what proc_pid_stat(5) numbers from 4.
    fn of(stat: &str, boot: f64) -> Option<Process> {
        let behind: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| behind.get(number - 3)?.parse::<u64>().ok();
        let seconds = |ticks: u64| ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        Some(Process {
            cpu_seconds: seconds(field(14)? + field(15)?),
            memory_bytes: field(24)? * rustix::param::page_size() as u64,
            start_seconds: boot + seconds(field(22)?),
            open_fds: 0,
            max_fds: limit.unwrap_or(u64::MAX),
        })
    }

    fn register(&self, all: &mut Registry) {
        let process = all.sub_registry_with_prefix("process");
        let mut add = |name: &str, help: &str, unit: &str, gauge: u64| {
            process.register_with_unit(name, help, Unit::Other(unit.into()), ConstGauge::new(gauge));
        };
        add("open", "Open descriptors", "fds", self.open_fds);
        add("max", "Descriptors that may be open", "fds", self.max_fds);
        add("resident_memory", "Resident memory", "bytes", self.memory_bytes);
        let start = ConstGauge::new(self.start_seconds);
        process.register_with_unit("start_time", "When the process started, since 1970", Unit::Seconds, start);
        let cpu = ConstCounter::new(self.cpu_seconds);
        process.register_with_unit("cpu", "Time on a processor, in user and in system mode", Unit::Seconds, cpu);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_stands_in_the_text() {
        let metrics = Metrics::new(7);
        metrics.refused("full");
        metrics.error(Code::NotAMember);
        metrics.delivered(&Delivered { frames: 3, bytes: 90 });
        metrics.here((2, 1), 4);
        metrics.batch_messages.observe(3.0);
        let text = metrics.text(&Now { recorder: 5, ..Now::default() });
        for line in [
            "# HELP parlor_deliveries Live messages handed to members of rooms, each member counted.",
            "# TYPE parlor_deliveries counter",
            "parlor_deliveries_total 3",
            "# UNIT parlor_delivered_bytes bytes",
            "parlor_delivered_bytes_total 90",
            "parlor_refused_total{reason=\"full\"} 1",
            "parlor_refused_total{reason=\"busy\"} 0",
            "parlor_errors_total{code=\"not_a_member\"} 1",
            "parlor_clients 2",
            "parlor_people 1",
            "parlor_rooms 4",
            "parlor_capacity_connections 7",
            "parlor_batch_messages_bucket{le=\"2.0\"} 0",
            "parlor_batch_messages_bucket{le=\"4.0\"} 1",
            "parlor_batch_messages_bucket{le=\"1024.0\"} 1",
            "parlor_commit_seconds_bucket{le=\"0.0001\"} 0",
            "parlor_queue_length{queue=\"recorder\"} 5",
            concat!("parlor_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|other| other == line), "no {line} in\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
    }

    /// Each code of an error is there before it is told, so that its first time is a rise.
    #[test]
    fn every_code_of_an_error_is_there_from_the_start() {
        let text = Metrics::new(1).text(&Now::default());
        assert_eq!(text.matches("parlor_errors_total{code=").count(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| text.contains(&format!("{{code=\"{}\"}} 0", code.as_str()))), "{text}");
    }

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 150 0 0 20 0 1 0 3000 10000 2 18446744073709551615 1";
        let process = Process::of(stat, 1_700_000_000.0).unwrap();
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(process.cpu_seconds, 400.0 / ticks);
        assert_eq!(process.start_seconds, 1_700_000_000.0 + 3000.0 / ticks);
        assert_eq!(process.memory_bytes, 2 * rustix::param::page_size() as u64);
        assert!(Process::of("7 (cut", 0.0).is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_known() {
        let process = Process::this().unwrap();
        assert!(process.memory_bytes > 100_000 && process.open_fds > 2 && process.open_fds < process.max_fds);
        let now = crate::store::Time::now().0 as f64 / 1000.0;
        assert!(process.start_seconds > now - 3600.0 && process.start_seconds < now + 2.0, "{}", process.start_seconds);
    }
}
