//! A disk and a clock that the test holds in its hand: see `disk.c`, which the system's C compiler makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Stands between one program and its disk.
pub struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// One that does as it should. None, and a word, where the system cannot put it before a program.
    pub fn new() -> Option<Disk> {
        library()?;
        Some(Disk { folder: tempfile::tempdir().unwrap() })
    }

    /// Has a program use it.
    pub fn under(&self, command: &mut Command) {
        command.env("LD_PRELOAD", library().unwrap()).env("TEST_DISK", self.folder.path());
    }

    /// From now on it is `full`, `readonly`, or `broken`.
    pub fn becomes(&self, fault: &str) {
        self.set(fault, "");
    }

    /// Each time that a program waits for it takes so much longer.
    pub fn slows_down(&self, milliseconds: u32) {
        self.set("slow", &milliseconds.to_string());
    }

    /// The clock of the day is so many seconds off.
    pub fn clock_is_off_by(&self, seconds: i64) {
        self.set("clock", &seconds.to_string());
    }

    /// What was surely on it is remembered from now on, and where.
    pub fn keeps(&self) -> PathBuf {
        let kept = self.folder.path().join("kept");
        std::fs::create_dir_all(&kept).unwrap();
        kept
    }

    /// All is as it should be again.
    pub fn mends(&self) {
        for fault in ["full", "readonly", "broken", "slow"] {
            let _ = std::fs::remove_file(self.folder.path().join(fault));
        }
    }

    fn set(&self, name: &str, said: &str) {
        // Whole at once: it is read at any moment.
        let fresh = self.folder.path().join("fresh");
        std::fs::write(&fresh, said).unwrap();
        std::fs::rename(fresh, self.folder.path().join(name)).unwrap();
    }
}

/// Compiled once.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compile = || {
        if !cfg!(all(target_os = "linux", target_env = "gnu")) {
            eprintln!("SKIPPED: only on Linux with the GNU library can a test hold the disk in its hand");
            return None;
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/durability/disk.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("disk-{}.so", std::process::id()));
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let mut made = Command::new(&compiler);
        made.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        let made = made.args(["-ldl", "-pthread"]).status();
        assert!(made.is_ok_and(|status| status.success()), "{compiler} cannot compile {source}");
        Some(library)
    };
    LIBRARY.get_or_init(compile).as_deref()
}
