//! The flags of the server.

use super::Command;
use super::environment::{self, Stopped, Variables};
use argh::{ArgsInfo, FromArgs};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A chat server in one small executable. With no flags: http://127.0.0.1:8080, messages in ./parlor-data.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    example = "Chat on this machine:\n  {command_name}\nChat in this network, with a QR code to join by:\n  {command_name} --lan\nHold a lesson:\n  {command_name} --lan --classroom\nTry it out and keep nothing:\n  {command_name} --memory --listen 127.0.0.1:0\nChat from a terminal:\n  {command_name} connect ws://127.0.0.1:8080",
    note = "Each flag has an environment variable: --max-clients is PARLOR_MAX_CLIENTS, and --lan is PARLOR_LAN=1.\nA flag wins over its variable.",
    error_code(0, "stopped, by Ctrl-C or SIGTERM"),
    error_code(1, "could not start: the message says what is missing"),
    error_code(2, "a flag was not understood")
)]
pub struct Settings {
    /// address to listen on (default: 127.0.0.1:8080)
    #[argh(option, arg_name = "address")]
    pub listen: Option<SocketAddr>,

    /// listen on all interfaces, and show the address in this network as a QR code
    #[argh(switch)]
    pub lan: bool,

    /// folder of the database, made if missing (default: parlor-data)
    #[argh(option, arg_name = "folder", default = "PathBuf::from(\"parlor-data\")")]
    pub data: PathBuf,

    /// the database, where it is another than the one in --data: sqlite:PATH, postgres://USER@HOST/NAME or
    /// mysql://USER@HOST/NAME; its tables are made if missing
    #[argh(option, arg_name = "address")]
    pub database: Option<String>,

    /// be one of several servers on the same --database, which tell each other what happens over the Redis at
    /// redis://HOST
    #[argh(option, arg_name = "address")]
    pub cluster: Option<String>,

    /// keep everything in memory, and nothing after the end
    #[argh(switch)]
    pub memory: bool,

    /// a lesson: everything in memory; r makes the class read only, q ends it and writes the lesson into a page
    #[argh(switch)]
    pub classroom: bool,

    /// how surely a message is on disk before it is shown: full, or normal, for SQLite alone, which a power cut can cost
    /// the last few (default: full)
    #[argh(option, arg_name = "full|normal", default = "parlor::Synchronous::Full", from_str_fn(sync))]
    pub sync: parlor::Synchronous,

    /// serve the page from a folder instead of the one compiled in, for work on the page
    #[argh(option, arg_name = "folder")]
    pub www: Option<PathBuf>,

    /// how much to log: error, warn, info, debug or off (default: info; in a classroom: warn)
    #[argh(option, arg_name = "level", from_str_fn(level))]
    pub log: Option<log::LevelFilter>,

    /// connections at the same time (default: as many as this machine holds)
    #[argh(option, arg_name = "number")]
    pub max_clients: Option<usize>,

    /// rooms that there may be (default: 1000)
    #[argh(option, arg_name = "number", default = "1000")]
    pub max_rooms: usize,

    /// longest message of a person, in bytes (default: 8192)
    #[argh(option, arg_name = "bytes", default = "8192")]
    pub body_limit: usize,

    /// longest WebSocket message that is read, in bytes (default: 65536)
    #[argh(option, arg_name = "bytes", default = "65536")]
    pub message_limit: usize,

    /// what may wait for one slow reader, in bytes (default: 524288)
    #[argh(option, arg_name = "bytes", default = "524288")]
    pub outbox_limit: usize,

    /// seconds a client may take to say who it is (default: 10)
    #[argh(option, arg_name = "seconds", default = "10.0", from_str_fn(seconds))]
    pub handshake_time: f64,

    /// seconds of silence after which a client is pinged (default: 30)
    #[argh(option, arg_name = "seconds", default = "30.0", from_str_fn(seconds))]
    pub keepalive: f64,

    /// seconds over which a server that stops sends its clients away, one after the other, to others behind the same
    /// address (default: 0; with --cluster: 10)
    #[argh(option, arg_name = "seconds", from_str_fn(seconds_or_none))]
    pub drain: Option<f64>,

