//! `--headers` and `--wire`: what goes over the connection, as lines.

use super::harmless;
use super::look::Look;
use super::options::Options;
use super::wire::{Seen, Wire};
use parking_lot::Mutex;
use parlor::{Dialer, Direction};

/// Adds to a dialer what the flags say: header fields, whom to trust, and a tap that gives lines to `show`.
pub fn fitted(
    mut dialer: Dialer,
    options: &Options,
    look: Look,
    show: impl Fn(String) + Send + Sync + 'static,
) -> Dialer {
    for (name, value) in &options.header {
        dialer = dialer.header(name, value);
    }
    if let Some(fingerprint) = &options.fingerprint
        && let Ok(trusting) = dialer.clone().fingerprint(fingerprint)
    {
        dialer = trusting;
    }
    if let Some(pem) = &options.trust
        && let Ok(trusting) = dialer.clone().trust(pem)
    {
        dialer = trusting;
    }
    let (heads, frames) = (options.headers, options.wire);
    if !heads && !frames {
        return dialer;
    }
    let wire = Mutex::new(Wire::default());
    dialer.tap(move |direction, bytes| {
        for seen in wire.lock().sees(direction, bytes) {
            lines(&seen, heads, frames).iter().for_each(|line| show(look.quiet(line)));
        }
    })
}

fn lines(seen: &Seen, heads: bool, frames: bool) -> Vec<String> {
    match seen {
        Seen::Head(way, head) if heads => {
            head.iter().map(|line| format!("{} {}", sign(*way), harmless::line(line))).collect()
        }
        Seen::Frame(way, line) if frames => vec![format!("{} {line}", sign(*way))],
        _ => vec![],
    }
}

fn sign(direction: Direction) -> char {
    if direction == Direction::Sent { '>' } else { '<' }
}
