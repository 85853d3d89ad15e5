//! The message log: history, the unread line, and a view that does not jump.

use crate::browser::{Chromium, Window};
use crate::common::*;
use crate::{create, post};
use serde_json::json;

const SEQS: &str = "$$('.message').map(node => Number(node.dataset.seq))";

fn fill(server: &TestServer, count: usize) {
    let mut writer = server.in_lobby("writer");
    for n in 1..=count {
        post(&mut writer, "lobby", &format!("message {n}"));
    }
}

/// Scrolls to `top` and holds on to the first message in view.
fn scroll_to(window: &Window, top: i32) {
    window.ask(&format!(
        "void ($('#log').scrollTop = {top},
               window.edge = $('#log').getBoundingClientRect().top,
               window.anchor = $$('.message').find(node => node.getBoundingClientRect().bottom > edge),
               window.stood = anchor.getBoundingClientRect().top)"
    ));
}

/// How far the message held on to has moved, in pixels.
fn moved(window: &Window) -> f64 {
    window.ask("(await frame(), await frame(), anchor.getBoundingClientRect().top - stood)").as_f64().unwrap()
}

#[test]
fn older_messages_come_as_one_scrolls_up_and_the_view_does_not_jump() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    fill(&server, 150);
    let ann = chromium.person(server.address, "ann");
    ann.sees("message 150");
    ann.wait_for_value(SEQS, (101..=150).collect::<Vec<i64>>());
    ann.wait_for("$('#log').scrollHeight - $('#log').scrollTop - $('#log').clientHeight < 2");
    assert_eq!(ann.ask("$('#jump').hidden"), true);

    scroll_to(&ann, 300);
    ann.wait_for("$$('.message').length === 100");
    assert!(moved(&ann).abs() <= 1.0, "{}", moved(&ann));
    // At the very top there is nothing to hold on to but the message itself.
    scroll_to(&ann, 0);
    ann.wait_for("$$('.message').length === 150 && !/older/.test($('.top').textContent)");
    assert!(moved(&ann).abs() <= 1.0, "{}", moved(&ann));
    ann.wait_for_value(SEQS, (1..=150).collect::<Vec<i64>>());
    scroll_to(&ann, 0);
    ann.wait_for("shown('.top') && /beginning/.test($('.top').textContent)");

    // New ones below do not move it either.
    post(&mut server.in_lobby("bob"), "lobby", "message 151");
    ann.sees("message 151");
    assert!(moved(&ann).abs() <= 1.0, "{}", moved(&ann));
    assert_eq!(ann.ask("document.activeElement.id"), "composer-input");
}

#[test]
fn the_jump_button_counts_what_is_new_below() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    fill(&server, 40);
    let ann = chromium.person(server.address, "ann");
    ann.sees("message 40");
    ann.wait_for("document.title === 'Lobby · Parlor'");
    scroll_to(&ann, 200);
    ann.wait_for("shown('#jump') && $('#jump').dataset.count === '0'");
    let mut bob = server.in_lobby("bob");
    for n in 1..=3 {
        post(&mut bob, "lobby", &format!("new {n}"));
    }
    ann.wait_for("$('#jump').dataset.count === '3' && /3 new/.test($('#jump').textContent)");
    ann.wait_for("document.title === '(3) Lobby · Parlor' && $('a[data-room=lobby]').dataset.unread === '3'");
    assert!(moved(&ann).abs() <= 1.0, "{}", moved(&ann));
    ann.wait_for("$('.divider').nextElementSibling === message('new 1')");

    ann.click("#jump");
    ann.wait_for("$('#jump').hidden && $('#jump').dataset.count === '0'");
    ann.wait_for("document.title === 'Lobby · Parlor' && $('a[data-room=lobby]').dataset.unread === '0'");
    ann.wait_for("$('#log').scrollHeight - $('#log').scrollTop - $('#log').clientHeight < 2");
    assert_eq!(ann.ask("$('.divider').nextElementSibling === message('new 1')"), true, "the line stays put");

    // Who is at the end stays at the end, and what one says oneself is seen.
    post(&mut bob, "lobby", "new 4");
    ann.sees("new 4");
    ann.wait_for("$('#log').scrollHeight - $('#log').scrollTop - $('#log').clientHeight < 2");
    scroll_to(&ann, 200);
    ann.wait_for("shown('#jump')");
    post(&mut bob, "lobby", "new 5");
    ann.wait_for("$('#jump').dataset.count === '1'");
    ann.sees("new 5");
    assert_eq!(ann.ask("$('.divider').nextElementSibling === message('new 1')"), true, "even when more is unread");
    ann.say("mine");
    ann.sees("mine");
    ann.wait_for("$('#jump').hidden && $('#log').scrollHeight - $('#log').scrollTop - $('#log').clientHeight < 2");
}

