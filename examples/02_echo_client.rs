//! The other end: asks for a message, sends it to `01_echo_server`, and prints what comes back. Ctrl-D ends it.

use std::io::{BufRead, Write};
use tungstenite::{Message, connect};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Opens a TCP connection and does the handshake. "ws" is to WebSocket what "http" is to a page.
    let address = std::env::args().nth(1).unwrap_or("ws://localhost:8765".into());
    let (mut socket, _response) = connect(address)?;

    let mut lines = std::io::stdin().lock().lines();
    loop {
        print!("Type a message to send to the server: ");
        std::io::stdout().flush()?;
        let Some(line) = lines.next().transpose()? else { break };

        // One send() is one message: it arrives whole, however TCP cuts it into packets on the way.
        socket.send(Message::text(line))?;
        // The server could also speak first, or say nothing; here we know that one answer comes for each message.
        if let Message::Text(answer) = socket.read()? {
            println!("Received response: {answer}");
        }
    }

    // Closing is a handshake too: say that we are done, and read until the other side has said so as well.
    socket.close(None)?;
    while socket.read().is_ok() {}
    Ok(())
}
