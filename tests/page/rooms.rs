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

#[test]
fn a_private_room_shows_to_who_is_invited_and_goes_when_they_are_removed() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    let eve = chromium.person(server.address, "eve");
    ann.click("#new-room");
    ann.type_text("The den");
    ann.click("#room-kind-private");
    ann.wait_for("!shown('#room-slug-input')");
    ann.click("#room-create");
    ann.wait_for("!$('#room-dialog').open && $('#room-title').textContent === 'The den' && shown('#room-lock')");
    ann.wait_for("/^#p-[0-9a-f]+$/.test(location.hash) && $('#rooms-mine a[aria-current] .room-mark')");
    ann.say("just us");
    let den = "$$('a.room').find(link => /The den/.test(link.textContent))";

    ann.click("#room-menu-button");
    ann.click("#members-room");
    ann.wait_for("$$('.member').map(node => node.dataset.name).join() === 'ann'");
    ann.click("#invite-input");
    ann.type_text("nobody");
    ann.press("Enter");
    ann.wait_for("/Nobody called nobody/.test($('#members-error').textContent)");
    ann.ask("$('#invite-input').select()");
    ann.type_text("BOB");
    ann.press("Enter");
    ann.wait_for(
        "$$('.member').map(node => node.dataset.name).join() === 'ann,bob' && $('#invite-input').value === ''",
    );

    bob.wait_for(den);
    bob.ask(&format!("void ({den}.id = 'den')"));
    bob.click("#den");
    bob.sees("just us");
    bob.say("hello");
    ann.sees("hello");
    // He may look who is in, and no more.
    bob.click("#room-menu-button");
    bob.wait_for("shown('#leave-room') && !shown('#edit-room') && !shown('#archive-room')");
    bob.click("#members-room");
    bob.wait_for("$$('.member').length === 2 && !shown('#invite-form') && !$('.member .link')");
    bob.click("#members-close");
    assert_eq!(eve.ask(&format!("!!{den}")), false);

    ann.click(".member[data-name=bob] .link");
    bob.wait_for("$('#room-title').textContent === 'Lobby' && location.hash === '#lobby'");
    bob.wait_for(&format!("!{den} && /no longer in “The den”/.test($('#banner').textContent)"));
    ann.wait_for("$$('.member').map(node => node.dataset.name).join() === 'ann'");
    ann.click("#members-close");
    ann.say("gone, is he?");
    bob.reload();
    bob.is_in();
    assert_eq!(bob.ask(&format!("!!{den}")), false);

    // Whoever leaves is asked first.
    ann.click("#room-menu-button");
    ann.click("#leave-room");
    ann.wait_for("$('#leave-dialog').open && document.activeElement.id === 'leave-cancel'");
    ann.click("#leave-submit");
    ann.wait_for(&format!("!$('#leave-dialog').open && $('#room-title').textContent === 'Lobby' && !{den}"));
    assert_eq!(ann.ask("$('#banner').hidden"), true, "no news to who wanted it so");
}

#[test]
fn a_direct_message_begins_at_a_name() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.click(".person[data-name=bob] button");
    ann.wait_for(
        "$('#room-title').textContent === 'bob' && $('#rooms-direct a[aria-current]') && !shown('#room-menu-button')",
    );
    assert_eq!(bob.ask("shown('#rooms-talks')"), false, "nothing was said yet");
    ann.say("between us");
    bob.wait_for("$('#rooms-direct a').textContent.includes('ann') && $('#rooms-direct a').dataset.unread === '1'");
    bob.click("#rooms-direct a");
    bob.sees("between us");
    bob.say("indeed");
    ann.sees("indeed");
    // It is there on the next visit, and found again from the name.
    ann.reload();
    ann.is_in();
    ann.click("#rooms-mine a[data-room=lobby]");
    ann.wait_for("$('#room-title').textContent === 'Lobby'");
    ann.click(".person[data-name=bob] button");
    ann.sees("indeed");
    assert_eq!(ann.ask("$$('#rooms-direct a').length"), 1);
}

