exercise!(long_poll, "yours to make pass: examples/exercises/long_poll.rs");

use std::sync::{Condvar, Mutex};
use std::thread::{park_timeout, scope};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);

fn check(long_poll: impl Fn(&Mutex<Vec<String>>, &Condvar, usize, Duration) -> Vec<String> + Sync) {
    let news = Mutex::new(vec!["one".to_owned(), "two".to_owned()]);
    let more = Condvar::new();
    let start = Instant::now();
    assert_eq!(long_poll(&news, &more, 0, LONG), ["one", "two"]);
    assert_eq!(long_poll(&news, &more, 1, LONG), ["two"]);
    assert_eq!(long_poll(&news, &more, 7, LONG), ["one", "two"], "seen more than there is: all");
    assert!(start.elapsed() < LONG / 2, "what is there is given at once");

    let (start, patience) = (Instant::now(), Duration::from_millis(200));
    assert!(long_poll(&news, &more, 2, patience).is_empty(), "nothing new: nothing");
    assert!(start.elapsed() >= patience, "the patience was not over: {:?}", start.elapsed());
    assert!(start.elapsed() < LONG / 2, "the patience was over long ago");

    scope(|threads| {
        let start = Instant::now();
        let waiting = threads.spawn(|| long_poll(&news, &more, 2, LONG));
        let other = threads.spawn(|| long_poll(&news, &more, 0, LONG));
        assert_eq!(other.join().unwrap(), ["one", "two"], "who waits must not hold the lock");
        // Woken for nothing, a few times.
        for _ in 0..10 {
            park_timeout(Duration::from_millis(5));
            more.notify_all();
        }
        assert!(!waiting.is_finished(), "woken though there is nothing new: it must wait on");
        news.lock().unwrap().push("three".into());
        more.notify_all();
        assert_eq!(waiting.join().unwrap(), ["three"]);
        assert!(start.elapsed() < LONG / 2, "there was something, and it was not given");
    });

    let (start, patience) = (Instant::now(), Duration::from_millis(300));
    scope(|threads| {
        let waiting = threads.spawn(|| long_poll(&news, &more, 3, patience));
        while !waiting.is_finished() && start.elapsed() < LONG / 2 {
            more.notify_all();
            park_timeout(Duration::from_millis(5));
        }
        assert!(waiting.is_finished(), "each time it is woken for nothing, its patience begins anew");
        assert!(waiting.join().unwrap().is_empty());
    });
}
