//! The server that is measured, and what it costs.

use super::options::Options;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where Parlor chats; `{}` is the name of each client.
const CHAT: &str = "/ws?name={}";
const PLAIN_CHAT: &str = "/ws?room=lobby&last=0&name={}";

/// How long a server may take to tell what it costs. One that knows nothing of `/metrics` may not answer at all.
const TELLING: Duration = Duration::from_secs(2);

/// How often it is looked whether the server still works, below which part of a processor it does not, and for how long at most.
const LOOK: Duration = Duration::from_millis(250);
const IDLE: f64 = 0.05;
const SETTLING: Duration = Duration::from_secs(120);

/// A server, started here or found at its address.
pub struct Target {
    pub address: SocketAddr,
    /// The host as the request names it, and the path.
    pub host: String,
    pub path: String,
    ledger: Ledger,
    /// Ends with this.
    _own: Option<Own>,
}

/// A server of our own, which ends with the measurement.
struct Own {
    child: Child,
    folder: PathBuf,
}

/// Where it stands what the server costs.
enum Ledger {
    /// In `/proc`, under this number.
    Process(u32),
    /// In what it says itself, at `/metrics`.
    Metrics,
    /// Nowhere that we know of.
    Unknown,
}

/// What a process has cost so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Time on a processor, in seconds.
    pub cpu: f64,
    /// Resident memory, in KiB.
    pub memory: f64,
}

impl Target {
    pub fn of(options: &Options) -> io::Result<Target> {
        let Some(url) = &options.url else { return Target::start(options) };
        let place = url.split_once("://").map_or(url.as_str(), |(_, place)| place);
        if url.starts_with("wss") || url.starts_with("https") {
            return Err(io::Error::other("a bench goes without TLS: give a ws:// address"));
        }
        let (host, path) =
            place.split_once('/').map_or((place, String::new()), |(host, path)| (host, format!("/{path}")));
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let address =
            host.to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("{host} has no address")))?;
        let path = match path.as_str() {
            "" | "/" if options.plain => "/".to_owned(),
            "" | "/" => CHAT.to_owned(),
            path if options.plain || path.contains("{}") => path.to_owned(),
            path => format!("{path}{}name={{}}", if path.contains('?') { '&' } else { '?' }),
        };
        let ledger = match options.pid {
            Some(pid) => Ledger::Process(pid),
            // Asked once: one that does not answer is not asked again and again while it is measured.
            None if told(address, &host).is_some() => Ledger::Metrics,
            None => Ledger::Unknown,
        };
        Ok(Target { address, host, path, ledger, _own: None })
    }

    fn start(options: &Options) -> io::Result<Target> {
        let program = match &options.server {
            Some(program) => program.clone(),
            None => std::env::current_exe()?,
        };
        let folder = std::env::temp_dir().join(format!("parlor-bench-{}", std::process::id()));
        let mut command = Command::new(&program);
        command.args(["--listen", "127.0.0.1:0", "--log", "off", "--max-rooms"]).arg((options.rooms + 1).to_string());
        if options.memory {
            command.arg("--memory");
        } else {
            command.arg("--data").arg(&folder).args(["--sync", options.sync.as_deref().unwrap_or("full")]);
        }
        // What is to be measured is not how fast a person may be. In the environment, where a server of before lets it be.
        command.env("PARLOR_RATE", "off");
        // A longer message than the server takes by default is what is to be measured.
        let body = options.payload.max(8192);
        command.args(["--body-limit", &body.to_string(), "--message-limit", &(8 * body).to_string()]);
        command.args(["--outbox-limit", &(16 * body).max(512 * 1024).to_string()]);
        let failed =
            |what: &str, why: io::Error| io::Error::new(why.kind(), format!("{what} {}: {why}", program.display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut own = Own { child: child.map_err(|why| failed("cannot start", why))?, folder };
        let mut lines = BufReader::new(own.child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| line.split_once("http://")?.1.parse().ok());
        // What else it says goes nowhere, but is read.
        std::thread::Builder::new().name("server's output".into()).spawn(move || lines.for_each(drop))?;
        let address: SocketAddr =
            address.ok_or_else(|| failed("did not say where it listens:", io::ErrorKind::Other.into()))?;
        let path = if options.plain { PLAIN_CHAT } else { CHAT }.to_owned();
        let ledger = Ledger::Process(own.child.id());
        Ok(Target { address, host: address.to_string(), path, ledger, _own: Some(own) })
    }

    /// Waits until the server has nothing left to do, where that can be seen: what was posted is indexed for a while yet.
    pub fn settle(&self) -> io::Result<()> {
        let deadline = Instant::now() + SETTLING;
        let Some(mut before) = self.cost()? else { return Ok(()) };
        while Instant::now() < deadline {
            std::thread::sleep(LOOK);
            let Some(now) = self.cost()? else { return Ok(()) };
            if now.cpu - before.cpu < IDLE * LOOK.as_secs_f64() {
                return Ok(());
            }
            before = now;
        }
        Ok(())
    }

    /// What the server has cost so far; None: nobody knows, or it is too full to tell.
    pub fn cost(&self) -> io::Result<Option<Cost>> {
        match self.ledger {
            Ledger::Process(pid) => Cost::of(pid).map(Some),
            Ledger::Metrics => Ok(told(self.address, &self.host)),
            Ledger::Unknown => Ok(None),
        }
    }
}

/// What a server says of itself.
fn told(address: SocketAddr, host: &str) -> Option<Cost> {
    let mut socket = TcpStream::connect_timeout(&address, TELLING).ok()?;
    socket.set_read_timeout(Some(TELLING)).ok()?;
    write!(socket, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    // What goes on for longer is no list of figures.
    socket.take(1 << 20).read_to_string(&mut answer).ok()?;
    Cost::said(&answer)
}

impl Cost {
    /// Out of the answer to `GET /metrics`.
    fn said(answer: &str) -> Option<Cost> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let figure = |name: &str| body.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        let (cpu, memory) = (figure("process_cpu_seconds_total ")?, figure("process_resident_memory_bytes ")?);
        head.split(' ').nth(1).filter(|status| *status == "200").map(|_| Cost { cpu, memory: memory / 1024.0 })
    }

    fn of(pid: u32) -> io::Result<Cost> {
        let read = |file: &str| {
            fs::read_to_string(format!("/proc/{pid}/{file}"))
                .map_err(|why| io::Error::new(why.kind(), format!("process {pid} cannot be looked at: {why}")))
        };
        let stat = read("stat")?;
        // Behind the name, which may have spaces: state, then ten others, then the time in user and in system mode.
        let behind: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| behind.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
        let cpu = (ticks(11) + ticks(12)) / rustix::param::clock_ticks_per_second() as f64;
        let status = read("status")?;
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        Ok(Cost { cpu, memory: resident.unwrap_or_default() })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_is_read_and_all_else_is_not() {
        let body = "# HELP x\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 2048\n# EOF\n";
        let said = Cost::said(&format!("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{body}")).unwrap();
        assert_eq!((said.cpu, said.memory), (1.5, 2.0));
        assert!(Cost::said(&format!("HTTP/1.1 403 Forbidden\r\n\r\n{body}")).is_none());
        assert!(Cost::said("HTTP/1.1 200 OK\r\n\r\nprocess_cpu_seconds_total 1\n").is_none());
        assert!(Cost::said("").is_none());
    }
}
