exercise!(main_loop, "yours to make pass: examples/exercises/main_loop.rs");

use crossbeam_channel::{Receiver, unbounded};
use std::thread::{park_timeout, spawn};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(100);

/// When each step began, and the commands that it had.
type Steps = Vec<(Instant, Vec<u32>)>;

fn check(main_loop: impl Fn(&Receiver<u32>, Duration, &mut dyn FnMut(&[u32])) + Send + Copy + 'static) {
    let run = move |commands: Receiver<u32>, busy: Duration| {
        let mut steps = Steps::new();
        main_loop(&commands, PERIOD, &mut |commands| {
            steps.push((Instant::now(), commands.to_vec()));
            let until = Instant::now() + busy;
            while Instant::now() < until {
                park_timeout(until - Instant::now());
            }
        });
        (steps, Instant::now())
    };

    // Silence, then one command: the beat goes on without any.
    let (say, commands) = unbounded();
    let start = Instant::now();
    let machine = spawn(move || run(commands, Duration::ZERO));
    while start.elapsed() < PERIOD * 9 / 2 {
        park_timeout(PERIOD / 10);
    }
    say.send(1).expect("it ended while there was still somebody to command it");
    drop(say);
    let dropped = Instant::now();
    let (steps, ended) = machine.join().expect("it must not panic");
    assert!(steps[0].0 - start >= PERIOD, "the first step comes after one period");
    assert!((4..=6).contains(&steps.len()), "four periods and a half, and {} steps", steps.len());
    assert_eq!(steps.last().unwrap().1, [1], "the last command must not be lost");
    assert!(ended - dropped < 4 * PERIOD, "when nobody can command it any more it ends");

    // A flood, and steps that take half of their time.
    let (say, commands) = unbounded();
    let machine = spawn(move || run(commands, PERIOD / 2));
    let start = Instant::now();
    let mut last = 0;
    while start.elapsed() < PERIOD * 21 / 2 {
        last += 1;
        say.send(last).expect("it ended while there was still somebody to command it");
        park_timeout(Duration::from_micros(200));
    }
    drop(say);
    let (steps, _) = machine.join().expect("it must not panic");
    let all: Vec<u32> = steps.iter().flat_map(|(_, commands)| commands.clone()).collect();
    assert_eq!(all.len(), last as usize, "commands were lost, or given twice");
    assert!(all.is_sorted(), "commands came out of order");
    assert!((9..=12).contains(&steps.len()), "ten periods and a half, and {} steps", steps.len());
}
