//! Bots, tokens and webhooks in the settings.

use super::{LONG_WORD, WIDE, Walk};
use crate::browser::Window;
use crate::common::*;
use crate::post;

const BOT: &str = "WINDOWMAKERMOWMWEMMELBOTMOMMWWOM";

impl Walk<'_> {
    /// The settings are open; at the end, too.
    pub(super) fn programs(&mut self, owner: &Window, bob: &mut Client) {
        fill(owner, "#bot-name", BOT);
        owner.wait_for("$('[data-robot]') && shown('#token-whose')");
        self.see_part(owner, "bots");
        fill(owner, "#token-label", LONG_WORD.split_at(64).0);
        owner.wait_for("shown('#token-made') && $('#token-made').value && $('[data-token]')");
        self.see_part(owner, "tokens");
        fill(owner, "#webhook-url", &format!("http://127.0.0.1:9/{LONG_WORD}/{LONG_WORD}"));
        owner.wait_for("shown('#webhook-secret') && $('#webhook-secret').value && $('[data-webhook]')");
        self.see_part(owner, "webhooks");
        // Nobody listens there.
        post(bob, "attic", &format!("@{WIDE}, have a look"));
        owner.wait_for("(await (await fetch('/api/webhooks')).json())[0].paused");
        owner.press("Escape");
        owner.wait_for("!$('#settings').open");
        self.open_settings(owner);
        owner.wait_for("$('[data-webhook][data-paused=true]')");
        self.see_part(owner, "webhooks-paused");
    }

    /// That part of the settings, brought to the top.
    pub(super) fn see_part(&mut self, owner: &Window, name: &str) {
        let section = name.split('-').next().unwrap_or(name);
        owner.ask(&format!("$('#settings-{section}').scrollIntoView()"));
        self.see(owner, &format!("settings-{name}"));
    }
}

/// Writes into a field, and sends its form off by keyboard.
fn fill(window: &Window, field: &str, text: &str) {
    window.ask(&format!("void ($('{field}').scrollIntoView(), $('{field}').focus())"));
    window.type_text(text);
    window.press("Enter");
}