#[test]
fn a_talk_with_several_begins_in_the_dialog_for_rooms() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "Bob Ross");
    let mut eve = server.in_lobby("eve");
    ann.wait_for("$('.person[data-name=eve]')");
    ann.click("#new-room");
    ann.click("#room-kind-direct");
    ann.wait_for("!shown('#room-title-input') && !shown('#room-slug-input') && shown('#room-people-input')");
    ann.click("#room-create");
    ann.wait_for("/name somebody/.test($('#room-people-error').textContent) && document.activeElement.id === 'room-people-input'");
    let proposed = "$$('#room-people-known option').map(option => option.value)";
    ann.wait_for_value(proposed, ["Bob Ross", "eve"].as_slice());
    for name in ["Bob Ross", "nobody"] {
        ann.type_text(name);
        ann.press("Enter");
    }
    ann.wait_for("$$('.chosen li').map(node => node.dataset.name).join() === 'Bob Ross,nobody'");
    ann.type_text("eve");
    ann.click("#room-create");
    ann.wait_for("/Nobody called nobody/.test($('#room-people-error').textContent) && $$('.chosen li').length === 3");
    ann.click("[data-name=nobody] button");
    ann.click("#room-create");
    ann.wait_for("!$('#room-dialog').open && $('#room-title').textContent === 'Bob Ross, eve'");
    ann.say("the three of us");
    bob.wait_for("$('#rooms-direct a')?.textContent.includes('ann, eve')");
    eve.everything_until(|frame| frame["type"] == "room" && frame["kind"] == "direct");

    // Whom a private room has from the start is said in the same way.
    ann.click("#new-room");
    ann.type_text("The den");
    ann.click("#room-kind-private");
    ann.click("#room-people-input");
    ann.type_text("eve");
    ann.press("Enter");
    ann.press("Backspace");
    ann.wait_for("$$('.chosen li').length === 0");
    ann.type_text("bob ross");
    ann.click("#room-create");
    ann.wait_for("!$('#room-dialog').open && $('#room-title').textContent === 'The den'");
    bob.wait_for("$$('a.room').some(link => /The den/.test(link.textContent))");
    assert_eq!(bob.ask("$$('a.room').length"), 3);
}

#[test]
fn a_room_is_renamed_given_a_topic_and_archived_by_who_made_it() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.click("#new-room");
    ann.type_text("Garden");
    ann.press("Enter");
    ann.wait_for("$('#room-title').textContent === 'Garden' && !$('#room-dialog').open");
    bob.click("a[data-room=garden]");
    ann.click("#room-menu-button");
    ann.click("#edit-room");
    ann.wait_for("document.activeElement.id === 'edit-topic-input' && $('#edit-title-input').value === 'Garden'");
    ann.type_text("Weeds and how to like them");
    ann.ask("$('#edit-title-input').select()");
    ann.type_text("The garden");
    ann.press("Enter");
    ann.wait_for("!$('#edit-dialog').open");
    for window in [&ann, &bob] {
        window.wait_for("$('#room-title').textContent === 'The garden' && $('#room-topic').textContent === 'Weeds and how to like them'");
    }
    ann.click("#room-menu-button");
    ann.click("#archive-room");
    for window in [&ann, &bob] {
        window.wait_for("!shown('#composer') && shown('#archived') && $('a[data-room=garden].archived')");
    }
    ann.click("#room-menu-button");
    ann.click("#archive-room");
    bob.wait_for("shown('#composer') && !shown('#archived')");
    bob.say("it lives");
    ann.sees("it lives");
}

#[test]
fn on_the_smallest_phone_all_that_is_about_rooms_fits() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let long = "Wolfeschlegelsteinhausen-Berger";
    let _other = server.in_lobby(long);
    let ann = chromium.window(server.address);
    ann.resize(320, 640, true);
    ann.enter("ann");
    let fits = |what: &str| {
        ann.wait_for(&format!(
            "shown('{what}') && document.documentElement.scrollWidth <= 320 && $$('{what}, {what} *').every(node =>
                !node.checkVisibility() || (box => box.left >= 0 && box.right <= 320)(node.getBoundingClientRect()))"
        ));
    };
    ann.click("#open-rooms");
    ann.click("#new-room");
    ann.type_text("A room with a name that is rather long for a phone");
    fits("#room-dialog");
    ann.click("#room-kind-private");
    fits("#room-dialog");
    ann.click("#room-create");
    ann.wait_for("!$('#room-dialog').open && shown('#room-lock')");
    fits(".chat-head");
    ann.click("#room-menu-button");
    fits("#room-menu");
    ann.click("#edit-room");
    ann.type_text("A topic that does not fit beside the name, so it stands in the menu");
    fits("#edit-dialog");
    ann.press("Enter");
    ann.wait_for("!$('#edit-dialog').open");
    ann.click("#room-menu-button");
    ann.wait_for("shown('#menu-topic') && !shown('#room-topic')");
    fits("#room-menu");
    ann.click("#members-room");
    ann.click("#invite-input");
    ann.type_text(long);
    ann.press("Enter");
    ann.wait_for("$$('.member').length === 2");
    fits("#members-dialog");
    ann.click("#members-close");
    ann.click("#room-menu-button");
    ann.click("#leave-room");
    fits("#leave-dialog");
}
