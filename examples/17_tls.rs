//! TLS: the echo of 01_echo_server over `wss://`. Nothing of WebSocket changes; TLS lies between it and TCP.
//!
//! `cargo run --example 17_tls` makes a certificate for itself and prints its fingerprint. Nobody vouches for such a
//! certificate, so a client must have heard the fingerprint from somebody it trusts, as with a host key of SSH:
//! `cargo run --example 17_tls client wss://localhost:8770 FINGERPRINT` asks for lines and has them echoed.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection, SignatureScheme};
use sha2::{Digest, Sha256};
use std::io::{Read, Write, stdin};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::spawn;
use tungstenite::{Message, accept, client};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [word, url, fingerprint] if word == "client" => talk(url, fingerprint),
        [address] => serve(address),
        _ => serve("localhost:8770"),
    }
}

fn serve(address: &str) -> Result<()> {
    // A key, and a certificate that says "this key is localhost's", signed with the key itself.
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let shown = fingerprint(&certificate);
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let config = Arc::new(config);

    let listener = TcpListener::bind(address)?;
    println!("Listening on wss://{}\nFingerprint {shown}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (connection, stream) = (ServerConnection::new(config.clone())?, stream?);
        // Reads what is encrypted from the socket and gives what it means; and the other way round.
        spawn(move || echo(rustls::StreamOwned::new(connection, stream)));
    }
    Ok(())
}

/// The echo of 01_echo_server, for whatever can be read and written. It does not know that there is TLS below.
fn echo(stream: impl Read + Write) {
    // The first read does the TLS handshake. Who does not speak TLS, or does not trust us, ends here.
    let Ok(mut socket) = accept(stream).inspect_err(|error| println!("No handshake: {error}")) else { return };
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            let answer = format!("Server received your message: {text}");
            if socket.send(Message::text(answer)).is_err() {
                return;
            }
        }
    }
}

fn talk(url: &str, fingerprint: &str) -> Result<()> {
    let address = url.strip_prefix("wss://").ok_or("the address begins with wss://")?.trim_end_matches('/');
    let (host, _port) = address.rsplit_once(':').ok_or("the address ends with a port")?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous() // since we, and not a list of authorities, say whom we trust
        .with_custom_certificate_verifier(Arc::new(Pinned(fingerprint.to_uppercase())))
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    let stream = rustls::StreamOwned::new(connection, TcpStream::connect(address)?);
    let (mut socket, _response) = client(url, stream)?; // from here on as in 02_echo_client
    println!("The certificate is the one you named. Type a message:");
    for line in stdin().lines() {
        socket.send(Message::text(line?))?;
        println!("{}", socket.read()?);
    }
    Ok(socket.close(None)?)
}

/// The cryptography that rustls uses. It has none of its own.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// SHA-256 of the certificate, as browsers and openssl show it: "3A:F0:…".
fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Trusts the one certificate that has this fingerprint, whoever signed it and whatever name is in it.
#[derive(Debug)]
struct Pinned(String);

type Verdict<T> = std::result::Result<T, rustls::Error>;

#[rustfmt::skip] // the first method is ours, the others are as always
impl ServerCertVerifier for Pinned {
    fn verify_server_cert(&self, shown: &CertificateDer, _: &[CertificateDer], _: &ServerName, _: &[u8], _: UnixTime)
        -> Verdict<ServerCertVerified> {
        let shown = fingerprint(shown);
        if shown != self.0 { return Err(rustls::Error::General(format!("the server's fingerprint is {shown}"))) }
        Ok(ServerCertVerified::assertion())
    }
    // That the server has the key of this certificate, and did not merely copy it, is for rustls to check.
    fn verify_tls12_signature(&self, message: &[u8], by: &CertificateDer, signature: &DigitallySignedStruct)
        -> Verdict<HandshakeSignatureValid> {
        verify_tls12_signature(message, by, signature, &provider().signature_verification_algorithms)
    }
    fn verify_tls13_signature(&self, message: &[u8], by: &CertificateDer, signature: &DigitallySignedStruct)
        -> Verdict<HandshakeSignatureValid> {
        verify_tls13_signature(message, by, signature, &provider().signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
