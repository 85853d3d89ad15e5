//! An outbox: the bounded queue of frames for one client, and the only way to that client's socket after the handshake.
//!
//! What a write may do:
//! 1. It MUST NOT wait: not for the peer, and not for a lock that is held over a system call.
//! 2. At most one thread writes at a time: whoever holds the pen. The lock guards the state, never the socket.
//! 3. Frames leave whole and in the order in which they were accepted; a frame cut short is finished before any other.
//! 4. Who finds the socket full leaves the rest to the flusher, and whoever comes while the pen is held or the queue is
//!    not empty only queues: the pen's holder or the flusher takes it along.
//! 5. A queue past its bound evicts: what was not begun is dropped, a close frame with 4000 takes its place.
//! 6. After a close frame nothing is accepted.

use crate::deflate::{Packer, Spared, Tally};
use crate::flusher::Flusher;
use crate::frame;
use crate::protocol::close;
use crate::transport::Transport;
use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard};
use prometheus_client::metrics::counter::Counter;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a client has to answer a close frame before its socket is shut.
const CLOSING: Duration = Duration::from_secs(3);

/// How long one that was evicted has to read what is on its way to it, and the close frame behind that.
const EVICTED: Duration = Duration::from_secs(10);

/// What a queued frame weighs besides its bytes.
const OVERHEAD: usize = 64;

/// Frames in one system call.
const VECTOR: usize = 64;

/// A client's bounded queue of frames.
pub struct Outbox {
    transport: Arc<dyn Transport>,
    flusher: Flusher,
    /// The client can unpack what is packed.
    packer: Option<Arc<Packer>>,
    tally: Tally,
    /// In bytes, [`OVERHEAD`] a frame included.
    limit: usize,
    /// Those who were closed with 4000, this one and all others.
    evictions: Counter,
    state: Mutex<State>,
    /// Something left the queue, or the phase changed.
    moved: Condvar,
}

struct State {
    queue: VecDeque<Bytes>,
    /// Bytes of the queue's first frame that are on the wire already.
    begun: usize,
    bytes: usize,
    pen: bool,
    /// There was room again while the pen was held.
    again: bool,
    watched: bool,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Open,
    /// The client is too slow; whoever lays the pen down puts the close frame in place of what was not begun.
    Evicting,
    /// The last frame is in the queue or on the wire; the socket is shut when the client does not answer in time.
    Closing {
        until: Instant,
        evicted: bool,
    },
    Closed,
}

/// What the flusher has to do for an outbox.
#[derive(Debug, PartialEq)]
pub(crate) enum Watch {
    /// Nothing more.
    Done,
    /// Wait until it can be written, at most until then.
    Writable(Option<Instant>),
    /// Nothing is left to write; shut it then, if it is not closed before.
    Until(Instant),
}

