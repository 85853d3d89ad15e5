//! The flags of `parlor connect`.

use crate::cli::environment::{self, Stopped, Variables};
use argh::{ArgsInfo, FromArgs};
use parlor::Dialer;
use std::ffi::OsString;

/// Chats from a terminal or in a pipe; with --raw speaks text to any WebSocket server.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "connect",
    example = "Chat with the server on this machine:\n  {command_name} --name ann\nChat in a room of another one:\n  {command_name} ws://192.168.1.4:8080 --name ann --room garden\nPost from a script:\n  echo \"deployed\" | {command_name} ws://127.0.0.1:8080 --name ci --room ops\nPrint all that is said, and write nothing:\n  {command_name} ws://127.0.0.1:8080 --name log --follow --json < /dev/null\nSpeak to any WebSocket server, and see each frame:\n  {command_name} --raw --wire ws://127.0.0.1:8080/echo",
    note = "At a terminal it is a chat, and /help tells what it knows. In a pipe it sends each line of its input, prints each\nmessage on its output and all else on standard error; when the input has ended and all of it is stored, it leaves.",
    note = "PARLOR_URL, PARLOR_NAME, PARLOR_KEY and PARLOR_ROOM stand for the URL and the flags of these names. A flag wins\nover its variable. NO_COLOR turns colours off.",
    error_code(0, "all went well; of a pipe: all that was sent is stored"),
    error_code(1, "could not connect, or the connection was lost for good"),
    error_code(2, "a flag or a line of input was not understood"),
    error_code(3, "the server refused: the name is taken, there is no such room, a message was not taken"),
    error_code(130, "Ctrl-C")
)]
pub struct Options {
    /// address of the server, such as ws://127.0.0.1:8080 or wss://example.org (default: ws://127.0.0.1:8080)
    #[argh(positional, arg_name = "url")]
    pub url: Option<String>,

    /// who to be (default: your name on this machine)
    #[argh(option, arg_name = "name")]
    pub name: Option<String>,

    /// a word of your own that lets you take your name over from a connection that is still dying (default: a new one
    /// each time)
    #[argh(option, arg_name = "word")]
    pub key: Option<String>,

    /// room to be in; may be given again, and the first is written to (default: lobby)
    #[argh(option, arg_name = "room")]
    pub room: Vec<String>,

    /// show the last so many messages of each room first (default: 20 at a terminal, 0 in a pipe)
    #[argh(option, arg_name = "number")]
    pub last: Option<usize>,

    /// show everything since this number of the room first
    #[argh(option, arg_name = "number")]
    pub since: Option<i64>,

    /// go on printing when the input has ended
    #[argh(switch)]
    pub follow: bool,

    /// one message and leave: sends a line of input if there is one, prints the first message that comes
    #[argh(switch, short = '1')]
    pub one: bool,

    /// print each event as a JSON object on a line; a line of input may be one too: {"room", "body"}
    #[argh(switch)]
    pub json: bool,

    /// speak text to any WebSocket server: each line is a message, each message a line
    #[argh(switch)]
    pub raw: bool,

    /// with --raw: send the input and print what comes as it is, in binary messages
    #[argh(switch)]
    pub binary: bool,

    /// one more field of the request, 'Name: value'; may be given again
    #[argh(option, short = 'H', arg_name = "field", from_str_fn(field))]
    pub header: Vec<(String, String)>,

    /// trust this certificate too, for a wss:// server that made its own (a PEM file)
    #[argh(option, arg_name = "file", from_str_fn(certificate))]
    pub trust: Option<Vec<u8>>,

    /// trust the certificate with this fingerprint (SHA-256) and no other, such as a server prints that made its own
    #[argh(option, arg_name = "fingerprint", from_str_fn(fingerprint))]
    pub fingerprint: Option<String>,

    /// with --raw: a subprotocol to offer; may be given again
    #[argh(option, arg_name = "name")]
    pub subprotocol: Vec<String>,

    /// with --raw: ping the server this often, and give up if it does not answer before the next
    #[argh(option, arg_name = "seconds", from_str_fn(seconds))]
    pub ping_interval: Option<f64>,

    /// show the heads of the request and the response
    #[argh(switch)]
    pub headers: bool,

    /// show each frame that goes (>) or comes (<): what it is, its FIN bit, mask, length and payload
    #[argh(switch)]
    pub wire: bool,
}

/// Which of them have a variable. Headers and subprotocols are of one server, and stand in its command.
const VARIABLES: Variables = Variables { options: &["name", "key"], lists: &["room"], switches: &[] };

