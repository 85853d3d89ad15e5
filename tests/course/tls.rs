//! 17: the same over TLS.

use crate::common::DEADLINE;
use crate::{built, example};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

fn server() -> (crate::Program, String, String) {
    let mut server = example("17_tls", &["localhost:0"]);
    let address = server.after("Listening on ");
    let fingerprint = server.after("Fingerprint ");
    assert_eq!(fingerprint.split(':').count(), 32, "{fingerprint}");
    (server, address, fingerprint)
}

#[test]
fn the_echo_goes_through_tls() {
    let (_server, address, fingerprint) = server();
    let mut client = example("17_tls", &["client", &address, &fingerprint.to_lowercase()]);
    client.after("The certificate is the one you named.");
    let mut typed = client.child.stdin.take().unwrap();
    writeln!(typed, "hello").unwrap();
    assert_eq!(client.line(), "Server received your message: hello\n");
    writeln!(typed, "näher am Ende").unwrap();
    assert_eq!(client.line(), "Server received your message: näher am Ende\n");
    drop(typed);
    assert_eq!(client.end().code(), Some(0));
}

#[test]
fn another_certificate_is_not_trusted() {
    let ((_one, address, right), (_other, _, wrong)) = (server(), server());
    assert_ne!(right, wrong, "each start makes a certificate of its own");
    let output = Command::new(built("17_tls")).args(["client", &address, &wrong]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(&format!("fingerprint is {right}")), "{said}");
}

/// What a browser does: it asks who vouches for the certificate, and nobody does.
#[test]
fn a_client_that_asks_the_authorities_refuses_and_the_server_goes_on() {
    let (mut server, address, fingerprint) = server();
    let address = address.trim_start_matches("wss://");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let error = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    drop(stream);
    assert!(server.after("No handshake: ").contains("UnknownCA"));

    // Nor does it speak to one who does not know of TLS: the answer is an alert of TLS, type 21.
    let mut plain = TcpStream::connect(address).unwrap();
    plain.set_read_timeout(Some(DEADLINE)).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = [0];
    plain.read_exact(&mut first).unwrap();
    assert_eq!(first, [21]);
    server.after("No handshake: ");

    let mut client = example("17_tls", &["client", &format!("wss://{address}"), &fingerprint]);
    client.after("The certificate is the one you named.");
}
