//! The server that is measured, and what it costs.

use super::options::Options;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Where Parlor chats; `{}` is the name of each client.
const CHAT: &str = "/ws?name={}";
const PLAIN_CHAT: &str = "/ws?room=lobby&last=0&name={}";

/// A server, started here or found at its address.
pub struct Target {
    pub address: SocketAddr,
    /// The host as the request names it, and the path.
    pub host: String,
    pub path: String,
    pid: Option<u32>,
    /// Ends with this.
    _own: Option<Own>,
}

/// A server of our own, which ends with the measurement.
struct Own {
    child: Child,
    folder: PathBuf,
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
        Ok(Target { address, host, path, pid: options.pid, _own: None })
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
        Ok(Target { address, host: address.to_string(), path, pid: Some(own.child.id()), _own: Some(own) })
    }

    /// What the server has cost so far; None: nobody said which process it is.
    pub fn cost(&self) -> io::Result<Option<Cost>> {
        let Some(pid) = self.pid else { return Ok(None) };
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
        Ok(Some(Cost { cpu, memory: resident.unwrap_or_default() }))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
