//! Whatever one sits at: a keyboard without a mouse, a phone.

use crate::browser::Chromium;
use crate::common::*;
use crate::{create, heard, kept, post};
use serde_json::json;

#[test]
fn a_keyboard_is_enough() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let window = chromium.window(server.address);
    window.wait_for("document.activeElement === $('#name-input')");
    window.type_text("ann");
    window.press("Enter");
    window.is_in();
    window.wait_for("document.activeElement === $('#composer-input')");
    window.type_text("without a mouse");
    window.press("Enter");
    window.sees("without a mouse");

    let walk = |selector: &str| {
        for _ in 0..40 {
            if window.ask(&format!("document.activeElement.matches('{selector}')")) == true {
                return;
            }
            window.press_shift("Tab");
        }
        panic!("{selector} cannot be reached with Shift+Tab");
    };
    walk("#wire-toggle");
    window.press("Enter");
    window.wait_for("shown('#wire') && $('.frame[data-type=handshake]')");
    window.press("Tab");
    for _ in 0..40 {
        if window.ask("document.activeElement.matches('#wire .frame-head')") == true {
            break;
        }
        window.press("Tab");
    }
    window.press("Enter");
    window.wait_for("document.activeElement.getAttribute('aria-expanded') === 'true' && shown('.frame .frame-detail')");
    window.press("Escape");
    window.wait_for("!shown('#wire') && document.activeElement === $('#wire-toggle')");

    walk("#new-room");
    window.press("Enter");
    window.wait_for("document.activeElement === $('#room-title-input')");
    window.press("Escape");
    window.wait_for("!$('#room-dialog').open && document.activeElement === $('#new-room')");
    walk("#skip");
    window.press("Enter");
    window.wait_for("document.activeElement === $('#composer-input')");
    assert_eq!(kept(&server, "lobby").len(), 1);
}

#[test]
fn on_a_phone_nothing_overflows_and_the_drawers_open() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    create(&mut bob, "club", "The club");
    let endless = "w".repeat(300);
    post(&mut bob, "lobby", &endless);
    post(&mut bob, "lobby", &format!("https://example.org/{endless}"));
    post(&mut bob, "lobby", &format!("```\nlet {endless}\n```"));
    let window = chromium.window(server.address);
    window.resize(390, 844, true);
    let fits = "innerWidth === 390 && document.documentElement.scrollWidth <= 390 && document.body.scrollWidth <= 390
        && $('#log').scrollWidth <= $('#log').clientWidth
        && $$('#log, .message, .body, #composer, .chat-head').every(node => node.getBoundingClientRect().right <= 390)";
    assert_eq!(window.ask("(await frame(), document.documentElement.scrollWidth)"), 390);
    window.enter("ann");
    window.sees(&endless);
    window.wait_for(fits);
    window.wait_for("!shown('#rooms') && !shown('#people') && shown('#open-rooms') && shown('#composer-input')");

    window.click("#open-rooms");
    window.wait_for("shown('#rooms') && shown('#scrim') && $('#open-rooms').getAttribute('aria-expanded') === 'true'");
    window.wait_for(fits);
    window.click("#rooms a[data-room=club]");
    window.wait_for("!shown('#rooms') && !shown('#scrim') && $('#room-title').textContent === 'The club'");
    window.click("#open-people");
    window.wait_for("shown('#people') && shown('.person[data-name=bob]')");
    window.wait_for(fits);
    window.click("#close-people");
    window.wait_for("!shown('#people') && !$('#chat').inert");
    window.click("#open-rooms");
    window.press("Escape");
    window.wait_for("!shown('#rooms') && !$('#chat').inert");

    window.say("from the phone");
    window.sees("from the phone");
    assert_eq!(heard(&mut bob, "message")["body"], "from the phone");
    window.click("#wire-toggle");
    window.wait_for("shown('#wire') && $('#chat').inert && $('.frame')");
    window.wait_for(fits);
    window.click("#wire-close");
    window.wait_for("!shown('#wire') && !$('#chat').inert && shown('#composer-input')");
    let off = "$$('button, a, input, textarea').filter(node => node.checkVisibility()
        && (box => box.width > 0 && (box.left < -1 || box.right > 391))(node.getBoundingClientRect())).map(node => node.id)";
    window.wait_for_value(&format!("{off}.filter(id => id !== 'skip')"), json!([]));
}
