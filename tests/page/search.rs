//! Search and the palette: to a message from long ago and back to the end, and to rooms and people by keyboard alone.

use crate::browser::{Chromium, Window};
use crate::common::*;
use crate::{create, heard, post};
use serde_json::json;

const SEQS: &str = "$$('.message').map(node => Number(node.dataset.seq))";

/// A room in which so many messages were said, one of which is different.
fn fill(server: &TestServer, count: usize, different: usize, body: &str) {
    let mut writer = server.in_lobby("writer");
    for n in 1..=count {
        let body = if n == different { body.to_owned() } else { format!("message {n}") };
        writer.post("lobby", &format!("fill {n}"), &body);
        // As many as an outbox holds are under way.
        if n % 500 == 0 || n == count {
            while heard(&mut writer, "message")["seq"] != n {}
        }
    }
}

fn find(window: &Window, query: &str) {
    window.ask("$('#search-input').select()");
    window.type_text(query);
    window.press("Enter");
}

/// What the log shows is a part of the line without a hole.
#[track_caller]
fn has_no_hole(window: &Window) {
    let whole = "every((seq, at, all) => at === 0 || seq === all[at - 1] + 1)";
    assert_eq!(window.ask(&format!("{SEQS}.{whole}")), true, "{}", window.ask(SEQS));
}

/// The message with that number is found, and stands in the middle of the log.
#[track_caller]
fn arrives_at(window: &Window, seq: usize) {
    window.wait_for(&format!(
        "$('.message.found')?.dataset.seq === '{seq}' && document.activeElement === $('.message.found') &&
         ((log, box) => box.top > log.top && box.bottom < log.bottom)
            ($('#log').getBoundingClientRect(), $('.message.found').getBoundingClientRect())"
    ));
}

#[test]
fn a_message_from_long_ago_is_found_shown_in_its_place_and_left_again() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    fill(&server, 3000, 1234, "the Needle, in a haystack");
    let ann = chromium.person(server.address, "ann");
    ann.sees("message 3000");
    ann.ask("document.activeElement.blur()");
    ann.press_bare("/", 191);
    ann.wait_for("document.activeElement.id === 'search-input' && $('#search-toggle').ariaExpanded === 'true'");
    find(&ann, "needle haystack");
    ann.wait_for("$$('.hit').length === 1 && /1 message/.test($('#search-status').textContent)");
    assert_eq!(ann.ask("$$('.hit mark').map(node => node.textContent)"), json!(["Needle", "haystack"]));
    assert_eq!(ann.ask("$('.hit .author').textContent + ' ' + $('.hit-room').textContent"), "writer in Lobby");

    // By the keyboard, into the middle of the line: not through all that is between.
    ann.press("ArrowDown");
    ann.press("Enter");
    arrives_at(&ann, 1234);
    assert_eq!(ann.ask("location.hash"), "#lobby/1234");
    has_no_hole(&ann);
    assert!(ann.ask("$$('.message').length").as_i64().unwrap() <= 200, "it was jumped to");
    ann.wait_for("shown('#jump') && $('#jump').textContent === 'Back to the newest'");

    // What is said meanwhile is counted, and leaves no hole here.
    let mut bob = server.in_lobby("bob");
    post(&mut bob, "lobby", "live 1");
    ann.wait_for("$('#jump').dataset.count === '1'");
    has_no_hole(&ann);
    assert_eq!(ann.ask("!!message('live 1')"), false);
    // What is changed shows where it is.
    let mut writer = server.eventually_json("writer");
    writer.send(json!({"type": "join", "room": "lobby", "last": 0}));
    writer.send(json!({"type": "edit", "room": "lobby", "seq": 1235, "body": "edited from afar"}));
    ann.sees("edited from afar");

    // One scrolls on from there in both directions.
    for (place, wanted) in [("0", "seqs[0] < 1150"), ("$('#log').scrollHeight", "seqs.at(-1) > 1320")] {
        ann.ask(&format!("void ($('#log').scrollTop = {place})"));
        ann.wait_for(&format!("(seqs => {wanted})({SEQS})"));
        has_no_hole(&ann);
    }

    ann.click("#jump");
    ann.sees("live 1");
    ann.wait_for("$('#jump').hidden && $('#log').scrollHeight - $('#log').scrollTop - $('#log').clientHeight < 2");
    ann.wait_for("$('a[data-room=lobby]').dataset.unread === '0'");
    assert_eq!(ann.ask("!!$('.message[data-seq=\"1234\"]')"), false, "the end alone");

    // Once more to the same message, and what one says oneself leads back to the end.
    ann.click(".hit");
    arrives_at(&ann, 1234);
    ann.say("here I am");
    ann.sees("here I am");
    ann.sees("live 1");
    ann.wait_for("$('#jump').hidden");
}

