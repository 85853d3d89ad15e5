//! People write to each other.

use crate::browser::{Chromium, js};
use crate::cable::Cable;
use crate::common::*;
use crate::{all_have_the_same, kept, post};
use parlor::{Server, Synchronous};

#[test]
fn two_people_see_the_same_messages_in_the_same_order() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.say("hello, is somebody here?");
    bob.sees("hello, is somebody here?");
    bob.say("I am");
    ann.sees("I am");
    // All at once, nobody waits for anybody.
    for n in 0..4 {
        ann.say(&format!("a{n}"));
        bob.say(&format!("b{n}"));
    }
    let bodies = ["hello, is somebody here?", "I am", "a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"];
    for window in [&ann, &bob] {
        bodies.iter().for_each(|body| window.sees(body));
    }
    all_have_the_same(&server, &[&ann, &bob], &bodies);
    assert_eq!(ann.ask("$$('.message[data-own]').length"), 5);
    assert_eq!(bob.ask("message('I am').hasAttribute('data-own')"), true);
    assert_eq!(bob.ask("$$('.day').length"), 1, "all of it was today");
}

#[test]
fn a_message_is_there_at_once_as_pending_and_then_as_sent() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    let bob = chromium.person(server.address, "bob");
    cable.hold();
    ann.say("on its way");
    ann.keeps("on its way");
    bob.sees("on its way");
    ann.ask("void (window.node = message('on its way'), window.before = node.getBoundingClientRect().top)");
    cable.release();
    ann.sees("on its way");
    assert_eq!(ann.ask("message('on its way') === node"), true, "the same element: a selection in it survives");
    assert_eq!(ann.ask("node.getBoundingClientRect().top === before"), true, "and nothing moved");
}

#[test]
fn markup_stays_text_a_link_is_a_link_and_code_is_code() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let markup =
        "<img src=x onerror='window.hurt=1'><script>window.hurt=2</script><b>bold</b> &amp; [a](javascript:hurt())";
    ann.say(markup);
    ann.sees(markup);
    assert_eq!(ann.ask(&format!("message({}).querySelector('.body').children.length", js(markup))), 0);

    let link = "see https://example.org/a_(b)?c=1&d=2, or javascript:alert(1).";
    ann.say(link);
    ann.sees(link);
    let links =
        format!("[...message({}).querySelectorAll('a')].map(a => [a.href, a.target, a.rel].join(' '))", js(link));
    ann.wait_for_value(&links, ["https://example.org/a_(b)?c=1&d=2 _blank noopener noreferrer nofollow"].as_slice());

    ann.say("run `cargo <test>` first");
    ann.wait_for("$$('.body > code').at(-1).textContent === 'cargo <test>'");
    ann.write("look:\n```rust\nlet a = \"<b>\"; // https://example.org\n    indented\n```\nthat is all");
    ann.press("Enter");
    let code = "let a = \"<b>\"; // https://example.org\n    indented";
    ann.wait_for(&format!("$('.body pre > code').textContent === {}", js(code)));
    assert_eq!(ann.ask("$$('.body pre a, .body pre b, .body img, .body script').length"), 0);
    assert_eq!(ann.ask("window.hurt ?? null"), serde_json::Value::Null);
}

#[test]
fn enter_sends_and_shift_enter_breaks_the_line() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.write("first line");
    ann.press_shift("Enter");
    ann.type_text("second line");
    ann.wait_for_value("$('#composer-input').value", "first line\nsecond line");
    assert_eq!(ann.messages(), []);
    ann.press("Enter");
    ann.sees("first line\nsecond line");
    ann.wait_for("$('#composer-input').value === '' && $('#send').disabled");
    // Nothing but space is nothing.
    ann.write("  ");
    ann.press("Enter");
    ann.ask("$('#composer-input').select()");
    ann.type_text("by the button");
    ann.click("#send");
    ann.sees("by the button");
    assert_eq!(kept(&server, "lobby").len(), 2);
}

#[test]
fn nothing_is_sent_while_an_input_method_composes() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.ask("void (window.pressed = [], $('#composer-input').addEventListener('keydown', e => pressed.push([e.key, e.isComposing, e.keyCode].join()), true))");
    ann.click("#composer-input");
    ann.compose("にほん");
    ann.wait_for("$('#composer-input').value === 'にほん'");
    ann.press_bare("Enter", 13);
    // Some browsers say it only with this number.
    ann.press_bare("Enter", 229);
    ann.wait_for_value("pressed", ["Enter,true,13", "Enter,true,229"].as_slice());
    assert_eq!(ann.messages(), []);
    ann.type_text("日本");
    ann.wait_for("$('#composer-input').value === '日本'");
    ann.press_bare("Enter", 229);
    ann.wait_for_value("pressed.at(-1)", "Enter,false,229");
    assert_eq!(ann.messages(), []);
    ann.press("Enter");
    ann.sees("日本");
    assert_eq!(kept(&server, "lobby").len(), 1);
}

#[test]
fn who_is_here_and_who_is_typing_shows() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let bob = chromium.person(server.address, "bob");
    let names = "$$('.person').map(node => node.dataset.name)";
    ann.wait_for_value(names, ["ann", "bob"].as_slice());
    bob.wait_for_value(names, ["bob", "ann"].as_slice());
    ann.wait_for("$('#people-count').textContent === '2'");
    bob.write("let me think");
    ann.wait_for("$('#typing').textContent === 'bob is typing'");
    assert_eq!(bob.ask("$('#typing').textContent"), "");
    bob.press("Enter");
    ann.sees("let me think");
    assert_eq!(ann.ask("$('#typing').textContent"), "", "with the message, not some seconds later");
    drop(bob);
    ann.wait_for_value(names, ["ann"].as_slice());
}

