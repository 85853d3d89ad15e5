//! TLS under a link: the WebSocket above it does not know.

use super::{DialError, Link};
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A connection that one thread reads while another writes. The socket is read outside of the lock, which is held to
/// feed the session, to take from it, and to write what it has encrypted.
pub(super) struct Tls {
    socket: TcpStream,
    session: Mutex<ClientConnection>,
    /// What was received while the session was full of what nobody had read. The reader's.
    unfed: Mutex<Vec<u8>>,
}

impl Tls {
    /// Shakes hands, and checks the server's certificate against those that this machine trusts.
    pub fn open(socket: TcpStream, host: &str, deadline: Instant, trust: &Trust) -> Result<Tls, DialError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| DialError::Url(format!("no certificate can be for \"{host}\"")))?;
        let failed = |e: &dyn std::fmt::Display| DialError::NotWebSocket(format!("TLS failed: {e}"));
        let mut session = ClientConnection::new(trust.config()?, name).map_err(|e| failed(&e))?;
        while session.is_handshaking() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(DialError::TimedOut);
            }
            let _ = socket.set_read_timeout(Some(left));
            session.complete_io(&mut &socket).map_err(|e| match e.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => DialError::TimedOut,
                ErrorKind::UnexpectedEof => failed(&"the server hung up; it may not speak TLS"),
                _ => failed(&e),
            })?;
        }
        Ok(Tls { socket, session: Mutex::new(session), unfed: Mutex::default() })
    }
}

/// Whom this machine trusts, read once, since that takes some milliseconds; and whom besides.
#[derive(Clone, Default)]
pub(super) struct Trust {
    besides: Vec<CertificateDer<'static>>,
    /// This certificate and no other, whoever signed it.
    pinned: Option<[u8; 32]>,
    read: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Trust {
    fn config(&self) -> Result<Arc<ClientConfig>, DialError> {
        match self.read.get() {
            Some(config) => Ok(config.clone()),
            None => read_trust(self).map(|config| self.read.get_or_init(|| config).clone()),
        }
    }

    /// Trusts these, too; how many there were.
    pub fn add(&mut self, pem: &[u8]) -> usize {
        let before = self.besides.len();
        self.besides.extend(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
        self.read = Arc::default();
        self.besides.len() - before
    }

    /// Trusts the certificate of which this is the SHA-256, and no other. False: it is none.
    pub fn pin(&mut self, fingerprint: &str) -> bool {
        let digits: String = fingerprint.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
        self.pinned = bytes.and_then(|bytes| bytes.try_into().ok());
        self.read = Arc::default();
        self.pinned.is_some()
    }
}

/// Knows a certificate when it sees it; that the other end has its key is checked as ever.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        own: &CertificateDer,
        _: &[CertificateDer],
        _: &ServerName,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if Sha256::digest(own.as_ref())[..] == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("the server's certificate has another fingerprint".into()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn read_trust(trust: &Trust) -> Result<Arc<ClientConfig>, DialError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| DialError::NotWebSocket(format!("TLS failed: {e}")))?;
    if let Some(fingerprint) = trust.pinned {
        let pinned = Arc::new(Pinned { fingerprint, algorithms });
        return Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(pinned).with_no_client_auth()));
    }
    let mut roots = RootCertStore::empty();
    let of_this_machine = rustls_native_certs::load_native_certs().certs;
    let _ = roots.add_parsable_certificates(of_this_machine.into_iter().chain(trust.besides.iter().cloned()));
    if roots.is_empty() {
        let why = "this machine trusts no certificates: install ca-certificates, or set SSL_CERT_FILE";
        return Err(DialError::NotWebSocket(format!("TLS failed: {why}")));
    }
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

impl Link for Tls {
    fn read(&self, buffer: &mut [u8], patience: Option<Duration>) -> io::Result<usize> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut encrypted = vec![0; 16 * 1024];
        loop {
            match self.session.lock().reader().read(buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                done => return done,
            }
            let mut received = std::mem::take(&mut *self.unfed.lock());
            if received.is_empty() {
                let left = until.map(|until| until.saturating_duration_since(Instant::now()));
                let count = Link::read(&self.socket, &mut encrypted, left)?;
                received.extend_from_slice(&encrypted[..count]);
            }
            let mut session = self.session.lock();
            let mut fresh = &received[..];
            loop {
                // With nothing left it is told of the end. With something to be read it may take no more.
                let taken = session.read_tls(&mut fresh)?;
                let state = session.process_new_packets().map_err(io::Error::other)?;
                if fresh.is_empty() || taken == 0 || state.plaintext_bytes_to_read() > 0 {
                    break;
                }
            }
            *self.unfed.lock() = fresh.to_vec();
            self.drain(&mut session)?;
        }
    }

    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut session = self.session.lock();
        let mut left = bytes;
        while !left.is_empty() {
            let count = session.writer().write(left)?;
            left = &left[count..];
            self.drain(&mut session)?;
        }
        Ok(())
    }

    fn hang_up(&self) {
        // Not while another writes: it is just that one who may be stuck.
        if let Some(mut session) = self.session.try_lock() {
            session.send_close_notify();
            let _ = self.drain(&mut session);
        }
        self.socket.hang_up();
    }
}

impl Tls {
    fn drain(&self, session: &mut ClientConnection) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut &self.socket)?;
        }
        Ok(())
    }
}
