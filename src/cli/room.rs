//! `parlor room`: rooms, made and looked after from the shell.

use super::environment::{self, Stopped, Variables};
use super::{folder, table};
use argh::{ArgsInfo, FromArgs};
use parlor::{Error, RoomDetails};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rooms. A server may run on the data folder meanwhile: it knows at once.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "room",
    example = "What rooms there are:\n  {command_name} list\nMake one for everybody, and one for two:\n  {command_name} add garden --title \"The garden\"\n  {command_name} add den --private --member ann --member bob\nOne more is in it:\n  {command_name} invite den eve\nNothing more is to be said in it:\n  {command_name} archive garden",
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
    Change(Change),
    Archive(Archive),
    Reopen(Reopen),
    Members(Members),
    Invite(Invite),
    Remove(Remove),
}

/// Makes a room.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "add")]
pub struct Add {
    /// its name in addresses: 1 to 32 of a-z, 0-9 and -
    #[argh(positional)]
    pub room: String,

    /// its title for people (default: its name)
    #[argh(option, arg_name = "text", default = "String::new()")]
    pub title: String,

    /// what it is about
    #[argh(option, arg_name = "text")]
    pub topic: Option<String>,

    /// only its members know of it
    #[argh(switch)]
    pub private: bool,

    /// a member of a private room; may be given again
    #[argh(option, arg_name = "name")]
    pub member: Vec<String>,

    /// folder of the database, made if missing (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Lists all rooms, the oldest first, private and direct ones too.
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

/// Gives a room another title, another topic, or both.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "change")]
pub struct Change {
    /// which
    #[argh(positional)]
    pub room: String,

    /// its title for people
    #[argh(option, arg_name = "text")]
    pub title: Option<String>,

    /// what it is about; may be empty
    #[argh(option, arg_name = "text")]
    pub topic: Option<String>,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Closes a room to posts; it can be read all the time.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "archive")]
pub struct Archive {
    /// which
    #[argh(positional)]
    pub room: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Opens an archived room to posts again.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "reopen")]
pub struct Reopen {
    /// which
    #[argh(positional)]
    pub room: String,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Lists the members of a private or direct room, in the order in which they came.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "members")]
pub struct Members {
    /// which
    #[argh(positional)]
    pub room: String,

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

/// Makes people members of a private room.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "invite")]
pub struct Invite {
    /// which
    #[argh(positional)]
    pub room: String,

    /// whom
    #[argh(positional)]
    pub name: Vec<String>,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

/// Ends people's membership of a private room.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "remove")]
pub struct Remove {
    /// which
    #[argh(positional)]
    pub room: String,

    /// whose
    #[argh(positional)]
    pub name: Vec<String>,

    /// folder of the database (default: parlor-data)
    #[argh(option, arg_name = "folder")]
    pub data: Option<PathBuf>,

    /// another database: sqlite:PATH, postgres://… or mysql://…
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,
}

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    let options: Options = environment::read(&["parlor", "room"], args, &Variables::NONE, env)?;
    let misunderstood = |why: &str| Err(Stopped::Misunderstood(why.into()));
    match &options.task {
        Task::Add(task) if !task.private && !task.member.is_empty() => {
            misunderstood("--member is for a room that is --private: into another everybody may come")
        }
        Task::Change(task) if task.title.is_none() && task.topic.is_none() => {
            misunderstood("say what is to change: --title, --topic")
        }
        Task::Invite(Invite { name, .. }) | Task::Remove(Remove { name, .. }) if name.is_empty() => {
            misunderstood("say whom: a name, or several")
        }
        _ => Ok(options),
    }
}

pub fn run(options: Options) -> ExitCode {
    folder::exit(match options.task {
        Task::Add(task) => add(&task),
        Task::List(task) => list(&task),
        Task::Change(task) => change(&task),
        Task::Archive(task) => archive(&task.room, folder::Place(&task.data, &task.database), true),
        Task::Reopen(task) => archive(&task.room, folder::Place(&task.data, &task.database), false),
        Task::Members(task) => members(&task),
        Task::Invite(task) => invite(&task),
        Task::Remove(task) => remove(&task),
    })
}

fn add(task: &Add) -> Result<(), Error> {
    let admin = folder::make(folder::Place(&task.data, &task.database))?;
    if task.private {
        let members: Vec<&str> = task.member.iter().map(String::as_str).collect();
        admin.create_private_room(&task.room, &task.title, &members)?;
    } else {
        admin.create_room(&task.room, &task.title)?;
    }
    if task.topic.is_some() {
        admin.describe_room(&task.room, None, task.topic.as_deref())?;
    }
    folder::done(&admin, &format!("the room {} is there now", task.room))
}

fn list(task: &List) -> Result<(), Error> {
    let rooms = folder::open(folder::Place(&task.data, &task.database))?.rooms()?;
    if task.json {
        return json(&rooms);
    }
    let row = |room: &RoomDetails| {
        let kind = if room.archived { format!("{}, archived", room.kind) } else { room.kind.clone() };
        let members = if room.kind == "public" { "-".into() } else { room.members.len().to_string() };
        let maker = room.maker.clone().unwrap_or_else(|| "-".into());
        vec![room.room.clone(), kind, room.head.to_string(), members, maker, room.title.clone()]
    };
    let rows: Vec<Vec<String>> = rooms.iter().map(row).collect();
    folder::say(&table::of(&["ROOM", "KIND", "LAST NUMBER", "MEMBERS", "MAKER", "TITLE"], &rows))
}

fn change(task: &Change) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    admin.describe_room(&task.room, task.title.as_deref(), task.topic.as_deref())?;
    folder::done(&admin, &format!("the room {} is described so now", task.room))
}

fn archive(room: &str, place: folder::Place, archived: bool) -> Result<(), Error> {
    let admin = folder::open(place)?;
    admin.archive_room(room, archived)?;
    let how = if archived { "is archived: it can be read, and not posted to" } else { "is open again" };
    folder::done(&admin, &format!("the room {room} {how}"))
}

fn members(task: &Members) -> Result<(), Error> {
    let room = folder::open(folder::Place(&task.data, &task.database))?.room(&task.room)?;
    if room.kind == "public" {
        return Err(Error::Refused(format!("{} is public: it has no members, everybody may come in", task.room)));
    }
    if task.json {
        return json(&room.members);
    }
    folder::say(&room.members.iter().map(|name| format!("{name}\n")).collect::<String>())
}

fn invite(task: &Invite) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    let invited = task.name.iter().try_for_each(|name| admin.add_member(&task.room, name));
    told(&admin, invited, &format!("{} in the room {} now", are(&task.name), task.room))
}

fn remove(task: &Remove) -> Result<(), Error> {
    let admin = folder::open(folder::Place(&task.data, &task.database))?;
    let removed = task.name.iter().try_for_each(|name| admin.remove_member(&task.room, name));
    told(&admin, removed, &format!("{} no more in the room {}", are(&task.name), task.room))
}

/// What was done before something failed, was done: the server is told in any case.
fn told(admin: &parlor::Admin, done: Result<(), Error>, what: &str) -> Result<(), Error> {
    match done {
        Ok(()) => folder::done(admin, what),
        Err(error) => {
            admin.tell()?;
            Err(error)
        }
    }
}

fn are(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

fn json(value: &impl serde::Serialize) -> Result<(), Error> {
    let json = serde_json::to_string(value).map_err(|e| Error::Store(e.to_string()))?;
    folder::say(&(json + "\n"))
}
