//! `parlor user`: accounts, made and looked after from the shell.

use super::environment::{self, Stopped, Variables};
use super::{folder, order, password, table};
use argh::{ArgsInfo, FromArgs};
use parlor::{Account, Error, Role};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Accounts. A server may run on the data folder meanwhile: it knows at once.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "user",
    example = "Who has an account:\n  {command_name} list\nMake one; the password is asked for:\n  {command_name} add ann --role owner\nFrom a script:\n  {command_name} add bob < password.txt\nBob is to be silent for a while; eve does not come in any more:\n  {command_name} mute bob --for 30m\n  {command_name} ban eve --reason spam",
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
    Add(Add),
    List(List),
    Passwd(Passwd),
    Role(SetRole),
    Remove(Remove),
    Ban(order::Ban),
    Unban(order::Unban),
    Mute(order::Mute),
    Unmute(order::Unmute),
}

/// Makes an account. The password is asked for, or read from standard input.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "add")]
pub struct Add {
    /// the name
    #[argh(positional)]
    pub name: String,

    /// member, moderator or owner (default: member)
    #[argh(option, arg_name = "role", default = "Role::Member", from_str_fn(role))]
    pub role: Role,

    /// folder of the database, made if missing (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Lists all accounts, the oldest first, and then guests who are banned or muted.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "list")]
pub struct List {
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

/// Gives an account another password, asked for or read from standard input, and signs it out everywhere.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "passwd")]
pub struct Passwd {
    /// whose
    #[argh(positional)]
    pub name: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Gives an account another role.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "role")]
pub struct SetRole {
    /// whose
    #[argh(positional)]
    pub name: String,

    /// member, moderator or owner
    #[argh(positional, from_str_fn(role))]
    pub role: Role,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Closes an account and ends its memberships. What was said stays; the name is free, for guests too.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "remove")]
pub struct Remove {
    /// whose
    #[argh(positional)]
    pub name: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    environment::read(&["parlor", "user"], args, &Variables::NONE, env)
}

pub fn run(options: Options) -> ExitCode {
    folder::exit(match options.task {
        Task::Add(task) => add(&task),
        Task::List(task) => list(&task),
        Task::Passwd(task) => passwd(&task),
        Task::Role(task) => set_role(&task),
        Task::Remove(task) => remove(&task),
        Task::Ban(task) => order::ban(&task),
        Task::Unban(task) => order::unban(&task),
        Task::Mute(task) => order::mute(&task),
        Task::Unmute(task) => order::unmute(&task),
    })
}

fn add(task: &Add) -> Result<(), Error> {
    let admin = folder::make(folder::Place(&task.data, &task.database))?;
    // Nobody is asked for a password in vain.
    if admin.account(&task.name)?.is_some() {
        return Err(Error::Refused(format!("{}, or a name that looks like it, has an account already", task.name)));
    }
    admin.add_account(&task.name, &password::ask()?, task.role)?;
    folder::done(&admin, &format!("{} has an account now, as {}", task.name, called(task.role)))
}

fn list(task: &List) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    let (accounts, sanctions) = (admin.accounts()?, admin.sanctions()?);
    if task.json {
        return order::say_as_json(&accounts, &sanctions);
    }
    if accounts.is_empty() && sanctions.is_empty() {
        return folder::say("Nobody has an account yet. Make one: parlor user add NAME --role owner\n");
    }
    let row = |account: &Account| {
        let seen = account.seen_at.map_or_else(|| "never".into(), table::minute);
        let standing = order::standing(&account.name, &sanctions);
        vec![account.name.clone(), account.role.as_str().to_owned(), account.sessions.to_string(), seen, standing]
    };
    let guest = |name: &str| {
        let nothing = || "-".to_owned();
        vec![name.to_owned(), "guest".into(), nothing(), nothing(), order::standing(name, &sanctions)]
    };
    let guests = order::guests(&accounts, &sanctions);
    let rows: Vec<Vec<String>> = accounts.iter().map(row).chain(guests.into_iter().map(guest)).collect();
    folder::say(&table::of(&["NAME", "ROLE", "SIGNED IN", "LAST SEEN (UTC)", "STANDING"], &rows))
}

fn passwd(task: &Passwd) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    // Nobody is asked for a password in vain.
    if admin.account(&task.name)?.is_none() {
        let name = &task.name;
        return Err(Error::Refused(format!(
            "nobody called {name} has an account here; \"parlor user list\" shows who has"
        )));
    }
    let ended = admin.set_password(&task.name, &password::ask()?)?;
    let sessions = if ended == 1 { "1 session".into() } else { format!("{ended} sessions") };
    folder::done(&admin, &format!("{} has another password now; {sessions} ended", task.name))
}

fn set_role(task: &SetRole) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    admin.set_role(&task.name, task.role)?;
    folder::done(&admin, &format!("{} is {} now", task.name, called(task.role)))
}

fn remove(task: &Remove) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    admin.close_account(&task.name)?;
    folder::done(&admin, &format!("{} has no account any more", task.name))
}

fn role(text: &str) -> Result<Role, String> {
    let role = Role::parse(text).filter(|role| *role > Role::Guest);
    role.ok_or_else(|| "say member, moderator or owner".into())
}

fn called(role: Role) -> &'static str {
    match role {
        Role::Guest => "a guest",
        Role::Member => "a member",
        Role::Moderator => "a moderator",
        Role::Owner => "an owner",
    }
}
