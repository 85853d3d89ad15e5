//! Packed messages in the wire panel: what that saved.

use crate::browser::Chromium;
use crate::common::*;
use crate::post;
use parlor::Server;

#[test]
fn the_wire_panel_shows_what_packing_saved() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    let ann = chromium.person(server.address, "ann");
    ann.click("#wire-toggle");
    ann.wait_for("shown('#wire') && $('#wire-list .frame')");
    post(&mut bob, "lobby", "short");
    ann.sees("short");
    assert_eq!(ann.ask("shown('#wire-saved')"), false);
    post(&mut bob, "lobby", &"all work and no play ".repeat(100));
    ann.wait_for(
        "/^Packing saved [12],\\d{3} bytes in 1 frame /.test($('#wire-saved').textContent) && shown('#wire-saved')",
    );
    // The server's own count is the same: nobody else here can unpack.
    let metrics = server.handle.metrics();
    let saved = metrics.lines().find_map(|line| line.strip_prefix("parlor_packed_saved_bytes_total ")).unwrap();
    ann.wait_for(&format!("$('#wire-saved').textContent.replace(',', '').includes(' {saved} bytes')"));
    // Opened later, it knows what was before.
    ann.click("#wire-close");
    post(&mut bob, "lobby", &"once more ".repeat(200));
    ann.click("#wire-toggle");
    ann.wait_for("/ in 2 frames /.test($('#wire-saved').textContent)");
}

#[test]
fn where_nothing_is_packed_it_says_nothing() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server_with(Server::builder().compression(false));
    let mut bob = server.in_lobby("bob");
    let ann = chromium.person(server.address, "ann");
    ann.click("#wire-toggle");
    ann.wait_for("shown('#wire') && $('#wire-list .frame')");
    post(&mut bob, "lobby", &"all work and no play ".repeat(100));
    ann.wait_for("$$('.frame[data-type=message]').length === 1");
    assert_eq!(ann.ask("(await new Promise(done => setTimeout(done, 600)), shown('#wire-saved'))"), false);
    assert_eq!(ann.sent().iter().filter(|text| text.contains("\"ping\"")).count(), 0);
}
