//! A Redis of the tests' own.

use crate::engines;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A Redis server in a folder of its own, ended with the test.
pub struct Redis {
    pub address: SocketAddr,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

impl Redis {
    /// None: there is no Redis on this machine.
    pub fn start() -> Option<Redis> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            engines::lacks("redis-server");
            return None;
        }
        let address = free();
        let mut redis = Redis { address, child: None, folder: tempfile::tempdir().unwrap() };
        redis.run();
        Some(redis)
    }

    /// One that speaks TLS alone, with that certificate; None: this machine's Redis cannot.
    pub fn with_tls(certificate: &str, key: &str) -> Option<Redis> {
        let plain = Redis::start()?;
        let address = free();
        let port = address.port().to_string();
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", &port, "--save", ""]);
        server.args(["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]);
        server.args(["--tls-auth-clients", "no", "--dir"]).arg(plain.folder.path());
        let child = quietly(&mut server).spawn().unwrap();
        let mut redis = Redis { address, child: Some(child), folder: tempfile::tempdir().unwrap() };
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(address).is_err() {
            if redis.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some()) {
                engines::lacks("a redis-server that speaks TLS");
                return None;
            }
            assert!(Instant::now() < until, "Redis does not listen");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Some(redis)
    }

    /// A sentinel that watches this one, and decides alone.
    pub fn sentinel(&self, name: &str) -> Redis {
        let (address, folder) = (free(), tempfile::tempdir().unwrap());
        let settings = format!(
            "port {}\nbind 127.0.0.1\ndir {}\nsentinel monitor {name} 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds {name} 500\nsentinel failover-timeout {name} 3000\n",
            address.port(),
            folder.path().display(),
            self.address.port()
        );
        let file = folder.path().join("sentinel.conf");
        std::fs::write(&file, settings).unwrap();
        let child = quietly(Command::new("redis-server").arg(&file).arg("--sentinel")).spawn().unwrap();
        let redis = Redis { address, child: Some(child), folder };
        redis.answers();
        redis
    }

    /// Starts it again, empty.
    pub fn run(&mut self) {
        self.child = Some(serve(self.address, self.folder.path()));
        self.answers();
    }

    fn answers(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.say(&["PING"]) != "PONG" {
            assert!(Instant::now() < until, "Redis gives no answer");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Kills it on the spot.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Says something to it, and gives its answer.
    pub fn say(&self, words: &[&str]) -> String {
        let mut client = Command::new("redis-cli");
        client.args(["-h", "127.0.0.1", "-p", &self.address.port().to_string()]).args(words);
        String::from_utf8_lossy(&client.output().unwrap().stdout).trim().to_owned()
    }

    /// What is given as `--cluster`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn quietly(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn serve(address: SocketAddr, folder: &Path) -> Child {
    let mut server = Command::new("redis-server");
    server.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--save", "", "--appendonly", "no"]);
    quietly(server.arg("--dir").arg(folder)).spawn().unwrap()
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
