//! Accounts on the page: made, signed in to on two devices, signed out of from afar.

use crate::browser::{Chromium, Window};
use crate::common::*;
use crate::kept;
use parlor::Server;
use serde_json::json;

const PASSWORD: &str = "correct horse";

/// Makes an account at the door.
fn register(window: &Window, name: &str) {
    window.wait_for("shown('#welcome')");
    if window.ask("$('#welcome').dataset.mode") != "register" {
        window.click("[data-mode=register].link");
    }
    window.wait_for("$('#welcome').dataset.mode === 'register' && shown('#password-input')");
    window.ask("$('#name-input').select()");
    window.type_text(name);
    window.press("Tab");
    window.wait_for("document.activeElement === $('#password-input')");
    window.type_text(PASSWORD);
    window.press("Enter");
    window.is_in();
}

fn sign_in(window: &Window, name: &str, password: &str) {
    window.click("[data-mode=signIn].link");
    window.wait_for("$('#welcome').dataset.mode === 'signIn'");
    window.click("#name-input");
    window.ask("$('#name-input').select()");
    window.type_text(name);
    window.click("#password-input");
    window.ask("$('#password-input').select()");
    window.type_text(password);
    window.press("Enter");
}

#[test]
fn one_registers_and_is_signed_in_on_two_devices_until_one_is_revoked() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let desk = chromium.window(server.address);
    desk.wait_for("shown('#welcome') && $('#welcome').dataset.mode === 'guest'");
    desk.click("[data-mode=register].link");
    desk.type_text("ann");
    desk.click("#password-input");
    desk.type_text("short");
    desk.press("Enter");
    desk.wait_for(
        "/8 characters/.test($('#password-error').textContent) && document.activeElement.id === 'password-input'",
    );
    desk.ask("$('#password-input').select()");
    register(&desk, "ann");
    desk.say("from the desk");

    let phone = chromium.window(server.address);
    phone.resize(390, 844, true);
    phone.forgive("status of 401"); // the wrong password
    sign_in(&phone, "ann", "wrong horse");
    phone.wait_for("/do not belong together/.test($('#password-error').textContent)");
    phone.ask("$('#password-input').select()");
    phone.type_text(PASSWORD);
    phone.press("Enter");
    phone.is_in();
    phone.sees("from the desk");
    phone.say("from the phone");
    desk.sees("from the phone");
    desk.wait_for("$$('.person').length === 1");

    desk.click("#open-settings");
    desk.wait_for("$$('[data-session]').length === 2 && $('[data-session][data-current=true]')");
    desk.click("[data-session][data-current=false] button");
    desk.wait_for("$$('[data-session]').length === 1");
    phone.wait_for("$('#welcome').open && $('#welcome').dataset.mode === 'signIn'");
    phone.wait_for("/ended from another device/.test($('#name-error').textContent)");
    phone.reload();
    phone.wait_for("$('#welcome').open && $('#welcome').dataset.mode === 'signIn'");
    desk.press("Escape");
    desk.say("still here");
    assert_eq!(kept(&server, "lobby").len(), 3);
}

#[test]
fn the_owners_link_makes_the_owner_who_invites_others() {
    let Some(chromium) = Chromium::get() else { return };
    let builder = Server::builder().join(parlor::Join::Invite).guests(false).listen("127.0.0.1:0".parse().unwrap());
    let bound = builder.bind().unwrap();
    let token = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let server = TestServer { address: handle.address(), handle };
    let stranger = chromium.window(server.address);
    stranger.wait_for("$('#welcome').dataset.mode === 'signIn' && $('#welcome-ways').children.length === 0");
    let owner = chromium.window(server.address);
    owner.go("/#invite=".to_owned().as_str());
    owner.ask(&format!("void (location.hash = 'invite={token}', location.reload())"));
    owner.wait_for("$('#welcome-title')?.textContent === 'You are invited'");
    register(&owner, "host");
    owner.wait_for("!location.hash.includes('invite')");
    owner.click("#open-settings");
    owner.wait_for("$('[data-session]') && $('[data-person]')");
    owner.click("#invite");
    owner.wait_for("shown('#invite-link') && shown('.qr') && $$('[data-invitation]').length === 1");
    let link = owner.ask("$('#invite-link').value");
    let link = link.as_str().unwrap();

    stranger.ask(&format!("void (location.hash = {}, location.reload())", json!(link.split_once('#').unwrap().1)));
    stranger.wait_for("$('#welcome-title')?.textContent === 'You are invited'");
    register(&stranger, "guest of honour");
    stranger.say("thank you");
    owner.press("Escape");
    owner.sees("thank you");
    owner.click("#open-settings");
    owner.wait_for("shown('[data-person=\"guest of honour\"] select')");
    owner.ask("(choose => { choose.value = 'moderator'; choose.dispatchEvent(new Event('change')); })($('[data-person=\"guest of honour\"] select'))");
    stranger.is_in();
    stranger.click("#open-settings");
    stranger.wait_for("shown('#settings-invitations')");
}

