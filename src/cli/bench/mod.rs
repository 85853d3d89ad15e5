//! `parlor bench`: how much a server carries, measured from outside.
//!
//! | files | what they are |
//! |---|---|
//! | `options` | flags in |
//! | `target` | the server that is measured: its address, its process, what that costs |
//! | `swarm` | the clients: all in one thread, over epoll |
//! | `link`, `frames` | one of them, and the bytes it reads and writes |
//! | `tally`, `pages` | what arrived, and whether all of it did, in order; what was asked for and answered; pure |
//! | `latency` | how late it was |
//! | `report` | a table, or JSON |

mod frames;
mod latency;
mod link;
mod options;
mod pages;
mod report;
mod swarm;
mod tally;
mod target;

pub use options::{Options, read};

use report::Report;
use std::io;
use std::process::ExitCode;
use swarm::Swarm;
use target::Target;

pub fn run(options: &Options) -> ExitCode {
    parlor::Capacity::raise_descriptor_limit();
    match measure(options) {
        Ok(report) => {
            report.print(options.json);
            // Numbers from a run in which something was lost are no numbers.
            if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) }
        }
        Err(why) => {
            eprintln!("parlor: {why}");
            super::FAILED.into()
        }
    }
}

fn measure(options: &Options) -> io::Result<Report> {
    let target = Target::of(options)?;
    if options.fill > 0 {
        swarm::fill(options, &target)?;
        target.settle()?;
    }
    let before = target.cost()?;
    let mut swarm = Swarm::new(options, &target)?;
    let connecting = swarm.connect()?;
    let connected = target.cost()?;
    let talk = match options {
        Options { idle: true, .. } => swarm.rest()?,
        Options { history: 1.., .. } => swarm.browse()?,
        _ => swarm.talk()?,
    };
    Ok(Report::new(options, &talk, connecting, [before, connected]))
}
