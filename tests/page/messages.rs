//! What people do with a message: edit it, delete it, answer it, react to it, speak to somebody in it, link to it.

use crate::browser::{Chromium, Window, js};
use crate::common::*;
use crate::{create, heard, kept, post};
use serde_json::json;

/// Points at a message, and clicks one of the buttons that come with it.
#[track_caller]
fn tool(window: &Window, seq: i64, name: &str) {
    window.point_at(&format!("[data-seq='{seq}']"));
    window.click(&format!("[data-seq='{seq}'] [data-tool={name}]"));
}

/// Chooses from the menu of a message.
#[track_caller]
fn choose(window: &Window, seq: i64, item: &str) {
    tool(window, seq, "more");
    window.click(&format!("#message-{item}"));
}

#[track_caller]
fn body_is(window: &Window, seq: i64, text: &str) {
    window.wait_for(&format!("$(\"[data-seq='{seq}'] .body\").textContent === {}", js(text)));
}

#[test]
fn an_own_message_is_edited_with_the_arrow_key_and_everyone_sees_it() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.say("helo wrld");
    bob.say("what?");
    ann.sees("what?");
    ann.click("#composer-input");
    ann.press("ArrowUp");
    ann.wait_for("$('#composer-input').value === 'helo wrld' && shown('#composer-about')");
    ann.ask("$('#composer-input').select()");
    ann.type_text("hello world");
    ann.press("Enter");
    for window in [&ann, &bob] {
        window.sees("hello world");
        window.wait_for("$('[data-seq=\"1\"] .body').dataset.edited && !$('[data-seq=\"2\"] .body').dataset.edited");
        assert_eq!(window.messages().len(), 2, "in its place, not once more");
    }
    ann.wait_for("$('#composer-input').value === '' && !shown('#composer-about')");
    // Escape leaves it as it was, and gives the draft back.
    ann.type_text("a draft");
    choose(&ann, 1, "edit");
    ann.wait_for("$('#composer-input').value === 'hello world'");
    ann.type_text(", or not");
    ann.press("Escape");
    ann.wait_for("$('#composer-input').value === 'a draft' && !shown('#composer-about')");
    assert_eq!(kept(&server, "lobby")[1].2, "hello world");
    // Another's has no such thing in its menu.
    tool(&ann, 2, "more");
    ann.wait_for("shown('#message-reply') && !shown('#message-edit') && !shown('#message-delete')");
    ann.press("Escape");
    ann.wait_for("!shown('#message-menu')");
}

#[test]
fn a_message_is_deleted_for_all_once_that_is_confirmed() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.say("to be gone");
    bob.sees("to be gone");
    tool(&bob, 1, "react");
    bob.click("#emoji-grid button");
    ann.wait_for("$$('.reaction').length === 1");
    choose(&ann, 1, "delete");
    ann.wait_for("shown('#delete-dialog') && $('#delete-said').textContent === 'to be gone'");
    ann.click("#delete-no");
    ann.wait_for("!shown('#delete-dialog')");
    choose(&ann, 1, "delete");
    ann.click("#delete-yes");
    for window in [&ann, &bob] {
        body_is(window, 1, "This message was deleted");
        window.wait_for("!shown('.reactions') && $('.message').classList.contains('deleted')");
    }
    assert_eq!(kept(&server, "lobby")[0].2, "");
    ann.point_at("[data-seq='1']");
    assert_eq!(ann.ask("$('.tools')?.checkVisibility() ?? false"), false, "nothing can be done with it any more");
}

#[test]
fn a_reaction_is_given_counted_and_taken_back() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.say("done!");
    bob.sees("done!");
    tool(&bob, 1, "react");
    bob.wait_for("document.activeElement === $('#emoji-search') && $('#emoji-grid button')");
    bob.type_text("tada");
    bob.wait_for("$('#emoji-grid button').textContent === '🎉'");
    bob.press("Enter");
    let reactions = "$$('.reaction').map(node => [node.dataset.emoji, node.textContent.replace(/\\D/g, ''), node.ariaPressed].join(' '))";
    ann.wait_for_value(reactions, ["🎉 1 false"].as_slice());
    bob.wait_for_value(reactions, ["🎉 1 true"].as_slice());
    ann.click(".reaction");
    bob.wait_for_value(reactions, ["🎉 2 true"].as_slice());
    assert_eq!(bob.ask("$('.reaction').title"), "🎉 bob, ann");
    tool(&ann, 1, "more");
    ann.click("#message-quick [data-emoji='👍']");
    bob.wait_for_value(reactions, ["🎉 2 true", "👍 1 false"].as_slice());
    bob.click("[data-emoji='🎉'].reaction");
    ann.wait_for_value(reactions, ["🎉 1 true", "👍 1 true"].as_slice());
}

