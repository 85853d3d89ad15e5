//! What the README says for proxies, done with a real nginx and a real Caddy.

use super::parlor;
use crate::common::program::Program;
use crate::common::tls::*;
use crate::common::*;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

/// The README's block in that language.
fn block(language: &str) -> String {
    let readme = std::fs::read_to_string(format!("{}/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    readme.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// That for nginx, with these ports and files in the place of those that it names.
fn for_nginx(server: SocketAddr, port: u16, folder: &Path) -> String {
    let block = block("nginx");
    let folder = folder.display();
    let mut block = block.replace("127.0.0.1:8080", &server.to_string());
    for (from, to) in [
        ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
        ("/etc/ssl/chat.example.pem", format!("{folder}/cert.pem")),
        ("/etc/ssl/chat.example.key", format!("{folder}/key.pem")),
    ] {
        assert!(block.contains(from), "{from}: {block}");
        block = block.replace(from, &to);
    }
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
        .collect();
    format!(
        "worker_processes 1;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temp}{block}\n}}\n"
    )
}

/// That for Caddy, which would ask an authority for a certificate if it had none.
fn for_caddy(server: SocketAddr, port: u16, folder: &Path) -> String {
    let (block, folder) = (block("caddy").replace("127.0.0.1:8080", &server.to_string()), folder.display());
    assert!(block.starts_with("chat.example {\n"), "{block}");
    let site = format!("https://localhost:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem\n");
    format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{}", block.replace("chat.example {\n", &site))
}

fn has(program: &str, ask: &str) -> bool {
    if Command::new(program).arg(ask).output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(std::env::var("CI").is_err_and(|_| true), "{program} is missing");
    eprintln!("skipped: {program} is missing");
    false
}

/// A server that trusts a proxy here, and the proxy before it, with its certificate in a folder.
struct Behind {
    program: Program,
    proxy: Program,
    address: SocketAddr,
    pem: String,
    _folder: tempfile::TempDir,
}

fn behind(make: impl FnOnce(SocketAddr, u16, &Path) -> Command) -> Behind {
    let folder = tempfile::tempdir().unwrap();
    let made = made();
    std::fs::write(folder.path().join("cert.pem"), &made.pem).unwrap();
    std::fs::write(folder.path().join("key.pem"), &made.key).unwrap();
    let mut program =
        Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--memory", "--trust-proxy", "127.0.0.1"]));
    let server: SocketAddr = program.after("open  http://").parse().unwrap();
    // A port that was free a moment ago: the proxy cannot say which one it took.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let proxy = Program::start(&mut make(server, port, folder.path()));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    eventually("the proxy listens", || std::net::TcpStream::connect(address).is_ok());
    Behind { program, proxy, address, pem: made.pem, _folder: folder }
}

/// Two chat through it, and one signs in; the server knows them by their own address, and that there is TLS.
fn serves(mut behind: Behind) {
    let (address, pem) = (behind.address, &behind.pem);
    let url = format!("wss://localhost:{}", address.port());
    let client = |name: &str| {
        let builder = parlor::Client::builder(&url).name(name);
        builder.dial(|dialer| dialer.trust(pem.as_bytes()).unwrap()).connect().unwrap()
    };
    let (ann, bob) = (client("ann"), client("bob"));
    bob.join("lobby", parlor::Start::Last(0)).unwrap();
    ann.join("lobby", parlor::Start::Last(0)).unwrap();
    ann.post("lobby", "through the proxy").unwrap();
    assert_eq!(bob.messages().next().unwrap().body, "through the proxy");

    let body = r#"{"name":"Cid"}"#;
    let answer = ask(
        address,
        pem,
        &format!(
            "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\
             X-Forwarded-For: 6.6.6.6\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    assert!(answer.contains("arlor_session=") && answer.contains("; Secure"), "{answer}");
    let closed = ask(address, pem, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&closed), 403, "{closed}");
    drop((ann, bob));
    // In order, or its workers stay behind.
    behind.proxy.signal("TERM");
    behind.program.signal("TERM");
    assert_eq!(behind.program.end().code(), Some(0));
    let log = behind.program.errors();
    assert!(
        log.contains("client ") && log.contains(" 127.0.0.1 is ann"),
        "it is not the proxy's port that is shown: {log}"
    );
}

#[test]
fn through_nginx_as_the_readme_has_it_one_chats_under_ones_own_address() {
    if !has("nginx", "-v") {
        return;
    }
    serves(behind(|server, port, folder| {
        let config = folder.join("nginx.conf");
        std::fs::write(&config, for_nginx(server, port, folder)).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.args(["-p", folder.to_str().unwrap(), "-c", config.to_str().unwrap(), "-g", "daemon off;"]);
        nginx
    }));
}

#[test]
fn through_caddy_as_the_readme_has_it_one_chats_under_ones_own_address() {
    if !has("caddy", "version") {
        return;
    }
    serves(behind(|server, port, folder| {
        let config = folder.join("Caddyfile");
        std::fs::write(&config, for_caddy(server, port, folder)).unwrap();
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config", config.to_str().unwrap()]);
        caddy.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        caddy
    }));
}
