//! `parlor bench`: how much a server carries, measured from outside.
//!
//! | files | what they are |
//! |---|---|
//! | `options` | flags in |
//! | `target` | the server that is measured: its address, its process, what that costs |
//! | `swarm` | the clients: all in one thread, over epoll |
//! | `link`, `frames` | one of them, and the bytes it reads and writes |
//! | `tally` | what arrived, when, and whether all of it did, in order; pure |
//! | `report` | a table, or JSON |

mod frames;
mod link;
mod options;
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
    let before = target.cost()?;
    let mut swarm = Swarm::new(options, &target)?;
    let connecting = swarm.connect()?;
    let connected = target.cost()?;
    let talk = if options.idle { swarm.rest()? } else { swarm.talk()? };
    Ok(Report::new(options, &talk, connecting, [before, connected]))
}
