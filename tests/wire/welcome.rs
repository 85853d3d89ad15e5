//! The welcome is the first frame, whatever happens while somebody comes in.

use crate::common::*;
use parlor::{Server, Synchronous};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[test]
fn nothing_comes_before_the_welcome() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal).max_rooms(1_000_000));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Everyone is told of each room that is made.
        scope.spawn(|| {
            let mut made = 0;
            while !done.load(SeqCst) {
                made += 1;
                server.handle.create_room(&format!("room-{made}"), "").unwrap();
            }
        });
        let come =
            |n: i32| (0..100).all(|_| Client::json(server.address, &format!("ann{n}&key=k")).welcome.is_object());
        let coming: Vec<_> = (0..2).map(|n| scope.spawn(move || come(n))).collect();
        let came: Vec<_> = coming.into_iter().map(|coming| coming.join()).collect();
        done.store(true, SeqCst);
        assert!(came.into_iter().all(|came| came.is_ok_and(|welcomed| welcomed)));
    });
}
