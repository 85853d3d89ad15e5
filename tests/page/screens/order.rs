//! Order: what those see who keep it, and what those see on whom it falls.

use super::{EMOJI, Walk};
use crate::browser::Window;
use serde_json::json;

const NOISY: &str = "WILHELMINAGWENDOLYNWEMMELMUMMWOM";
const REASON: &str = "Everyone else is trying to listen, and this has been asked for more than once or twice by now";

impl Walk<'_> {
    pub(super) fn order(&mut self, owner: &Window) {
        let noisy = self.window();
        noisy.enter(NOISY);
        noisy.say("Well, I never");
        owner.sees("Well, I never");

        self.menu_on(owner, NOISY);
        self.see(owner, "person-menu");
        owner.ask("$('#person-menu').hidePopover()");
        for act in ["mute", "kick", "ban", "purge"] {
            self.ask_to(owner, act);
            self.see(owner, &format!("order-{act}"));
            owner.click("#order-no");
            owner.wait_for("!$('#order-dialog')");
        }
        self.close_people(owner);
        owner.ask("$$('.message').at(-1).focus()");
        owner.press("Enter");
        owner.wait_for("shown('#message-author')");
        self.see(owner, "message-menu-of-another");
        owner.click("#message-author");
        owner.wait_for("shown('#person-mute')");
        self.see(owner, "person-menu-at-message");
        owner.press("Escape");
        owner.wait_for("!shown('#person-menu')");

        self.does(owner, "mute");
        noisy.wait_for("$('#composer').hidden && /You are muted/.test($('#archived').textContent)");
        self.see(&noisy, "muted");
        self.see(owner, "order-done");
        self.menu_on(owner, NOISY);
        self.see(owner, "person-menu-muted");
        owner.click("#person-unmute");
        noisy.wait_for("!$('#composer').hidden");
        self.close_people(owner);

        owner.click("#room-menu-button");
        owner.wait_for("shown('#slow-room')");
        self.see(owner, "room-menu-rules");
        owner.click("#read-only-room");
        noisy.wait_for("$('#composer').hidden && /Eyes on the front/.test($('#archived').textContent)");
        self.see(&noisy, "read-only");
        owner.click("#room-menu-button");
        owner.click("#read-only-room");
        noisy.wait_for("!$('#composer').hidden");
        owner.click("#room-menu-button");
        owner.click("#slow-room");
        owner.wait_for("$('#slow-dialog').open");
        owner.ask("$('#slow-select').value = '900'");
        self.see(owner, "slow-dialog");
        owner.click("#slow-dialog .primary");
        owner.wait_for("!$('#slow-dialog')");
        noisy.say("One more thing");
        noisy.write("and another");
        noisy.wait_for("/Slow mode: 1[45]:\\d\\d/.test($('#pause').textContent) && $('#send').disabled");
        self.see(&noisy, "slow");

        noisy.forgive_the_line();
        noisy.forgive("status of 403");
        self.does(owner, "ban");
        noisy.wait_for("$('#welcome').open && /banned until/.test($('#name-error').textContent)");
        self.see(&noisy, "banned");
        owner.ask(&format!(
            "await fetch(`/api/people/${{encodeURIComponent({})}}/mute`, {{ method: 'POST', \
             headers: {{ 'Content-Type': 'application/json' }}, body: '{{}}' }})",
            json!(EMOJI)
        ));
    }

    fn menu_on(&self, owner: &Window, name: &str) {
        if self.is_phone() && owner.ask("!shown('#people')") == true {
            owner.click("#open-people");
        }
        owner.click(&format!(".person[data-name={name}] .person-more"));
        owner.wait_for("shown('#person-menu')");
    }

    fn close_people(&self, owner: &Window) {
        if self.is_phone() {
            owner.click("#close-people");
            owner.wait_for("!shown('#people')");
        }
    }

    fn ask_to(&self, owner: &Window, act: &str) {
        self.menu_on(owner, NOISY);
        owner.click(&format!("#person-{act}"));
        owner.wait_for("$('#order-dialog').open");
    }

    fn does(&self, owner: &Window, act: &str) {
        self.ask_to(owner, act);
        owner.ask(&format!("$('#order-reason').value = {}", json!(REASON)));
        owner.click("#order-yes");
        owner.wait_for("!$('#order-dialog')");
        self.close_people(owner);
    }
}
