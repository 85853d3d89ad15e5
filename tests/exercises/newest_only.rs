exercise!(newest_only, "yours to make pass: examples/exercises/newest_only.rs");

use crossbeam_channel::{Receiver, unbounded};
use std::thread::{park_timeout, spawn};
use std::time::{Duration, Instant};

const GAP: Duration = Duration::from_millis(200);

/// What was pushed, and when.
type Pushes = Vec<(Instant, u64)>;

fn check(newest_only: impl Fn(&Receiver<u64>, Duration, &mut dyn FnMut(u64)) + Send + Copy + 'static) {
    let run = move |prices: Receiver<u64>| {
        let mut pushes = Pushes::new();
        newest_only(&prices, GAP, &mut |price| pushes.push((Instant::now(), price)));
        pushes
    };
    let (say, prices) = unbounded();
    let start = Instant::now();
    let pushing = spawn(move || run(prices));
    // Some 1,200 prices in 1.2 s, then one alone.
    let mut last = 0;
    while start.elapsed() < 6 * GAP {
        last += 1;
        say.send(last).expect("it ended while prices still came");
        park_timeout(Duration::from_millis(1));
    }
    drop(say);
    let pushes = pushing.join().expect("it must not panic");
    let values: Vec<u64> = pushes.iter().map(|(_, price)| *price).collect();
    assert!(pushes[0].0 - start < GAP / 2, "the first price must go out at once");
    assert!(values.is_sorted() && values.windows(2).all(|two| two[0] != two[1]), "old or the same again: {values:?}");
    assert_eq!(values.last(), Some(&last), "the last price never arrived");
    let gaps: Vec<Duration> = pushes.windows(2).map(|two| two[1].0 - two[0].0).collect();
    assert!(gaps.iter().all(|gap| *gap >= GAP), "two pushes were closer than the gap: {gaps:?}");
    assert!((3..=9).contains(&values.len()), "6 gaps of time, and {} pushes", values.len());

    // All at once: one of them goes out, then the newest.
    let (say, prices) = unbounded();
    (1..=1000).for_each(|price| say.send(price).unwrap());
    drop(say);
    let values: Vec<u64> = run(prices).into_iter().map(|(_, price)| price).collect();
    assert!(values.len() <= 2 && values.last() == Some(&1000), "1000 prices at once were pushed as {values:?}");

    // After a silence the next is told at once, too.
    let (say, prices) = unbounded();
    let pushing = spawn(move || run(prices));
    say.send(1).unwrap();
    park_timeout(3 * GAP);
    let told = Instant::now();
    say.send(2).unwrap();
    drop(say);
    let pushes = pushing.join().unwrap();
    assert_eq!(pushes.iter().map(|(_, price)| *price).collect::<Vec<_>>(), [1, 2]);
    assert!(pushes[1].0 - told < GAP / 2, "after a silence there is nothing to wait for");
}
