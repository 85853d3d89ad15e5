//! The courier: takes one message to an address elsewhere, signed, and says whether it was taken.

use super::address::Networks;
use crate::store::Time;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// How long all of it may take. A server that stops waits for it.
const PATIENCE: Duration = Duration::from_secs(4);

/// So much of an answer is read, in bytes.
const ANSWER: u64 = 64 * 1024;

/// Something to be taken.
pub(super) struct Delivery<'a> {
    pub url: &'a str,
    pub secret: &'a str,
    pub id: &'a str,
    pub body: String,
}

pub(super) struct Courier {
    networks: Arc<Networks>,
    /// Made when it is first needed: reading whom this machine trusts takes some milliseconds.
    agent: OnceLock<Agent>,
}

/// Finds the addresses of a host, and gives only those that a webhook may be sent to. The connection is made to these: nobody
/// can have a name mean something else by then.
#[derive(Debug)]
struct Lookout(Arc<Networks>);

impl Resolver for Lookout {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.0.allow(**address)) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let message = "the address is of this machine or of a private network, which only the operator can allow, \
                           with --webhook-allow";
            return Err(Error::Other(message.into()));
        }
        Ok(allowed)
    }
}

impl Courier {
    pub fn new(networks: Arc<Networks>) -> Courier {
        Courier { networks, agent: OnceLock::new() }
    }

    /// Takes it there. What a bot's program answers, if it answers something.
    pub fn deliver(&self, delivery: &Delivery) -> Result<Option<String>, String> {
        let timestamp = (Time::now().0 / 1000).to_string();
        let signed = format!("sha256={}", signature(delivery.secret, &timestamp, &delivery.body));
        let sent = self
            .agent
            .get_or_init(|| agent(self.networks.clone()))
            .post(delivery.url)
            .header("Content-Type", "application/json")
            .header("X-Parlor-Signature", signed)
            .header("X-Parlor-Timestamp", timestamp)
            .header("X-Parlor-Delivery", delivery.id)
            .send(&delivery.body);
        let mut answer = sent.map_err(|cause| match cause {
            Error::Other(why) => why.to_string(),
            Error::Timeout(_) => format!("no answer within {} s", PATIENCE.as_secs()),
            other => other.to_string(),
        })?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(format!("it answered {status}, which is not followed: give the address itself"));
        }
        if !status.is_success() {
            return Err(format!("it answered {status}"));
        }
        // It was taken; an answer that cannot be read is none.
        let said = answer.body_mut().with_config().limit(ANSWER).read_to_string().unwrap_or_default();
        let fields: Option<serde_json::Value> = serde_json::from_str(&said).ok();
        Ok(fields.and_then(|fields| Some(fields.get("body")?.as_str()?.to_owned())).filter(|said| !said.is_empty()))
    }
}

fn agent(networks: Arc<Networks>) -> Agent {
    let trusted = rustls_native_certs::load_native_certs().certs;
    let trusted: Vec<Certificate<'static>> = trusted.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(trusted)))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Config::builder()
        .tls_config(tls)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        // A proxy would make the connection, to wherever it finds the host.
        .proxy(None)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("parlor/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::new(), Lookout(networks))
}

/// Over the time, too: what was overheard once cannot be sent again later.
fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{timestamp}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_anybody_can_check() {
        // printf '7.hello' | openssl dgst -sha256 -hmac key
        let expected = "8ef645d73d75ec8e55b667db09a592ad1512f9eadd07689077d9a3c152b3b16a";
        assert_eq!(signature("key", "7", "hello"), expected);
    }
}
