//! The tests would notice: an error of the page, and what its policy forbids.

use crate::browser::Chromium;
use crate::common::*;

#[test]
fn an_error_of_the_page_and_a_breach_of_its_policy_are_noticed() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let window = chromium.window(server.address);
    window.ask("void setTimeout(() => { throw new Error('on purpose') })");
    window.ask("void Promise.reject(new Error('unhandled'))");
    window.ask("console.error('said')");
    window.ask(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.broken = 1' }))",
    );
    window.ask("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/x.png' }))");
    window.ask("new Promise(done => setTimeout(done))");
    let problems = window.problems().join("\n");
    for noticed in ["on purpose", "unhandled", "said", "inline script", "127.0.0.1:9/x.png"] {
        assert!(problems.contains(noticed), "{noticed} in {problems}");
    }
    assert!(window.ask("window.broken").is_null());
    window.forgive(""); // all of it
}
