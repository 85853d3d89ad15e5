//! Database servers for the tests: one of each kind for a process, in a folder of its own, ended when the process is.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A server that listens on this machine.
pub struct Engine {
    kind: Kind,
    pub address: SocketAddr,
    /// Where its own tools are.
    tools: PathBuf,
    /// Ends the server when this end is closed, however this process ends.
    _life: std::process::ChildStdin,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Postgres,
    Mariadb,
}

/// Whoever is root may not run a database, so it is run as nobody.
const NOBODY: u32 = 65534;

/// How long one may take to start on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// A PostgreSQL server, unless there is none on this machine.
pub fn postgres() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| start_postgres(&[])).as_ref()
}

/// A MariaDB server, unless there is none on this machine.
pub fn mariadb() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| start_mariadb(&[])).as_ref()
}

/// A PostgreSQL server with settings of its own, each a `name=value`, and files that it may read.
pub fn start_postgres(settings: &[(&str, &str)]) -> Option<Engine> {
    let tools = found("postgres", "/usr/lib/postgresql")?;
    let folder = folder();
    let data = folder.join("data");
    run(as_nobody(tools.join("initdb"))
        .args(["-U", "parlor", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D"])
        .arg(&data));
    let address = free();
    let mut server = as_nobody(tools.join("postgres"));
    server.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-p", &address.port().to_string()]);
    let fast = [
        "fsync=off",
        "full_page_writes=off",
        "listen_addresses=127.0.0.1",
        "max_connections=300",
        "shared_buffers=32MB",
    ];
    for setting in fast {
        server.args(["-c", setting]);
    }
    for (name, value) in settings {
        server.args(["-c", &format!("{name}={value}")]);
    }
    Some(Engine { kind: Kind::Postgres, address, tools, _life: watched(&server, &folder) }.ready())
}

/// A MariaDB server with settings of its own, each as in `--name=value`.
pub fn start_mariadb(settings: &[(&str, &str)]) -> Option<Engine> {
    let tools = found("mariadbd", "/usr/sbin")?;
    let folder = folder();
    let data = format!("--datadir={}", folder.join("data").display());
    let mut install = as_nobody("mariadb-install-db".into());
    run(install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data]));
    let address = free();
    let socket = folder.join("socket");
    let mut server = as_nobody(tools.join("mariadbd"));
    server.args(["--no-defaults", &data, &format!("--socket={}", socket.display())]).args([
        &format!("--port={}", address.port()),
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--skip-innodb-doublewrite",
        "--innodb-log-file-size=16M",
        "--innodb-buffer-pool-size=64M",
        "--max-connections=300",
    ]);
    for (name, value) in settings {
        server.arg(format!("--{name}={value}"));
    }
    let engine = Engine { kind: Kind::Mariadb, address, tools, _life: watched(&server, &folder) };
    let grant = "CREATE USER parlor@'%' IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO parlor@'%'";
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "-u", "root", "-e", grant]).arg(format!("--socket={}", socket.display()));
    until_done(&mut client);
    Some(engine.ready())
}

impl Engine {
    /// The URL of a database that is new.
    pub fn fresh(&self) -> String {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("parlor_{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.say(&match self.kind {
            Kind::Postgres => format!("CREATE DATABASE {name}"),
            // As most find it, and not as the tables want it: they say so themselves.
            Kind::Mariadb => format!("CREATE DATABASE {name} CHARACTER SET latin1"),
        });
        self.url(&name, self.address)
    }

    /// The URL of one of its databases, by way of another address that leads there.
    pub fn url(&self, database: &str, address: SocketAddr) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://parlor@{address}/{database}"),
            Kind::Mariadb => format!("mysql://parlor:secret@{address}/{database}"),
        }
    }

    /// Runs a statement in a database.
    pub fn say_in(&self, database: &str, statement: &str) {
        run(self.client(database).args([self.speaks(), statement]));
    }

    /// PostgreSQL: kills one of its processes, so that it throws everybody out and recovers.
    pub fn crash(&self) {
        let kill = "COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'";
        let _ = self.client(self.own()).args([self.speaks(), kill]).output().unwrap();
    }

    fn say(&self, statement: &str) {
        self.say_in(self.own(), statement);
    }

    fn speaks(&self) -> &'static str {
        if self.kind == Kind::Postgres { "-c" } else { "-e" }
    }

    /// A database that is always there.
    fn own(&self) -> &'static str {
        if self.kind == Kind::Postgres { "postgres" } else { "mysql" }
    }

    fn client(&self, database: &str) -> Command {
        let port = self.address.port().to_string();
        let mut client = match self.kind {
            Kind::Postgres => Command::new(self.tools.join("psql")),
            Kind::Mariadb => Command::new("mariadb"),
        };
        match self.kind {
            Kind::Postgres => client.args(["-X", "-q", "-h", "127.0.0.1", "-p", &port, "-U", "parlor", database]),
            Kind::Mariadb => {
                client.args(["--no-defaults", "-h", "127.0.0.1", "-P", &port, "-u", "parlor", "-psecret", database])
            }
        };
        client
    }

    fn ready(self) -> Engine {
        until_done(self.client(self.own()).args([self.speaks(), "SELECT 1"]));
        self
    }
}

/// Where that program is, with its tools beside it.
fn found(program: &str, beside: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = std::env::split_paths(&path).collect();
    all.push(beside.into());
    all.extend(std::fs::read_dir(beside).into_iter().flatten().flatten().map(|version| version.path().join("bin")));
    // What stands in the path may be a link to where its tools are.
    let place = all.into_iter().find_map(|folder| folder.join(program).canonicalize().ok());
    let place = place.and_then(|program| Some(program.parent()?.to_owned()));
    if place.is_none() {
        lacks(program);
    }
    place
}

/// What is about it is not tested; where everything is to be tested, that is an error.
pub fn lacks(program: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{program} is not installed");
    eprintln!("{program} is not installed: what is about it was not tested");
}

fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("parlor-engine").tempdir().unwrap().keep();
    give_to_nobody(&folder);
    folder
}

/// Lets a server read a folder and what is in it.
pub fn give_to_nobody(folder: &Path) {
    let owner = is_root().then_some(NOBODY);
    std::os::unix::fs::chown(folder, owner, owner).unwrap();
    for file in std::fs::read_dir(folder).unwrap().flatten() {
        std::os::unix::fs::chown(file.path(), owner, owner).unwrap();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn as_nobody(program: PathBuf) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]).arg(program);
    command
}

/// A port that was free just now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {words}{}", String::from_utf8_lossy(&output.stdout));
}

/// Runs a client until it gets through.
fn until_done(client: &mut Command) {
    let deadline = Instant::now() + PATIENCE;
    while !client.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success() {
        assert!(Instant::now() < deadline, "{client:?} gets no answer");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts a server beside a shell that ends it, and deletes its folder, as soon as nobody holds the other end of its input:
/// whatever becomes of this process, nothing is left behind.
fn watched(server: &Command, folder: &Path) -> std::process::ChildStdin {
    let watch =
        r#"folder="$1"; shift; "$@" </dev/null & server=$!; cat; kill -KILL $server; wait $server; rm -rf "$folder""#;
    let log = File::create(folder.join("log")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", watch, "sh"]).arg(folder).arg(server.get_program()).args(server.get_args());
    let shell = shell.current_dir(folder).stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
    shell.unwrap().stdin.take().unwrap()
}
