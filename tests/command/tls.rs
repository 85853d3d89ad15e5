//! TLS as an operator meets it: two files, or a certificate of the server's own.

use super::{parlor, run};
use crate::common::program::Program;
use crate::common::tls::*;
use crate::common::*;
use parlor::Incoming;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

fn address(open: &str) -> SocketAddr {
    open.parse().unwrap()
}

fn write(folder: &Path, made: &Made) -> [String; 2] {
    let [chain, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    std::fs::write(&chain, &made.pem).unwrap();
    std::fs::write(&key, &made.key).unwrap();
    [chain, key].map(|path| path.to_str().unwrap().to_owned())
}

/// Whether a server shows this certificate to whoever comes now.
fn shows(address: SocketAddr, made: &Made) -> bool {
    dialer(address, &made.pem, "/echo").connect().is_ok()
}

#[test]
fn a_new_pair_is_taken_at_sighup_a_bad_one_is_not_and_nobody_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (made(), made());
    let [chain, key] = write(folder.path(), &old);
    let mut program =
        Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--memory", "--tls-cert", &chain, "--tls-key", &key]));
    let address = address(&program.after("open  https://"));
    assert!(program.after("tls   SHA-256 of the certificate: ").starts_with(&old.certificate.fingerprint()[..47]));
    program.after("stop");
    let echo = dialer(address, &old.pem, "/echo").connect().unwrap();
    std::fs::write(&key, &new.key).unwrap();
    program.signal("HUP");
    // The old one is kept: the pair does not fit. That was seen to when the log says so, which is read at the end.
    write(folder.path(), &new);
    assert!(shows(address, &old) || shows(address, &new));
    eventually("the new one is shown", || {
        program.signal("HUP");
        shows(address, &new)
    });
    assert!(!shows(address, &old));
    echo.send_text("still here").unwrap();
    assert_eq!(echo.read().unwrap(), Incoming::Text("still here".into()));
    std::fs::write(&chain, "no certificate").unwrap();
    program.signal("HUP");
    program.signal("TERM");
    assert_eq!(program.end().code(), Some(0));
    let log = program.errors();
    assert!(log.contains("ERROR") && log.contains("the certificate of before is kept"), "{log}");
    assert!(log.contains(new.certificate.fingerprint()), "{log}");
}

#[test]
fn one_of_its_own_is_kept_and_can_be_trusted_from_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || {
        let data = data.to_str().unwrap();
        let mut program =
            Program::start(&mut parlor(&["--listen", "127.0.0.1:0", "--data", data, "--tls", "self-signed"]));
        let address = address(&program.after("open  https://"));
        let first = program.after("tls   SHA-256 of the certificate: ");
        let shown = format!("{first}{}", program.line().trim());
        program.after("own   https://127.0.0.1:");
        (program, address, shown)
    };
    let (mut program, address, shown) = start();
    let pem = data.join("tls-cert.pem");
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(data.join("tls-key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key is its owner's alone");
    let key = std::fs::read(data.join("tls-key.pem")).unwrap();
    let kept = parlor::Certificate::from_pem(&std::fs::read(&pem).unwrap(), &key).unwrap();
    assert_eq!(kept.fingerprint(), shown);
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("wss://{host}:{}", address.port());
        let mut command = parlor(&["connect", "--trust", pem.to_str().unwrap(), &url, "--name", "ci"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"within TLS\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let url = format!("wss://127.0.0.1:{}/echo", address.port());
    let (code, _, err) = run(&["connect", "--raw", "--fingerprint", &shown, &url]);
    assert_eq!(code, 0, "{err}");
    let other = shown.replace('A', "B").replacen('1', "2", 1);
    let (code, _, err) = run(&["connect", "--raw", "--fingerprint", &other, &url]);
    assert!(code == 1 && err.contains("another fingerprint"), "{code} {err}");
    let (code, _, err) = run(&["connect", "--raw", "--fingerprint", "1A:2B", &url]);
    assert!(code == 2 && err.contains("is no fingerprint"), "{code} {err}");
    let (code, _, err) = run(&["connect", "--raw", &format!("wss://localhost:{}/echo", address.port())]);
    assert!(code == 1 && err.contains("TLS failed"), "{code} {err}");
    program.signal("TERM");
    program.end();
    let (mut program, _, again) = start();
    assert_eq!(again, shown);
    program.signal("TERM");
    program.end();
}

#[test]
fn what_does_not_go_together_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (made(), made());
    let [chain, key] = write(folder.path(), &Made { key: other.key, ..one });
    for (args, code, words) in [
        (vec!["--tls-cert", &*chain], 2, "give both"),
        (vec!["--tls-cert", &chain, "--tls-key", &key], 2, "cannot be used together"),
        (vec!["--tls-cert", "/nowhere", "--tls-key", &key], 2, "cannot read /nowhere"),
        (vec!["--tls", "self-signed", "--tls-cert", &chain, "--tls-key", &key], 2, "makes its own certificate"),
        (vec!["--tls", "yes"], 2, "say self-signed"),
        (vec!["--trust-proxy", "nginx"], 2, "--trust-proxy: \"nginx\" is no address"),
        (vec!["--per-address", "0"], 2, "--per-address must be at least 1, or off"),
    ] {
        let (exit, _, err) = run(&[&["--memory", "--listen", "127.0.0.1:0"], &args[..]].concat());
        assert!(exit == code && err.contains(words), "{args:?}: {exit} {err}");
    }
}
