//! `parlor user ban`, `mute` and their opposites: order, kept from the shell.

use super::folder;
use super::table::minute;
use argh::{ArgsInfo, FromArgs};
use parlor::{Account, Error, Role, Sanction};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Keeps somebody out, with an account or as a guest: what is connected under the name is closed.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "ban")]
pub struct Ban {
    /// whom
    #[argh(positional)]
    pub name: String,

    /// why, as that person is told
    #[argh(option, arg_name = "text", default = "String::new()")]
    pub reason: String,

    /// for how long: 90s, 30m, 12h, 7d or 2w (default: until it is lifted)
    #[argh(option, long = "for", arg_name = "time", from_str_fn(span))]
    pub span: Option<Duration>,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Lets somebody in again who was banned.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "unban")]
pub struct Unban {
    /// whom
    #[argh(positional)]
    pub name: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Silences somebody, who can read on.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "mute")]
pub struct Mute {
    /// whom
    #[argh(positional)]
    pub name: String,

    /// why, as that person is told
    #[argh(option, arg_name = "text", default = "String::new()")]
    pub reason: String,

    /// for how long: 90s, 30m, 12h, 7d or 2w (default: until it is lifted)
    #[argh(option, long = "for", arg_name = "time", from_str_fn(span))]
    pub span: Option<Duration>,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Lets somebody speak again who was muted.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "unmute")]
pub struct Unmute {
    /// whom
    #[argh(positional)]
    pub name: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn ban(task: &Ban) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    let sanction = admin.ban(&task.name, task.span, &task.reason)?;
    folder::done(&admin, &format!("{} is {}", sanction.name, said(&sanction)))
}

pub fn unban(task: &Unban) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    if !admin.unban(&task.name)? {
        return Err(nothing_to_lift(&task.name, "banned"));
    }
    folder::done(&admin, &format!("{} is banned no more", task.name))
}

pub fn mute(task: &Mute) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    let sanction = admin.mute(&task.name, task.span, &task.reason)?;
    folder::done(&admin, &format!("{} is {}", sanction.name, said(&sanction)))
}

pub fn unmute(task: &Unmute) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    if !admin.unmute(&task.name)? {
        return Err(nothing_to_lift(&task.name, "muted"));
    }
    folder::done(&admin, &format!("{} is muted no more", task.name))
}

/// What lies upon somebody, as it stands in a list.
pub fn standing(name: &str, sanctions: &[Sanction]) -> String {
    let own: Vec<String> = sanctions.iter().filter(|sanction| sanction.name == name).map(said).collect();
    if own.is_empty() { "-".into() } else { own.join("; ") }
}

/// The guests upon whom something lies, each once.
pub fn guests<'a>(accounts: &[Account], sanctions: &'a [Sanction]) -> Vec<&'a str> {
    let mut guests: Vec<&str> = Vec::new();
    for Sanction { name, .. } in sanctions {
        if !guests.contains(&name.as_str()) && !accounts.iter().any(|account| account.name == *name) {
            guests.push(name);
        }
    }
    guests
}

/// Accounts and guests, each with what lies upon them, if anything does.
pub fn say_as_json(accounts: &[Account], sanctions: &[Sanction]) -> Result<(), Error> {
    let of = |name: &str| sanctions.iter().filter(|sanction| sanction.name == name).collect();
    let account = |account| Listed { who: Who::Account(account), sanctions: of(&account.name) };
    let guest =
        |name| Listed { who: Who::Guest { name, role: Role::Guest, sessions: 0, seen_at: () }, sanctions: of(name) };
    let all: Vec<Listed> =
        accounts.iter().map(account).chain(guests(accounts, sanctions).into_iter().map(guest)).collect();
    let json = serde_json::to_string(&all).map_err(|e| Error::Store(e.to_string()))?;
    folder::say(&(json + "\n"))
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    who: Who<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sanctions: Vec<&'a Sanction>,
}

/// A guest has the fields of an account, with nothing in them.
#[derive(Serialize)]
#[serde(untagged)]
enum Who<'a> {
    Account(&'a Account),
    Guest { name: &'a str, role: Role, sessions: usize, seen_at: () },
}

fn said(sanction: &Sanction) -> String {
    let penalty = if sanction.penalty == "ban" { "banned" } else { "muted" };
    let until = sanction.until.map(|until| format!(" until {} UTC", minute(until))).unwrap_or_default();
    let reason = if sanction.reason.is_empty() { String::new() } else { format!(": {}", sanction.reason) };
    format!("{penalty}{until}{reason}")
}

fn nothing_to_lift(name: &str, what: &str) -> Error {
    Error::Refused(format!("{name} is not {what}; \"parlor user list\" shows who is"))
}

fn span(text: &str) -> Result<Duration, String> {
    let why = || "say how long: 90s, 30m, 12h, 7d or 2w".to_owned();
    let unit = text.chars().next_back().ok_or_else(why)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return Err(why()),
    };
    let number = &text[..text.len() - unit.len_utf8()];
    let number = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let number: u64 = number.and_then(|number| number.parse().ok()).filter(|number| *number > 0).ok_or_else(why)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "h", "5", "-5m", "+5m", "0d", "1.5h", "5 m", "5µ", "99999999999999999999d", "9999999999999999999w"]
        {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
