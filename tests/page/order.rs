//! Order on the page: what a moderator does to people and rooms, as it is seen by those it falls on and by the others.

use crate::browser::{Chromium, Window};
use crate::common::*;
use crate::kept;
use parlor::Server;
use serde_json::json;
use std::sync::Arc;

/// A server, and its owner at the page.
fn owned(chromium: &Arc<Chromium>, builder: parlor::Builder) -> (TestServer, Window) {
    let bound = builder.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let token = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let server = TestServer { address: handle.address(), handle };
    let host = chromium.window(server.address);
    host.wait_for("shown('#welcome')");
    host.ask(&format!(
        "await fetch('/api/register', {{ method: 'POST', headers: {{ 'Content-Type': 'application/json' }}, \
         body: JSON.stringify({{ name: 'host', password: 'correct horse', invite: '{token}' }}) }})"
    ));
    host.reload();
    host.is_in();
    (server, host)
}

/// Opens the menu on somebody who is here, and chooses.
fn choose(host: &Window, name: &str, act: &str) {
    host.wait_for(&format!("shown('.person[data-name={name}] .person-more')"));
    host.click(&format!(".person[data-name={name}] .person-more"));
    host.wait_for(&format!("shown('#person-{act}')"));
    host.click(&format!("#person-{act}"));
}

/// The same, and says yes to it.
fn does(host: &Window, name: &str, act: &str, reason: &str) {
    choose(host, name, act);
    host.wait_for("$('#order-dialog').open");
    host.ask(&format!("$('#order-reason').value = {}", json!(reason)));
    host.click("#order-yes");
    host.wait_for("!$('#order-dialog')");
}

#[test]
fn who_is_muted_sees_why_where_one_would_write_and_may_speak_again_when_that_is_lifted() {
    let Some(chromium) = Chromium::get() else { return };
    let (server, host) = owned(&chromium, Server::builder());
    let bob = chromium.person(server.address, "bob");
    let ann = chromium.person(server.address, "ann");
    assert_eq!(bob.ask("$$('.person-more').filter(node => !node.hidden).length"), json!(0), "that is for moderators");
    bob.say("loud");
    bob.write("half a thought");
    // Without a word in between nothing is done.
    choose(&host, "bob", "mute");
    host.wait_for("$('#order-dialog').open && document.activeElement.closest('#order-dialog')");
    host.click("#order-no");
    host.wait_for("!$('#order-dialog')");
    bob.say("still here");
    bob.write("half a thought");
    does(&host, "bob", "mute", "too loud");
    host.wait_for("/bob is muted/.test($('#banner').textContent)");
    bob.wait_for("$('#composer').hidden && /You are muted until .*: too loud/.test($('#archived').textContent)");
    bob.reload();
    bob.wait_for("$('#composer').hidden && /too loud/.test($('#archived').textContent)");
    ann.say("hello");
    bob.sees("hello");
    ann.wait_for("!$('#composer').hidden");
    choose(&host, "bob", "unmute");
    bob.wait_for("!$('#composer').hidden && $('#archived').hidden && $('#composer-input').value === 'half a thought'");
    bob.press("Enter");
    bob.ask("$('#composer-input').focus()");
    bob.press("Enter");
    ann.sees("half a thought");
}

#[test]
fn who_is_shown_the_door_reads_why_and_may_come_back_and_who_is_banned_may_not() {
    let Some(chromium) = Chromium::get() else { return };
    let (server, host) = owned(&chromium, Server::builder());
    let bob = chromium.person(server.address, "bob");
    let ann = chromium.person(server.address, "ann");
    bob.say("one");
    bob.say("two");
    ann.say("three");
    bob.forgive_the_line();
    does(&host, "bob", "kick", "have a break");
    bob.wait_for("/have a break/i.test($('#banner').textContent) && shown('#try-now')");
    ann.wait_for("!$('.person[data-name=bob]')");
    bob.click("#try-now");
    bob.is_in();
    bob.say("back");
    ann.sees("back");

    bob.forgive("status of 403");
    choose(&host, "bob", "ban");
    host.wait_for("$('#order-dialog').open && shown('#order-addresses')");
    host.click("#order-purge");
    host.ask("$('#order-reason').value = 'spam'");
    host.click("#order-yes");
    host.wait_for("!$('#order-dialog')");
    bob.wait_for("$('#welcome').open && /banned until [^U]*: spam/.test($('#name-error').textContent)"); // as a clock here says
    for window in [&ann, &host] {
        window.wait_for("$$('.message.deleted').length === 3 && $$('.message:not(.deleted)').length === 1");
    }
    bob.reload();
    bob.wait_for("$('#welcome').open && /banned until .*spam/.test($('#name-error').textContent)");
    // In the settings it is seen, and lifted; the book has all of it.
    host.click("#open-settings");
    host.wait_for("$('#settings').open && shown('[data-sanction=ban]')");
    host.wait_for_value("$$('[data-deed]').map(node => node.dataset.act).join()", "purge,ban,kick");
    host.click("[data-sanction=ban] button");
    host.wait_for("!$('[data-sanction]')");
    bob.reload();
    bob.is_in();
    assert_eq!(kept(&server, "lobby").iter().filter(|(_, _, body)| body.is_empty()).count(), 3);
}