/// Reads the arguments that stand behind `parlor connect`, and the environment.
pub fn read(args: &[String], env: impl Fn(&str) -> Option<OsString>) -> Result<Options, Stopped> {
    let mut options: Options = environment::read(&["parlor", "connect"], args, &VARIABLES, &env)?;
    let variable = |name: &str| env(name).filter(|value| !value.is_empty()).and_then(|value| value.into_string().ok());
    options.url = options.url.or_else(|| variable("PARLOR_URL"));
    options.name = options.name.or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    if let Some(why) = options.contradiction() {
        return Err(Stopped::Misunderstood(why.into()));
    }
    Ok(options)
}

impl Options {
    /// Flags that cannot mean anything together.
    fn contradiction(&self) -> Option<&'static str> {
        let cases = [
            (!self.raw && self.binary, "--binary is for --raw: the chat is text"),
            (!self.raw && !self.subprotocol.is_empty(), "--subprotocol is for --raw: the chat has its own"),
            (!self.raw && self.ping_interval.is_some(), "--ping-interval is for --raw: the chat's server pings"),
            (self.raw && self.json, "--json is for the chat, and --raw knows nothing of it"),
            (self.raw && (self.since.or(self.last.map(|_| 0))).is_some(), "--since and --last are for the chat"),
            (self.since.is_some() && self.last.is_some(), "--since or --last, not both"),
        ];
        cases.into_iter().find_map(|(given, why)| given.then_some(why))
    }
}

fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().into(), value.trim().into())),
        _ => Err("write 'Name: value'".into()),
    }
}

fn certificate(file: &str) -> Result<Vec<u8>, String> {
    let pem = std::fs::read(file).map_err(|e| format!("it cannot be read: {e}"))?;
    // Any address will do to try it on.
    let tried = Dialer::new("ws://localhost").and_then(|dialer| dialer.trust(&pem));
    tried.map(|_| pem).map_err(|e| e.to_string())
}

fn fingerprint(text: &str) -> Result<String, String> {
    let tried = Dialer::new("ws://localhost").and_then(|dialer| dialer.fingerprint(text));
    tried.map(|_| text.to_owned()).map_err(|e| e.to_string())
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    if seconds > 0.0 && seconds <= 86_400.0 { Ok(seconds) } else { Err("more than 0 seconds, a day at most".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(args: &[&str], env: &[(&str, &str)]) -> Result<Options, Stopped> {
        let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
        read(&args, |name| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    fn misunderstood(args: &[&str]) -> String {
        match from(args, &[]) {
            Err(Stopped::Misunderstood(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_win_over_variables_and_the_login_name_is_the_last_resort() {
        let env = [("PARLOR_URL", "ws://a"), ("USER", "root"), ("PARLOR_ROOM", "x,y")];
        let options = from(&[], &env).unwrap();
        assert_eq!((options.url.as_deref(), options.name.as_deref()), (Some("ws://a"), Some("root")));
        assert_eq!(options.room, ["x", "y"]);
        let options = from(&["ws://b", "--name", "ann", "--room", "z", "-H", "X: 1:2", "-1"], &env).unwrap();
        assert_eq!((options.url.as_deref(), options.name.as_deref()), (Some("ws://b"), Some("ann")));
        assert_eq!((options.room, options.one), (vec!["z".to_owned()], true));
        assert_eq!(options.header, [("X".to_owned(), "1:2".to_owned())]);
        assert_eq!(from(&[], &[("PARLOR_NAME", "bo"), ("USER", "root")]).unwrap().name.as_deref(), Some("bo"));
    }

    #[test]
    fn what_cannot_mean_anything_is_said() {
        assert!(misunderstood(&["--colour"]).contains("--colour"));
        assert!(misunderstood(&["-H", "nothing"]).contains("'Name: value'"));
        assert!(misunderstood(&["--binary"]).contains("for --raw"));
        assert!(misunderstood(&["--raw", "--json"]).contains("for the chat"));
        assert!(misunderstood(&["--last", "1", "--since", "2"]).contains("not both"));
        assert!(misunderstood(&["--raw", "--ping-interval", "0"]).contains("more than 0 seconds"));
    }

    #[test]
    fn the_help_shows_every_flag_and_examples() {
        let Err(Stopped::Told(help)) = from(&["--help"], &[]) else { panic!("no help") };
        let alone = [
            "last",
            "since",
            "follow",
            "one",
            "json",
            "raw",
            "binary",
            "header",
            "trust",
            "fingerprint",
            "subprotocol",
            "ping-interval",
            "headers",
            "wire",
            "help",
        ];
        VARIABLES.stand_for_all_of(&help, &alone);
        for word in ["Usage: parlor connect", "Examples:", "130", "PARLOR_NAME", "{\"room\", \"body\"}"] {
            assert!(help.contains(word), "{word}: {help}");
        }
    }
}