#[test]
fn a_reply_quotes_what_it_answers_and_leads_there() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut dan = server.in_lobby("dan");
    post(&mut dan, "lobby", "tea or coffee?\n(there is no milk)");
    for n in 0..80 {
        post(&mut dan, "lobby", &format!("line {n}"));
    }
    let ann = chromium.person(server.address, "ann");
    ann.sees("line 79");
    tool(&ann, 81, "reply");
    ann.wait_for("$('#composer-about-what').textContent === 'Replying to dan' && $('#composer-about-said').textContent === 'line 79'");
    ann.press("Escape");
    ann.wait_for("!shown('#composer-about')");
    tool(&ann, 81, "reply");
    ann.say("fine");
    ann.wait_for("$('[data-seq=\"82\"] .quoted').textContent === 'danline 79' && !shown('#composer-about')");
    dan.send(json!({"type": "post", "room": "lobby", "id": "r", "body": "nobody said which", "reply_to": 1}));
    heard(&mut dan, "message");
    // Not loaded yet: it is fetched.
    ann.wait_for("$('[data-seq=\"83\"] .quoted')");
    ann.click("[data-seq='83'] .quoted");
    ann.wait_for(
        "document.activeElement === $('[data-seq=\"1\"]') && $('[data-seq=\"1\"]').classList.contains('found')",
    );
    ann.wait_for("$('[data-seq=\"1\"]').getBoundingClientRect().top >= 0");
    ann.wait_for("$('[data-seq=\"83\"] .quoted').textContent === 'dantea or coffee?'");
    dan.send(json!({"type": "delete", "room": "lobby", "seq": 1}));
    ann.wait_for("$('[data-seq=\"83\"] .quoted').textContent === 'danThis message was deleted'");
}

#[test]
fn a_link_to_a_message_opens_its_room_there() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut dan = server.json("dan");
    create(&mut dan, "garden", "The garden");
    for n in 1..=230 {
        post(&mut dan, "garden", &format!("flower {n}"));
    }
    let ann = chromium.person(server.address, "ann");
    ann.go("/#garden/12");
    ann.wait_for("document.activeElement === $('[data-seq=\"12\"]')");
    let box_of = "$('[data-seq=\"12\"]').getBoundingClientRect()";
    ann.wait_for(&format!("{box_of}.top > 60 && {box_of}.bottom < 760"));
    assert_eq!(ann.ask("$('#room-title').textContent"), "The garden");
    ann.ask("void (navigator.clipboard.writeText = async text => { window.copied = text; })");
    choose(&ann, 12, "link");
    ann.wait_for_value("copied", format!("http://{}/#garden/12", server.address));
    ann.ask("void (location.hash = 'garden/999')");
    ann.wait_for("$('#banner').textContent.includes('That message is not in this room')");
}

