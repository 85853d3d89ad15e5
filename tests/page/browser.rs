//! A real Chromium without a window, and the people who sit at it: what they do is done with real keys and a real mouse.

use crate::common::DEADLINE;
use crate::devtools::{DevTools, Seen, thrown};
use headless_chrome::protocol::cdp::types::Method;
use headless_chrome::protocol::cdp::{Emulation, Input, Log, Network, Page, Runtime, Target};
use headless_chrome::{Browser, LaunchOptions};
use serde_json::Value;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::Instant;
use tempfile::TempDir;

const FLAGS: [&str; 8] = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-crash-reporter",
    // A machine without a mouse has one here: CSS and scripts see (hover: hover).
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
];

/// What every expression may use.
const HELPERS: &str = "
    const $ = selector => document.querySelector(selector);
    const $$ = selector => [...document.querySelectorAll(selector)];
    const shown = selector => $(selector)?.checkVisibility({ visibilityProperty: true }) ?? false;
    const frame = () => new Promise(requestAnimationFrame);
    const message = text => $$('.message').find(node => node.querySelector('.body').textContent === text);
";

/// One browser, shared by the tests that run at the same time. The last one that lets go ends it and clears up.
pub struct Chromium {
    /// None once it has ended.
    browser: Option<Browser>,
    control: Mutex<DevTools>,
    /// Where its pages can be talked to.
    pages: String,
    folder: Option<TempDir>,
}

impl Chromium {
    /// The browser; None where there is none, and the test is skipped. Under `CI=true` that is a failure.
    pub fn get() -> Option<Arc<Chromium>> {
        static SHARED: Mutex<Weak<Chromium>> = Mutex::new(Weak::new());
        let Some(program) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path) else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "no Chromium on the PATH, and CI=true needs one");
            static SAID: Once = Once::new();
            // Past the test harness, which would keep it to itself.
            SAID.call_once(|| {
                let _ = writeln!(
                    std::io::stderr(),
                    "SKIPPED: the tests of the page need chromium, chromium-browser or google-chrome on the PATH"
                );
            });
            return None;
        };
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let started = Arc::new(Chromium::start(program));
        *shared = Arc::downgrade(&started);
        Some(started)
    }

    fn start(program: PathBuf) -> Chromium {
        let folder = tempfile::Builder::new().prefix("parlor-page").tempdir().unwrap();
        let home = folder.path().to_str().unwrap().to_owned();
        // Whatever it leaves behind, it leaves there.
        let places = ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"];
        let options = LaunchOptions::default_builder()
            .path(Some(program))
            .port(Some(0))
            .sandbox(false)
            .user_data_dir(Some(folder.path().join("profile")))
            .process_envs(Some(HashMap::from(places.map(|place| (place.to_owned(), home.clone())))))
            .args(FLAGS.iter().map(OsStr::new).collect())
            .build()
            .unwrap();
        let browser = Browser::new(options).unwrap();
        let url = browser.get_ws_url();
        let control = Mutex::new(DevTools::connect(&url));
        let pages = url.split_once("/browser/").unwrap().0.to_owned() + "/page/";
        Chromium { browser: Some(browser), control, pages, folder: Some(folder) }
    }

    fn control(&self) -> MutexGuard<'_, DevTools> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A browser of somebody's own: no cookie, nothing remembered. It shows the page.
    pub fn window(self: &Arc<Self>, address: SocketAddr) -> Window {
        let context = Target::CreateBrowserContext {
            dispose_on_detach: None,
            proxy_server: None,
            proxy_bypass_list: None,
            origins_with_universal_network_access: None,
        };
        let context = self.control().call(context).unwrap().browser_context_id;
        Window::new(self.clone(), context, address)
    }

    /// Somebody who has come in.
    pub fn person(self: &Arc<Self>, address: SocketAddr, name: &str) -> Window {
        let window = self.window(address);
        window.enter(name);
        window
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.browser = None;
        let folder = self.folder.take().unwrap().keep();
        // Its children may still be writing their last.
        let began = Instant::now();
        while std::fs::remove_dir_all(&folder).is_err() && folder.exists() && began.elapsed() < DEADLINE {
            std::thread::yield_now();
        }
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// A message as a window shows it.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct Shown {
    pub seq: Option<i64>,
    pub from: String,
    pub body: String,
    pub state: String,
}

/// The page, open in somebody's browser. When it goes, it must not have had an error: that is checked at the end.
pub struct Window {
    chromium: Arc<Chromium>,
    context: String,
    target: String,
    devtools: DevTools,
    address: SocketAddr,
}

