//! From the door to the way out by keys alone.

use crate::browser::{Chromium, Window};
use crate::common::*;
use crate::kept;

/// Goes on with Tab, or back with Shift+Tab, to what is wanted.
#[track_caller]
fn go(window: &Window, back: bool, selector: &str) {
    for _ in 0..60 {
        if window.ask(&format!("document.activeElement.matches('{selector}')")) == true {
            return;
        }
        if back { window.press_shift("Tab") } else { window.press("Tab") }
    }
    panic!("{selector} cannot be reached");
}

#[test]
fn a_whole_visit_by_keys_alone() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.window(server.address);

    // In, with an account.
    ann.wait_for("document.activeElement === $('#name-input')");
    go(&ann, false, "[data-mode=register]");
    ann.press("Enter");
    ann.wait_for("document.activeElement === $('#name-input') && shown('#password-input')");
    ann.type_text("ann");
    ann.press("Tab");
    ann.type_text("correct horse");
    ann.press("Enter");
    ann.is_in();

    // A post; a reaction; another wording.
    ann.wait_for("document.activeElement === $('#composer-input')");
    ann.type_text("helo");
    ann.press("Enter");
    ann.sees("helo");
    go(&ann, true, "#log");
    ann.press("ArrowUp");
    ann.press("Enter");
    ann.wait_for("document.activeElement === $('#message-quick button')");
    ann.press("Enter");
    ann.wait_for("$('.reaction')?.dataset.emoji === '👍' && document.activeElement.matches('.message')");
    go(&ann, false, "#composer-input");
    ann.press("ArrowUp");
    ann.wait_for("$('#composer-input').value === 'helo'");
    ann.press_with("a", 2);
    ann.type_text("hello");
    ann.press("Enter");
    ann.sees("hello");
    assert_eq!(kept(&server, "lobby").len(), 1);

    // A room, and back.
    go(&ann, true, "#new-room");
    ann.press("Enter");
    ann.wait_for("document.activeElement === $('#room-title-input')");
    ann.type_text("The den");
    go(&ann, false, "#room-kind-public");
    ann.press("ArrowDown");
    ann.wait_for("$('#room-kind-private').checked && shown('#room-people-input')");
    go(&ann, false, "#room-create");
    ann.press("Enter");
    ann.wait_for("$('#room-title').textContent === 'The den' && !$('#room-dialog').open");
    go(&ann, true, "a[data-room=lobby]");
    ann.press("Enter");
    ann.wait_for("$('#room-title').textContent === 'Lobby'");

    // The keys, the settings, and out.
    ann.press("?");
    ann.wait_for("$('#keys').open");
    ann.press("Escape");
    ann.wait_for("!$('#keys').open");
    go(&ann, false, "#open-settings");
    ann.press("Enter");
    ann.wait_for("$('#settings').open");
    go(&ann, false, "input[name=theme]");
    ann.press("ArrowDown");
    ann.wait_for("document.documentElement.dataset.theme === 'light'");
    go(&ann, true, "[data-way=programs]");
    ann.press("Enter");
    ann.wait_for(
        "document.activeElement === $('#settings-group-programs') && $('[data-way=programs]').ariaCurrent === 'true'",
    );
    ann.press("Tab");
    ann.wait_for("document.activeElement.closest('#settings-tokens')");
    ann.press("Escape");
    ann.wait_for("!$('#settings').open && document.activeElement === $('#open-settings')");
    go(&ann, false, "#sign-out");
    ann.press("Enter");
    ann.wait_for("$('#welcome').open && $('#welcome').dataset.mode === 'signIn'");
}