impl Outbox {
    /// One whose client cannot unpack anything.
    #[cfg(test)]
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        flusher: Flusher,
        limit: usize,
        evictions: Counter,
    ) -> Arc<Outbox> {
        Outbox::packing(transport, flusher, limit, evictions, None)
    }

    /// An empty outbox that holds up to `limit` bytes. With a packer its client can unpack what that packs.
    pub(crate) fn packing(
        transport: Arc<dyn Transport>,
        flusher: Flusher,
        limit: usize,
        evictions: Counter,
        packer: Option<Arc<Packer>>,
    ) -> Arc<Outbox> {
        let state = State {
            queue: VecDeque::new(),
            begun: 0,
            bytes: 0,
            pen: false,
            again: false,
            watched: false,
            phase: Phase::Open,
        };
        let (state, moved) = (Mutex::new(state), Condvar::new());
        let outbox =
            Arc::new(Outbox { transport, flusher, packer, tally: Tally::default(), limit, evictions, state, moved });
        let own = Arc::downgrade(&outbox);
        outbox.transport.when_writable(Box::new(move || {
            if let Some(outbox) = own.upgrade() {
                outbox.write_on();
            }
        }));
        outbox
    }

    /// Holds back what is sent from now on, until [`Outbox::begin`].
    pub(crate) fn hold(&self) {
        self.state.lock().pen = true;
    }

    /// Sends the first frames of all, and behind them what was held back.
    pub(crate) fn begin(self: &Arc<Self>, frames: &[Bytes]) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.prepend(frames, 0);
        }
        self.lay_down_pen(state, End::Open);
    }

    /// Sends frames, in order and with nothing in between. False: the outbox is closed, or this closed it.
    pub fn send(self: &Arc<Self>, frames: &[Bytes]) -> bool {
        match &self.packer {
            Some(packer) if Packer::concerns(frames) && self.is_open() => {
                let packed = packer.pack(frames);
                self.tally.note(frames, &packed);
                self.send_as_they_are(&packed)
            }
            _ => self.send_as_they_are(frames),
        }
    }

    /// What packing has spared this client; None: it cannot unpack.
    pub(crate) fn spared(&self) -> Option<Spared> {
        self.packer.as_ref().map(|_| self.tally.spared())
    }

    fn send_as_they_are(self: &Arc<Self>, frames: &[Bytes]) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return false;
        }
        if state.pen || !state.queue.is_empty() {
            state.append(frames);
            return self.keep_bound(&mut state);
        }
        // The common case: the socket takes all of it, and nothing is ever queued.
        state.pen = true;
        drop(state);
        let mut left = frames;
        let (mut begun, mut end) = (0, End::Open);
        while !left.is_empty() && end == End::Open {
            let wrote = write(&*self.transport, left.iter(), 0);
            left = &left[wrote.whole..];
            (begun, end) = (wrote.begun, wrote.end);
        }
        let mut state = self.state.lock();
        state.prepend(left, begun);
        let kept = self.keep_bound(&mut state);
        self.lay_down_pen(state, end);
        kept
    }

    /// Sends what still waits, then a close frame. The client has a moment to answer, then its socket is shut.
    pub fn close(self: &Arc<Self>, code: u16, reason: &str) {
        if self.close_with(frame::close(code, reason)) && code == close::TOO_SLOW {
            self.evictions.inc();
        }
    }

    /// The same with a close frame that is ready. False: it was closed before.
    pub(crate) fn close_with(self: &Arc<Self>, frame: Bytes) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            return false;
        }
        state.append(&[frame]);
        state.phase = Phase::Closing { until: Instant::now() + CLOSING, evicted: false };
        self.watch_the_clock(&mut state);
        self.moved.notify_all();
        // Alone in the queue, it can go at once: nobody found the socket full.
        if state.queue.len() == 1 && !state.pen {
            self.drain(state);
        }
        true
    }

    /// Waits until at most `bytes` are queued. False: it is closed, or nothing moved for `patience`.
    pub fn wait_for_room(&self, bytes: usize, patience: Duration) -> bool {
        let mut state = self.state.lock();
        while state.phase == Phase::Open && state.bytes > bytes {
            let before = state.bytes;
            if self.moved.wait_for(&mut state, patience).timed_out() && state.bytes >= before {
                return false;
            }
        }
        state.phase == Phase::Open
    }

    /// Ends it: waits at most `patience` until the last frame is written, then lets go of the socket.
    pub fn finish(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        while state.phase != Phase::Closed && (state.pen || self.has_more(&state)) {
            if self.moved.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        state.shut();
        self.moved.notify_all();
    }

    /// Whether a close frame was sent because the client did not read.
    pub fn evicted(&self) -> bool {
        matches!(self.state.lock().phase, Phase::Evicting | Phase::Closing { evicted: true, .. })
    }

    /// Whether frames are still accepted.
    pub fn is_open(&self) -> bool {
        self.state.lock().phase == Phase::Open
    }

    /// Ends reading and writing at once.
    pub(crate) fn hang_up(&self) {
        self.state.lock().shut();
        self.transport.hang_up();
        self.moved.notify_all();
    }

    /// There may be room again, says the flusher: writes what goes, and says what is left to do.
    pub(crate) fn flush(self: &Arc<Self>) -> Watch {
        self.write_on();
        self.left_to_do()
    }

    /// There may be room again, says the flusher, or a transport that it cannot poll.
    fn write_on(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.again = state.pen;
        if !state.pen && self.has_more(&state) {
            self.drain(state);
        }
    }

    /// What the flusher has to do for it. For the flusher alone: until this says [`Watch::Done`] it holds the outbox.
    pub(crate) fn left_to_do(&self) -> Watch {
        let mut state = self.state.lock();
        let waits = state.pen || self.has_more(&state);
        let watch = match state.phase {
            Phase::Closed => Watch::Done,
            Phase::Closing { until, .. } if waits => Watch::Writable(Some(until)),
            Phase::Closing { until, .. } => Watch::Until(until),
            Phase::Open | Phase::Evicting if waits => Watch::Writable(None),
            Phase::Open | Phase::Evicting => Watch::Done,
        };
        state.watched = watch != Watch::Done;
        watch
    }

    /// Something waits: frames here, or bytes that the transport took and could not get rid of.
    fn has_more(&self, state: &State) -> bool {
        !state.queue.is_empty() || self.transport.owes()
    }

    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        self.transport.as_fd()
    }

    /// Writes the queue until it is empty or the socket is full. The lock is free while it writes.
    fn drain(self: &Arc<Self>, mut state: MutexGuard<State>) {
        state.pen = true;
        let batch: Vec<Bytes> = state.queue.iter().take(VECTOR).cloned().collect();
        let begun = state.begun;
        drop(state);
        let wrote = write(&*self.transport, batch.iter(), begun);
        let mut state = self.state.lock();
        state.take_off(&wrote);
        self.lay_down_pen(state, wrote.end);
    }

    /// After a write: goes on where others have queued meanwhile, or leaves a full socket to the flusher.
    fn lay_down_pen(self: &Arc<Self>, mut state: MutexGuard<State>, end: End) {
        state.pen = false;
        if state.phase == Phase::Evicting {
            self.evict(&mut state);
        }
        self.moved.notify_all();
        match end {
            End::Open if !self.has_more(&state) => {}
            End::Open => self.drain(state),
            End::Full if std::mem::take(&mut state.again) => self.drain(state),
            End::Full => self.watch(&mut state),
            End::Broken => {
                state.shut();
                drop(state);
                self.transport.hang_up();
            }
        }
    }

    /// Evicts a client whose queue has outgrown its bound. False: it is closed.
    fn keep_bound(self: &Arc<Self>, state: &mut MutexGuard<State>) -> bool {
        if state.phase == Phase::Open && state.bytes > self.limit {
            state.phase = Phase::Evicting;
            self.evictions.inc();
            if !state.pen {
                self.evict(state);
            }
        }
        state.phase == Phase::Open
    }

    /// Puts the close frame in place of all that was not begun. Only while nobody holds the pen.
    fn evict(self: &Arc<Self>, state: &mut MutexGuard<State>) {
        let begun = usize::from(state.begun > 0);
        state.queue.truncate(begun);
        state.bytes = state.queue.iter().map(weight).sum();
        state.append(&[frame::close(close::TOO_SLOW, "too slow: come back with since")]);
        state.phase = Phase::Closing { until: Instant::now() + EVICTED, evicted: true };
        self.moved.notify_all();
        self.watch_the_clock(state);
    }

    fn watch(self: &Arc<Self>, state: &mut MutexGuard<State>) {
        if !state.watched {
            state.watched = true;
            self.flusher.watch(self);
        }
    }

    /// There is a deadline now, of which a flusher that waits for the socket knows nothing.
    fn watch_the_clock(self: &Arc<Self>, state: &mut MutexGuard<State>) {
        if state.watched {
            self.flusher.wake();
        }
        self.watch(state);
    }
}

