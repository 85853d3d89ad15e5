//! The command line: flags and environment, help, exit codes.

mod classroom;
mod greeting;
mod lesson;
mod serve;
mod settings;

use std::process::ExitCode;

/// Exit codes: 0 all went well, 1 it did not, 2 it was not understood.
const FAILED: u8 = 1;
const MISUSED: u8 = 2;

pub fn run() -> ExitCode {
    let settings = match settings::read(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(settings) => settings,
        Err(settings::Stopped::Told(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(settings::Stopped::Misunderstood(why)) => {
            eprintln!("parlor: {why}\nTry: parlor --help");
            return MISUSED.into();
        }
    };
    match serve::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parlor: {error}");
            let misused = matches!(error, parlor::Error::Setting(_));
            if misused { MISUSED } else { FAILED }.into()
        }
    }
}
