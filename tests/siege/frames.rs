//! Frames without end, and frames that are more than they seem.

use super::*;
use flate2::{Compress, Compression, FlushCompress};
use std::net::Shutdown;
use std::sync::atomic::AtomicBool;

#[test]
fn a_flood_of_frames_slows_nobody_but_its_sender() {
    let siege = Siege::of("a flood of frames", &[]);
    let mut ann = siege.in_lobby("ann");
    let floods: Vec<Client> = (0..2).map(|n| siege.in_lobby(&format!("flood{n}"))).collect();
    std::thread::scope(|scope| {
        for client in &floods {
            let (mut up, mut down) =
                (client.socket.get_ref().try_clone().unwrap(), client.socket.get_ref().try_clone().unwrap());
            scope.spawn(move || {
                let junk = [
                    &b"{}"[..],
                    br#"{"type":"ping","t":1}"#,
                    br#"{"type":"post","room":"lobby"}"#,
                    b"\xf0\x9f\x8e\x89",
                ];
                let frames = junk.iter().flat_map(|text| frame(0x81, text)).collect::<Vec<u8>>().repeat(100);
                while up.write_all(&frames).is_ok() {}
            });
            // It reads what it is answered, or it would soon be sent away.
            scope.spawn(move || std::io::copy(&mut down, &mut std::io::sink()));
        }
        siege.hears(&mut ann);
        siege.lets_newcomers_in();
        floods.iter().for_each(|client| drop(client.socket.get_ref().shutdown(Shutdown::Both)));
    });
    println!("{}: {} frames were read", siege.name, siege.figure("parlor_messages_in_total"));
    siege.held(24);
}

#[test]
fn fragments_without_end_are_kept_up_to_the_message_limit() {
    const CROWD: usize = 400;
    const LIMIT: usize = 64;
    let siege = Siege::of("400 messages that never end", &[]);
    let mut first = frame(0x01, &[b'x'; 1000]);
    first.extend(frame(0x00, &[b'x'; 1000]).repeat(LIMIT - 2));
    let mut crowd: Vec<TcpStream> = (0..CROWD).map(|_| siege.echo("")).collect();
    for socket in &mut crowd {
        socket.write_all(&first).unwrap();
        // Each has been read when the pong is there.
        socket.write_all(&frame(0x89, b"")).unwrap();
    }
    for socket in &mut crowd {
        let mut pong = [0; 2];
        socket.read_exact(&mut pong).unwrap();
    }
    siege.lets_newcomers_in();
    // A buffer that grows is up to twice as large.
    siege.held(CROWD * (2 * LIMIT + 40) / 1024);
    let socket = &mut crowd[0];
    let _ = socket.write_all(&frame(0x00, &[b'x'; 1000]).repeat(4));
    let mut close = [0; 4];
    socket.read_exact(&mut close).unwrap();
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1009));
}

#[test]
fn pings_without_end_from_who_reads_nothing_fill_an_outbox_and_no_more() {
    const CROWD: usize = 12;
    const OUTBOX: usize = 64;
    let siege = Siege::of("pings without end", &["--outbox-limit", "65536"]);
    let many = frame(0x89, &[b'x'; 125]).repeat(500);
    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| siege.echo("")).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for mut socket in &crowd {
            socket.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            let (many, stop) = (&many, &stop);
            scope.spawn(move || {
                while !stop.load(SeqCst) {
                    let _ = socket.write(many);
                }
            });
        }
        // What the kernel holds is full, then the outbox.
        eventually("all are sent away", || siege.figure("parlor_evictions_total") == CROWD);
        stop.store(true, SeqCst);
    });
    siege.lets_newcomers_in();
    drop(crowd);
    siege.held(CROWD * (2 * OUTBOX + 60) / 1024 + 8);
}

#[test]
fn bombs_are_cut_at_the_message_limit() {
    const CROWD: usize = 100;
    let siege = Siege::of("100 bombs of 16 MiB", &[]);
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut packed = Vec::with_capacity(60_000);
    let zeros = vec![0; 16 * 1024 * 1024];
    Compress::new(Compression::best(), false).compress_vec(&zeros, &mut packed, FlushCompress::Sync).unwrap();
    assert!(packed.len() < 65_000);
    let bomb = frame(0xc2, &packed);
    let mut crowd: Vec<TcpStream> = (0..CROWD).map(|_| siege.echo(offer)).collect();
    for socket in &mut crowd {
        // It may be refused before all of it was read.
        let _ = socket.write_all(&bomb);
    }
    siege.lets_newcomers_in();
    for socket in &mut crowd {
        let mut close = [0; 4];
        socket.read_exact(&mut close).unwrap();
        assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1009));
    }
    siege.held(CROWD * (3 * 64 + 40) / 1024);
}
