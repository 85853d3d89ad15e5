//! The flags of `parlor bench`.

use crate::cli::environment::{self, Stopped, Variables};
use argh::{ArgsInfo, FromArgs};
use std::ffi::OsString;
use std::path::PathBuf;

/// Measures what a server carries: connects clients, has some of them send, and counts what arrives.
#[derive(FromArgs, ArgsInfo, Clone, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "bench",
    example = "What this machine carries, with a server of its own:\n  {command_name} --clients 100 --seconds 2\nA server that is running:\n  {command_name} ws://127.0.0.1:8080 --clients 50 --senders 5 --rate 20 --seconds 2\nWhat an idle connection costs:\n  {command_name} --memory --idle --clients 200 --seconds 1\nWhat one that does not read costs the others:\n  {command_name} --clients 50 --rate 100 --stuck 1 --seconds 2\nHow soon a page of history is there, in a room with many messages:\n  {command_name} --history 32 --fill 20000 --seconds 2",
    note = "What a server costs is shown where it tells at /metrics, as Parlor does to this machine, or --pid says which process\nit is.\nA message is in flight until every client in its room has it. The first second is not counted.\nThe clients take a processor of their own: on a machine with one, they are measured as well.",
    error_code(0, "measured, and nothing was lost, repeated or out of order"),
    error_code(1, "could not be measured, or not everything arrived"),
    error_code(2, "a flag was not understood")
)]
pub struct Options {
    /// address of a running server, such as ws://127.0.0.1:8080, where {} stands for the name of each client (default:
    /// a server of its own, with a new database)
    #[argh(positional, arg_name = "url")]
    pub url: Option<String>,

    /// clients (default: 100)
    #[argh(option, arg_name = "number", default = "100")]
    pub clients: usize,

    /// how many of them send (default: 1)
    #[argh(option, arg_name = "number", default = "1")]
    pub senders: usize,

    /// rooms that the clients are spread over (default: 1)
    #[argh(option, arg_name = "number", default = "1")]
    pub rooms: usize,

    /// more clients, which join and then never read; they are not measured (default: 0)
    #[argh(option, arg_name = "number", default = "0")]
    pub stuck: usize,

    /// how many clients ask for pages of 50 messages anywhere in the room's history, instead of anybody sending
    #[argh(option, arg_name = "number", default = "0")]
    pub history: usize,

    /// messages to post before anything is measured, which waits until the server has nothing left to do (default: 0)
    #[argh(option, arg_name = "number", default = "0")]
    pub fill: u64,

    /// messages in flight at the same time (default: 64)
    #[argh(option, arg_name = "number", default = "64")]
    pub window: usize,

    /// messages a second in all, instead of as many as the window allows
    #[argh(option, arg_name = "number")]
    pub rate: Option<f64>,

    /// bytes of a message's text, 32 at least (default: 64)
    #[argh(option, arg_name = "bytes", default = "64")]
    pub payload: usize,

    /// how long to measure (default: 5)
    #[argh(option, arg_name = "seconds", default = "5.0")]
    pub seconds: f64,

    /// nobody sends: what connections cost that are only there
    #[argh(switch)]
    pub idle: bool,

    /// speak plain text, as any broadcast server does: what one client sends, all receive
    #[argh(switch)]
    pub plain: bool,

    /// with --plain: what each client sends first, such as 40 to a Socket.IO server
    #[argh(option, arg_name = "text", default = "String::new()")]
    pub greet: String,

    /// with --plain: what stands before the text of each message, such as 42["m","
    #[argh(option, arg_name = "text", default = "String::new()")]
    pub before: String,

    /// with --plain: what stands behind it, such as "]
    #[argh(option, arg_name = "text", default = "String::new()")]
    pub after: String,

    /// process id of the server at the url, to see what it costs (default: what it tells itself at /metrics)
    #[argh(option, arg_name = "pid")]
    pub pid: Option<u32>,

    /// own server: keep messages in memory
    #[argh(switch)]
    pub memory: bool,

    /// own server: how surely a message is on disk before it is shown, full or normal (default: full)
    #[argh(option, arg_name = "full|normal")]
    pub sync: Option<String>,

    /// own server: the program to run (default: this one)
    #[argh(option, arg_name = "file")]
    pub server: Option<PathBuf>,

    /// print the figures as a JSON object
    #[argh(switch)]
    pub json: bool,
}

impl Options {
    /// Whether nobody sends.
    pub fn is_silent(&self) -> bool {
        self.idle || self.history > 0
    }
}

/// What a message needs to tell its sender, its number and its time.
pub const LEAST_PAYLOAD: usize = 32;

pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    const NONE: Variables = Variables { options: &[], lists: &[], switches: &[] };
    let options: Options = environment::read(&["parlor", "bench"], args, &NONE, env)?;
    let need = |right: bool, what: &str| if right { Ok(()) } else { Err(Stopped::Misunderstood(what.into())) };
    need(
        options.clients > 0 && options.rooms > 0 && options.window > 0,
        "--clients, --rooms and --window need at least 1",
    )?;
    need(options.senders <= options.clients, "--senders: no more than there are clients")?;
    need(options.senders > 0 || options.is_silent(), "--senders: at least 1, or --idle or --history")?;
    need(options.senders <= 0xffff, "--senders: 65535 at most")?;
    need(options.payload >= LEAST_PAYLOAD, "--payload: 32 bytes at least, for the number and the time")?;
    need(options.seconds > 0.0 && options.seconds <= 86_400.0, "--seconds: more than 0, a day at most")?;
    need(options.rate.is_none_or(|rate| rate > 0.0 && rate <= 1e7), "--rate: more than 0")?;
    need(options.rooms <= options.clients, "--rooms: no more than there are clients")?;
    need(options.history <= options.clients, "--history: no more than there are clients")?;
    need(options.history == 0 || !options.idle, "--history or --idle: who asks is not idle")?;
    let (line, room) = (options.history > 0 || options.fill > 0, options.rooms == 1 && !options.plain);
    need(!line || room, "--history and --fill: of one room, and not --plain")?;
    let around = options.greet.len() + options.before.len() + options.after.len();
    need(options.plain || around == 0, "--greet, --before and --after are for --plain")?;
    need(!options.plain || options.rooms == 1, "--plain: a broadcast has one room")?;
    need(
        options.url.is_none() || (options.server.is_none() && options.sync.is_none() && !options.memory),
        "--memory, --sync and --server are for a server of its own; with a url there is one",
    )?;
    need(options.pid.is_none() || options.url.is_some(), "--pid: of the server at the url, which is missing")?;
    Ok(options)
}
