//! The line breaks and comes back: everything once, in the same order, on every side.

use crate::browser::{Chromium, Window};
use crate::cable::Cable;
use crate::common::*;
use crate::{all_have_the_same, heard, post};
use parlor::{Server, Synchronous};

#[test]
fn what_was_written_while_the_line_was_down_goes_out_once() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.forgive_the_line();
    ann.say("before");
    bob.sees("before");

    cable.cut();
    ann.wait_for(
        "shown('#banner') && $('#banner').dataset.state === 'waiting' && /in \\d+ s/.test($('#banner').textContent)",
    );
    assert_eq!(ann.ask("$('#composer-input').disabled"), false);
    ann.say("first of ann");
    ann.say("second of ann");
    ann.keeps("first of ann");
    ann.keeps("second of ann");
    ann.wait_for("/2 messages wait/.test($('#banner').textContent)");
    bob.wait_for("$$('.person').length === 1");
    bob.say("first of bob");
    bob.say("second of bob");
    bob.sees("second of bob");
    assert_eq!(ann.ask("!message('first of bob') && !message('second of bob')"), true);
    ann.click("#try-now"); // too early
    ann.wait_for("shown('#banner') && $('#app').dataset.line === 'waiting'");

    cable.mend();
    try_now(&ann);
    ann.is_in();
    let bodies = ["before", "first of ann", "second of ann", "first of bob", "second of bob"];
    for window in [&ann, &bob] {
        bodies.iter().for_each(|body| window.sees(body));
    }
    bob.say("after");
    ann.sees("after");
    ann.say("after all");
    bob.sees("after all");
    let bodies = [&bodies[..], &["after", "after all"]].concat();
    all_have_the_same(&server, &[&ann, &bob], &bodies);
    let own: Vec<_> = ann.messages().into_iter().filter(|one| one.from == "ann").map(|one| one.body).collect();
    assert_eq!(
        own,
        ["before", "first of ann", "second of ann", "after all"],
        "in the order in which they were written"
    );
}

#[test]
fn the_line_comes_back_by_itself() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    let mut bob = server.in_lobby("bob");
    ann.forgive_the_line();
    cable.cut();
    ann.wait_for("shown('#banner')");
    ann.say("from ann");
    post(&mut bob, "lobby", "from bob");
    cable.mend();
    ann.is_in();
    ann.sees("from ann");
    ann.sees("from bob");
    assert_eq!(heard(&mut bob, "message")["body"], "from ann");
    all_have_the_same(&server, &[&ann], &["from ann", "from bob"]);
}

#[test]
fn a_line_that_breaks_again_and_again_loses_nothing() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.forgive_the_line();
    let mut bodies = Vec::new();
    for round in 0..5 {
        // One goes out on the dying line, one waits for the next; whether the first got through, nobody knows.
        ann.say(&format!("{round} going"));
        cable.cut();
        ann.say(&format!("{round} waiting"));
        bob.say(&format!("{round} bob"));
        bodies.extend(["going", "waiting", "bob"].map(|what| format!("{round} {what}")));
        ann.wait_for("$('#app').dataset.line === 'waiting'");
        cable.mend();
        try_now(&ann);
        ann.is_in();
    }
    for window in [&ann, &bob] {
        bodies.iter().for_each(|body| window.sees(body));
    }
    all_have_the_same(&server, &[&ann, &bob], &bodies.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_reload_keeps_what_was_not_sent() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    let mut bob = server.in_lobby("bob");
    ann.forgive_the_line();
    cable.cut_chat();
    ann.wait_for("shown('#banner')");
    ann.say("it waits");
    ann.keeps("it waits");
    ann.write("and a draft");
    ann.reload();
    ann.wait_for("shown('#banner')");
    ann.keeps("it waits");
    ann.wait_for_value("$('#composer-input').value", "and a draft");
    cable.mend();
    try_now(&ann);
    ann.sees("it waits");
    assert_eq!(heard(&mut bob, "message")["body"], "it waits");
    ann.reload();
    ann.sees("it waits");
    ann.is_in();
    all_have_the_same(&server, &[&ann], &["it waits"]);
}

#[test]
fn a_message_stored_before_the_line_broke_shows_once() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    let bob = chromium.person(server.address, "bob");
    ann.forgive_the_line();
    cable.hold();
    ann.say("did it arrive?");
    bob.sees("did it arrive?"); // so it is stored, and the receipt is on the cable
    ann.keeps("did it arrive?");
    cable.cut();
    ann.wait_for("shown('#banner')");
    ann.keeps("did it arrive?");
    bob.say("it did");
    bob.sees("it did");
    cable.mend();
    try_now(&ann);
    ann.sees("did it arrive?");
    ann.sees("it did");
    ann.say("good");
    bob.sees("good");
    ann.sees("good");
    all_have_the_same(&server, &[&ann, &bob], &["did it arrive?", "it did", "good"]);
}

#[test]
fn a_restart_of_the_server_is_survived() {
    let Some(chromium) = Chromium::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let start = || server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    let first = start();
    let cable = Cable::to(first.address);
    let ann = chromium.person(cable.address, "ann");
    let bob = chromium.person(cable.address, "bob");
    for window in [&ann, &bob] {
        window.forgive_the_line();
    }
    ann.say("before the restart");
    bob.sees("before the restart");
    first.stop();
    for window in [&ann, &bob] {
        window.wait_for("shown('#banner')");
    }
    ann.say("ann meanwhile");
    bob.say("bob meanwhile");
    let second = start();
    cable.lead_to(second.address);
    let bodies = ["before the restart", "ann meanwhile", "bob meanwhile"];
    for window in [&ann, &bob] {
        try_now(window);
        window.is_in();
        bodies.iter().for_each(|body| window.sees(body));
    }
    ann.sees("bob meanwhile");
    all_have_the_same(&second, &[&ann, &bob], &bodies);
    assert_eq!(ann.ask("$('#me-name').textContent"), "ann", "the session is in the database");
}

