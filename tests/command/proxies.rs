//! What the README says for proxies, done with a real nginx.

use super::parlor;
use crate::common::program::Program;
use crate::common::tls::*;
use crate::common::*;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

/// The README's block for nginx, with these ports and files in the place of those that it names.
fn of_the_readme(server: SocketAddr, port: u16, folder: &Path) -> String {
    let readme = std::fs::read_to_string(format!("{}/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let block = readme.split("```nginx\n").nth(1).unwrap().split("```").next().unwrap();
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

fn has_nginx() -> bool {
    if Command::new("nginx").arg("-v").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(std::env::var("CI").is_err_and(|_| true), "nginx is missing");
    eprintln!("skipped: nginx is missing");
    false
}

#[test]
fn through_nginx_as_the_readme_has_it_one_chats_under_ones_own_address() {
    if !has_nginx() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = made();
    std::fs::write(folder.path().join("cert.pem"), &made.pem).unwrap();
    std::fs::write(folder.path().join("key.pem"), &made.key).unwrap();
    let mut program =
        Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--memory", "--trust-proxy", "127.0.0.1"]));
    let server: SocketAddr = program.after("open  http://").parse().unwrap();
    // A port that was free a moment ago: nginx cannot say which one it took.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = folder.path().join("nginx.conf");
    std::fs::write(&config, of_the_readme(server, port, folder.path())).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.args(["-p", folder.path().to_str().unwrap(), "-c", config.to_str().unwrap(), "-g", "daemon off;"]);
    let nginx = Program::start(&mut nginx);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    eventually("nginx listens", || std::net::TcpStream::connect(address).is_ok());

    let url = format!("wss://localhost:{port}");
    let client = |name: &str| {
        let builder = parlor::Client::builder(&url).name(name);
        builder.dial(|dialer| dialer.trust(made.pem.as_bytes()).unwrap()).connect().unwrap()
    };
    let (ann, bob) = (client("ann"), client("bob"));
    bob.join("lobby", parlor::Start::Last(0)).unwrap();
    ann.join("lobby", parlor::Start::Last(0)).unwrap();
    ann.post("lobby", "through nginx").unwrap();
    assert_eq!(bob.messages().next().unwrap().body, "through nginx");

    let body = r#"{"name":"Cid"}"#;
    let answer = ask(
        address,
        &made.pem,
        &format!(
            "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\
             X-Forwarded-For: 6.6.6.6\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    assert!(answer.contains("Set-Cookie: parlor_session=") && answer.contains("; Secure"), "{answer}");
    let closed = ask(address, &made.pem, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&closed), 403, "{closed}");
    drop((ann, bob));
    // In order, or its workers stay behind.
    nginx.signal("TERM");
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
    let log = program.errors();
    assert!(
        log.contains("client ") && log.contains(" 127.0.0.1 is ann"),
        "it is not nginx's port that is shown: {log}"
    );
}
