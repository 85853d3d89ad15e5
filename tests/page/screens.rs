//! Every screen of the page, one after the other, on a desk and on the smallest phone: it is looked at by axe-core, and
//! whether everything fits.
//!
//! With `PARLOR_SCREENS=FOLDER` a walk leaves pictures of each there, light and dark.

mod order;
mod programs;
mod search;

use crate::access::barriers;
use crate::browser::{Chromium, Window};
use crate::common::*;
use crate::fit::misfits;
use crate::{heard, post};
use data_encoding::BASE64;
use parlor::Server;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// About as wide as names become: 32 characters, and wide ones.
const WIDE: &str = "MAXIMILIANWOLFGANGWEMMELMANNMOWM";
const EMOJI: &str = "🦜🎩 Señor Łukasz 👩‍👩‍👧‍👦";
const LONG_WORD: &str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
const PASSWORD: &str = "correct horse";

const DESK: u32 = 1280;
const SMALLEST_PHONE: u32 = 320;

#[test]
fn on_a_desk_nothing_stands_in_anyones_way() {
    let Some(chromium) = Chromium::get() else { return };
    let found = walk(&chromium, DESK, &mut barriers);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn on_the_smallest_phone_nothing_does_either_and_everything_fits() {
    let Some(chromium) = Chromium::get() else { return };
    let found = walk(&chromium, SMALLEST_PHONE, &mut |window, dark| {
        // What fits in the light fits in the dark.
        [barriers(window, dark), if dark { Vec::new() } else { misfits(window) }].concat()
    });
    assert!(found.is_empty(), "{found:#?}");
}

struct Walk<'a> {
    chromium: &'a Arc<Chromium>,
    server: TestServer,
    /// Of the invitation that makes the owner.
    token: String,
    width: u32,
    look: &'a mut dyn FnMut(&Window, bool) -> Vec<String>,
    /// What was found on each screen.
    found: Vec<String>,
}

/// Walks through all screens; `look` looks at each, light and then dark. Gives what it found, and where.
fn walk(chromium: &Arc<Chromium>, width: u32, look: &mut dyn FnMut(&Window, bool) -> Vec<String>) -> Vec<String> {
    let bound = Server::builder()
        .on_message(|post| match post.body.contains("darn") {
            true => Err("mind your manners, please: this is a place for everyone, and children read along".into()),
            false => Ok(()),
        })
        .listen("127.0.0.1:0".parse().unwrap())
        .webhook_allow("127.0.0.1")
        .webhook_retries(1, Duration::from_millis(1))
        .bind()
        .unwrap();
    let token = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let server = TestServer { address: handle.address(), handle };
    let mut walk = Walk { chromium, server, token, width, look, found: Vec::new() };
    let owner = walk.door();
    let mut others = walk.messages();
    walk.log(&owner, &mut others);
    walk.menus(&owner);
    walk.writing(&owner);
    walk.rooms(&owner, &mut others);
    walk.drawers(&owner);
    walk.wire(&owner);
    walk.search(&owner, &mut others[0]);
    walk.palette(&owner);
    walk.order(&owner);
    walk.settings(&owner, &mut others[0]);
    walk.found
}

