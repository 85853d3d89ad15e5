//! `parlor token`: what programs come in with, made and revoked from the shell.

use super::environment::{self, Stopped, Variables};
use super::table::minute;
use super::{folder, table};
use argh::{ArgsInfo, FromArgs};
use parlor::{Admin, Error, Token};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tokens, with which programs come in. A server may run on the data folder meanwhile: it knows at once.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "token",
    example = "A bot, and a token for its program; it alone is on standard output:\n  {command_name} make oven --bot --label kitchen > token.txt\nWho has which:\n  {command_name} list\nEnd the one that was just made:\n  {command_name} revoke $({command_name} list oven | tail -n 1 | cut -d ' ' -f 1)",
    error_code(0, "it is done"),
    error_code(1, "it is not done: the message says why"),
    error_code(2, "a flag was not understood")
)]
pub struct Options {
    #[argh(subcommand)]
    pub task: Task,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
pub enum Task {
    Make(Make),
    List(List),
    Revoke(Revoke),
}

/// Makes a token and prints it: it is kept nowhere, and cannot be shown again.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "make")]
pub struct Make {
    /// whose: somebody who has an account, or a bot
    #[argh(positional)]
    pub name: String,

    /// for a bot, which is made if there is none of that name
    #[argh(switch)]
    pub bot: bool,

    /// what it is for, in a list (default: made in the shell)
    #[argh(option, arg_name = "text", default = "\"made in the shell\".into()")]
    pub label: String,

    /// as JSON, for a program
    #[argh(switch)]
    pub json: bool,

    /// folder of the database, made if missing (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Lists the tokens of all, or of one.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "list")]
pub struct List {
    /// whose (default: everybody's)
    #[argh(positional)]
    pub name: Option<String>,

    /// as JSON, for a program
    #[argh(switch)]
    pub json: bool,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Ends a token: what is connected with it is closed.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "revoke")]
pub struct Revoke {
    /// which, as the list has it
    #[argh(positional)]
    pub id: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    environment::read(&["parlor", "token"], args, &Variables::NONE, env)
}

pub fn run(options: &Options) -> ExitCode {
    folder::exit(match &options.task {
        Task::Make(task) => make(task),
        Task::List(task) => list(task),
        Task::Revoke(task) => revoke(task),
    })
}

fn make(task: &Make) -> Result<(), Error> {
    let admin = if task.bot {
        folder::make(folder::Place(&task.data, &task.database))?
    } else {
        folder::open(folder::Place(&task.data, &task.database))?
    };
    let make = if task.bot { Admin::make_bot } else { Admin::make_token };
    let (token, secret) = make(&admin, &task.name, &task.label)?;
    // First of all: nobody sees it again.
    if task.json {
        let mut shown = serde_json::to_value(&token).map_err(|e| Error::Store(e.to_string()))?;
        shown["token"] = secret.into();
        folder::say(&format!("{shown}\n"))?;
    } else {
        folder::say(&format!("{secret}\n"))?;
    }
    let who = if token.bot { format!("the bot {}", token.name) } else { token.name };
    eprintln!("{who} has the new token {}, which is shown this once", token.id);
    // Whoever is here as a guest of the bot's name, is not any more.
    admin.tell().map(drop)
}

fn list(task: &List) -> Result<(), Error> {
    let tokens = folder::open(folder::Place(&task.data, &task.database))?.tokens(task.name.as_deref())?;
    if task.json {
        let json = serde_json::to_string(&tokens).map_err(|e| Error::Store(e.to_string()))?;
        return folder::say(&(json + "\n"));
    }
    if tokens.is_empty() {
        return folder::say("There is no token. Make one: parlor token make NAME\n");
    }
    let row = |token: &Token| {
        let used = token.used_at.map_or_else(|| "never".into(), minute);
        let whose = if token.bot { format!("{} (bot)", token.name) } else { token.name.clone() };
        vec![token.id.clone(), whose, minute(token.created_at), used, token.label.clone()]
    };
    let rows: Vec<Vec<String>> = tokens.iter().map(row).collect();
    folder::say(&table::of(&["ID", "WHOSE", "MADE (UTC)", "LAST USED (UTC)", "LABEL"], &rows))
}

fn revoke(task: &Revoke) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    let token = admin.revoke_token(&task.id)?;
    folder::done(&admin, &format!("the token {} of {} lets nobody in any more", token.id, token.name))
}
