//! A bare broadcast with tokio-tungstenite, done well: one payload shared by all, and what waits for a client is written
//! before it is flushed.

use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;

type Clients = Arc<Mutex<HashMap<u64, UnboundedSender<Message>>>>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    // As many may knock at the same time as at the other servers.
    let listener = socket.listen(4096)?;
    println!("Listening on ws://{}", listener.local_addr()?);
    let clients = Clients::default();
    for id in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(id, stream, clients.clone()));
    }
    Ok(())
}

async fn serve(id: u64, stream: TcpStream, clients: Clients) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (mut out, mut incoming) = socket.split();
    let (tell, mut told) = unbounded_channel();
    clients.lock().unwrap().insert(id, tell);
    let writer = tokio::spawn(async move {
        while let Some(message) = told.recv().await {
            if out.feed(message).await.is_err() {
                return;
            }
            while let Ok(more) = told.try_recv() {
                if out.feed(more).await.is_err() {
                    return;
                }
            }
            if out.flush().await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = incoming.next().await {
        if message.is_text() {
            for client in clients.lock().unwrap().values() {
                let _ = client.send(message.clone());
            }
        }
    }
    clients.lock().unwrap().remove(&id);
    writer.abort();
}
