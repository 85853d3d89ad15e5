//! A certificate of the test's own, and whoever trusts it.
#![allow(dead_code, reason = "each test binary uses a part")]

use super::raw;
use parlor::{Certificate, Dialer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

pub type Secure = StreamOwned<ClientConnection, TcpStream>;

/// A certificate for localhost, as a server shows it; and in PEM with its key.
pub struct Made {
    pub certificate: Certificate,
    pub pem: String,
    pub key: String,
}

pub fn made() -> Made {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    Made { certificate: Certificate::from_pem(pem.as_bytes(), key.as_bytes()).unwrap(), pem, key }
}

/// A connection within TLS, to a server whose certificate is this one.
pub fn secure(address: SocketAddr, pem: &str) -> Secure {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), raw(address))
}

/// Sends a request within TLS, and gives all that comes back.
pub fn ask(address: SocketAddr, pem: &str, request: &str) -> String {
    let mut stream = secure(address, pem);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Where a WebSocket is at such a server.
pub fn dialer(address: SocketAddr, pem: &str, path: &str) -> Dialer {
    Dialer::new(&format!("wss://localhost:{}{path}", address.port())).unwrap().trust(pem.as_bytes()).unwrap()
}