#[test]
fn a_taken_name_is_said_at_the_field() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let _ann = server.in_lobby("Ann");
    let window = chromium.window(server.address);
    window.forgive("status of 409");
    window.wait_for("document.activeElement === $('#name-input')");
    window.press("Enter");
    window.wait_for("$('#name-error').textContent !== ''");
    window.type_text("ann");
    window.wait_for("$('#name-error').textContent === ''");
    window.press("Enter");
    window.wait_for("$('#name-error').textContent !== '' && $('#name-input').getAttribute('aria-invalid') === 'true'");
    assert_eq!(window.ask("document.activeElement.id"), "name-input");
    // It cannot be waved away.
    window.press("Escape");
    window.press("Escape");
    window.enter("anna");
    window.wait_for("$$('.person').map(node => node.dataset.name).join() === 'anna,Ann'");
}

#[test]
fn whoever_signs_out_is_asked_for_a_name_again() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let window = chromium.person(server.address, "ann");
    window.reload();
    window.is_in();
    assert_eq!(window.ask("$('#me-name').textContent"), "ann", "the session is remembered");
    window.click("#sign-out");
    window.wait_for("shown('#welcome') && $('#name-input').value === 'ann'");
    window.reload();
    window.wait_for("shown('#welcome') && !shown('#app')");
    window.enter("bea");
    window.wait_for("$$('.person').map(node => node.dataset.name).join() === 'bea'");
    window.say("under a new name");
    window.sees("under a new name");
    assert_eq!(kept(&server, "lobby")[0].1, "bea");
}

#[test]
fn two_tabs_are_one_person() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    let other = ann.another_tab();
    other.is_in();
    ann.say("from here");
    other.sees("from here");
    other.say("from there");
    ann.sees("from there");
    for tab in [&ann, &other] {
        assert_eq!(tab.ask("$$('.message[data-own]').length"), 2);
        tab.wait_for("$$('.person').length === 1");
    }
    all_have_the_same(&server, &[&ann, &other], &["from here", "from there"]);
}

#[test]
fn a_body_too_long_stays_in_the_composer_and_says_so() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server_with(Server::builder().body_limit(600));
    let ann = chromium.person(server.address, "ann");
    ann.write(&"é".repeat(300));
    ann.wait_for("$('#counter').textContent === '0 bytes left' && !$('#send').disabled");
    ann.type_text("é");
    ann.wait_for("$('#counter').textContent === '2 bytes too long' && $('#send').disabled");
    ann.press("Enter");
    ann.wait_for("/^Not sent/.test($('#counter').textContent) && $('#composer-input').value.length === 301");
    ann.press("Backspace");
    ann.press("Enter");
    ann.sees(&"é".repeat(300));
    assert_eq!(kept(&server, "lobby").len(), 1);
}

#[test]
fn what_could_not_be_stored_can_be_sent_again_changed_or_dropped() {
    use diesel::connection::{Connection, SimpleConnection};
    let Some(chromium) = Chromium::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    let ann = chromium.person(server.address, "ann");
    let mut database = diesel::SqliteConnection::establish(folder.path().join("parlor.db").to_str().unwrap()).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    database.batch_execute(full).unwrap();
    for body in ["again", "chnaged", "dropped"] {
        ann.say(body);
    }
    ann.wait_for("$$('.message[data-state=failed]').length === 3");
    database.batch_execute("DROP TRIGGER full").unwrap();
    ann.ask("$$('.message').forEach(node => node.id = node.querySelector('.body').textContent)");
    ann.click("#again [data-action=retry]");
    ann.sees("again");
    ann.click("#dropped [data-action=discard]");
    ann.wait_for("!message('dropped')");
    ann.click("#chnaged [data-action=edit]");
    ann.wait_for("!message('chnaged') && $('#composer-input').value === 'chnaged'");
    ann.ask("$('#composer-input').select()");
    ann.type_text("changed");
    ann.press("Enter");
    ann.sees("changed");
    all_have_the_same(&server, &[&ann], &["again", "changed"]);
}

#[test]
fn new_messages_are_announced_and_the_history_is_not() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let mut bob = server.in_lobby("bob");
    for n in 0..3 {
        post(&mut bob, "lobby", &format!("before {n}"));
    }
    let ann = chromium.person(server.address, "ann");
    ann.sees("before 2");
    ann.ask("void (window.announced = [], new MutationObserver(() => announced.push($('#announcer').textContent)).observe($('#announcer'), { childList: true }))");
    assert_eq!(ann.ask("$('#announcer').textContent"), "");
    ann.say("my own");
    ann.sees("my own");
    post(&mut bob, "lobby", "and now");
    ann.wait_for_value("announced", ["bob: and now"].as_slice());
    for n in 0..4 {
        post(&mut bob, "lobby", &format!("many {n}"));
    }
    ann.wait_for("announced.length > 1");
    assert_eq!(ann.ask("$('#log').getAttribute('role')"), "log");
}

#[test]
fn a_message_that_the_server_does_not_take_says_why_in_its_words() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server_with(Server::builder().on_message(|_| Err("only the editors write here".into())));
    let ann = chromium.person(server.address, "ann");
    ann.say("may I?");
    ann.wait_for("message('may I?').textContent.includes('Only the editors write here.')");
    // Beside it, so that nothing moves.
    let middle =
        |part: &str| format!("(box => box.top + box.height / 2)($('.message {part}').getBoundingClientRect())");
    ann.wait_for(&format!("Math.abs({} - {}) < 3", middle(".body"), middle(".failure")));
}
