//! The wire panel: the frames of this very connection, as the browser itself saw them pass.

use crate::browser::Chromium;
use crate::cable::Cable;
use crate::common::*;
use crate::post;
use serde_json::{Value, json};

const ROWS: &str = "$$('#wire-list .frame').length";

/// The last frame of that kind, once the browser has told of so many: it does so a moment after the page has them.
fn last(count: usize, kind: &str, frames: impl Fn() -> Vec<String>) -> String {
    let of_kind = |text: &String| serde_json::from_str::<Value>(text).is_ok_and(|frame| frame["type"] == kind);
    let mut found = Vec::new();
    eventually(&format!("{count} frames {kind}"), || {
        found = frames().into_iter().filter(of_kind).collect();
        found.len() == count
    });
    found.remove(count - 1)
}

#[test]
fn a_post_and_its_receipt_show_with_sizes_that_add_up() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.click("#wire-toggle");
    ann.wait_for(
        "shown('#wire') && shown('#wire-intro') && $('#wire-toggle').getAttribute('aria-expanded') === 'true'",
    );
    // How it began comes first, though the panel was not open then.
    ann.wait_for("$('#wire-list .frame').dataset.type === 'handshake'");
    ann.say("grüße über die leitung");
    ann.sees("grüße über die leitung");
    let long = "länger ".repeat(60);
    ann.say(&long);
    ann.sees(long.trim_end());

    let (post, message) = (last(2, "post", || ann.sent()), last(2, "message", || ann.received()));
    for (direction, kind, frame, mask) in [("sent", "post", post, 4), ("received", "message", message, 0)] {
        let rows = format!(
            "$$('.frame[data-type={kind}][data-direction={direction}][data-group=messages][data-opcode=\"0x1\"]')"
        );
        ann.wait_for(&format!("{rows}.length === 2"));
        let payload = frame.len();
        let header = if payload < 126 { 2 } else { 4 };
        assert!(payload >= 126, "the long one has the longer header");
        let row = format!("{rows}.at(-1)");
        assert_eq!(ann.ask(&format!("Number({row}.dataset.size)")), header + mask + payload, "{kind}");
        ann.ask(&format!("{row}.id = 'row-{kind}'"));
        ann.click(&format!("#row-{kind} .frame-head"));
        ann.wait_for(&format!("shown('#row-{kind} .strip') && shown('#row-{kind} .json')"));
        let breakdown = ann.ask(&format!("$('#row-{kind} .breakdown').textContent.match(/\\d+/g).map(Number)"));
        let mut parts = vec![header + mask + payload, header, mask, payload];
        parts.retain(|part| *part > 0);
        assert_eq!(breakdown, json!(parts), "{kind}");
        let shown: Value =
            serde_json::from_str(ann.ask(&format!("$('#row-{kind} .json').textContent")).as_str().unwrap()).unwrap();
        assert_eq!(shown, serde_json::from_str::<Value>(&frame).unwrap(), "the JSON is the frame's own");
    }
    assert_eq!(
        ann.ask("Number($('#row-message').dataset.trip) >= 0 && $('#row-post').dataset.trip === undefined"),
        true
    );
    // The first one, short: the sums hold for each row that has a size.
    let sums = "$$('.frame[data-size]').map(row => {
        if (!row.querySelector('.breakdown')) row.querySelector('.frame-head').click();
        const [total, ...parts] = row.querySelector('.breakdown').textContent.match(/\\d+/g).map(Number);
        return total === Number(row.dataset.size) && total === parts.reduce((a, b) => a + b);
    })";
    let sums = ann.ask(sums);
    let sums = sums.as_array().unwrap();
    assert!(sums.len() >= 4 && sums.iter().all(|right| *right == true), "{sums:?}");
}

#[test]
fn message_and_frames_light_each_other_up() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.click("#wire-toggle");
    ann.wait_for("$('#wire-list .frame')");
    ann.say("who caused this?");
    ann.say("somebody else");
    ann.sees("somebody else");
    ann.ask("message('who caused this?').id = 'mine'");
    ann.point_at("#mine .body");
    ann.wait_for_value("$$('.frame.lit').map(row => row.dataset.type)", ["post", "message"].as_slice());
    ann.ask("$$('.frame[data-type=post]').at(-1).id = 'post'");
    ann.point_at("#post .frame-head");
    ann.wait_for_value("$$('.message.lit .body').map(node => node.textContent)", ["somebody else"].as_slice());
    ann.point_at("#composer-input");
    ann.wait_for("!$('.lit')");
}