    /// let pages of this origin connect too, such as https://example.org; may be given again
    #[argh(option, arg_name = "origin")]
    pub allow_origin: Vec<String>,

    /// speak TLS with a certificate that the server makes itself and keeps in the data folder; browsers warn of it once
    #[argh(option, arg_name = "self-signed", from_str_fn(self_signed))]
    pub tls: Option<()>,

    /// speak TLS: file with the certificate and those that lead to one that clients trust, in PEM; SIGHUP reads it anew
    #[argh(option, arg_name = "file")]
    pub tls_cert: Option<PathBuf>,

    /// speak TLS: file with the key of the certificate, in PEM
    #[argh(option, arg_name = "file")]
    pub tls_key: Option<PathBuf>,

    /// believe the proxy at this address, or in this network such as 10.0.0.0/8, whom it brings; may be given again
    #[argh(option, arg_name = "address")]
    pub trust_proxy: Vec<String>,

    /// connections at the same time from one address: a number, or off (default: 256)
    #[argh(option, arg_name = "number|off", default = "Some(256)", from_str_fn(number_or_off))]
    pub per_address: Option<usize>,

    /// pack messages of 1 KiB and more for clients that can unpack them (permessage-deflate): on or off (default: on)
    #[argh(option, arg_name = "on|off", default = "true", from_str_fn(on_or_off))]
    pub compression: bool,

    /// who may make an account: open (everyone), invite (who has a link), or closed (nobody but the owner) (default: open)
    #[argh(option, arg_name = "open|invite|closed", default = "parlor::Join::Open", from_str_fn(join))]
    pub join: parlor::Join,

    /// whether guests may come in, with a name and no account: on or off (default: on)
    #[argh(option, arg_name = "on|off", default = "true", from_str_fn(on_or_off))]
    pub guests: bool,

    /// how much a person may post or change: so much a second, and so much at once; or off (default: 5/20)
    #[argh(option, arg_name = "number/number|off", default = "Some((5, 20))", from_str_fn(rate))]
    pub rate: Option<(u32, u32)>,

    /// whether it is limited how often passwords are tried, ten times in three minutes: on or off (default: on)
    #[argh(option, arg_name = "on|off", default = "true", from_str_fn(on_or_off))]
    pub logins: bool,

    /// let webhooks point into this network, such as 10.1.0.0/16, which is not of the open Internet; may be given again
    #[argh(option, arg_name = "network")]
    pub webhook_allow: Vec<String>,

    /// let everyone read /metrics, not only programs on this machine
    #[argh(switch)]
    pub open_metrics: bool,

    /// show the version
    #[argh(switch)]
    pub version: bool,

    /// what to do instead of serving
    #[argh(subcommand)]
    pub command: Option<Command>,
}

/// Which of them have a variable.
const VARIABLES: Variables = Variables {
    options: &[
        "listen",
        "data",
        "database",
        "cluster",
        "sync",
        "join",
        "guests",
        "rate",
        "logins",
        "www",
        "log",
        "max-clients",
        "max-rooms",
        "body-limit",
        "message-limit",
        "outbox-limit",
        "handshake-time",
        "keepalive",
        "drain",
        "tls",
        "tls-cert",
        "tls-key",
        "per-address",
        "compression",
    ],
    lists: &["allow-origin", "trust-proxy", "webhook-allow"],
    switches: &["lan", "memory", "classroom", "open-metrics"],
};

/// Reads the arguments that stand behind the program, and the environment.
pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Settings, Stopped> {
    let settings: Settings = environment::read(&["parlor"], args, &VARIABLES, env)?;
    if settings.version {
        return Err(Stopped::Told(format!("parlor {}\n", env!("CARGO_PKG_VERSION"))));
    }
    let is_sqlite = settings.database.as_ref().is_none_or(|address| address.starts_with("sqlite:"));
    if settings.sync == parlor::Synchronous::Normal && !is_sqlite {
        // The server outlives it, and would give the same numbers to other messages.
        let why =
            "--sync normal is for SQLite alone: another database that crashes would take back what people have seen";
        return Err(Stopped::Misunderstood(why.into()));
    }
    Ok(settings)
}