impl Window {
    fn new(chromium: Arc<Chromium>, context: String, address: SocketAddr) -> Window {
        let target = Target::CreateTarget {
            url: "about:blank".to_owned(),
            browser_context_id: Some(context.clone()),
            left: None,
            top: None,
            width: None,
            height: None,
            window_state: None,
            enable_begin_frame_control: None,
            // A tab behind another one would draw once a second.
            new_window: Some(true),
            background: None,
            for_tab: None,
            hidden: None,
        };
        let target = chromium.control().call(target).unwrap().target_id;
        let devtools = DevTools::connect(&format!("{}{target}", chromium.pages));
        let window = Window { chromium, context, target, devtools, address };
        window.forgive("status of 401"); // the page asks who it is before it asks for a name
        window.call(Runtime::Enable(None));
        window.call(Log::Enable(None));
        window.call(Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        });
        window.call(Emulation::SetFocusEmulationEnabled { enabled: true });
        window.resize(1280, 800, false);
        window.go("/");
        window
    }

    /// Another tab of the same browser.
    pub fn another_tab(&self) -> Window {
        Window::new(self.chromium.clone(), self.context.clone(), self.address)
    }

    /// Light or dark as the system would have it, and nothing that moves.
    pub fn prefers(&self, dark: bool) {
        let feature = |name: &str, value: &str| Emulation::MediaFeature { name: name.into(), value: value.into() };
        let scheme = if dark { "dark" } else { "light" };
        let features = vec![feature("prefers-color-scheme", scheme), feature("prefers-reduced-motion", "reduce")];
        self.call(Emulation::SetEmulatedMedia { media: None, features: Some(features) });
        // What had begun to move before goes on to its end.
        self.wait_for("document.getAnimations().every(one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)");
    }

    /// What is to be seen, as a PNG in base64.
    pub fn picture(&self) -> String {
        let format = Some(Page::CaptureScreenshotFormatOption::Png);
        self.call(Page::CaptureScreenshot {
            format,
            quality: None,
            clip: None,
            from_surface: None,
            capture_beyond_viewport: None,
            optimize_for_speed: None,
        })
        .data
    }

    pub fn resize(&self, width: u32, height: u32, mobile: bool) {
        self.call(Emulation::SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 1.0,
            mobile,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        });
    }

    /// Opens a path of the server.
    pub fn go(&self, path: &str) {
        let url = format!("http://{}{path}", self.address);
        self.call(Page::Navigate { url, referrer: None, transition_Type: None, frame_id: None, referrer_policy: None });
        self.loaded();
    }

    pub fn reload(&self) {
        self.ask("void (window.old = true)");
        self.call(Page::Reload { ignore_cache: None, script_to_evaluate_on_load: None, loader_id: None });
        self.wait_for("!window.old");
        self.loaded();
    }

    /// The page runs, and asks for a name or shows the chat.
    #[track_caller]
    fn loaded(&self) {
        self.wait_for("location.host && (shown('#welcome') || shown('#app'))");
    }

    /// Gives a name and comes in.
    #[track_caller]
    pub fn enter(&self, name: &str) {
        self.wait_for("shown('#welcome') && document.activeElement === $('#name-input')");
        self.ask("$('#name-input').select()");
        self.type_text(name);
        self.press("Enter");
        self.is_in();
        self.wait_for(&format!("$('#me-name').textContent === {}", js(name)));
    }

    /// Is connected, and in the room.
    #[track_caller]
    pub fn is_in(&self) {
        self.wait_for(
            "$('#app').dataset.line === 'open' && $('#banner').hidden && !$('#welcome').open && $('.person')",
        );
    }

    /// Writes a message and presses Enter.
    #[track_caller]
    pub fn say(&self, text: &str) {
        self.write(text);
        self.press("Enter");
        self.wait_for("$('#composer-input').value === ''");
    }

    /// Clicks into the composer and writes.
    #[track_caller]
    pub fn write(&self, text: &str) {
        self.click("#composer-input");
        self.type_text(text);
    }

    /// Text for whatever has the focus, at once.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.call(Input::InsertText { text: text.to_owned() });
    }

    /// The text of an input method that is still being chosen.
    pub fn compose(&self, text: &str) {
        let end = text.chars().count() as u32;
        self.call(Input::ImeSetComposition {
            text: text.to_owned(),
            selection_start: end,
            selection_end: end,
            replacement_start: None,
            replacement_end: None,
        });
    }

    pub fn press(&self, key: &str) {
        self.press_with(key, 0);
    }

    pub fn press_shift(&self, key: &str) {
        self.press_with(key, 8);
    }

    pub fn press_with(&self, key: &str, modifiers: u32) {
        let (code, text) = match key {
            "Backspace" => (8, None),
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "Escape" => (27, None),
            " " => (32, Some(" ")),
            "ArrowUp" => (38, None),
            "ArrowDown" => (40, None),
            "?" => (191, Some("?")),
            "a" if modifiers == 2 => (65, None),
            _ => panic!("no such key here: {key}"),
        };
        self.strike(Input::DispatchKeyEventTypeOption::KeyDown, key, code, text, modifiers);
        self.strike(Input::DispatchKeyEventTypeOption::KeyUp, key, code, None, modifiers);
    }

    /// A key that goes down, as that number, and stands for no text.
    pub fn press_bare(&self, key: &str, code: u32) {
        self.strike(Input::DispatchKeyEventTypeOption::RawKeyDown, key, code, None, 0);
    }

    /// The same while Control is held.
    pub fn press_control(&self, key: &str, code: u32) {
        self.strike(Input::DispatchKeyEventTypeOption::RawKeyDown, key, code, None, 2);
    }

    fn strike(&self, how: Input::DispatchKeyEventTypeOption, key: &str, code: u32, text: Option<&str>, modifiers: u32) {
        self.call(Input::DispatchKeyEvent {
            Type: how,
            key: Some(key.to_owned()),
            code: Some(key.to_owned()),
            windows_virtual_key_code: Some(code),
            native_virtual_key_code: Some(code),
            text: text.map(str::to_owned),
            modifiers: Some(modifiers),
            timestamp: None,
            unmodified_text: None,
            key_identifier: None,
            auto_repeat: None,
            is_keypad: None,
            is_system_key: None,
            location: None,
            commands: None,
        });
    }

    /// Clicks with the mouse, once the element stands still and nothing covers it.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let at = self.find(selector);
        self.mouse(Input::DispatchMouseEventTypeOption::MouseMoved, at, None);
        self.mouse(Input::DispatchMouseEventTypeOption::MousePressed, at, Some(Input::MouseButton::Left));
        self.mouse(Input::DispatchMouseEventTypeOption::MouseReleased, at, Some(Input::MouseButton::Left));
    }

    #[track_caller]
    pub fn point_at(&self, selector: &str) {
        self.mouse(Input::DispatchMouseEventTypeOption::MouseMoved, self.find(selector), None);
    }

    fn mouse(&self, how: Input::DispatchMouseEventTypeOption, (x, y): (f64, f64), button: Option<Input::MouseButton>) {
        self.call(Input::DispatchMouseEvent {
            Type: how,
            x,
            y,
            click_count: button.as_ref().map(|_| 1),
            button,
            modifiers: None,
            timestamp: None,
            buttons: None,
            force: None,
            tangential_pressure: None,
            tilt_x: None,
            tilt_y: None,
            twist: None,
            delta_x: None,
            delta_y: None,
            pointer_Type: None,
        });
    }

    #[track_caller]
    fn find(&self, selector: &str) -> (f64, f64) {
        let point = self.wait_for(&format!(
            "await (async node => {{
                if (!node || node.disabled) return null;
                node.scrollIntoView({{ block: 'nearest' }});
                const before = node.getBoundingClientRect();
                await frame();
                await frame();
                const box = node.getBoundingClientRect();
                if (box.left !== before.left || box.top !== before.top) return null;
                const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
                return node.contains(document.elementFromPoint(x, y)) ? {{ x, y }} : null;
            }})($({}))",
            js(selector)
        ));
        (point["x"].as_f64().unwrap(), point["y"].as_f64().unwrap())
    }

    /// What the page answers now.
    #[track_caller]
    pub fn ask(&self, expression: &str) -> Value {
        let asked = format!("(async () => {{ {HELPERS} return ({expression}); }})()");
        match self.evaluate(asked) {
            Ok(Ok(value)) => value,
            Ok(Err(thrown)) => panic!("{expression}\nthrew {thrown}\n{}", self.described()),
            Err(problem) => panic!("{expression}\n{problem}"),
        }
    }

    /// Waits until the page answers something true, and gives it.
    #[track_caller]
    pub fn wait_for(&self, expression: &str) -> Value {
        let began = Instant::now();
        while let Some(left) = DEADLINE.checked_sub(began.elapsed()) {
            let asked = format!(
                "(async () => {{ {HELPERS}
                    for (const until = performance.now() + {}; performance.now() < until;) {{
                        try {{ const value = ({expression}); if (value) return value; }} catch {{ /* not yet */ }}
                        await new Promise(done => setTimeout(done, 8));
                    }}
                }})()",
                left.as_millis()
            );
            match self.evaluate(asked) {
                Ok(Ok(Value::Null)) => break,
                Ok(Ok(value)) => return value,
                Ok(Err(thrown)) => panic!("{expression}\nthrew {thrown}"),
                Err(_) => {} // the page was just being left: ask the next one
            }
        }
        panic!("waited in vain for\n    {expression}\n{}", self.described());
    }

    /// Waits until the page answers exactly this.
    #[track_caller]
    pub fn wait_for_value(&self, expression: &str, value: impl Into<Value> + Clone + Debug) {
        let wanted: Value = value.into();
        self.wait_for(&format!("JSON.stringify({expression}) === {}", js(&wanted.to_string())));
    }

    /// Waits until the page shows this message as sent and numbered, once.
    #[track_caller]
    pub fn sees(&self, body: &str) {
        let body = js(body);
        self.wait_for(&format!(
            "(all => all.length === 1 && all[0].dataset.state === 'sent' && all[0].dataset.seq)
                ($$('.message').filter(node => node.querySelector('.body').textContent === {body}))"
        ));
    }

    /// Waits until the page shows this message as not yet confirmed.
    #[track_caller]
    pub fn keeps(&self, body: &str) {
        let body = js(body);
        self.wait_for(&format!("message({body}).dataset.state === 'pending' && !message({body}).dataset.seq"));
    }

    /// The log, from top to bottom.
    #[track_caller]
    pub fn messages(&self) -> Vec<Shown> {
        let all = self.ask(
            "(await frame(), $$('.message').map(node => ({
                seq: node.dataset.seq ? Number(node.dataset.seq) : null,
                from: node.dataset.key.slice(0, node.dataset.key.indexOf('/')),
                body: node.querySelector('.body').textContent,
                state: node.dataset.state,
            })))",
        );
        serde_json::from_value(all).unwrap()
    }

    /// Lets an error of the page with this in its text pass.
    pub fn forgive(&self, part: &'static str) {
        self.devtools.seen.borrow_mut().forgiven.push(part);
    }

    /// Lets the browser complain of a line that is cut.
    pub fn forgive_the_line(&self) {
        for part in ["net::ERR_", "WebSocket connection to"] {
            self.forgive(part);
        }
    }

    /// The text frames that went up this page's WebSockets, as the browser itself tells.
    pub fn sent(&self) -> Vec<String> {
        self.so_far(|seen| seen.sent.clone())
    }

    /// The text frames that came down.
    pub fn received(&self) -> Vec<String> {
        self.so_far(|seen| seen.received.clone())
    }

    /// The errors so far that are not forgiven.
    pub fn problems(&self) -> Vec<String> {
        self.so_far(|seen| {
            let forgiven = |problem: &&String| !seen.forgiven.iter().any(|part| problem.contains(part));
            seen.problems.iter().filter(forgiven).cloned().collect()
        })
    }

    /// What the page tells comes in order: with an answer, everything before it has come.
    fn so_far<T>(&self, of: impl FnOnce(&Seen) -> T) -> T {
        self.ask("null");
        of(&self.devtools.seen.borrow())
    }

    fn described(&self) -> String {
        let page = self.evaluate("`${document.URL} shows:\n${document.body?.innerText}`".to_owned());
        let page = match page {
            Ok(Ok(Value::String(page))) => page,
            other => format!("{other:?}"),
        };
        format!("{page}\nproblems: {:#?}", self.devtools.seen.borrow().problems)
    }

    /// The value, or what was thrown; the outer error: no page to ask.
    fn evaluate(&self, expression: String) -> Result<Result<Value, String>, String> {
        let answer = self.devtools.call(Runtime::Evaluate {
            expression,
            return_by_value: Some(true),
            await_promise: Some(true),
            user_gesture: None,
            silent: None,
            generate_preview: None,
            include_command_line_api: None,
            object_group: None,
            context_id: None,
            throw_on_side_effect: None,
            timeout: None,
            disable_breaks: None,
            repl_mode: None,
            allow_unsafe_eval_blocked_by_csp: None,
            unique_context_id: None,
            serialization_options: None,
        });
        let answer = answer?;
        Ok(match answer.exception_details {
            Some(details) => Err(thrown(&details)),
            None => Ok(answer.result.value.unwrap_or_default()),
        })
    }

    #[track_caller]
    fn call<C: Method + serde::Serialize>(&self, method: C) -> C::ReturnObject {
        self.devtools.call(method).unwrap()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let problems = if std::thread::panicking() { Vec::new() } else { self.problems() };
        let _ = self.chromium.control().call(Target::CloseTarget { target_id: self.target.clone() });
        assert!(problems.is_empty(), "the page had errors: {problems:#?}");
    }
}

/// A text as JavaScript has it.
pub fn js(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