#[test]
fn scrolling_down_from_a_jump_meets_the_end() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    fill(&server, 300, 100, "the needle");
    let ann = chromium.person(server.address, "ann");
    ann.sees("message 300");
    ann.go("/#lobby/100");
    arrives_at(&ann, 100);
    let mut bob = server.in_lobby("bob");
    post(&mut bob, "lobby", "live 1");
    ann.wait_for("$('#jump').dataset.count === '1'");
    // As one that goes on scrolling, until it is all one again.
    ann.wait_for("($('#log').scrollTop = $('#log').scrollHeight, !!message('live 1'))");
    ann.wait_for("($('#log').scrollTop = $('#log').scrollHeight, $('#jump').hidden)");
    has_no_hole(&ann);
    assert!(ann.ask(&format!("{SEQS}[0]")).as_i64().unwrap() <= 100);
    ann.wait_for("$('a[data-room=lobby]').dataset.unread === '0'");
    post(&mut bob, "lobby", "live 2");
    ann.sees("live 2");
    has_no_hole(&ann);
    // There is no such message: it says so, and stays.
    ann.go("/#lobby/999");
    ann.wait_for("/not in this room/.test($('#banner').textContent)");
}

#[test]
fn a_private_room_is_found_by_its_members_alone_and_a_bad_query_says_where() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    bob.send(json!({"type": "create", "room": "den", "title": "The den", "kind": "private"}));
    heard(&mut bob, "joined");
    post(&mut bob, "den", "a treasure behind the mirror");
    post(&mut bob, "lobby", "no treasure here");
    let ann = chromium.person(server.address, "ann");
    ann.click("#search-toggle");
    ann.wait_for("document.activeElement.id === 'search-input'");
    find(&ann, "treasure");
    ann.wait_for("$$('.hit').length === 1");
    assert_eq!(ann.ask("$('.hit-text').textContent"), "no treasure here");
    find(&ann, "mirror");
    ann.wait_for("$$('.hit').length === 0 && /Nothing/.test($('#search-status').textContent)");
    // It is no other answer than for a room that is not there.
    find(&ann, "mirror in:den");
    ann.wait_for("/no room \"den\"/.test($('#search-error').textContent)");
    find(&ann, "treasure before:soon");
    ann.wait_for(
        "/^At character 17: .*2026-11-23/.test($('#search-error').textContent) && $('#search-input').ariaInvalid === 'true'",
    );
    find(&ann, "mirror");
    ann.wait_for("$('#search-error').textContent === ''");

    // A name is completed where one is begun.
    ann.ask("$('#search-input').select()");
    ann.type_text("treasure from:b");
    ann.wait_for("$('#search-completion [aria-selected=true]')?.textContent.includes('bob')");
    ann.press("Enter");
    ann.wait_for("$('#search-input').value === 'treasure from:bob ' && $('#search-completion').hidden");
    ann.type_text("in:lob");
    ann.wait_for("shown('#search-completion')");
    ann.press("Escape");
    ann.wait_for("!shown('#search-completion') && shown('#search')");
    ann.type_text("by");
    ann.press("Enter");
    ann.wait_for("$$('.hit').length === 1");

    // Once she is in, it is found, and leads there.
    bob.send(json!({"type": "invite", "room": "den", "name": "ann"}));
    ann.wait_for("$('a.room[data-room=den]')");
    find(&ann, "mirror");
    ann.wait_for("$$('.hit').length === 1");
    ann.click(".hit");
    ann.wait_for("$('#room-title').textContent === 'The den'");
    arrives_at(&ann, 1);
    ann.click("#search-here");
    ann.wait_for("$('#search-input').value === 'mirror in:den' && $('#search-here').ariaPressed === 'true'");
    ann.wait_for("$$('.hit').length === 1");
    ann.press("Escape");
    ann.wait_for("!shown('#search')");
}