/// A server that leaves its clients to others behind the same address says so with its 1001: nobody waits.
#[test]
fn who_is_sent_to_another_server_is_there_at_once() {
    let Some(chromium) = Chromium::get() else { return };
    let next_state_once = |server: parlor::Builder| {
        let (first, second) = (server_with(server), self::server());
        let cable = Cable::to(first.address);
        let ann = chromium.person(cable.address, "ann");
        ann.forgive_the_line();
        let watch = "(window.states = [], new MutationObserver(all => all.forEach(one => states.push(one.oldValue)))\
                     .observe($('#app'), { attributeFilter: ['data-line'], attributeOldValue: true }))";
        ann.ask(watch);
        cable.lead_to(second.address);
        first.stop();
        ann.wait_for("states.length > 1");
        try_now(&ann);
        post(&mut second.in_lobby("bob"), "lobby", "here it goes on");
        ann.sees("here it goes on");
        ann.ask("states.slice(0, 2).join(' → ')")
    };
    assert_eq!(next_state_once(Server::builder().drain(std::time::Duration::from_millis(1))), "open → connecting");
    assert_eq!(next_state_once(Server::builder()), "open → waiting", "one that stops for good");
}

/// Between the server's close frame and the end of the connection a socket is neither open nor closed.
#[test]
fn what_is_written_while_the_server_hangs_up_is_kept() {
    let Some(chromium) = Chromium::get() else { return };
    let folder = tempfile::tempdir().unwrap();
    let start = || server_with(Server::builder().sqlite(folder.path(), Synchronous::Normal));
    let first = start();
    let cable = Cable::to(first.address);
    let ann = chromium.person(cable.address, "ann");
    ann.forgive_the_line();
    ann.click("#wire-toggle");
    ann.wait_for("$('.frame')");
    cable.linger();
    first.stop();
    ann.say("are you still there?");
    ann.keeps("are you still there?");
    ann.wait_for("shown('#banner')");
    assert_eq!(ann.ask("$$('.frame[data-type=post]').length"), 0, "the panel shows what was sent, not what was tried");
    let second = start();
    cable.lead_to(second.address);
    try_now(&ann);
    ann.sees("are you still there?");
    all_have_the_same(&second, &[&ann], &["are you still there?"]);
}

/// Without a database it is another server: nothing shown is true there, nothing waiting is lost.
#[test]
fn a_server_that_forgot_everything_gets_what_waits_and_nothing_else_stays() {
    let Some(chromium) = Chromium::get() else { return };
    let first = server();
    let cable = Cable::to(first.address);
    let ann = chromium.person(cable.address, "ann");
    ann.forgive_the_line();
    for n in 0..3 {
        ann.say(&format!("forgotten {n}"));
        ann.sees(&format!("forgotten {n}"));
    }
    first.stop();
    ann.wait_for("shown('#banner')");
    ann.say("still waiting");
    let second = server();
    post(&mut second.in_lobby("bob"), "lobby", "welcome to the new one");
    cable.lead_to(second.address);
    try_now(&ann);
    ann.sees("still waiting");
    ann.sees("welcome to the new one");
    all_have_the_same(&second, &[&ann], &["welcome to the new one", "still waiting"]);
    assert_eq!(ann.ask("$('#me-name').textContent"), "ann");
}

#[test]
fn whoever_comes_back_while_the_server_is_away_waits_for_it_in_the_chat() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let cable = Cable::to(server.address);
    let ann = chromium.person(cable.address, "ann");
    ann.forgive_the_line();
    cable.cut_chat();
    ann.reload();
    ann.wait_for("shown('#app') && shown('#banner') && !shown('#welcome')");
    ann.say("early");
    ann.keeps("early");
    cable.mend();
    try_now(&ann);
    ann.sees("early");
    all_have_the_same(&server, &[&ann], &["early"]);
}

/// Presses "Try now", unless the page was quicker.
#[track_caller]
fn try_now(window: &Window) {
    window.wait_for("$('#app').dataset.line === 'open' || ($('#try-now') && !$('#try-now').disabled && ($('#try-now').click(), true))");
}

#[test]
fn whoever_is_shown_the_door_is_told_why_and_comes_back_only_by_hand() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let ann = chromium.person(server.address, "ann");
    ann.say("hello");
    assert_eq!(server.handle.kick("ann", "mind your manners").unwrap(), 1);
    ann.wait_for("$('#banner').textContent.includes('Mind your manners')");
    // What would otherwise make it try at once.
    ann.ask("dispatchEvent(new Event('online')), document.dispatchEvent(new Event('visibilitychange'))");
    assert_eq!(ann.ask("$('#banner').dataset.state"), "waiting");
    assert_eq!(ann.ask("/\\d s/.test($('#banner').textContent)"), false, "there is no countdown");
    assert_eq!(server.handle.counts().unwrap().clients, 0);
    ann.ask("$('#try-now').click()");
    ann.say("sorry");
    ann.wait_for("$('#banner').hidden");
}
