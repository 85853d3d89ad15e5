use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

exercise!(is_tls, "yours to make pass: examples/exercises/is_tls.rs");

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (client, server)
}

fn check(is_tls: fn(&TcpStream) -> Result<bool>) {
    for (sent, tls) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00"[..], true),
        (b"GET / HTTP/1.1\r\n", false),
        (b"\x15\x03\x03\x00\x02", false), // TLS, but no way to begin
    ] {
        let (mut client, mut server) = pair();
        client.write_all(sent).unwrap();
        assert_eq!(is_tls(&server).unwrap(), tls, "is {sent:02x?} the beginning of TLS?");
        let mut read = vec![0; sent.len()];
        server.read_exact(&mut read).expect("who reads after you must find every byte");
        assert_eq!(read, sent, "who reads after you must find every byte");
    }

    // One byte, and not before the server waits for it.
    let (mut client, server) = pair();
    let asked = std::thread::spawn(move || is_tls(&server));
    client.write_all(&[22]).unwrap();
    assert!(asked.join().unwrap().unwrap(), "one byte is enough, and it may come late");

    let (client, server) = pair();
    drop(client);
    let error = is_tls(&server).expect_err("the stream ended before its first byte");
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "the stream ended before its first byte");

    let (_client, server) = pair();
    server.set_nonblocking(true).unwrap();
    let error = is_tls(&server).expect_err("here is nothing to look at, and this socket does not wait");
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "an error on the line stays itself");
}
