//! Flags, each with an environment variable of the same name: `--max-clients` is also `PARLOR_MAX_CLIENTS`.
//!
//! A variable is put where its flag would stand, so that both are read, checked and refused alike. A flag wins.

use argh::FromArgs;
use std::ffi::OsString;

/// The flags of a command that have a variable: with a value, with a value and given again, and without one.
pub struct Variables {
    pub options: &'static [&'static str],
    pub lists: &'static [&'static str],
    pub switches: &'static [&'static str],
}

impl Variables {
    /// Of a command that has none.
    pub const NONE: Variables = Variables { options: &[], lists: &[], switches: &[] };
}

/// Why there are no settings.
#[derive(Debug, PartialEq)]
pub enum Stopped {
    /// The help or the version was asked for.
    Told(String),
    /// Something was not understood.
    Misunderstood(String),
}

/// Arguments as text; anything else is refused, since no flag could mean it.
pub fn text(what: &str, value: OsString) -> Result<String, Stopped> {
    value.into_string().map_err(|value| Stopped::Misunderstood(format!("{what} is not text: {}", value.display())))
}

/// Reads the arguments that stand behind `command`, and the environment.
pub fn read<T: FromArgs>(
    command: &[&str],
    given: &[String],
    variables: &Variables,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<T, Stopped> {
    let mut all = Vec::new();
    for name in variables.options.iter().chain(variables.lists).chain(variables.switches) {
        let flag = format!("--{name}");
        let variable = format!("PARLOR_{}", name.replace('-', "_").to_uppercase());
        let Some(value) = env(&variable).filter(|value| !value.is_empty()) else { continue };
        if given.iter().any(|arg| *arg == flag || arg.starts_with(&format!("{flag}="))) {
            continue;
        }
        let value = text(&variable, value)?;
        let refused = |why: &str| Stopped::Misunderstood(format!("{variable}={value}: {why}"));
        if variables.switches.contains(name) {
            match value.as_str() {
                "1" | "true" | "yes" | "on" => all.push(flag),
                "0" | "false" | "no" | "off" => {}
                _ => return Err(refused("say 1 or 0")),
            }
            continue;
        }
        let values: Vec<&str> = if variables.lists.contains(name) { value.split(',').collect() } else { vec![&value] };
        for value in values {
            // Tried alone, so that what is wrong is said of the variable and not of a flag that nobody gave.
            parse::<T>(command, &[&flag, value]).map_err(|stopped| match stopped {
                Stopped::Misunderstood(why) => refused(why.rsplit(": ").next().unwrap_or(&why)),
                told => told,
            })?;
            all.extend([flag.clone(), value.to_owned()]);
        }
    }
    all.extend(given.iter().cloned());
    parse(command, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

fn parse<T: FromArgs>(command: &[&str], args: &[&str]) -> Result<T, Stopped> {
    T::from_args(command, args).map_err(|exit| match exit.status {
        Ok(()) => Stopped::Told(exit.output),
        Err(()) => Stopped::Misunderstood(exit.output.trim().replace('\n', " ")),
    })
}

#[cfg(test)]
impl Variables {
    /// Checks that each flag of the help has its variable, but for `others`, and each variable its flag.
    pub fn stand_for_all_of(&self, help: &str, others: &[&str]) {
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
        let in_help: Vec<&str> = lines.filter_map(|line| line.split_once("--")?.1.split([' ', ',']).next()).collect();
        let all: Vec<&str> = [self.options, self.lists, self.switches].concat();
        for flag in &in_help {
            assert!(all.contains(flag) || others.contains(flag), "--{flag} has no variable");
        }
        for flag in all {
            assert!(in_help.contains(&flag), "--{flag} is not in the help:\n{help}");
        }
    }
}