#[test]
fn a_moderator_deletes_all_that_somebody_said_from_one_of_the_messages() {
    let Some(chromium) = Chromium::get() else { return };
    let (server, host) = owned(&chromium, Server::builder());
    let mut eve = server.in_lobby("eve");
    for n in 0..80 {
        eve.post("lobby", &n.to_string(), &format!("spam {n}"));
    }
    eve.post("lobby", "last", "the last of it");
    host.sees("the last of it");
    eve.cut();
    host.wait_for("!$('.person[data-name=eve]')");
    host.ask("$$('.message').at(-1).focus()");
    host.press("Enter");
    host.wait_for("shown('#message-author')");
    host.click("#message-author");
    host.wait_for("shown('#person-purge')");
    host.click("#person-purge");
    host.wait_for("$('#order-dialog').open");
    host.click("#order-yes");
    host.wait_for("/81 messages of eve deleted/.test($('#banner').textContent)");
    host.wait_for("$$('.message').length > 10 && $$('.message:not(.deleted)').length === 0");
}

#[test]
fn eyes_on_me_closes_a_room_to_writing_and_slow_mode_counts_down() {
    let Some(chromium) = Chromium::get() else { return };
    let (server, host) = owned(&chromium, Server::builder());
    let bob = chromium.person(server.address, "bob");
    bob.click("#room-menu-button");
    bob.wait_for("$('#read-only-room').hidden && $('#slow-room').hidden");
    bob.press("Escape");
    host.click("#room-menu-button");
    host.click("#read-only-room");
    bob.wait_for("$('#composer').hidden && /Eyes on the front/.test($('#archived').textContent)");
    host.wait_for("!$('#composer').hidden");
    host.say("listen");
    bob.sees("listen");
    host.click("#room-menu-button");
    host.wait_for("/everyone write again/.test($('#read-only-room').textContent)");
    host.click("#read-only-room");
    bob.wait_for("!$('#composer').hidden");

    host.click("#room-menu-button");
    host.click("#slow-room");
    host.wait_for("$('#slow-dialog').open");
    host.ask("$('#slow-select').value = '5'");
    host.click("#slow-dialog .primary");
    host.wait_for("!$('#slow-dialog')");
    bob.say("first");
    bob.wait_for("/Slow mode: [1-5] s/.test($('#pause').textContent)");
    bob.write("second");
    bob.press("Enter");
    bob.wait_for("$('#send').disabled && $('#composer-input').value === 'second'");
    bob.wait_for("$('#pause').textContent === '' && !$('#send').disabled");
    bob.press("Enter");
    host.sees("second");
    host.say("one");
    host.say("two");
    bob.sees("two");
    assert_eq!(kept(&server, "lobby").len(), 5);
}

#[test]
fn what_is_written_too_fast_goes_by_itself_and_in_order() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server_with(Server::builder().rate(20, 3));
    let bob = chromium.person(server.address, "bob");
    for n in 0..15 {
        bob.write(&n.to_string());
        bob.press("Enter");
    }
    bob.wait_for("$$('.message[data-state=sent]').length === 15 && $$('.failure').length === 0");
    let bodies: Vec<String> = kept(&server, "lobby").into_iter().map(|(_, _, body)| body).collect();
    assert_eq!(bodies, (0..15).map(|n| n.to_string()).collect::<Vec<_>>());
    // A change that comes too soon comes again as well.
    for n in 0..6 {
        bob.ask("$('#composer-input').focus()");
        bob.press("ArrowUp");
        bob.wait_for("!$('#composer-about').hidden");
        bob.ask("$('#composer-input').select()");
        bob.type_text(&format!("edit {n}"));
        bob.press("Enter");
    }
    bob.wait_for("$$('.message').at(-1).querySelector('.body').textContent.startsWith('edit 5')");
    assert_eq!(kept(&server, "lobby").last().unwrap().2, "edit 5");
}
