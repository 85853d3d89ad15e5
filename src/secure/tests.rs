//! The transport within TLS, over memory: who holds what, and what is sent when.

use super::*;
use crate::duplex::{self, Duplex, FarEnd};
use crate::flusher;
use crate::outbox::Outbox;
use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

struct Ends {
    client: ClientConnection,
    certificate: Certificate,
    near: Duplex,
    far: Arc<FarEnd>,
}

fn ends() -> Ends {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = Certificate::from_pem(cert.pem().as_bytes(), signing_key.serialize_pem().as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let (near, far) = duplex::pair();
    Ends { client, certificate, near, far }
}

/// Whoever waits at the other end of a test that fails is let go.
struct HangsUp(Arc<FarEnd>);

impl Drop for HangsUp {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn keys(certificate: &Certificate) -> Keys {
    Keys::new(Some(certificate))
}

#[test]
fn what_is_written_at_one_end_is_read_at_the_other_though_nobody_waits_for_anybody() {
    let Ends { mut client, certificate, mut near, far } = ends();
    let payload: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    std::thread::scope(|scope| {
        let sent = &payload;
        let server = scope.spawn(move || {
            let _end = HangsUp(far.clone());
            let secure = keys(&certificate).accept(far, &[], soon()).unwrap();
            let (flusher, _watched) = flusher::handle_for_tests();
            let outbox = Outbox::new(secure.clone(), flusher, usize::MAX, Counter::default());
            let mut hello = [0; 5];
            assert_eq!(secure.read(&mut hello).unwrap(), 5);
            // More than the pipe holds: what it does not take goes when the client has read.
            for part in sent.chunks(1000) {
                assert!(outbox.send(&[Bytes::copy_from_slice(part)]));
            }
            assert!(outbox.wait_for_room(0, Duration::from_secs(10)));
            outbox.finish(Duration::from_secs(10));
            assert!(!secure.owes());
            outbox.hang_up();
        });
        let mut stream = Stream::new(&mut client, &mut near);
        stream.write_all(b"hello").unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        assert!(received == *sent, "{} of {}", received.len(), sent.len());
        server.join().unwrap();
    });
}

#[test]
fn what_the_session_says_for_itself_leaves_without_a_frame() {
    let Ends { mut client, certificate, mut near, far } = ends();
    let (agreed, goes_on) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            let _end = HangsUp(far.clone());
            let secure = keys(&certificate).accept(far, &[], soon()).unwrap();
            agreed.send(()).unwrap();
            let (flusher, _watched) = flusher::handle_for_tests();
            let outbox = Outbox::new(secure.clone(), flusher, usize::MAX, Counter::default());
            secure.set_patience(Duration::from_secs(10)).unwrap();
            let mut byte = [0];
            assert_eq!(secure.read(&mut byte).unwrap_err().kind(), ErrorKind::InvalidData);
            assert!(!secure.owes(), "the outbox has sent the alert");
            drop(outbox);
        });
        while client.is_handshaking() {
            client.complete_io(&mut near).unwrap();
        }
        goes_on.recv().unwrap();
        // A record that no key fits.
        Write::write_all(&mut near, b"\x17\x03\x03\x00\x20no key fits this, it's no record").unwrap();
        server.join().unwrap();
    });
}

#[test]
fn a_handshake_that_comes_byte_by_byte_ends_at_the_deadline() {
    let Ends { mut client, certificate, mut near, far } = ends();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            let deadline = Instant::now() + Duration::from_millis(300);
            let failed = keys(&certificate).accept(far.clone(), &hello[..1], deadline).err().unwrap();
            far.hang_up();
            (failed.kind(), Instant::now() - deadline)
        });
        for byte in std::iter::repeat_n(0u8, 10_000) {
            // A record is announced that never ends.
            if Write::write_all(&mut near, &[byte; 1]).is_err() {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let (kind, late) = server.join().unwrap();
        assert!(matches!(kind, ErrorKind::TimedOut | ErrorKind::InvalidData), "{kind:?}");
        assert!(late < Duration::from_millis(500), "{late:?}");
    });
}

#[test]
fn no_tls_is_told_by_an_alert() {
    let Ends { certificate, mut near, far, .. } = ends();
    let failed = keys(&certificate).accept(far.clone(), b"\x16\x03\x01\x00\x04\xff\x00\x00\x00", soon()).err().unwrap();
    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    let mut alert = [0; 7];
    Read::read_exact(&mut near, &mut alert).unwrap();
    assert_eq!(alert[0], 0x15, "{alert:?}");
}

#[test]
fn a_certificate_and_a_key_of_another_are_refused() {
    let pair = || generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (one, other) = (pair(), pair());
    let refused = |chain: &str, key: &str| Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
    let key = one.signing_key.serialize_pem();
    assert!(refused(&other.cert.pem(), &key).to_string().contains("cannot be used together"));
    assert!(refused("", &key).to_string().contains("no certificate"));
    assert!(refused(&one.cert.pem(), &one.cert.pem()).to_string().contains("no private key"));
    let good = Certificate::from_pem(one.cert.pem().as_bytes(), key.as_bytes()).unwrap();
    assert_eq!(good.fingerprint().len(), 32 * 3 - 1);
    assert!(!format!("{good:?}").contains("PRIVATE"));
}
