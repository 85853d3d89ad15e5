//! The page for everyone: axe-core looks at what is on the screen.

use crate::browser::{Chromium, Window};
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

/// What stands in somebody's way on the screen, in words. What is asked for in the light is not asked again in the dark: there
/// only the colours are others. Nothing, where axe-core cannot be had.
pub fn barriers(window: &Window, dark: bool) -> Vec<String> {
    let Some(axe) = axe() else { return Vec::new() };
    window.ask(&format!("(() => {{ if (!window.axe) {{ {axe} }} }})()"));
    let rules = if dark { "runOnly: ['color-contrast']," } else { "" };
    let found = window.ask(&format!(
        "(await axe.run(document, {{ {rules} resultTypes: ['violations'] }})).violations
            .filter(({{ impact }}) => ['serious', 'critical'].includes(impact))
            .flatMap(({{ id, nodes }}) => nodes.map(node => `${{id}}: ${{node.html.slice(0, 200)}} ${{node.failureSummary}}`))"
    ));
    found.as_array().unwrap().iter().map(|barrier| barrier.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_stands_in_somebodys_way_is_found() {
    let (Some(chromium), Some(_)) = (Chromium::get(), axe()) else { return };
    let server = crate::common::server();
    let window = chromium.window(server.address);
    window.wait_for("shown('#welcome')");
    window.ask("void ($('#join').style.color = '#778', $('label[for=name-input]').remove())");
    for dark in [false, true] {
        window.prefers(dark);
        let found = barriers(&window, dark);
        let has = |rule: &str| found.iter().any(|barrier| barrier.starts_with(rule));
        assert!(has("color-contrast: ") && has("label: ") != dark, "{found:#?}");
    }
}
