exercise!(shout, "yours to make pass: examples/exercises/shout.rs");

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use tungstenite::{Message, WebSocket};

fn client(address: SocketAddr, who: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{who} cannot connect: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    match tungstenite::client(format!("ws://{address}/"), stream) {
        Ok((socket, _)) => socket,
        Err(error) => panic!("{who} gets no handshake: {error}\nDoes each client have a thread of its own?"),
    }
}

fn say(socket: &mut WebSocket<TcpStream>, text: &str) -> String {
    socket.send(Message::text(text)).unwrap();
    loop {
        match socket.read() {
            Ok(Message::Text(answer)) => return answer.as_str().to_owned(),
            Ok(_) => {}
            Err(error) => panic!("no answer to {text:?}: {error}"),
        }
    }
}

fn check(shout: impl Fn(TcpListener) + Send + 'static) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || shout(listener));
    let _silent = TcpStream::connect(address).unwrap();
    let mut ann = client(address, "ann, who comes after one who says nothing,");
    assert_eq!(say(&mut ann, "hello"), "HELLO");
    assert_eq!(say(&mut ann, "grüße"), "GRÜSSE");
    assert_eq!(say(&mut ann, ""), "", "an empty message is a message, too");
    let mut bob = client(address, "bob, who comes while ann is there,");
    assert_eq!(say(&mut bob, "here, too"), "HERE, TOO");
    ann.send(Message::binary(vec![0xff])).unwrap();
    assert_eq!(say(&mut ann, "after bytes"), "AFTER BYTES", "what is no text is passed over");
    ann.close(None).unwrap();
    while ann.read().is_ok() {}
    assert_eq!(say(&mut bob, "still here"), "STILL HERE");
}
