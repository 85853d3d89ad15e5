//! The handshake by hand: what connect() does, over a bare TCP connection, each step printed (RFC 6455, section 4).
//!
//! Start `01_echo_server`, then: `cargo run --example 04_handshake`. Another server may stand behind it:
//! `cargo run --example 04_handshake -- localhost:8080/ws`.

use data_encoding::{BASE64, HEXLOWER};
use sha1::{Digest, Sha1};
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The same for everyone and for ever. It proves that the server knows WebSocket, as no other protocol has it.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

fn main() {
    if let Err(error) = shake_hands() {
        eprintln!("It ends here: {error}");
        std::process::exit(1);
    }
}

fn shake_hands() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or("localhost:8765".into());
    let address = address.trim_start_matches("ws://");
    let (host, path) = address.split_once('/').unwrap_or((address, ""));

    println!("1. A TCP connection to {host}: bytes go both ways, and mean nothing yet.\n");
    let refused = |error| Error::other(format!("nobody answers at {host}: {error}. Is 01_echo_server running?"));
    let mut stream = TcpStream::connect(host).map_err(refused)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);

    println!("2. A key: 16 random bytes, new for each connection, so that no old answer fits.");
    let bytes = random::<16>()?;
    let key = BASE64.encode(&bytes);
    println!("   bytes      {}\n   in base64  {key}\n", HEXLOWER.encode(&bytes));

    println!("3. An HTTP request that asks to go on in another protocol:");
    let request = [
        &format!("GET /{path} HTTP/1.1"),
        &format!("Host: {host}"),
        "Upgrade: websocket",
        "Connection: Upgrade",
        &format!("Sec-WebSocket-Key: {key}"),
        "Sec-WebSocket-Version: 13",
    ];
    stream.write_all((request.join("\r\n") + "\r\n\r\n").as_bytes())?;
    println!("   → {}\n", request.join("\n   → "));

    println!("4. The answer, up to an empty line:");
    let head = read_head(&mut reader)?;
    println!("   ← {}\n", head.replace("\r\n", "\n   ← "));
    if !head.starts_with("HTTP/1.1 101 ") {
        return Err(Error::other("the server does not switch protocols: no 101"));
    }

    println!("5. What must stand in Sec-WebSocket-Accept? Our key, the GUID of the RFC behind it,");
    let text = format!("{key}{GUID}");
    println!("   as text    {text}");
    let hash = Sha1::digest(&text);
    println!("   its SHA-1  {}", HEXLOWER.encode(&hash));
    let accept = BASE64.encode(&hash);
    println!("   in base64  {accept}");
    // The names of headers may be in capitals or not; their values here may not.
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    match headers.find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Accept")) {
        Some((_, answered)) if answered.trim() == accept => {
            println!("   The server says the same: it speaks WebSocket.\n")
        }
        other => return Err(Error::other(format!("the server has not understood: {other:?}"))),
    }

    println!(
        "6. From here on there are frames. \"hello\", with a mask, as a client must (chapter 5 explains each bit):"
    );
    let mask = random::<4>()?;
    let masked: Vec<u8> = b"hello".iter().zip(mask.iter().cycle()).map(|(letter, byte)| letter ^ byte).collect();
    let frame = [&[0x81, 0x80 | 5], &mask[..], &masked].concat();
    stream.write_all(&frame)?;
    println!("   → {}", spaced(&frame));
    // TCP knows no messages: this is what has come so far. It could be half a frame, or three of them.
    let mut answer = [0; 1024];
    let length = reader.read(&mut answer).map_err(|error| Error::other(format!("no answer to hello: {error}")))?;
    println!("   ← {}", spaced(&answer[..length]));
    println!("   as text: {:?}\n", String::from_utf8_lossy(&answer[..length]));

    println!("7. A close frame, and the same back: now both know that nothing is missing.");
    let close = [&[0x88, 0x80], &random::<4>()?[..]].concat();
    stream.write_all(&close)?;
    println!("   → {}", spaced(&close));
    let length = reader.read(&mut answer)?;
    println!("   ← {}", spaced(&answer[..length]));
    Ok(())
}

/// Everything up to the empty line. What the server sends behind it stays in the reader, for the next read.
fn read_head(reader: &mut BufReader<TcpStream>) -> Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 || head.len() > 16 * 1024 {
            return Err(Error::other("this is no HTTP: the head of the answer does not end"));
        }
    }
    Ok(head.trim_end().to_owned())
}

/// Nobody may guess them: not the key, and not the mask of any frame.
fn random<const COUNT: usize>() -> Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(Error::other)?;
    Ok(bytes)
}

fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