#[test]
fn closed_it_costs_nothing() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let loaded = "performance.getEntriesByType('resource').some(({ name }) => /wirepanel|wirerow|tap/.test(name))";
    ann.say("unwatched");
    ann.sees("unwatched");
    assert_eq!(ann.ask(loaded), false, "before it is first opened it is not even loaded");
    assert_eq!(ann.ask("$('#wire').childElementCount"), 0);
    ann.click("#wire-toggle");
    ann.wait_for("$('#wire-list .frame')");
    assert_eq!(ann.ask(loaded), true);
    ann.click("#wire-close");
    ann.wait_for("!shown('#wire') && $('#wire-list').childElementCount === 0");
    ann.ask("void (window.touched = 0, new MutationObserver(list => touched += list.length).observe($('#wire'), { subtree: true, childList: true, attributes: true, characterData: true }))");
    for n in 0..5 {
        ann.say(&format!("unwatched {n}"));
        ann.sees(&format!("unwatched {n}"));
    }
    assert_eq!(ann.ask("(await frame(), touched)"), 0);
    assert_eq!(ann.ask(ROWS), 0);
    // Nothing was gathered meanwhile.
    ann.click("#wire-toggle");
    ann.wait_for("$('#wire-list .frame').dataset.type === 'handshake'");
    assert_eq!(ann.ask("$$('.frame[data-group=messages]').length"), 0);
}

#[test]
fn it_filters_pauses_and_clears() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let mut bob = server.in_lobby("bob");
    ann.click("#wire-toggle");
    ann.wait_for("$('#wire-list .frame')");
    post(&mut bob, "lobby", "one");
    ann.wait_for("$('.frame[data-type=message]') && $('.frame[data-type=presence]')");
    ann.click(".filters label:has([value=messages])");
    ann.wait_for("shown('.frame[data-type=message]') && !shown('.frame[data-type=presence]') && shown('.frame[data-type=handshake]')");
    bob.send(json!({"type": "typing", "room": "lobby"}));
    ann.wait_for("$('.frame[data-type=typing]') && !shown('.frame[data-type=typing]')");
    ann.click(".filters label:has([value=all])");
    ann.wait_for("shown('.frame[data-type=presence]') && shown('.frame[data-type=typing]')");

    ann.click("#wire-pause");
    let rows = ann.ask(ROWS);
    post(&mut bob, "lobby", "two");
    ann.sees("two");
    ann.wait_for("shown('.wire-held') && /[1-9]/.test($('.wire-held').textContent)");
    assert_eq!(ann.ask(ROWS), rows);
    ann.click("#wire-pause");
    ann.wait_for("$$('.frame[data-type=message]').length === 2 && !shown('.wire-held')");
    ann.click("#wire-clear");
    ann.wait_for("$$('.frame[data-type=message], .frame[data-type=handshake]').length === 0");
    post(&mut bob, "lobby", "three");
    ann.wait_for("$$('.frame[data-type=message]').length === 1");
}

#[test]
fn it_shows_how_a_line_breaks_and_comes_back() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    ann.forgive_the_line();
    ann.say("before");
    ann.sees("before");
    ann.click("#wire-toggle");
    ann.wait_for("$('#wire-list .frame')");
    cable.cut();
    ann.wait_for("$$('.frame').at(-1).dataset.type === 'close'");
    assert_eq!(ann.ask("$$('.frame').at(-1).dataset.direction"), "none", "no close frame came, so none is shown");
    cable.mend();
    ann.is_in();
    ann.wait_for("$$('.frame').some(row => row.dataset.type === 'joined' && row.dataset.trip)");
    let types = "$$('.frame').filter(row => !['presence', 'read', 'ping', 'pong'].includes(row.dataset.type)).map(row => row.dataset.type)";
    ann.wait_for_value(types, ["handshake", "close", "handshake", "welcome", "join", "joined"].as_slice());
    assert_eq!(serde_json::from_str::<Value>(&last(2, "join", || ann.sent())).unwrap()["since"], 1);
    // Open before a reload, open after it, and the connection from its first byte.
    ann.reload();
    ann.is_in();
    ann.wait_for("shown('#wire')");
    ann.wait_for(&format!("(types => types[0] === 'handshake' && types[1] === 'welcome')({types})"));
}
