//! How many clients this machine can hold, and which of its limits says so.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;

/// Descriptors kept for everything that is no client: relays to the page, the database, the terminal.
pub const SPARE_DESCRIPTORS: u64 = 512;

/// Threads kept for everything that is no client.
const SPARE_THREADS: u64 = 372;

/// Memory mappings that a thread of Rust's standard library takes: its stack, its signal stack, and a guard each.
const MAPPINGS_A_THREAD: u64 = 4;

/// The number of clients that fit, and why not more.
///
/// ```
/// println!("room for {}", parlor::Capacity::of_this_machine()); // such as: 16010 clients, set by vm.max_map_count = 65530
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Clients at the same time.
    pub clients: usize,
    /// The limit that sets it, and its value.
    pub limit: (&'static str, u64),
}

impl Capacity {
    /// What this machine allows this process now.
    pub fn of_this_machine() -> Capacity {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let mut limits =
            vec![("RLIMIT_NOFILE (ulimit -n)", descriptors, descriptors.saturating_sub(SPARE_DESCRIPTORS))];
        let threads = |limit: u64| limit.saturating_sub(SPARE_THREADS);
        let mut add = |name, value: Option<u64>, mappings: u64| {
            limits.extend(value.map(|value| (name, value, threads(value / mappings))));
        };
        add("vm.max_map_count", number("/proc/sys/vm/max_map_count"), MAPPINGS_A_THREAD);
        add("kernel.threads-max", number("/proc/sys/kernel/threads-max"), 1);
        add("kernel.pid_max", number("/proc/sys/kernel/pid_max"), 1);
        add("RLIMIT_NPROC (ulimit -u)", getrlimit(Resource::Nproc).current, 1);
        add("pids.max of the control group", number("/sys/fs/cgroup/pids.max"), 1);
        Capacity::least(&limits)
    }

    /// Raises this process's limit of descriptors as far as it may go. It holds for the whole process: the executable does
    /// it, and a program that embeds a server may.
    pub fn raise_descriptor_limit() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current != maximum {
            // Where it is refused, what was allowed before still is, and the capacity says so.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        }
    }

    fn least(limits: &[(&'static str, u64, u64)]) -> Capacity {
        let least = limits.iter().min_by_key(|(_, _, clients)| *clients);
        let (name, value, clients) = *least.unwrap_or(&("RLIMIT_NOFILE (ulimit -n)", 0, 0));
        Capacity { clients: usize::try_from(clients).unwrap_or(usize::MAX), limit: (name, value) }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (name, value) = self.limit;
        write!(f, "{} clients, set by {name} = {value}", self.clients)
    }
}

fn number(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_counts_and_is_named() {
        let capacity = Capacity::least(&[("a", 20_000, 19_488), ("b", 65_530, 16_010), ("c", 90_000, 89_000)]);
        assert_eq!(capacity.to_string(), "16010 clients, set by b = 65530");
    }

    #[test]
    fn this_machine_holds_some() {
        assert!(Capacity::of_this_machine().clients > 0);
    }
}