impl State {
    fn append(&mut self, frames: &[Bytes]) {
        self.bytes += frames.iter().map(weight).sum::<usize>();
        self.queue.extend(frames.iter().cloned());
    }

    /// Puts what the socket did not take before what came meanwhile.
    fn prepend(&mut self, frames: &[Bytes], begun: usize) {
        self.bytes += frames.iter().map(weight).sum::<usize>();
        for frame in frames.iter().rev() {
            self.queue.push_front(frame.clone());
        }
        self.begun = begun;
    }

    fn take_off(&mut self, wrote: &Wrote) {
        let whole = wrote.whole.min(self.queue.len());
        self.bytes = self.bytes.saturating_sub(self.queue.drain(..whole).map(|frame| weight(&frame)).sum());
        self.begun = wrote.begun;
    }

    fn shut(&mut self) {
        self.phase = Phase::Closed;
        self.queue.clear();
        self.begun = 0;
        self.bytes = 0;
    }
}

fn weight(frame: &Bytes) -> usize {
    frame.len() + OVERHEAD
}

struct Wrote {
    /// Frames that are on the wire whole.
    whole: usize,
    /// Bytes of the next one that are, too.
    begun: usize,
    end: End,
}

#[derive(PartialEq)]
enum End {
    /// The socket may take more.
    Open,
    /// It took what it could.
    Full,
    /// Nobody is there any more.
    Broken,
}

