//! Crowds of connections.

use super::*;
use crate::common::tls::*;
use std::sync::atomic::AtomicBool;

/// What one that is half open may hold, in KiB: a thread, with its first buffers.
const HALF_OPEN: usize = 40;

#[test]
fn four_thousand_half_open_and_byte_a_second_senders_keep_nobody_out() {
    const CROWD: usize = 4000;
    let siege = Siege::of("4,000 half open", &["--handshake-time", "600"]);
    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| siege.raw()).collect();
    eventually("all are counted", || siege.figure("parlor_open_connections") >= CROWD);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Every second one sends a byte a second, the others nothing at all.
        scope.spawn(|| {
            let request = "GET /ws?name=slow HTTP/1.1\r\nX-Slow: ".bytes().chain(std::iter::repeat(b'x'));
            for byte in request {
                let until = Instant::now() + Duration::from_secs(1);
                for mut socket in crowd.iter().step_by(2) {
                    let _ = socket.write(&[byte]);
                }
                while Instant::now() < until {
                    if stop.load(SeqCst) {
                        return;
                    }
                    std::thread::park_timeout(Duration::from_millis(10));
                }
            }
        });
        siege.lets_newcomers_in();
        stop.store(true, SeqCst);
    });
    siege.held(CROWD * HALF_OPEN / 1024);
    drop(crowd);
    eventually("they are gone", || siege.figure("parlor_open_connections") < 10);
}

#[test]
fn a_flood_from_one_address_takes_its_share_and_no_more() {
    const SHARE: usize = 256;
    let siege = Siege::of("a flood from one address", &["--handshake-time", "600"]);
    let stop = AtomicBool::new(false);
    let came = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut held = Vec::new();
            while !stop.load(SeqCst) {
                held.push(raw_from("127.0.0.2", siege.address));
                came.store(held.len(), SeqCst);
                // Whoever was turned away makes room for another.
                if held.len() >= 4 * SHARE {
                    held.drain(SHARE..);
                    came.fetch_add(held.len(), SeqCst);
                }
            }
        });
        eventually("it has begun", || came.load(SeqCst) > 2 * SHARE);
        siege.lets_newcomers_in();
        let open = siege.figure("parlor_open_connections");
        // Newcomers who have just gone may still be counted.
        assert!((SHARE..=SHARE + 50).contains(&open), "{open}");
        stop.store(true, SeqCst);
    });
    let refused = siege.figure("parlor_refused_total{reason=\"crowded\"}");
    println!("{}: {refused} were turned away", siege.name);
    assert!(refused > SHARE);
    siege.held(SHARE * HALF_OPEN / 1024 + 8);
}

#[test]
fn a_thousand_half_handshakes_of_tls_keep_nobody_out() {
    const CROWD: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    let made = made();
    let [chain, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&chain, &made.pem).unwrap();
    std::fs::write(&key, &made.key).unwrap();
    let [chain, key] = [&chain, &key].map(|path| path.to_str().unwrap());
    let siege =
        Siege::of("1,000 half handshakes of TLS", &["--handshake-time", "600", "--tls-cert", chain, "--tls-key", key]);
    let crowd: Vec<TcpStream> = (0..CROWD)
        .map(|n| {
            let mut socket = siege.raw();
            // The beginning of a record that never ends.
            let begun: &[u8] = if n % 2 == 0 { b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" } else { b"\x16" };
            socket.write_all(begun).unwrap();
            socket
        })
        .collect();
    let mut took: Vec<Duration> = (0..20)
        .map(|n| {
            let start = Instant::now();
            let dialer = dialer(siege.address, &made.pem, &format!("/ws?name=new{n}")).subprotocol("parlor.v1");
            let _in = dialer.connect().unwrap();
            start.elapsed()
        })
        .collect();
    // Half of that is the handshake itself, where nothing is optimized.
    siege.within("newcomers are in", &mut took, 3 * LET_IN);
    siege.held(CROWD * (HALF_OPEN + 24) / 1024);
    drop(crowd);
}
