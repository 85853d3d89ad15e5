//! The client over TLS, through a small TLS end before the server.

use crate::common::*;
use crate::tls_before::tls_before;
use parlor::{Client, DialError, Dialer, Event, Start};

#[test]
fn a_client_chats_over_tls_reading_and_writing_at_once() {
    const MESSAGES: usize = 200;
    let server = server();
    let (port, certificate) = tls_before(server.address);
    let builder = Client::builder(&format!("wss://localhost:{port}")).name("ann");
    let ann = builder.dial(|dialer| dialer.trust(certificate.as_bytes()).unwrap()).connect().unwrap();
    ann.join("lobby", Start::Last(0)).unwrap();
    let body = "é".repeat(2000);
    let heard = std::thread::scope(|scope| {
        scope.spawn(|| (0..MESSAGES).for_each(|n| drop(ann.send("lobby", &format!("{n} {body}")).unwrap())));
        ann.messages().take(MESSAGES).map(|message| message.body).collect::<Vec<_>>()
    });
    assert!(heard == (0..MESSAGES).map(|n| format!("{n} {body}")).collect::<Vec<_>>());
    server.stop();
    let lost =
        ann.events().iter().find_map(|event| if let Event::Lost { cause, .. } = event { Some(cause) } else { None });
    assert!(matches!(lost, Some(DialError::Closed(1001, _))), "{lost:?}");
}

#[test]
fn whoever_is_not_trusted_is_not_talked_to() {
    let server = server();
    let (port, _) = tls_before(server.address);
    let refused = Client::connect(&format!("wss://localhost:{port}"), "ann").unwrap_err();
    assert!(refused.to_string().contains("TLS failed") && !refused.may_pass(), "{refused}");
    assert_eq!(server.handle.counts().unwrap().clients, 0);
    let plain = Dialer::new(&format!("wss://{}", server.address)).unwrap().connect().unwrap_err();
    assert!(matches!(plain, DialError::NotWebSocket(_)), "{plain}");
    assert!(Dialer::new("wss://localhost/").unwrap().trust(b"no certificate").is_err());
}