#[test]
fn a_guest_keeps_the_name_by_making_an_account_and_changes_it() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.say("as a guest");
    ann.click("#open-settings");
    ann.click("#settings-register");
    ann.wait_for("$('#welcome').dataset.mode === 'register' && $('#name-input').value === 'ann'");
    ann.wait_for("document.activeElement === $('#password-input')");
    ann.type_text(PASSWORD);
    ann.press("Enter");
    ann.is_in();
    ann.click("#open-settings");
    ann.wait_for("shown('#settings-name')");
    ann.ask("$('#settings-name').select()");
    ann.ask("$('#settings-name').focus()");
    ann.type_text("Anna");
    ann.press("Enter");
    ann.wait_for("$('#me-name').textContent === 'Anna'");
    ann.press("Escape");
    ann.is_in();
    ann.reload();
    ann.is_in();
    ann.wait_for("$('#me-name').textContent === 'Anna'");
    assert_eq!(kept(&server, "lobby"), [(1, "Anna".to_owned(), "as a guest".to_owned())]);

    // A picture takes the place of the letter, for the others too.
    ann.ask(
        "await (async () => {
            const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
            const picture = await new Promise(done => canvas.toBlob(done, 'image/png'));
            await fetch('/api/me/avatar', { method: 'PUT', body: picture });
        })()",
    );
    let bob = chromium.person(server.address, "bob");
    bob.wait_for("$('.person[data-name=Anna] img')?.naturalWidth === 8 && !$('.person[data-name=bob] img')");
    // Another one is seen at once, and when it is gone there is a letter again.
    let change = |method: &str, side: u8| {
        ann.ask(&format!(
            "await (async () => {{
                const canvas = Object.assign(document.createElement('canvas'), {{ width: {side}, height: {side} }});
                const body = '{method}' === 'PUT' ? await new Promise(done => canvas.toBlob(done, 'image/png')) : null;
                await fetch('/api/me/avatar', {{ method: '{method}', body }});
            }})()"
        ));
    };
    change("PUT", 9);
    bob.wait_for("$('.person[data-name=Anna] img')?.naturalWidth === 9");
    change("DELETE", 0);
    bob.wait_for("!$('.person[data-name=Anna] img')");
    bob.resize(320, 700, true);
    bob.click("#open-rooms");
    bob.click("#open-settings");
    bob.wait_for("shown('#settings-register') && $('#settings').scrollWidth <= $('#settings').clientWidth");
    bob.wait_for("$('#settings').getBoundingClientRect().right <= 320");

    ann.click("#open-settings");
    ann.click("input[name=theme][value=dark]");
    ann.wait_for("document.documentElement.dataset.theme === 'dark'");
    ann.reload();
    ann.wait_for("document.documentElement.dataset.theme === 'dark'");
    ann.is_in();
    ann.click("#sign-out");
    ann.wait_for("$('#welcome').open && $('#welcome').dataset.mode === 'signIn'");
}

#[test]
fn whoever_is_in_is_told_what_an_invitation_does_and_may_use_it_or_not() {
    let Some(chromium) = Chromium::get() else { return };
    let builder = Server::builder().join(parlor::Join::Invite).listen("127.0.0.1:0".parse().unwrap());
    let bound = builder.bind().unwrap();
    let token = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let server = TestServer { address: handle.address(), handle };
    let ann = chromium.person(server.address, "ann");
    // In the tab where she is a guest.
    let open = format!("void (location.hash = 'invite={token}')");
    ann.ask(&open);
    ann.wait_for("$('#welcome').open && /You are here as ann, a guest/.test($('#welcome-text').textContent)");
    ann.click("[data-mode=stay]");
    ann.wait_for("!$('#welcome').open && !location.hash.includes('invite')");
    ann.say("still a guest");
    ann.ask(&open);
    ann.wait_for(
        "$('#welcome').open && $('#name-input').value === 'ann' && document.activeElement.id === 'password-input'",
    );
    ann.type_text(PASSWORD);
    ann.press("Enter");
    ann.is_in();
    ann.wait_for("!location.hash.includes('invite')");
    ann.click("#open-settings");
    ann.wait_for("shown('#settings-roles')");
    let link = ann.ask("(await (await fetch('/api/invitations', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })).json()).token");
    // She has an account: in another tab, from the start.
    ann.ask(&format!("void (location.hash = 'invite={}', location.reload())", link.as_str().unwrap()));
    ann.wait_for("$('#welcome').open && /You have an account here: ann/.test($('#welcome-text').textContent)");
    assert_eq!(ann.ask("$('#name-input').value"), "", "a second account needs another name");
    ann.press("Escape");
    ann.is_in();
    ann.wait_for("$('#me-name').textContent === 'ann' && !location.hash.includes('invite')");
    // It is still good for somebody else.
    let bob = chromium.window(server.address);
    bob.ask(&format!("void (location.hash = 'invite={}')", link.as_str().unwrap()));
    bob.wait_for("$('#welcome').dataset.mode === 'register'");
    register(&bob, "bob");
}

#[test]
fn a_question_mark_lists_the_keys_but_not_where_one_writes() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let ask = "dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))";
    ann.ask(&format!("$('#composer-input').{ask}"));
    assert_eq!(ann.ask("$('#keys')"), json!(null));
    ann.ask(&format!("document.body.{ask}"));
    ann.wait_for("$('#keys').open && $$('#keys kbd').length > 3");
    ann.press("Escape");
    ann.wait_for("!$('#keys').open");
}
