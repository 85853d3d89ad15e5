//! A certificate with its key, read and checked; and the one that is shown just now.

use super::Secure;
use crate::error::Error;
use crate::transport::Transport;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Instant;
use std::{fmt, io};

/// What a server shows to whoever connects with TLS: a chain of certificates, and the key of the first. Given to
/// [`Builder::tls`](crate::Builder::tls), and while the server runs to [`Handle::renew`](crate::Handle::renew).
///
/// ```no_run
/// let read = |path: &str| std::fs::read(path).map_err(|e| format!("{path}: {e}"));
/// let certificate = parlor::Certificate::from_pem(&read("fullchain.pem")?, &read("privkey.pem")?)?;
/// let server = parlor::Server::builder().tls(certificate).bind()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Certificate {
    config: Arc<ServerConfig>,
    fingerprint: String,
}

impl Certificate {
    /// Reads both in PEM: the server's own certificate and those that lead to one that clients trust, in this order; and
    /// the private key of the first.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no certificate or no key in it, or the two do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, Error> {
        let wrong = |what: String| Error::Setting(what);
        let chain: Vec<CertificateDer> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(format!("the certificate is no PEM: {e}")))?;
        let Some(own) = chain.first() else {
            return Err(wrong("there is no certificate in PEM in what is to be the certificate".into()));
        };
        let fingerprint = fingerprint(own);
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|e| wrong(format!("there is no private key in PEM in what is to be the key: {e}")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(format!("TLS cannot be set up: {e}")))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| wrong(format!("this certificate and this key cannot be used together: {e}")))?;
        // WebSockets are made over HTTP/1.1.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Certificate { config: Arc::new(config), fingerprint })
    }

    /// SHA-256 of the server's own certificate, as browsers show it: `1A:2B:…`, 32 bytes.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn fingerprint(certificate: &CertificateDer) -> String {
    let bytes: Vec<String> = Sha256::digest(certificate.as_ref()).iter().map(|b| format!("{b:02X}")).collect();
    bytes.join(":")
}

impl fmt::Debug for Certificate {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint)
    }
}

/// The certificate that is shown to whoever comes next. Those who are here keep what they have.
pub(crate) struct Keys {
    current: Mutex<Option<Arc<ServerConfig>>>,
}

impl Keys {
    /// None: there is no TLS.
    pub fn new(certificate: Option<&Certificate>) -> Keys {
        Keys { current: Mutex::new(certificate.map(|certificate| certificate.config.clone())) }
    }

    pub fn is_there(&self) -> bool {
        self.current.lock().is_some()
    }

    /// Shakes hands with whoever comes. `early` is what was read already.
    pub fn accept(&self, under: Arc<dyn Transport>, early: &[u8], by: Instant) -> io::Result<Arc<dyn Transport>> {
        let config = self.current.lock().clone().ok_or(io::ErrorKind::Unsupported)?;
        Secure::accept(under, config, early, by)
    }

    /// False: this server speaks no TLS, and its port cannot change that while people are here.
    pub fn renew(&self, certificate: &Certificate) -> bool {
        let mut current = self.current.lock();
        let speaks = current.is_some();
        if speaks {
            *current = Some(certificate.config.clone());
        }
        speaks
    }
}