impl Walk<'_> {
    fn is_phone(&self) -> bool {
        self.width < 760
    }

    fn window(&self) -> Window {
        let window = self.chromium.window(self.server.address);
        window.prefers(false);
        let height = if self.is_phone() { 640 } else { 800 };
        window.resize(self.width, height, self.is_phone());
        window
    }

    fn see(&mut self, window: &Window, name: &str) {
        window.ask("(await frame(), await frame(), null)");
        for dark in [false, true] {
            window.prefers(dark);
            let shade = if dark { "dark" } else { "light" };
            if let Some(folder) = std::env::var_os("PARLOR_SCREENS") {
                std::fs::create_dir_all(&folder).unwrap();
                let file = Path::new(&folder).join(format!("{}-{shade}-{name}.png", self.width));
                std::fs::write(file, BASE64.decode(window.picture().as_bytes()).unwrap()).unwrap();
            }
            self.found.extend((self.look)(window, dark).into_iter().map(|what| format!("{name}, {shade}: {what}")));
        }
        window.prefers(false);
    }

    /// All ways in; the last of them makes the owner.
    fn door(&mut self) -> Window {
        let window = self.window();
        window.wait_for("shown('#welcome') && $('#welcome').dataset.mode === 'guest'");
        self.see(&window, "door-guest");
        window.press("Enter");
        window.wait_for("$('#name-error').textContent");
        self.see(&window, "door-refused");
        for mode in ["signIn", "register"] {
            window.click(&format!("[data-mode={mode}].link"));
            window.wait_for(&format!("$('#welcome').dataset.mode === '{mode}'"));
            self.see(&window, &format!("door-{mode}"));
        }
        window.ask(&format!("void (location.hash = 'invite={}', location.reload())", self.token));
        window.wait_for("$('#welcome-title')?.textContent === 'You are invited' && shown('#password-input')");
        self.see(&window, "door-invited");
        window.click("#name-input");
        window.type_text(WIDE);
        window.click("#password-input");
        window.type_text(PASSWORD);
        window.press("Enter");
        window.is_in();
        window.wait_for("shown('.empty')");
        self.see(&window, "empty-room");
        // Whoever is in already is told what the link is for.
        window.ask("void (location.hash = 'invite=0123456789abcdef')");
        window.wait_for("$('#welcome').open && shown('[data-mode=stay]')");
        self.see(&window, "door-invited-twice");
        window.click("[data-mode=stay]");
        window.wait_for("!$('#welcome').open && !location.hash");
        window
    }

    /// Messages of every kind, and people with every kind of name.
    fn messages(&mut self) -> Vec<Client> {
        let name = |name: &str| form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
        let mut emoji = self.server.in_lobby(&name(EMOJI));
        let mut bob = self.server.in_lobby("bob");
        for body in [
            "**Welcome** to the *studio*, ~~guests~~ friends. A few things:\n- bring `brushes`\n- see [the plan](https://example.org/plan)\n\n1. paint\n2. rest",
            "> bring brushes\nI have two",
            "```js\nconst happy = accident => accident ?? 'tree and a line of code that is longer than any telephone is wide';\n```",
            LONG_WORD,
            &format!("https://example.org/{LONG_WORD}/{LONG_WORD}"),
            &format!("@{WIDE}, look at this 🎉 `{LONG_WORD}`"),
        ] {
            post(&mut bob, "lobby", body);
        }
        post(&mut emoji, "lobby", "a slip of the pen");
        emoji.send(json!({"type": "edit", "room": "lobby", "seq": 7, "body": "no slip of the pen"}));
        heard(&mut emoji, "message");
        post(&mut emoji, "lobby", "never said");
        emoji.send(json!({"type": "delete", "room": "lobby", "seq": 9}));
        heard(&mut emoji, "message");
        bob.send(json!({"type": "post", "room": "lobby", "id": "reply", "body": "It is beautiful", "reply_to": 4}));
        let reply = bob.everything_until(|frame| frame["id"] == "reply").pop().unwrap()["seq"].clone();
        for (n, emoji) in ["👍", "❤️", "😂", "🎉", "😮", "👀", "🦜", "🎩"].iter().enumerate() {
            bob.send(json!({"type": "react", "room": "lobby", "seq": reply, "emoji": emoji, "on": true}));
            bob.everything_until(|frame| frame["reactions"].as_array().is_some_and(|all| all.len() == n + 1));
        }
        vec![bob, emoji]
    }

    fn log(&mut self, owner: &Window, others: &mut [Client]) {
        owner.sees("It is beautiful");
        owner.wait_for("$$('.reaction').length === 8");
        owner.say("I am delighted");
        owner.sees("I am delighted");
        owner.write("darn it");
        owner.press("Enter");
        owner.wait_for("$('.message[data-state=failed] .failure')");
        others[1].send(json!({"type": "typing", "room": "lobby"}));
        owner.wait_for("shown('#typing') && $('#typing').textContent.includes('is typing')");
        self.see(owner, "log-end");
        owner.ask("void ($('#log').scrollTop = 0)");
        self.see(owner, "log-start");
        owner.ask("void ($('#log').scrollTop = 1e6)");
        owner.click("[data-action=discard]");
        owner.wait_for("!$('.failure')");
    }

    fn menus(&mut self, owner: &Window) {
        owner.ask("$$('.message[data-own]').at(-1).focus()");
        owner.wait_for("shown('.tools')");
        self.see(owner, "message-tools");
        owner.press("Enter");
        owner.wait_for("shown('#message-menu')");
        self.see(owner, "message-menu");
        owner.click("#message-pick");
        owner.wait_for("shown('#emoji-picker') && $$('#emoji-grid button').length > 20");
        self.see(owner, "emoji-picker");
        owner.type_text("xyzzy");
        owner.wait_for("shown('#emoji-grid .note')");
        self.see(owner, "emoji-none");
        owner.press("Escape");
        owner.wait_for("!shown('#emoji-picker')");
        owner.ask("$$('.message[data-own]').at(-1).focus()");
        owner.press("Enter");
        owner.click("#message-delete");
        owner.wait_for("$('#delete-dialog').open");
        self.see(owner, "delete-dialog");
        owner.click("#delete-no");
        owner.wait_for("!$('#delete-dialog').open");
        owner.ask("$$('.message[data-own]').at(-1).focus()");
        owner.press("?");
        owner.wait_for("$('#keys')?.open && $('#keys').scrollTop === 0");
        self.see(owner, "keys");
        owner.press("Escape");
        owner.wait_for("!$('#keys').open");
    }

    fn writing(&mut self, owner: &Window) {
        owner.write(":pa");
        owner.wait_for("shown('#completion') && $$('#completion li').length > 2");
        self.see(owner, "completion-emoji");
        owner.press("Escape");
        owner.ask("$('#composer-input').select()");
        owner.type_text("@");
        owner.wait_for("shown('#completion') && $$('#completion li').length === 2");
        self.see(owner, "completion-people");
        owner.press("Escape");
        owner.ask("$('#composer-input').select()");
        owner.press("Backspace");
        owner.press("ArrowUp");
        owner.wait_for("shown('#composer-about') && $('#composer-input').value === 'I am delighted'");
        self.see(owner, "editing");
        owner.press("Escape");
        owner.ask("$('[data-seq=\"6\"]').focus()");
        owner.press("Enter");
        owner.click("#message-reply");
        owner.wait_for("shown('#composer-about')");
        self.see(owner, "replying");
        owner.press("Escape");
        owner.write(&"long ".repeat(1700));
        owner.wait_for("$('#counter').textContent.includes('too long')");
        self.see(owner, "too-long");
        owner.ask("$('#composer-input').select()");
        owner.press("Backspace");
        owner.ask("void (location.hash = 'nowhere')");
        owner.wait_for("$('.empty[data-state=missing]')");
        self.see(owner, "missing-room");
        owner.ask("void (location.hash = 'lobby/999')");
        owner.wait_for("!$('#banner').hidden");
        self.see(owner, "banner");
        owner.click("#try-now");
    }

    fn open_rooms(&self, owner: &Window) {
        if self.is_phone() {
            owner.click("#open-rooms");
            owner.wait_for("shown('#rooms')");
        }
    }

    fn rooms(&mut self, owner: &Window, others: &mut [Client]) {
        self.open_rooms(owner);
        owner.click("#new-room");
        owner.wait_for("$('#room-dialog').open");
        owner.type_text(LONG_WORD);
        self.see(owner, "room-public");
        owner.click("#room-kind-direct");
        owner.click("#room-people-input");
        owner.type_text(EMOJI);
        owner.press("Enter");
        owner.type_text("bob");
        owner.press("Enter");
        owner.type_text("nobody");
        owner.press("Enter");
        owner.wait_for("$$('.chosen li').length === 3");
        owner.click("#room-create");
        owner.wait_for("/Nobody called nobody/.test($('#room-people-error').textContent)");
        self.see(owner, "room-direct");
        owner.click("[data-name=nobody] button");
        owner.click("#room-create");
        owner.wait_for("!$('#room-dialog').open && /^#d-/.test(location.hash) && shown('.empty')");
        self.see(owner, "direct-room");

        self.open_rooms(owner);
        owner.click("#new-room");
        owner.type_text("A room whose name is rather long, as names of rooms sometimes are");
        owner.click("#room-kind-private");
        owner.click("#room-people-input");
        owner.type_text("bob");
        owner.wait_for("!shown('#room-slug-input')");
        self.see(owner, "room-private");
        owner.click("#room-create");
        owner.wait_for("!$('#room-dialog').open && shown('#room-lock')");
        owner.click("#room-menu-button");
        owner.click("#edit-room");
        owner.wait_for("$('#edit-dialog').open");
        owner.type_text(&format!("What it is about does not fit beside its name either: {LONG_WORD}"));
        self.see(owner, "edit-dialog");
        owner.press("Enter");
        owner.wait_for("!$('#edit-dialog').open");
        owner.click("#room-menu-button");
        owner.wait_for("shown('#room-menu')");
        self.see(owner, "room-menu");
        owner.click("#members-room");
        owner.wait_for("$$('.member').length === 2");
        owner.click("#invite-input");
        owner.type_text(EMOJI);
        owner.press("Enter");
        owner.wait_for("$$('.member').length === 3");
        self.see(owner, "members-dialog");
        owner.click("#members-close");
        owner.click("#room-menu-button");
        owner.click("#leave-room");
        owner.wait_for("$('#leave-dialog').open");
        self.see(owner, "leave-dialog");
        owner.click("#leave-cancel");
        owner.wait_for("!$('#leave-dialog').open");
        let room = owner.ask("location.hash.slice(1)");
        others[0].send(json!({"type": "join", "room": room}));
        others[0].send(json!({"type": "post", "room": room, "id": "there", "body": format!("Now @{WIDE} knows")}));
        owner.sees(&format!("Now @{WIDE} knows"));
        owner.click("#room-menu-button");
        owner.click("#archive-room");
        owner.wait_for("shown('#archived')");
        self.see(owner, "archived");
        owner.ask("void (location.hash = 'lobby')");
        owner.wait_for("$('#room-title').textContent === 'Lobby'");
    }

    fn drawers(&mut self, owner: &Window) {
        if !self.is_phone() {
            return;
        }
        self.open_rooms(owner);
        self.see(owner, "drawer-rooms");
        owner.press("Escape");
        owner.wait_for("!shown('#rooms')");
        owner.click("#open-people");
        owner.wait_for("shown('#people') && $$('.person').length === 3");
        self.see(owner, "drawer-people");
        owner.press("Escape");
        owner.wait_for("!shown('#people')");
    }

    fn wire(&mut self, owner: &Window) {
        owner.click("#wire-toggle");
        owner.wait_for("shown('#wire') && $('.frame')");
        self.see(owner, "wire");
        owner.ask("$('#chat').inert || $('#composer-input').focus()");
        owner.ask("$$('.frame-head').at(-1).click()");
        owner.wait_for("shown('.frame-detail:not([hidden])')");
        self.see(owner, "wire-frame");
        owner.click("#wire-close");
        owner.wait_for("!shown('#wire')");
    }

    fn settings(&mut self, owner: &Window, bob: &mut Client) {
        let other = self.window();
        other.click("[data-mode=register].link");
        other.wait_for("$('#welcome').dataset.mode === 'register'");
        other.click("#name-input");
        other.type_text(LONG_WORD.split_at(32).0);
        other.click("#password-input");
        other.type_text(PASSWORD);
        other.press("Enter");
        other.is_in();
        let guest = self.window();
        guest.enter("ann");
        self.open_rooms(&guest);
        guest.click("#open-settings");
        guest.wait_for("shown('#settings-register')");
        self.see(&guest, "settings-guest");
        guest.click("#settings-register");
        guest.wait_for("$('#welcome').open && shown('[data-mode=stay]')");
        self.see(&guest, "guest-registers");

        self.open_settings(owner);
        owner.wait_for("$('[data-session]') && $$('[data-person]').length === 2");
        self.see(owner, "settings");
        owner.click("[data-way=people]");
        owner.wait_for(
            "$('[data-way=people]').ariaCurrent === 'true' && document.activeElement.id === 'settings-group-people'",
        );
        self.see(owner, "settings-people");
        owner.click("#invite");
        owner.wait_for("shown('.qr') && $('[data-invitation]')");
        self.see(owner, "settings-invited");
        for part in ["roles", "password", "sanctions", "book"] {
            self.see_part(owner, part);
        }
        self.programs(owner, bob);
        owner.press("Escape");
    }

    fn open_settings(&self, owner: &Window) {
        self.open_rooms(owner);
        owner.click("#open-settings");
        owner.wait_for("$('#settings')?.open");
    }
}
