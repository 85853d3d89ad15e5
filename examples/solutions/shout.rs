use std::net::TcpListener;
use std::thread::spawn;
use tungstenite::{Message, accept};

pub fn shout(listener: TcpListener) {
    for stream in listener.incoming().flatten() {
        spawn(move || {
            let Ok(mut socket) = accept(stream) else { return };
            while let Ok(message) = socket.read() {
                if let Message::Text(text) = message
                    && socket.send(Message::text(text.to_uppercase())).is_err()
                {
                    return;
                }
            }
        });
    }
}
