//! The certificate of a server that speaks TLS: from files, which are read again at SIGHUP, or one that it makes itself.

use super::settings::Settings;
use parlor::{Certificate, Error, Handle};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What it makes itself is kept under these names in the data folder.
const CHAIN: &str = "tls-cert.pem";
const KEY: &str = "tls-key.pem";

/// How long that is good for. Whoever has accepted it once is not asked again soon.
const GOOD_FOR: Duration = Duration::days(10 * 365);

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Somebody else made it.
    Files(PathBuf, PathBuf),
    /// Made here, and kept in this folder; or made for once.
    Own(Option<PathBuf>),
}

impl Source {
    /// What the flags say. None: no TLS.
    pub fn of(settings: &Settings) -> Result<Option<Source>, Error> {
        match (&settings.tls, &settings.tls_cert, &settings.tls_key) {
            (None, None, None) => Ok(None),
            (None, Some(chain), Some(key)) => Ok(Some(Source::Files(chain.clone(), key.clone()))),
            (Some(_), None, None) => {
                let forgets = settings.memory || settings.classroom;
                Ok(Some(Source::Own((!forgets).then(|| settings.data.clone()))))
            }
            (None, ..) => Err(Error::Setting("--tls-cert and --tls-key belong together: give both".into())),
            (Some(_), ..) => Err(Error::Setting(
                "--tls self-signed makes its own certificate; --tls-cert and --tls-key give one".into(),
            )),
        }
    }

    /// Reads it, or makes it. `addresses` are those of this machine in its networks.
    pub fn read(&self, addresses: &[IpAddr]) -> Result<Certificate, Error> {
        match self {
            Source::Files(chain, key) => from_files(chain, key),
            Source::Own(None) => {
                let (chain, key) = make(addresses)?;
                Certificate::from_pem(chain.as_bytes(), key.as_bytes())
            }
            Source::Own(Some(folder)) => {
                let (chain, key) = (folder.join(CHAIN), folder.join(KEY));
                if !chain.exists() {
                    keep(folder, &chain, &key, addresses)?;
                }
                from_files(&chain, &key)
            }
        }
    }

    /// Shows from here on what is in the files now. If that is worth nothing, all stays as it was.
    pub fn renew(&self, handle: &Handle) {
        let Source::Files(chain, key) = self else {
            return log::info!("SIGHUP: the certificate is this server's own and stays");
        };
        match from_files(chain, key).and_then(|certificate| handle.renew(&certificate).map(|()| certificate)) {
            Ok(new) => log::info!("SIGHUP: whoever connects from here on is shown {}", new.fingerprint()),
            Err(why) => log::error!("SIGHUP: the certificate of before is kept: {why}"),
        }
    }
}

fn from_files(chain: &Path, key: &Path) -> Result<Certificate, Error> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|e| Error::Setting(format!("cannot read {}: {e}", path.display())));
    Certificate::from_pem(&read(chain)?, &read(key)?)
        .map_err(|why| Error::Setting(format!("{} and {}: {why}", chain.display(), key.display())))
}

/// Makes a certificate for all names and addresses of this machine, in PEM, with its key.
fn make(addresses: &[IpAddr]) -> Result<(String, String), Error> {
    let failed = |e: rcgen::Error| Error::System("cannot make a certificate", std::io::Error::other(e.to_string()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let fits =
        |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let names = ["localhost".to_owned()].into_iter().chain(Some(host.clone()).filter(fits));
    let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let numbers = own.iter().chain(addresses).map(IpAddr::to_string);
    let mut params = CertificateParams::new(names.chain(numbers).collect::<Vec<_>>()).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Parlor on {host}"));
    let now = OffsetDateTime::now_utc();
    // Clocks of others may be slow.
    (params.not_before, params.not_after) = (now - Duration::days(1), now + GOOD_FOR);
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// The key first: a certificate that is there has one.
fn keep(folder: &Path, chain: &Path, key: &Path, addresses: &[IpAddr]) -> Result<(), Error> {
    let failed = |e| Error::DataFolder(folder.into(), e);
    let (certificate, secret) = make(addresses)?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    match std::fs::remove_file(key) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    for (path, text, mode) in [(key, secret, 0o600), (chain, certificate, 0o644)] {
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
    }
    Ok(())
}
