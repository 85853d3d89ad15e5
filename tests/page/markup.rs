//! Markup in everything that people can write and that the page shows: it stays text, wherever it comes to stand.

use crate::browser::{Chromium, Window, js};
use crate::common::*;
use crate::{create, post};
use parlor::Server;
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "correct horse";

/// As long as a name may be, and another each time.
fn named(n: usize) -> String {
    format!("<img src={n} onerror=hacked({n})>")
}

/// For fields that hold more: out of any attribute, any element.
fn marked(n: usize) -> String {
    format!("{n}\"'></p></bdi></textarea><script>hacked()</script><svg/onload=hacked()>&lt;b&gt;")
}

/// Nothing of what the page consists of is not its own.
const CLEAN: &str = "(() => {
    const wrong = [];
    for (const node of document.querySelectorAll('*')) {
        const say = why => wrong.push(`${why}: ${node.outerHTML.slice(0, 200)}`);
        if (/^(iframe|frame|object|embed|base|style|math|template)$/i.test(node.tagName)) say('no such element');
        if (node.tagName === 'SCRIPT' && !/^\\/js\\/[a-z]+\\.js$/.test(node.getAttribute('src') ?? '')) say('a script');
        for (const { name, value } of node.attributes) {
            if (name.startsWith('on') || name === 'srcdoc' || name === 'formaction') say(name);
            if (name === 'src' && !/^(\\/|data:image\\/|blob:)/.test(value)) say('from elsewhere');
            if (/href$/.test(name) && !/^(#|\\/|https?:|mailto:|data:image\\/)/.test(value)) say('leads to no page');
        }
    }
    if (typeof hacked !== 'undefined') wrong.push('it ran');
    return wrong;
})()";

/// All that this screen says, with what only those hear who listen to it.
const SAID: &str = "[document.body.textContent, document.title,
    ...$$('[aria-label], [title], [alt], [placeholder]').flatMap(node =>
        ['aria-label', 'title', 'alt', 'placeholder'].map(name => node.getAttribute(name))),
    ...$$('input, textarea').map(node => node.value)].join('\\n')";

/// It stands there, as text.
#[track_caller]
fn stays_text(window: &Window, screen: &str, written: &[String]) {
    for text in written {
        window.wait_for(&format!("{SAID}.includes({})", js(text)));
    }
    assert_eq!(window.ask(CLEAN), json!([]), "{screen}");
}

