//! Search, and the palette.

use super::{LONG_WORD, Walk};
use crate::browser::Window;
use crate::common::*;
use crate::{create, heard};

const COUNT: usize = 200;

impl Walk<'_> {
    pub(super) fn search(&mut self, owner: &Window, bob: &mut Client) {
        create(bob, "attic", "The attic of bob, where everything is that nobody looks for any more");
        for n in 1..=COUNT {
            let body = match n % 50 {
                20 => format!("needle {n}: bob sewed with the needle, and with {LONG_WORD}"),
                _ => format!("straw {n}"),
            };
            bob.post("attic", &format!("attic {n}"), &body);
        }
        while heard(bob, "message")["seq"] != COUNT {}

        owner.click("#search-toggle");
        owner.wait_for("document.activeElement.id === 'search-input'");
        self.see(owner, "search");
        find(owner, "something else");
        owner.wait_for("/Nothing/.test($('#search-status').textContent)");
        self.see(owner, "search-none");
        find(owner, "needle before:soon");
        owner.wait_for("/^At character 15: /.test($('#search-error').textContent)");
        self.see(owner, "search-error");
        owner.ask("$('#search-input').select()");
        owner.type_text("needle from:");
        owner.wait_for("shown('#search-completion') && $$('#search-completion li').length > 1");
        self.see(owner, "search-completion");
        owner.press("Escape");
        find(owner, "needle sewed");
        owner.wait_for("$$('.hit').length === 4 && $$('.hit mark').length > 4");
        self.see(owner, "search-results");
        owner.ask("$$('.hit').at(-1).focus()");
        owner.press("Enter");
        owner.wait_for("$('.message.found')?.dataset.seq === '20' && shown('#jump')");
        self.see(owner, "search-hit");
        owner.ask("void ($('#search').hidden || $('#search-close').click())");
        owner.click("#jump");
        owner.sees(&format!("straw {COUNT}"));
    }

    pub(super) fn palette(&mut self, owner: &Window) {
        // The room that one is in is not offered.
        owner.ask("void (location.hash = 'lobby')");
        owner.wait_for("$('#room-title').textContent === 'Lobby'");
        owner.press_control("k", 75);
        owner.wait_for("$('#palette').open && $$('[role=option][data-group=rooms]').length > 1");
        self.see(owner, "palette");
        owner.type_text("bob");
        let groups = "[...new Set($$('#palette-list [role=option]').map(node => node.dataset.group))].join()";
        owner.wait_for_value(groups, "rooms,people,messages");
        owner.wait_for("$('#palette-list mark')");
        self.see(owner, "palette-found");
        owner.ask("$('#palette-input').select()");
        owner.type_text("xyzzy");
        owner.wait_for("$$('#palette-list [role=option]').length === 1");
        self.see(owner, "palette-none");
        owner.press("Escape");
        owner.wait_for("!$('#palette').open");
    }
}

fn find(window: &Window, query: &str) {
    window.ask("$('#search-input').select()");
    window.type_text(query);
    window.press("Enter");
}