#[test]
fn on_the_smallest_phone_search_covers_the_chat_and_a_hit_uncovers_it() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    fill(&server, 200, 20, &format!("needle {}", "Wolfeschlegelsteinhausenbergerdorff".repeat(5)));
    let ann = chromium.window(server.address);
    ann.resize(320, 640, true);
    ann.enter("ann");
    ann.sees("message 200");
    let fits = "document.documentElement.scrollWidth <= 320 && $$('#search, #search *, #palette, #palette *, .chat-head *').every(node =>
        !node.checkVisibility() || (box => box.left >= 0 && box.right <= 320)(node.getBoundingClientRect()))";
    ann.wait_for(fits);
    ann.click("#search-toggle");
    ann.wait_for("document.activeElement.id === 'search-input' && $('#chat').inert");
    ann.wait_for(fits);
    find(&ann, "needle");
    ann.wait_for("$$('.hit').length === 1");
    ann.wait_for(fits);
    ann.click(".hit");
    arrives_at(&ann, 20);
    ann.wait_for("!shown('#search') && !$('#chat').inert");
    ann.wait_for(fits);
    ann.press_control("k", 75);
    ann.type_text("needle");
    ann.wait_for("$$('[role=option][data-group=messages]').length === 2");
    ann.wait_for(fits);
}

#[test]
fn the_palette_leads_anywhere_by_keyboard_alone() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    create(&mut bob, "garden", "The garden");
    post(&mut bob, "garden", "tulips in spring");
    let ann = chromium.person(server.address, "ann");
    ann.wait_for("$('.person[data-name=bob]')");
    let chosen = "$('#palette-list [aria-selected=true]')";
    let open = || {
        ann.press_control("k", 75);
        ann.wait_for("$('#palette').open && document.activeElement.id === 'palette-input'");
    };
    open();
    assert_eq!(ann.ask("$('#palette-input').role"), "combobox");
    ann.type_text("gard");
    ann.wait_for(&format!(
        "{chosen}?.dataset.key === 'room garden' &&
         $('#palette-input').getAttribute('aria-activedescendant') === {chosen}.id"
    ));
    ann.press("Enter");
    ann.wait_for("!$('#palette').open && $('#room-title').textContent === 'The garden'");
    ann.sees("tulips in spring");

    open();
    ann.type_text("bob");
    ann.wait_for(&format!("{chosen}?.dataset.key === 'person bob'"));
    ann.press("Enter");
    ann.wait_for("$('#room-title').textContent === 'bob' && $('#rooms-direct a[aria-current]')");

    // A message, and with one more step the search for all.
    open();
    ann.type_text("spring");
    ann.wait_for("$('[role=option][data-key=\"message garden 1\"] mark')?.textContent === 'spring'");
    ann.press("ArrowDown");
    ann.wait_for(&format!("{chosen}.dataset.key === 'message garden 1' || {chosen}.dataset.key === 'search'"));
    ann.press("ArrowUp");
    ann.wait_for(&format!("{chosen}.dataset.key === 'message garden 1'"));
    ann.press("Enter");
    ann.wait_for("$('#room-title').textContent === 'The garden'");
    arrives_at(&ann, 1);

    open();
    ann.type_text("tulips");
    ann.wait_for("$$('[role=option]').length === 2");
    ann.press("ArrowUp");
    ann.wait_for(&format!("{chosen}.dataset.key === 'search'"));
    ann.press("Enter");
    ann.wait_for("shown('#search') && $('#search-input').value === 'tulips' && $$('.hit').length === 1");

    open();
    ann.press("Escape");
    ann.wait_for("!$('#palette').open");
}