#[test]
fn who_is_spoken_to_sees_it_here_and_in_the_list_of_rooms() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut dan = server.json("dan");
    create(&mut dan, "garden", "The garden");
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "Bob Ross");
    ann.wait_for("$$('.person').length === 2");
    ann.write("hello @bo");
    ann.wait_for("$$('#completion [role=option]').map(node => node.textContent).join() === 'Bob Ross'");
    assert_eq!(ann.ask("$('#composer-input').getAttribute('aria-activedescendant')"), "completion-0");
    ann.press("Enter");
    ann.wait_for("$('#composer-input').value === 'hello @Bob Ross ' && !shown('#completion')");
    ann.type_text("and @nobody");
    ann.press("Enter");
    bob.sees("hello @Bob Ross and @nobody");
    assert_eq!(
        bob.ask("$$('.mention').map(node => node.className + ' ' + node.textContent)"),
        json!(["mention own @Bob Ross"])
    );
    assert_eq!(ann.ask("$$('.mention').map(node => node.className)"), json!(["mention"]));
    // In a room that is not open it is counted apart.
    bob.ask("void (location.hash = 'garden')");
    bob.wait_for("$('#room-title').textContent === 'The garden'");
    ann.say("nothing for anybody");
    ann.say("are you there, @bob ross?");
    let counts = "['.unread', '.mentions'].map(count => $(`[data-room=lobby] ${count}`).textContent)";
    bob.wait_for_value(counts, ["2", "@1"].as_slice());
    bob.reload();
    bob.wait_for_value(counts, ["2", "@1"].as_slice());
    bob.ask("void (location.hash = 'lobby')");
    bob.wait_for_value(counts, ["", ""].as_slice());
}

#[test]
fn the_browser_tells_of_a_mention_only_if_it_was_asked_to() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.ask(
        "void (window.Notification = class { static permission = 'default'; static asked = 0; static shown = [];
            static async requestPermission() { this.asked += 1; this.permission = 'granted'; }
            constructor(title, { body }) { Notification.shown.push(`${title}: ${body}`); } })",
    );
    let mut bob = server.in_lobby("bob");
    post(&mut bob, "lobby", "hello all");
    ann.sees("hello all");
    assert_eq!(ann.ask("shown('#notify')"), false);
    post(&mut bob, "lobby", "hello @ann");
    ann.wait_for("shown('#notify')");
    assert_eq!(ann.ask("Notification.asked"), 0, "the browser is not asked before the person is");
    ann.click("#notify-yes");
    ann.wait_for("Notification.asked === 1 && !shown('#notify')");
    post(&mut bob, "lobby", "you see this, @ann");
    ann.sees("you see this, @ann");
    ann.ask("void Object.defineProperty(document, 'hidden', { value: true, configurable: true })");
    post(&mut bob, "lobby", "not for you");
    post(&mut bob, "lobby", "but this, @ann");
    ann.wait_for_value("Notification.shown", ["bob in Lobby: but this, @ann"].as_slice());
    // Switched off in the settings, whatever the browser would allow.
    ann.click("#open-settings");
    ann.wait_for("$('#settings-notify').checked");
    ann.click("#settings-notify");
    ann.press("Escape");
    post(&mut bob, "lobby", "not any more, @ann");
    ann.sees("not any more, @ann");
    assert_eq!(ann.ask("Notification.shown.length"), 1);
}

#[test]
fn the_everyday_part_of_markdown_is_shown_and_the_rest_stays_text() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let shape = "(node => [...node.childNodes].map(function shape(one) {
        return one.nodeType === 3 ? one.data : `<${one.localName}>${[...one.childNodes].map(shape).join('')}`; }).join('|'))($$('.body').at(-1))";
    let cases = [
        (
            "**bold** and *leaning* and ~~gone~~ and `code`",
            "<strong>bold| and |<em>leaning| and |<s>gone| and |<code>code",
        ),
        ("__so__ and _so_, snake_case_name, 2 * 3 * 4, **", "<strong>so| and |<em>so|, snake_case_name, 2 * 3 * 4, **"),
        ("**bold with *leaning* in it**", "<strong>bold with <em>leaning in it"),
        ("`**not bold**` **`code`**", "<code>**not bold**| |<strong><code>code"),
        ("list:\n- one\n- **two**\nend", "list:|<ul><li>one<li><strong>two|end"),
        ("3. three\n4. four", "<ol><li>three<li>four"),
        ("> quoted\n> > deeper\nanswer", "<blockquote>quoted<blockquote>deeper|answer"),
        ("[here](https://example.org/a_(b)) or mailto:ann@example.org", "<a>here| or |<a>mailto:ann@example.org"),
        (
            "[no](javascript:alert(1)) [no](data:text/html,x) [no](//x)",
            "[no](javascript:alert(1)) [no](data:text/html,x) [no](//x)",
        ),
        ("<b>x</b> ![a](b) # no heading", "<b>x</b> ![a](b) # no heading"),
    ];
    for (text, expected) in cases {
        ann.write(text);
        ann.press("Enter");
        ann.wait_for("$('#composer-input').value === ''");
        ann.wait_for_value(shape, expected);
    }
    let links = ann.ask("$$('.body a').map(a => [a.getAttribute('href'), a.rel, a.target, a.title].join(' '))");
    assert_eq!(
        links,
        json!([
            "https://example.org/a_(b) noopener noreferrer nofollow _blank https://example.org/a_(b)",
            "mailto:ann@example.org noopener noreferrer nofollow _blank "
        ])
    );
    // What is long and crooked is drawn as quickly as what is not.
    let began = std::time::Instant::now();
    for crooked in ["**a ".repeat(2000), "[(".repeat(4000), "*_~~`".repeat(1600), "> ".repeat(4000), "@a ".repeat(2700)]
    {
        ann.write(&crooked);
        ann.press("Enter");
        ann.wait_for("$('#composer-input').value === ''");
    }
    ann.wait_for(&format!("$$('.message[data-state=sent]').length === {}", cases.len() + 5));
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    ann.say("```\nlet x = 1;\n```");
    ann.ask("void (navigator.clipboard.writeText = async text => { window.copied = text; })");
    ann.point_at(".body pre");
    ann.click(".copy");
    ann.wait_for_value("copied", "let x = 1;");
}

