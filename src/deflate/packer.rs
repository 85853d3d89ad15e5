//! Packs frames that go out, each once however many get it.

use super::{PACKED, TAIL};
use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use std::collections::{HashMap, VecDeque};

/// The smallest frame that is worth packing, in bytes.
const LEAST: usize = 1024;

/// What is remembered of what was packed, in bytes: more than the dispatcher sends together.
const REMEMBERED: usize = 4 * 1024 * 1024;

/// Tools that are kept at hand. One to pack takes 300 KiB, one to unpack 45; a client's own thread keeps none.
const AT_HAND: usize = 4;

/// Packs and unpacks for all connections of a server.
#[derive(Default)]
pub(crate) struct Packer {
    lately: Mutex<Lately>,
    packing: Pool<Compress>,
    pub unpacking: Pool<Decompress>,
    /// Frames that were sent packed, each receiver counted; and the bytes that this saved.
    pub frames: Counter,
    pub saved: Counter,
}

/// Frames and what they became, by their place in memory: a frame never changes, and while it is kept here nothing else
/// can be at its place.
#[derive(Default)]
struct Lately {
    frames: HashMap<usize, (Bytes, Bytes)>,
    order: VecDeque<usize>,
    bytes: usize,
}

/// Tools that are used again.
pub(crate) struct Pool<T> {
    free: Mutex<Vec<T>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool { free: Mutex::default() }
    }
}

impl<T> Pool<T> {
    /// Works with a tool that is free, or with a new one.
    pub fn with<R>(&self, new: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let free = self.free.lock().pop();
        let mut tool = free.unwrap_or_else(new);
        let done = work(&mut tool);
        let mut free = self.free.lock();
        if free.len() < AT_HAND {
            free.push(tool);
        }
        done
    }
}

impl Packer {
    /// Whether any of these would be packed.
    pub fn concerns(frames: &[Bytes]) -> bool {
        frames.iter().any(|frame| frame.len() >= LEAST)
    }

    /// The frames as they go to a client that can unpack them.
    pub fn pack(&self, frames: &[Bytes]) -> Vec<Bytes> {
        frames.iter().map(|frame| if frame.len() < LEAST { frame.clone() } else { self.packed(frame) }).collect()
    }

    fn packed(&self, frame: &Bytes) -> Bytes {
        let place = frame.as_ptr() as usize;
        let known = self.lately.lock().frames.get(&place).filter(|(plain, _)| plain.len() == frame.len()).cloned();
        let packed = match known {
            Some((_, packed)) => packed,
            None => {
                let packed = self.make(frame).unwrap_or_else(|| frame.clone());
                // What nobody else has is for one client alone.
                if !frame.is_unique() {
                    self.lately.lock().remember(place, frame, &packed);
                }
                packed
            }
        };
        if packed.len() < frame.len() {
            self.frames.inc();
            self.saved.inc_by((frame.len() - packed.len()) as u64);
        }
        packed
    }

    /// None: it is no whole message, or it would not be smaller.
    fn make(&self, frame: &Bytes) -> Option<Bytes> {
        let payload = payload(frame)?;
        let packed = self.packing.with(|| Compress::new(Compression::fast(), false), |tool| deflate(tool, payload))?;
        let mut wire = Vec::with_capacity(packed.len() + 10);
        wire.push(frame[0] | PACKED);
        match packed.len() {
            short @ ..126 => wire.push(short as u8),
            middle @ 126..65_536 => {
                wire.push(126);
                wire.extend((middle as u16).to_be_bytes());
            }
            long => {
                wire.push(127);
                wire.extend((long as u64).to_be_bytes());
            }
        }
        wire.extend(packed);
        (wire.len() < frame.len()).then(|| wire.into())
    }
}