fn sync(text: &str) -> Result<parlor::Synchronous, String> {
    match text {
        "full" => Ok(parlor::Synchronous::Full),
        "normal" => Ok(parlor::Synchronous::Normal),
        _ => Err("say full or normal".into()),
    }
}

fn join(text: &str) -> Result<parlor::Join, String> {
    let all = [parlor::Join::Open, parlor::Join::Invite, parlor::Join::Closed];
    all.into_iter().find(|join| join.as_str() == text).ok_or_else(|| "say open, invite or closed".into())
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("say on or off".into()),
    }
}

fn self_signed(text: &str) -> Result<(), String> {
    if text == "self-signed" { Ok(()) } else { Err("say self-signed, or give --tls-cert and --tls-key".into()) }
}

fn number_or_off(text: &str) -> Result<Option<usize>, String> {
    if text == "off" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "say a number, or off".into())
}

fn rate(text: &str) -> Result<Option<(u32, u32)>, String> {
    if text == "off" {
        return Ok(None);
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let rate = text.split_once('/').and_then(|(a_second, at_once)| number(a_second).zip(number(at_once)));
    rate.map(Some).ok_or_else(|| "say how much a second and how much at once, such as 5/20, or off".into())
}

fn level(text: &str) -> Result<log::LevelFilter, String> {
    text.parse().map_err(|_| "say error, warn, info, debug or off".into())
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    if seconds > 0.0 && seconds <= 86_400.0 { Ok(seconds) } else { Err("more than 0 seconds, a day at most".into()) }
}

fn seconds_or_none(text: &str) -> Result<f64, String> {
    if text == "0" { Ok(0.0) } else { seconds(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(args: &[&str], env: &[(&str, &str)]) -> Result<Settings, Stopped> {
        let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
        read(&args, |name| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    fn misunderstood(args: &[&str], env: &[(&str, &str)]) -> String {
        match from(args, env) {
            Err(Stopped::Misunderstood(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn with_nothing_given_the_defaults_hold() {
        let settings = from(&[], &[]).unwrap();
        assert_eq!((settings.listen, settings.data, settings.body_limit), (None, "parlor-data".into(), 8192));
    }

    #[test]
    fn a_variable_stands_for_its_flag_and_the_flag_wins() {
        let env =
            [("PARLOR_MAX_CLIENTS", "7"), ("PARLOR_LAN", "1"), ("PARLOR_MEMORY", "0"), ("PARLOR_ALLOW_ORIGIN", "a,b")];
        let settings = from(&[], &env).unwrap();
        assert_eq!((settings.max_clients, settings.lan, settings.memory), (Some(7), true, false));
        assert_eq!(settings.allow_origin, ["a", "b"]);
        assert_eq!(from(&["--max-clients", "9"], &env).unwrap().max_clients, Some(9));
        assert_eq!(from(&[], &[("PARLOR_DATA", "")]).unwrap().data, PathBuf::from("parlor-data"), "empty is not set");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(misunderstood(&["--colour"], &[]).contains("--colour"));
        assert!(misunderstood(&["--listen", "here"], &[]).contains("listen"));
        assert!(misunderstood(&["--keepalive", "0"], &[]).contains("more than 0 seconds"));
        for rate in ["5", "0/20", "5/0", "5/20/1", "-1/5", "fast"] {
            assert!(misunderstood(&["--rate", rate], &[]).contains("such as 5/20, or off"), "{rate}");
        }
        assert_eq!(from(&["--rate", "2/9"], &[]).unwrap().rate, Some((2, 9)));
        assert_eq!(from(&["--rate", "off"], &[]).unwrap().rate, None);
        let env = misunderstood(&[], &[("PARLOR_LOG", "loud")]);
        assert!(env.starts_with("PARLOR_LOG=loud: say error"), "{env}");
        assert!(misunderstood(&[], &[("PARLOR_LAN", "maybe")]).contains("say 1 or 0"));
    }

    #[test]
    fn every_flag_has_its_variable_and_stands_in_the_help() {
        let Err(Stopped::Told(help)) = from(&["--help"], &[]) else { panic!("no help") };
        VARIABLES.stand_for_all_of(&help, &["help", "version"]);
    }
}
