//! What packing has spared one connection.

use bytes::Bytes;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counted as frames go out. It costs two additions for a frame that is packed.
#[derive(Default)]
pub(crate) struct Tally {
    frames: AtomicU64,
    saved: AtomicU64,
}

/// How many frames went out packed, and how many bytes fewer that was.
#[derive(Serialize)]
pub(crate) struct Spared {
    frames: u64,
    saved: u64,
}

impl Tally {
    /// Counts frames, and what they went out as.
    pub fn note(&self, plain: &[Bytes], packed: &[Bytes]) {
        for (plain, packed) in plain.iter().zip(packed).filter(|(plain, packed)| packed.len() < plain.len()) {
            self.frames.fetch_add(1, Relaxed);
            self.saved.fetch_add((plain.len() - packed.len()) as u64, Relaxed);
        }
    }

    /// Up to now.
    pub fn spared(&self) -> Spared {
        Spared { frames: self.frames.load(Relaxed), saved: self.saved.load(Relaxed) }
    }
}
