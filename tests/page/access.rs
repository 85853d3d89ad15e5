//! The page for everyone: axe-core looks at each screen, light and dark, on a desk and on a phone.

use crate::browser::Chromium;
use crate::screens::{View, none_of, walk};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What is fetched once; `npm` checks that it is what was published under that number.
const AXE: &str = "axe-core@4.14.1";

/// The code of axe-core; None where it cannot be fetched, and the test is skipped. Under `CI=true` that is a failure.
fn axe() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| match fetched() {
        Ok(code) => Some(code),
        Err(problem) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{problem}, and CI=true needs it");
            // Past the test harness, which would keep it to itself.
            let _ = writeln!(std::io::stderr(), "SKIPPED: the tests of access need {AXE}: {problem}");
            None
        }
    });
    found.as_deref()
}

fn fetched() -> Result<String, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(AXE);
    let code = folder.join("package/axe.min.js");
    if !code.exists() {
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        run(Command::new("npm").args(["pack", "--silent", AXE]).current_dir(&folder))?;
        let packed = packed(&folder).ok_or("npm has left no package")?;
        run(Command::new("tar").arg("-xzf").arg(packed).current_dir(&folder))?;
    }
    std::fs::read_to_string(&code).map_err(|e| format!("{}: {e}", code.display()))
}

fn packed(folder: &Path) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| path.extension().is_some_and(|ending| ending == "tgz"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{:?} cannot be run: {e}", command.get_program()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn nothing_stands_in_anyones_way(dark: bool) {
    let (Some(chromium), Some(axe)) = (Chromium::get(), axe()) else { return };
    let mut found = Vec::new();
    for width in [1280, 390] {
        walk(&chromium, View { width, dark }, &mut |window, screen| {
            window.ask(&format!("(() => {{ if (!window.axe) {{ {axe} }} }})()"));
            let violations = window.ask(
                "(await axe.run(document, { resultTypes: ['violations'] })).violations
                    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
                    .map(({ id, nodes }) => [id, ...nodes.map(node => `${node.html.slice(0, 200)} ${node.failureSummary}`)])",
            );
            for violation in violations.as_array().unwrap() {
                found.push((format!("{width} {screen}"), violation.clone()));
            }
        });
    }
    none_of(&found);
}

#[test]
fn nothing_stands_in_anyones_way_in_the_light() {
    nothing_stands_in_anyones_way(false);
}

#[test]
fn nothing_stands_in_anyones_way_in_the_dark() {
    nothing_stands_in_anyones_way(true);
}

#[test]
fn what_stands_in_somebodys_way_is_found() {
    let (Some(chromium), Some(axe)) = (Chromium::get(), axe()) else { return };
    let server = crate::common::server();
    let window = chromium.window(server.address);
    window.prefers(false); // what is still appearing is not looked at
    window.wait_for("shown('#welcome')");
    window.ask("void ($('#join').style.color = '#778', $('label[for=name-input]').remove())");
    window.ask(&format!("(() => {{ {axe} }})()"));
    let found = window.ask("(await axe.run(document)).violations.map(({ id }) => id)");
    for id in ["color-contrast", "label"] {
        assert!(found.as_array().unwrap().contains(&Value::from(id)), "{id}: {found}");
    }
}