#[test]
fn emoji_are_found_by_name() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.write("well done :tad");
    ann.wait_for("$$('#completion [role=option]')[0]?.textContent === '🎉:tada:'");
    ann.press("Tab");
    ann.wait_for("$('#composer-input').value === 'well done 🎉 '");
    ann.type_text(":heart: at 10:30:00 :no_such_name:");
    ann.press("Escape");
    ann.press("Enter");
    ann.sees("well done 🎉 ❤️ at 10:30:00 :no_such_name:");
}

#[test]
fn all_of_it_works_with_the_keyboard_alone() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.say("one");
    ann.say("two");
    ann.sees("two");
    ann.ask("$('#log').focus()");
    ann.press("ArrowUp");
    ann.wait_for("document.activeElement === $('[data-seq=\"2\"]')");
    ann.press("ArrowUp");
    ann.wait_for("document.activeElement === $('[data-seq=\"1\"]') && shown('[data-seq=\"1\"] .tools')");
    ann.press("Enter");
    ann.wait_for("shown('#message-menu') && document.activeElement === $('#message-quick button')");
    ann.press("Enter");
    ann.wait_for("$('[data-seq=\"1\"] .reaction').dataset.emoji === '👍' && !shown('#message-menu')");
    ann.wait_for("document.activeElement === $('[data-seq=\"1\"]')");
    ann.press("Tab");
    ann.wait_for("document.activeElement.matches('.reaction')");
    ann.press("Tab");
    ann.wait_for("document.activeElement.matches('[data-tool=react]')");
    ann.press("Tab");
    ann.press("Enter");
    ann.wait_for("document.activeElement === $('#composer-input') && shown('#composer-about')");
    ann.type_text("three");
    ann.press("Enter");
    ann.wait_for("$('[data-seq=\"4\"] .quoted').textContent === 'annone'");
}

#[test]
fn on_a_phone_a_tap_opens_the_menu() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.resize(320, 640, true);
    ann.say("see https://example.org");
    ann.wait_for("$('[data-seq=\"1\"]')");
    let tap = |selector: &str| {
        ann.ask(&format!(
            "void $({}).dispatchEvent(new PointerEvent('click', {{ bubbles: true, cancelable: true, pointerType: 'touch' }}))",
            js(selector)
        ));
    };
    tap("[data-seq='1'] .body");
    ann.wait_for("shown('#message-menu')");
    let fits = "(box => box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight)";
    ann.wait_for(&format!("{fits}($('#message-menu').getBoundingClientRect())"));
    ann.click("#message-pick");
    ann.wait_for(&format!("$('#emoji-grid button') && {fits}($('#emoji-picker').getBoundingClientRect())"));
    ann.click("#emoji-grid button");
    ann.wait_for("$$('.reaction').length === 1");
    assert_eq!(ann.ask("document.documentElement.scrollWidth <= innerWidth"), true);
}