#[test]
fn unread_messages_of_another_room_are_counted_and_the_line_stays_put() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    create(&mut bob, "club", "The club");
    post(&mut bob, "club", "old");
    let ann = chromium.person(server.address, "ann");
    ann.click("#rooms-others a[data-room=club]");
    ann.sees("old");
    ann.wait_for("$('#room-title').textContent === 'The club' && $('#rooms-mine a[data-room=club][aria-current]')");
    assert_eq!(ann.ask("$$('.divider').length"), 0, "on a first visit nothing is new");
    ann.click("#rooms-mine a[data-room=lobby]");
    ann.wait_for("$('#room-title').textContent === 'Lobby' && $('.empty[data-state=empty]')");

    post(&mut bob, "club", "unread 1");
    post(&mut bob, "club", "unread 2");
    ann.wait_for(
        "$('#rooms-mine a[data-room=club]').dataset.unread === '2' && document.title === '(2) Lobby · Parlor'",
    );
    ann.click("#rooms-mine a[data-room=club]");
    ann.sees("unread 2");
    ann.wait_for("$('.divider').nextElementSibling === message('unread 1')");
    ann.wait_for("$('#rooms-mine a[data-room=club]').dataset.unread === '0' && document.title === 'The club · Parlor'");
    post(&mut bob, "club", "live");
    ann.sees("live");
    ann.say("answer");
    ann.sees("answer");
    assert_eq!(
        ann.ask("$$('.divider').length === 1 && $('.divider').nextElementSibling === message('unread 1')"),
        true
    );

    post(&mut bob, "club", "last word");
    ann.sees("last word");

    // Gone and come back: read is read, by the server's count too.
    ann.click("#rooms-mine a[data-room=lobby]");
    ann.wait_for("$('#room-title').textContent === 'Lobby'");
    ann.click("#rooms-mine a[data-room=club]");
    ann.sees("last word");
    assert_eq!(ann.ask("(await frame(), $$('.divider').length)"), 0);
    ann.click("#rooms-mine a[data-room=lobby]");
    ann.reload();
    ann.is_in();
    ann.wait_for(
        "$('#room-title').textContent === 'Lobby' && $('#rooms-mine a[data-room=club]').dataset.unread === '0'",
    );
    assert_eq!(ann.ask("document.title"), "Lobby · Parlor");

    // Another window of the same person counts from there, and what is read in one is read in the other.
    post(&mut bob, "club", "late 1");
    post(&mut bob, "club", "late 2");
    ann.wait_for("$('#rooms-mine a[data-room=club]').dataset.unread === '2'");
    let other = ann.another_tab();
    other.wait_for("$('#rooms-mine a[data-room=club]').dataset.unread === '2'");
    other.click("#rooms-mine a[data-room=club]");
    other.wait_for("$('.divider').nextElementSibling === message('late 1')");
    ann.wait_for("$('#rooms-mine a[data-room=club]').dataset.unread === '0'");
}

#[test]
fn a_room_that_is_open_from_the_start_is_read() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    create(&mut bob, "club", "The club");
    post(&mut bob, "lobby", "old");
    let ann = chromium.person(server.address, "ann");
    ann.sees("old");
    assert_eq!(ann.ask("$('#log').scrollHeight === $('#log').clientHeight"), true, "nothing here scrolls");
    ann.click("a[data-room=club]");
    ann.wait_for("$('.empty[data-state=empty]')");

    // In another tab the lobby is open as soon as the page is.
    post(&mut bob, "lobby", "unread");
    ann.wait_for("$('a[data-room=lobby]').dataset.unread === '1'");
    let other = ann.another_tab();
    other.sees("unread");
    other.wait_for("$('.divider').nextElementSibling === message('unread')");
    for tab in [&other, &ann] {
        tab.wait_for("$('a[data-room=lobby]').dataset.unread === '0' && !/^\\(/.test(document.title)");
    }
    other.reload();
    other.is_in();
    other.sees("unread");
    assert_eq!(
        other.ask("(await frame(), await frame(), $$('.divider').length)"),
        0,
        "read is read, by the server's count too"
    );
}

#[test]
fn messages_of_one_person_stand_together_with_the_time_and_the_date() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    for body in ["one", "two", "three"] {
        post(&mut bob, "lobby", body);
    }
    post(&mut server.in_lobby("cy"), "lobby", "four");
    let ann = chromium.person(server.address, "ann");
    ann.sees("four");
    assert_eq!(
        ann.ask("$$('.message').map(node => node.classList.contains('first'))"),
        json!([true, false, false, true])
    );
    assert_eq!(ann.ask("$$('.message .author').map(node => node.textContent)"), json!(["bob", "cy"]));
    assert_eq!(ann.ask("$('.day').textContent"), "Today");
    let year = "String(new Date().getFullYear())";
    assert_eq!(
        ann.ask(&format!(
            "$$('.message time').every(node => node.title.includes({year}) && /\\d/.test(node.textContent))"
        )),
        true
    );
}
