//! The bus: what carries letters from each node to all. It may lose them, and must not change their order.

use std::time::Duration;

/// Why it does not work just now, in words.
pub type Trouble = String;

/// A way to all nodes.
pub trait Bus: Send + Sync {
    /// A connection to send over.
    fn mouth(&self) -> Result<Box<dyn Mouth>, Trouble>;

    /// A connection to listen on, from now on.
    fn ear(&self) -> Result<Box<dyn Ear>, Trouble>;

    /// The longest letter, in bytes.
    fn longest(&self) -> usize;

    /// Whether messages go over it. If not, it is told how far their rooms have come, and each node reads them.
    fn carries_messages(&self) -> bool;

    /// What it is called in the log, without anybody's password.
    fn shown(&self) -> String;
}

/// Sends.
pub trait Mouth: Send {
    /// Sends letters to all nodes, in order. After an error it is not known which of them are on their way.
    fn send(&mut self, letters: &[Vec<u8>]) -> Result<(), Trouble>;
}

/// Listens.
pub trait Ear: Send {
    /// What came, in the order in which it was sent; nothing, if nothing came in that time. It hears its own node too.
    fn listen(&mut self, patience: Duration) -> Result<Vec<Came>, Trouble>;
}

/// A letter, and when it was sent by the clock of the bus, in milliseconds: that clock stands still for who does not listen.
pub struct Came {
    pub at: u64,
    pub letter: Vec<u8>,
}