fn ask(server: &TestServer, method: &str, path: &str, cookie: &str, more: &str, body: Value) -> (u16, String) {
    let body = body.to_string();
    let answer = server.raw(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: {cookie}\r\n{more}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    (status(&answer), answer)
}

fn encoded(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Opens one's settings, and shuts them.
fn in_settings(host: &Window, look: impl FnOnce()) {
    host.click("#open-settings");
    host.wait_for("$('#settings').open && $('[data-session]') && $('[data-robot]')");
    look();
    host.press("Escape");
    host.wait_for("!$('#settings').open");
}

#[test]
fn in_every_field_that_the_page_shows_markup_stays_text() {
    let Some(chromium) = Chromium::get() else { return };
    let builder = Server::builder().webhook_allow("127.0.0.1").webhook_retries(1, Duration::from_millis(1));
    let bound = builder.listen("127.0.0.1:0".parse().unwrap()).bind().unwrap();
    let token = bound.owner_invitation().unwrap().unwrap();
    let handle = bound.spawn().unwrap();
    let server = TestServer { address: handle.address(), handle };

    // The owner's name is markup, and so is what the browser calls itself.
    let agent = format!("User-Agent: {}\r\n", marked(20));
    let account = json!({"name": named(2), "password": PASSWORD, "invite": token});
    let (registered, answer) = ask(&server, "POST", "/api/register", "", &agent, account);
    assert_eq!(registered, 200, "{answer}");
    let cookie =
        answer.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")?.split(';').next()).unwrap().to_owned();
    let owners = |method: &str, path: &str, body: Value| ask(&server, method, path, &cookie, "", body);
    let host = chromium.window(server.address);
    host.wait_for("shown('#welcome')");
    host.ask(&format!(
        "await fetch('/api/session', {{ method: 'POST', headers: {{ 'Content-Type': 'application/json' }}, body: {} }})",
        js(&json!({"name": named(2), "password": PASSWORD}).to_string())
    ));
    host.reload();
    host.is_in();

    // A room, what it is about, and what is said in it: at first, later, in answer to that, and as links.
    let mut guest = Client::json(server.address, &encoded(&named(3)));
    create(&mut guest, "lair", "Lair");
    guest.send(json!({"type": "change", "room": "lair", "title": &marked(4)[..76], "topic": marked(5)}));
    guest.hear("room");
    let links = [
        "[a](javascript:hacked())",
        "[b](https://x/\"onmouseover=\"hacked())",
        "javascript:hacked()//https://x/<svg/onload=hacked()>",
        "[c](data:text/html,<script>hacked()</script>) `<script>` **<b>** > <i>",
        "> <script>hacked()</script>",
        "- <script>hacked()</script>",
        "```<script>\n</code></pre><script>hacked()</script>\n```",
        "[<img src=x onerror=hacked()>](https://x/?<img)",
    ];
    for body in links.iter().map(|link| link.to_string()).chain([marked(6), format!("@{} @{}", named(2), named(3))]) {
        post(&mut guest, "lair", &body);
    }
    guest.send(json!({"type": "edit", "room": "lair", "seq": 9, "body": marked(7)}));
    guest.hear("message");
    guest.send(json!({"type": "post", "room": "lair", "id": "reply", "body": marked(8), "reply_to": 9}));
    guest.hear("message");
    guest.send(json!({"type": "react", "room": "lair", "seq": 9, "emoji": "🎉", "on": true}));
    guest.hear("message");
    for none in ["<b>", "<img src=x onerror=hacked()>", "&#9749;"] {
        guest.send(json!({"type": "react", "room": "lair", "seq": 9, "emoji": none, "on": true}));
        assert_eq!(guest.hear_error()["code"], "bad_field", "{none}");
    }
    host.wait_for("$('#rooms a[href=\"#lair\"]')");
    host.click("#wire-toggle");
    host.wait_for("shown('#wire')");
    host.ask("void (location.hash = 'lair')");
    host.wait_for("$('#room-title').textContent.startsWith('4')");
    host.wait_for("$$('.message').length === 11 && $('.reaction')");
    stays_text(&host, "log", &[named(2), named(3), marked(4)[..76].into(), marked(5), marked(7), marked(8)]);
    assert!(
        host.ask("$$('.message a').map(a => a.protocol).join()").as_str().unwrap().split(',').all(|p| p == "https:")
    );
    guest.send(json!({"type": "typing", "room": "lair"}));
    host.wait_for("shown('#typing') && $('#typing').textContent.includes('onerror')");
    stays_text(&host, "typing", &[]);
    // Each frame of the wire, taken apart.
    host.ask("$$('.frame-head').forEach(head => head.click())");
    stays_text(&host, "wire", &[marked(7)]);
    host.click("#wire-close");

    // What belongs to a message, and to a person.
    host.ask("$('[data-seq=\"9\"]').focus()");
    host.press("Enter");
    host.click("#message-reply");
    host.wait_for("shown('#composer-about')");
    stays_text(&host, "replying", &[]);
    host.press("Escape");
    host.ask("$('[data-seq=\"9\"]').focus()");
    host.press("Enter");
    host.click("#message-delete");
    host.wait_for("$('#delete-dialog').open");
    stays_text(&host, "delete", &[marked(7)]);
    host.click("#delete-no");
    host.ask("$$('.person').find(node => node.dataset.name.includes('(3)')).querySelector('.person-more').click()");
    host.wait_for("shown('#person-menu')");
    stays_text(&host, "person menu", &[]);
    host.click("#person-mute");
    host.wait_for("$('#order-dialog').open");
    stays_text(&host, "mute", &[named(3)]);
    host.click("#order-no");
    host.click("#composer-input");
    host.type_text("@<");
    host.wait_for("shown('#completion')");
    stays_text(&host, "completion", &[]);
    host.press("Escape");
    host.ask("$('#composer-input').select()");
    host.press("Backspace");

    // Found again, and gone to.
    host.click("#search-toggle");
    host.wait_for("document.activeElement.id === 'search-input'");
    host.type_text("hacked");
    host.press("Enter");
    host.wait_for("$$('.hit').length > 5 && $$('.hit mark').length > 5");
    stays_text(&host, "search", &[named(3), marked(7)]);
    host.ask("$('#search-input').select()");
    host.type_text("in:<script>hacked()</script>");
    host.press("Enter");
    host.wait_for("$('#search-error').textContent");
    stays_text(&host, "search error", &[]);
    host.click("#search-close");
    host.press_control("k", 75);
    host.wait_for("$('#palette').open");
    host.type_text("<img");
    host.wait_for("$('#palette-list [data-group=people]')");
    stays_text(&host, "palette of people", &[named(3)]);
    host.ask("$('#palette-input').select()");
    host.type_text("hacked");
    host.wait_for("$('#palette-list [data-group=messages]')");
    stays_text(&host, "palette", &[named(3)]);
    host.press("Escape");

    // A direct room, and one with members.
    guest.send(json!({"type": "direct", "people": [named(2)]}));
    let direct = guest.everything_until(|frame| frame["kind"] == "direct").pop().unwrap()["room"].clone();
    post(&mut guest, direct.as_str().unwrap(), &marked(9));
    host.wait_for("$('#rooms-direct a')");
    stays_text(&host, "direct", &[named(3)]);
    guest.send(
        json!({"type": "create", "room": "den", "title": marked(10)[..76], "kind": "private", "members": [named(2)]}),
    );
    host.wait_for("$('#rooms a[href=\"#den\"]')");
    host.ask("void (location.hash = 'den')");
    host.wait_for("$('#room-title').textContent.startsWith('10')");
    host.click("#room-menu-button");
    host.click("#members-room");
    host.wait_for("$$('.member').length === 2");
    stays_text(&host, "members", &[named(2), named(3)]);
    host.click("#members-close");

    // Bots, tokens, webhooks, devices; and no picture is anything else.
    assert_eq!(owners("POST", "/api/bots", json!({"name": named(11)})).0, 201);
    assert_eq!(owners("POST", "/api/me/tokens", json!({"label": &marked(12)[..60]})).0, 201);
    let hook = json!({"url": format!("http://127.0.0.1:9/{}", marked(13)), "bot": named(11)});
    let (made, answer) = owners("POST", "/api/webhooks", hook);
    assert!([201, 400].contains(&made), "{answer}");
    if made == 400 {
        let hook = json!({"url": "http://127.0.0.1:9/?'><svg/onload=hacked()>", "bot": named(11)});
        let (made, answer) = owners("POST", "/api/webhooks", hook);
        assert!([201, 400].contains(&made), "{answer}");
        assert_eq!(owners("POST", "/api/webhooks", json!({"url": "http://127.0.0.1:9/", "bot": named(11)})).0, 201);
    }
    for kind in ["image/png", "image/gif", "image/svg+xml", "text/html"] {
        let body = "<svg xmlns='http://www.w3.org/2000/svg' onload='hacked()'/>";
        let request = format!(
            "PUT /api/me/avatar HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!([400, 415].contains(&status(&server.raw(request.as_bytes()))), "{kind}");
    }
    in_settings(&host, || {
        stays_text(&host, "settings", &[named(2), marked(12)[..60].into(), named(11), marked(20)]);
    });

    // Why somebody is muted, shown the door, or banned: to those whom it falls on, and in the book.
    let other = chromium.person(server.address, &named(14));
    let of = |act: &str| format!("/api/people/{}/{act}", encoded(&named(14)));
    assert_eq!(owners("POST", &of("mute"), json!({"reason": marked(15)})).0, 200);
    other.wait_for("$('#composer').hidden");
    stays_text(&other, "muted", &[marked(15)]);
    other.forgive_the_line();
    assert_eq!(owners("POST", &of("kick"), json!({"reason": marked(16)})).0, 200);
    other.wait_for("shown('#try-now')");
    stays_text(&other, "shown the door", &[marked(16)]);
    other.click("#try-now");
    other.is_in();
    other.forgive("status of 403");
    assert_eq!(owners("POST", &of("ban"), json!({"reason": marked(17)})).0, 200);
    other.wait_for("$('#welcome').open && $('#name-error').textContent.includes('banned')");
    stays_text(&other, "banned", &[marked(17)]);
    in_settings(&host, || {
        host.wait_for("$('[data-sanction=ban]') && $('[data-deed]')");
        stays_text(&host, "the book", &[marked(15), marked(16), marked(17), named(14)]);
    });

    // What stands behind the address of the page.
    for hash in [
        "<img src=x onerror=hacked()>",
        "invite=<script>hacked()</script>",
        "lair/<svg/onload=hacked()>",
        "%3Cscript%3E",
    ] {
        host.ask(&format!("void (location.hash = {})", js(hash)));
        host.ask("(await frame(), await frame(), null)");
        stays_text(&host, hash, &[]);
        host.ask("$('[data-mode=stay]')?.click()");
    }
}

#[test]
fn markup_that_is_read_is_found() {
    let Some(chromium) = Chromium::get() else { return };
    let server = server();
    let window = chromium.window(server.address);
    window.forgive("Content Security Policy");
    window.forgive("status of 404");
    assert_eq!(window.ask(CLEAN), json!([]));
    for markup in ["<img src=x onerror=hacked()>", "<svg onload=hacked()></svg>", "<a href='javascript:hacked()'>x</a>"]
    {
        window.ask(&format!("void ($('h1').innerHTML = {})", js(markup)));
        assert_ne!(window.ask(CLEAN), json!([]), "{markup}");
    }
}
