//! Rooms: made, found, entered and left.

use crate::browser::Chromium;
use crate::common::*;
use crate::{create, kept};
use serde_json::json;

#[test]
fn a_room_made_in_one_window_shows_in_the_other() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.click("#new-room");
    ann.wait_for("document.activeElement === $('#room-title-input')");
    ann.press("Enter");
    ann.wait_for("$('#room-title-error').textContent !== ''");
    ann.type_text("  Café Größe & Söhne 2 ");
    ann.wait_for("$('#room-slug-input').value === 'cafe-grosse-sohne-2' && $('#room-title-error').textContent === ''");
    ann.press("Enter");
    ann.wait_for("!$('#room-dialog').open && $('#room-title').textContent === 'Café Größe & Söhne 2'");
    ann.wait_for(
        "$('#rooms-mine a[data-room=cafe-grosse-sohne-2][aria-current=page]') && $('.empty[data-state=empty]')",
    );
    ann.say("first in here");

    bob.click("#rooms-others a[data-room=cafe-grosse-sohne-2]");
    bob.sees("first in here");
    bob.wait_for("location.hash === '#cafe-grosse-sohne-2' && $('#rooms-rest').hidden");
    bob.say("second in here");
    ann.sees("second in here");
    assert_eq!(kept(&server, "cafe-grosse-sohne-2").len(), 2);
    assert_eq!(kept(&server, "lobby").len(), 0);

    // The way back of the browser is the way back to the room before; a reload stays.
    bob.ask("history.back()");
    bob.wait_for("$('#room-title').textContent === 'Lobby'");
    ann.reload();
    ann.sees("second in here");

    ann.click("#room-menu-button");
    ann.click("#leave-room");
    ann.wait_for("$('#room-title').textContent === 'Lobby' && $('#rooms-others a[data-room=cafe-grosse-sohne-2]')");
    bob.click("#rooms-mine a[data-room=cafe-grosse-sohne-2]");
    bob.wait_for("$$('.person').map(node => node.dataset.name).join() === 'bob'");
}

#[test]
fn a_taken_or_impossible_address_is_said_at_its_field() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    server.in_lobby("bob").send(json!({"type": "create", "room": "club"}));
    let ann = chromium.person(server.address, "ann");
    ann.wait_for("$('#rooms-others a[data-room=club]')");
    ann.click("#new-room");
    ann.type_text("Club");
    ann.wait_for("$('#room-slug-input').value === 'club'");
    ann.click("#room-create");
    ann.wait_for(
        "/already/.test($('#room-slug-error').textContent) && document.activeElement.id === 'room-slug-input'",
    );
    ann.ask("$('#room-slug-input').select()");
    ann.type_text("Not Good");
    ann.click("#room-create");
    ann.wait_for("/1 to 32/.test($('#room-slug-error').textContent)");
    ann.click("#room-cancel");
    ann.wait_for("!$('#room-dialog').open && $('#room-title').textContent === 'Lobby'");
    // A title without a Latin letter gets an address all the same.
    ann.click("#new-room");
    ann.type_text("読書会");
    ann.wait_for("/^room-[a-z0-9]+$/.test($('#room-slug-input').value)");
    ann.press("Enter");
    ann.wait_for("$('#room-title').textContent === '読書会' && /^#room-/.test(location.hash)");
}

#[test]
fn a_link_to_a_room_that_is_not_there_offers_to_make_it() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.go("/#garden");
    ann.wait_for("$('.empty[data-state=missing]') && $('#composer').hidden");
    ann.click(".empty button");
    ann.wait_for("$('#room-slug-input').value === 'garden'");
    ann.type_text("The garden");
    ann.press("Enter");
    ann.wait_for(
        "$('#room-title').textContent === 'The garden' && $('.empty[data-state=empty]') && !$('#composer').hidden",
    );
    ann.say("it grows");
    ann.sees("it grows");
    assert_eq!(kept(&server, "garden").len(), 1);
}

#[test]
fn a_draft_is_kept_by_room() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    create(&mut bob, "club", "Club");
    let ann = chromium.person(server.address, "ann");
    ann.write("for the lobby");
    ann.click("a[data-room=club]");
    ann.wait_for("$('#room-title').textContent === 'Club' && $('#composer-input').value === ''");
    ann.write("for the club");
    ann.click("a[data-room=lobby]");
    ann.wait_for("$('#composer-input').value === 'for the lobby'");
    ann.reload();
    ann.wait_for("$('#composer-input').value === 'for the lobby'");
    ann.is_in();
    ann.click("a[data-room=club]");
    ann.wait_for("$('#composer-input').value === 'for the club'");
    ann.click("#composer-input");
    ann.press("Enter");
    ann.sees("for the club");
    assert_eq!(kept(&server, "club")[0].2, "for the club");
    assert_eq!(kept(&server, "lobby").len(), 0);
}