/// One system call for up to [`VECTOR`] frames, of whose first `begun` bytes went before.
fn write<'a>(transport: &dyn Transport, frames: impl Iterator<Item = &'a Bytes> + Clone, begun: usize) -> Wrote {
    // Not an array: to fill one takes longer than to queue a single frame.
    let mut slices = SmallVec::<[IoSlice; VECTOR]>::new();
    for frame in frames.clone().take(VECTOR) {
        slices.push(IoSlice::new(if slices.is_empty() { &frame[begun..] } else { frame }));
    }
    let count = slices.len();
    let mut wrote = Wrote { whole: 0, begun, end: End::Open };
    match transport.write_now(&slices) {
        Ok(bytes) => {
            let mut bytes = begun + bytes;
            for frame in frames.take(count) {
                if bytes < frame.len() {
                    wrote.end = End::Full;
                    break;
                }
                bytes -= frame.len();
                wrote.whole += 1;
            }
            wrote.begun = bytes;
            if wrote.end == End::Open && transport.owes() {
                wrote.end = End::Full;
            }
        }
        Err(e) if e.kind() == ErrorKind::WouldBlock => wrote.end = End::Full,
        Err(_) => wrote.end = End::Broken,
    }
    wrote
}

#[cfg(test)]
mod orders;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flusher;
    use std::io;

    /// A socket that takes as many bytes as it is told, without a socket.
    struct Pipe {
        state: Mutex<(usize, Vec<u8>)>,
        hung_up: std::sync::atomic::AtomicBool,
    }

    impl Pipe {
        fn open(&self, bytes: usize) {
            self.state.lock().0 += bytes;
        }
        fn took(&self) -> Vec<u8> {
            self.state.lock().1.clone()
        }
    }

    impl Transport for Pipe {
        fn write_now(&self, frames: &[IoSlice]) -> io::Result<usize> {
            let (room, taken) = &mut *self.state.lock();
            let before = *room;
            for frame in frames {
                let part = &frame[..frame.len().min(*room)];
                taken.extend_from_slice(part);
                *room -= part.len();
            }
            if before == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(before - *room) }
        }
        fn hang_up(&self) {
            self.hung_up.store(true, std::sync::atomic::Ordering::SeqCst);
        }
        fn as_fd(&self) -> Option<BorrowedFd<'_>> {
            None
        }
        fn read(&self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn set_patience(&self, _: Duration) -> io::Result<()> {
            Ok(())
        }
        fn write_all(&self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn end_writing(&self) {}
        fn end_reading(&self) {}
    }

    fn outbox(room: usize, limit: usize) -> (Arc<Pipe>, Arc<Outbox>, crossbeam_channel::Receiver<Arc<Outbox>>) {
        let pipe = Arc::new(Pipe { state: Mutex::new((room, Vec::new())), hung_up: Default::default() });
        let (flusher, watched) = flusher::handle_for_tests();
        (pipe.clone(), Outbox::new(pipe, flusher, limit, Counter::default()), watched)
    }

    fn frames(texts: &[&'static str]) -> Vec<Bytes> {
        texts.iter().map(|t| Bytes::from_static(t.as_bytes())).collect()
    }

    #[test]
    fn what_the_socket_takes_is_never_queued() {
        let (pipe, outbox, watched) = outbox(100, 1000);
        assert!(outbox.send(&frames(&["hello ", "world"])));
        assert_eq!(pipe.took(), b"hello world");
        assert!(watched.is_empty());
        assert_eq!(outbox.left_to_do(), Watch::Done);
    }

    #[test]
    fn what_it_does_not_take_goes_later_in_order() {
        let (pipe, outbox, watched) = outbox(8, 10_000);
        assert!(outbox.send(&frames(&["hello ", "world"])));
        assert!(outbox.send(&frames(&["!", "?"])));
        assert_eq!(pipe.took(), b"hello wo");
        assert_eq!(watched.len(), 1, "the flusher is told once");
        assert_eq!(outbox.flush(), Watch::Writable(None));
        pipe.open(2);
        assert_eq!(outbox.flush(), Watch::Writable(None));
        pipe.open(100);
        assert_eq!(outbox.flush(), Watch::Done);
        assert_eq!(pipe.took(), b"hello world!?");
        assert!(outbox.send(&frames(&["."])));
        assert_eq!(pipe.took(), b"hello world!?.");
    }

    #[test]
    fn what_others_send_before_the_first_frames_comes_behind_them() {
        let (pipe, outbox, _watched) = outbox(100, 1000);
        outbox.hold();
        assert!(outbox.send(&frames(&["news"])));
        assert_eq!(pipe.took(), b"");
        outbox.begin(&frames(&["welcome "]));
        assert!(outbox.send(&frames(&[" more"])));
        assert_eq!(pipe.took(), b"welcome news more");
        assert_eq!(outbox.left_to_do(), Watch::Done);
    }

    #[test]
    fn more_frames_than_one_call_takes_all_go() {
        let (pipe, outbox, _watched) = outbox(100_000, 100_000);
        assert!(outbox.send(&frames(&["x"; 200])));
        assert_eq!(pipe.took().len(), 200);
        pipe.state.lock().0 = 1;
        assert!(outbox.send(&frames(&["y"; 300])));
        pipe.open(1000);
        assert_eq!(outbox.flush(), Watch::Done);
        assert_eq!(pipe.took().len(), 500);
    }

    #[test]
    fn past_its_bound_it_evicts_and_finishes_only_the_frame_it_began() {
        let (pipe, outbox, watched) = outbox(3, 200);
        assert!(outbox.send(&frames(&["hello "])));
        assert!(outbox.send(&frames(&["never"])));
        assert!(!outbox.send(&frames(&["sent"])), "the third is past the bound");
        assert!(!outbox.send(&frames(&["at all"])));
        assert!(outbox.evicted() && !outbox.is_open());
        outbox.close(close::TOO_SLOW, "it is closed already");
        assert_eq!(outbox.evictions.get(), 1);
        pipe.open(1000);
        assert!(matches!(outbox.flush(), Watch::Until(_)));
        let mut expected = b"hello ".to_vec();
        expected.extend_from_slice(&frame::close(4000, "too slow: come back with since"));
        assert_eq!(pipe.took(), expected);
        assert_eq!(watched.len(), 1);
    }

    #[test]
    fn a_batch_past_the_bound_that_the_socket_takes_evicts_nobody() {
        let (pipe, outbox, _watched) = outbox(100_000, 100);
        assert!(outbox.send(&frames(&["0123456789"; 100])));
        assert_eq!(pipe.took().len(), 1000);
        assert!(outbox.is_open());
    }

    #[test]
    fn a_close_comes_after_what_waits_and_nothing_after_it() {
        let (pipe, outbox, _watched) = outbox(2, 1000);
        assert!(outbox.send(&frames(&["hello"])));
        outbox.close(1001, "bye");
        assert!(!outbox.send(&frames(&["late"])));
        pipe.open(1000);
        assert!(matches!(outbox.flush(), Watch::Until(_)), "the client has a moment to answer");
        let mut expected = b"hello".to_vec();
        expected.extend_from_slice(&frame::close(1001, "bye"));
        assert_eq!(pipe.took(), expected);
        outbox.finish(Duration::ZERO);
        assert_eq!(outbox.left_to_do(), Watch::Done);
    }

    #[test]
    fn a_broken_socket_is_let_go_at_once() {
        let (near, far) = crate::duplex::pair();
        drop(near);
        let (flusher, _watched) = flusher::handle_for_tests();
        let outbox = Outbox::new(far.clone(), flusher, 1000, Counter::default());
        outbox.send(&frames(&["hello"]));
        assert_eq!(far.read(&mut [0]).unwrap(), 0, "hung up");
        assert!(!outbox.is_open() && !outbox.wait_for_room(0, Duration::ZERO));
    }

    /// Room that is made while somebody writes is not overlooked, though nothing polls a connection through memory.
    #[test]
    fn everything_arrives_through_memory_whoever_is_quicker() {
        use std::io::Read;
        let (mut near, far) = crate::duplex::pair();
        let (flusher, _watched) = flusher::handle_for_tests();
        let outbox = Outbox::new(far, flusher, usize::MAX, Counter::default());
        let frames: Vec<Bytes> = (0..64).map(|_| frame::text("x".repeat(1000))).collect();
        let all = 40 * frames.iter().map(Bytes::len).sum::<usize>();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..40).for_each(|_| assert!(outbox.send(&frames))));
            let mut read = 0;
            let mut buffer = vec![0; 7001];
            while read < all {
                read += Read::read(&mut near, &mut buffer).unwrap();
            }
        });
        assert!(outbox.wait_for_room(0, Duration::ZERO));
    }

    #[test]
    fn waiting_for_room_ends_when_the_queue_has_gone_or_nothing_moves() {
        let (pipe, outbox, _watched) = outbox(0, 1000);
        outbox.send(&frames(&["hello"]));
        assert!(!outbox.wait_for_room(0, Duration::from_millis(1)));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| outbox.wait_for_room(0, Duration::from_secs(10)));
            pipe.open(10);
            outbox.flush();
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn many_threads_send_whole_batches_in_their_own_order() {
        let (pipe, outbox, _watched) = outbox(0, usize::MAX);
        std::thread::scope(|scope| {
            for writer in 0..4u8 {
                let outbox = &outbox;
                scope.spawn(move || {
                    for n in 0..200u8 {
                        outbox.send(&[Bytes::from(vec![b'[', writer, n]), Bytes::from_static(b"]")]);
                    }
                });
            }
            let mut round = 0;
            while pipe.took().len() < 4 * 200 * 4 && round < 1_000_000 {
                pipe.open(7);
                outbox.flush();
                round += 1;
            }
        });
        let taken = pipe.took();
        let mut next = [0u8; 4];
        for batch in taken.chunks(4) {
            assert_eq!((batch[0], batch[3]), (b'[', b']'));
            assert_eq!(batch[2], next[batch[1] as usize]);
            next[batch[1] as usize] += 1;
        }
        assert_eq!(next, [200; 4]);
    }
}
