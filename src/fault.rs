//! A fault: a panic in a thread on which all depend. The server is told, stores what it has received, and ends.

use crossbeam_channel::Sender;

/// Tells of a thread that ends in a panic.
pub(crate) struct Fault {
    name: &'static str,
    tell: Sender<&'static str>,
}

impl Fault {
    /// For the thread of that name, which holds it as long as it runs.
    pub fn of(name: &'static str, tell: &Sender<&'static str>) -> Fault {
        Fault { name, tell: tell.clone() }
    }

    /// One that nobody hears of.
    #[cfg(test)]
    pub fn for_tests() -> Fault {
        Fault::of("a test's thread", &crossbeam_channel::unbounded().0)
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.tell.send(self.name);
        }
    }
}
