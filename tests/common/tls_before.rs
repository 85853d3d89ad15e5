//! A small TLS end before a server.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Takes TLS off and passes on. Gives its port and its certificate.
pub fn tls_before(server: SocketAddr) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let session = ServerConnection::new(config.clone()).unwrap();
            std::thread::spawn(move || pass_on(StreamOwned::new(session, socket), TcpStream::connect(server).unwrap()));
        }
    });
    (port, made.cert.pem())
}

/// Both ways in one thread, turn by turn: slow, and enough.
fn pass_on(mut near: StreamOwned<ServerConnection, TcpStream>, mut far: TcpStream) {
    near.sock.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    far.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    let mut buffer = [0; 16 * 1024];
    loop {
        for inward in [true, false] {
            let (from, to): (&mut dyn Read, &mut dyn Write) =
                if inward { (&mut near, &mut far) } else { (&mut far, &mut near) };
            let passed = match from.read(&mut buffer) {
                Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => to.write_all(&buffer[..count]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(()),
                Err(e) => Err(e),
            };
            if passed.is_err() {
                near.conn.send_close_notify();
                let _ = near.flush();
                let _ = far.shutdown(std::net::Shutdown::Both);
                return;
            }
        }
    }
}
