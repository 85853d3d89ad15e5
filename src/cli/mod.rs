//! The command line: flags and environment, help, exit codes. Each command is a file or a folder of its own.

mod backup;
#[cfg_attr(not(target_os = "linux"), path = "bench/absent.rs")]
mod bench;
mod certificate;
mod classroom;
mod completions;
mod connect;
mod environment;
mod export;
mod folder;
mod greeting;
mod import;
mod lesson;
mod migrate;
mod order;
mod password;
mod restore;
mod room;
mod serve;
mod settings;
mod table;
mod token;
mod user;

use argh::{ArgsInfo, FromArgs};
use environment::Stopped;
use std::process::ExitCode;

/// Exit codes: 0 all went well, 1 it did not, 2 it was not understood.
const FAILED: u8 = 1;
const MISUSED: u8 = 2;

/// What to do instead of serving.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, once")]
pub enum Command {
    Connect(connect::Options),
    Bench(bench::Options),
    User(user::Options),
    Token(token::Options),
    Room(room::Options),
    Export(export::Options),
    Import(import::Options),
    Backup(backup::Options),
    Restore(restore::Options),
    Migrate(migrate::Options),
    Completions(completions::Options),
}

const COMMANDS: [&str; 11] =
    ["connect", "bench", "user", "token", "room", "export", "import", "backup", "restore", "migrate", "completions"];

pub fn run() -> ExitCode {
    let env = |name: &str| std::env::var_os(name);
    let args: Result<Vec<String>, Stopped> =
        std::env::args_os().skip(1).map(|arg| environment::text("an argument", arg)).collect();
    // The command stands first, so that the variables of one are never read for another.
    let done = args.and_then(|args| match args.first().map(String::as_str) {
        Some("connect") => connect::read(&args[1..], env).map(connect::run),
        Some("bench") => bench::read(&args[1..], env).map(|options| bench::run(&options)),
        Some("user") => user::read(&args[1..], env).map(user::run),
        Some("token") => token::read(&args[1..], env).map(|options| token::run(&options)),
        Some("room") => room::read(&args[1..], env).map(room::run),
        Some("export") => export::read(&args[1..], env).map(|options| export::run(&options)),
        Some("import") => import::read(&args[1..], env).map(|options| import::run(&options)),
        Some("backup") => backup::read(&args[1..], env).map(|options| backup::run(&options)),
        Some("restore") => restore::read(&args[1..], env).map(|options| restore::run(&options)),
        Some("migrate") => migrate::read(&args[1..], env).map(|options| migrate::run(&options)),
        Some("completions") => completions::read(&args[1..], env).map(completions::run),
        Some(word) if !word.starts_with('-') && word != "help" => Err(no_command(word)),
        _ => settings::read(&args, env).and_then(|settings| match &settings.command {
            Some(_) => Err(Stopped::Misunderstood("the command stands first, and its flags behind it".into())),
            None => Ok(serve(settings)),
        }),
    });
    match done {
        Ok(code) => code,
        Err(Stopped::Told(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(Stopped::Misunderstood(why)) => {
            let command = std::env::args_os().nth(1).and_then(|word| word.into_string().ok());
            let command = command.filter(|word| COMMANDS.contains(&word.as_str()));
            eprintln!("parlor: {why}\nTry: parlor {}--help", command.map(|word| word + " ").unwrap_or_default());
            MISUSED.into()
        }
    }
}

fn no_command(word: &str) -> Stopped {
    Stopped::Misunderstood(format!("there is no command {word:?}; there is {}", COMMANDS.join(", ")))
}

fn serve(settings: settings::Settings) -> ExitCode {
    match serve::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parlor: {error}");
            let misused = matches!(error, parlor::Error::Setting(_));
            if misused { MISUSED } else { FAILED }.into()
        }
    }
}