/// What is in a frame of the server: a text or binary message in one piece, without a mask.
fn payload(frame: &[u8]) -> Option<&[u8]> {
    let header = match (frame.first()?, frame.get(1)?) {
        (0x81 | 0x82, 0..126) => 2,
        (0x81 | 0x82, 126) => 4,
        (0x81 | 0x82, 127) => 10,
        _ => return None,
    };
    frame.get(header..)
}

/// Section 7.2.1. None: it would not be smaller.
fn deflate(tool: &mut Compress, payload: &[u8]) -> Option<Vec<u8>> {
    tool.reset();
    // Room for less than there was: what does not fit is not worth it.
    let mut packed = Vec::with_capacity(payload.len());
    tool.compress_vec(payload, &mut packed, FlushCompress::Sync).ok()?;
    let whole = tool.total_in() == payload.len() as u64 && packed.len() < packed.capacity();
    let body = packed.strip_suffix(&TAIL).map(<[u8]>::len).filter(|_| whole)?;
    packed.truncate(body);
    Some(packed)
}

impl Lately {
    fn remember(&mut self, place: usize, plain: &Bytes, packed: &Bytes) {
        if let Some((old, was)) = self.frames.insert(place, (plain.clone(), packed.clone())) {
            self.bytes -= old.len() + was.len();
        } else {
            self.order.push_back(place);
        }
        self.bytes += plain.len() + packed.len();
        while self.bytes > REMEMBERED
            && self.order.len() > 1
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some((plain, packed)) = self.frames.remove(&oldest) {
                self.bytes -= plain.len() + packed.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Unpacker;
    use super::*;
    use crate::frame;
    use std::sync::Arc;

    fn unpacked(packer: &Arc<Packer>, frame: &Bytes) -> Vec<u8> {
        // As a client would send it: with a mask, of zeros.
        let header = if frame[1] < 126 { 2 } else { 4 };
        let mut masked = frame[..header].to_vec();
        masked[1] |= 0x80;
        masked.extend([0; 4]);
        masked.extend(&frame[header..]);
        let mut out = Vec::new();
        Unpacker::new(packer.clone(), 1 << 20).push(&masked, &mut out).unwrap();
        out
    }

    #[test]
    fn a_frame_is_packed_once_for_all_who_get_it() {
        let packer = Arc::new(Packer::default());
        let text = "hello, world ".repeat(1000);
        let frame = frame::text(text.clone());
        let kept = frame.clone();
        let first = packer.pack(&[frame.clone(), frame::text("short")]);
        assert_eq!((first[0][0], &first[1][..2]), (0xc1, &b"\x81\x05"[..]));
        assert!(first[0].len() < 300, "{}", first[0].len());
        assert!(unpacked(&packer, &first[0]).ends_with(text.as_bytes()));
        let second = packer.pack(&[kept]);
        assert_eq!(first[0].as_ptr(), second[0].as_ptr(), "it is the same one");
        assert_eq!(packer.frames.get(), 2);
        assert_eq!(packer.saved.get(), 2 * (frame.len() - first[0].len()) as u64);
    }

    #[test]
    fn what_gets_no_smaller_goes_as_it_is() {
        let packer = Packer::default();
        let mut noise = vec![0u8; 5000];
        getrandom::fill(&mut noise).unwrap();
        let frames = [frame::binary(noise), Bytes::from(vec![0x01; 2000])];
        assert_eq!(packer.pack(&frames), frames);
        assert_eq!(packer.frames.get(), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_never_another_frames() {
        let packer = Packer::default();
        for n in 0..2000 {
            let frame = frame::text(format!("{n} ").repeat(2000));
            let shared = frame.clone();
            let packed = packer.pack(&[shared]);
            let again = packer.pack(&[frame]);
            assert_eq!(packed, again);
        }
        let lately = packer.lately.lock();
        assert!(lately.bytes <= REMEMBERED && lately.frames.len() == lately.order.len());
        let held: usize = lately.frames.values().map(|(plain, packed)| plain.len() + packed.len()).sum();
        assert_eq!(held, lately.bytes);
    }
}
