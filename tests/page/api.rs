//! Programs, on the page: a token is made and shown once, what comes with it is seen in the chat, and revoked it is nothing.

use crate::browser::{Chromium, Window};
use crate::common::*;
use parlor::Server;

/// Posts into the lobby as a script does, and gives the status.
fn post(server: &TestServer, token: &str, body: &str) -> u16 {
    let request = format!(
        "POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    status(&server.raw(request.as_bytes()))
}

/// Writes into a field, and sends its form off by keyboard.
fn fill(window: &Window, field: &str, text: &str) {
    window.ask(&format!("void ($('{field}').scrollIntoView(), $('{field}').focus())"));
    window.type_text(text);
    window.press("Enter");
}

fn value(window: &Window, field: &str) -> String {
    window.wait_for(&format!("shown('{field}') && $('{field}').value"));
    window.ask(&format!("$('{field}').value")).as_str().unwrap().to_owned()
}

#[test]
fn the_owner_makes_a_bot_and_a_token_which_posts_until_it_is_revoked() {
    let Some(chromium) = Chromium::get() else { return };
    let builder = Server::builder().webhook_allow("192.0.2.0/24").listen("127.0.0.1:0".parse().unwrap());
    let bound = builder.bind().unwrap();
    let invite = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let server = TestServer { address: handle.address(), handle };
    let owner = chromium.window(server.address);
    owner.ask(&format!("void (location.hash = 'invite={invite}', location.reload())"));
    owner.wait_for("$('#welcome-title')?.textContent === 'You are invited'");
    owner.click("#name-input");
    owner.type_text("host");
    owner.press("Tab");
    owner.wait_for("document.activeElement === $('#password-input')");
    owner.type_text("correct horse");
    owner.press("Enter");
    owner.is_in();

    owner.click("#open-settings");
    owner.wait_for("$('#settings').open && shown('#settings-bots')");
    fill(&owner, "#bot-name", "oven");
    owner.wait_for("$('[data-robot=oven]') && shown('#token-whose')");
    owner.ask("(whose => { whose.value = 'oven'; whose.dispatchEvent(new Event('change')); })($('#token-whose'))");
    fill(&owner, "#token-label", "kitchen");
    let token = value(&owner, "#token-made");
    owner.wait_for("$$('[data-token]').length === 1 && /Never used/.test($('[data-token]').textContent)");
    assert_eq!(post(&server, &token, "The bread is done."), 201);
    owner.wait_for("$$('.message .bot').some(badge => !badge.hidden && badge.dataset.bot === 'oven')");

    owner.ask("void ($('#webhook-what').value = JSON.stringify({ bot: 'oven' }))");
    fill(&owner, "#webhook-url", "http://10.0.0.1/");
    owner.wait_for("/private network/.test($('#settings-webhooks .said').textContent)");
    owner.ask("$('#webhook-url').select()");
    fill(&owner, "#webhook-url", "http://192.0.2.1/hook");
    assert_eq!(value(&owner, "#webhook-secret").len(), 48);
    owner.wait_for("/Mentions of oven/.test($('[data-webhook]').textContent)");
    owner.forgive("status of 400"); // the address in a private network
    owner.ask("void $('[data-webhook] .quiet').click()");
    owner.wait_for("$$('[data-webhook]').length === 0 && !shown('#webhook-secret')");

    owner.ask("void $('[data-token] button').click()");
    owner.wait_for("$$('[data-token]').length === 0 && !shown('#token-made')");
    assert_eq!(post(&server, &token, "Too late."), 401);
    owner.press("Escape");
    owner.sees("The bread is done.");
    owner.reload();
    owner.is_in();
    owner.wait_for("$('.message .bot')?.hidden === false");
}
