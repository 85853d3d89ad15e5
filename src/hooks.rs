//! Hooks: where the program that embeds a server has a say. Each runs on the thread of the client that it concerns.

use crate::head::Head;
use crate::peer::Peer;
use crate::protocol::{Code, Problem};
use log::error;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A handshake, as a hook sees it. Set by [`Builder::authenticate`](crate::Builder::authenticate).
///
/// ```
/// let builder = parlor::Server::builder().authenticate(|handshake| {
///     let local = handshake.address().is_none_or(|address| address.ip().is_loopback());
///     match handshake.header("x-user") {
///         Some(user) if local => Ok(Some(user.to_owned())), // a proxy on this machine knows who it is
///         _ if handshake.path() == "/echo" => Ok(None),
///         _ => Err("come in through the front door".into()),
///     }
/// });
/// ```
pub struct Handshake<'a> {
    head: &'a Head,
    peer: Peer,
}

impl Handshake<'_> {
    /// The path, `/ws` for the chat and `/echo` for the echo.
    pub fn path(&self) -> &str {
        self.head.request.uri().path()
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.head.parameter(name)
    }

    /// A header field, if it stands once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.field(name)
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.head.cookie(name)
    }

    /// Where it comes from; None for a client in memory. Of one that comes through a proxy that is trusted, what that says;
    /// the port is 0 where it does not say one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.peer.address
    }
}

/// A message that is not stored yet, as a hook sees it. Set by [`Builder::on_message`](crate::Builder::on_message).
///
/// ```
/// let builder = parlor::Server::builder().on_message(|post| {
///     post.body.truncate(post.body.trim_end().len());
///     if post.from == "ann" || post.room != "news" { Ok(()) } else { Err("only ann writes news".into()) }
/// });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Post<'a> {
    /// The room it is for.
    pub room: &'a str,
    /// Who wrote it.
    pub from: &'a str,
    /// What it says, and will say once it is stored.
    pub body: String,
}

type Authenticate = dyn Fn(&Handshake) -> Result<Option<String>, String> + Send + Sync;
type OnMessage = dyn Fn(&mut Post) -> Result<(), String> + Send + Sync;
type OnPassage = dyn Fn(&str, &str) + Send + Sync;

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub authenticate: Option<Arc<Authenticate>>,
    pub message: Option<Arc<OnMessage>>,
    pub join: Option<Arc<OnPassage>>,
    pub leave: Option<Arc<OnPassage>>,
}

/// What the program says of a handshake.
pub(crate) enum Verdict {
    /// It is this person.
    Person(String),
    /// It has nothing to say: the server decides as it would without.
    Open,
    /// It may not come in, and why.
    Refused(String),
}

impl Hooks {
    pub fn authenticate(&self, head: &Head, peer: Peer) -> Verdict {
        let Some(hook) = &self.authenticate else { return Verdict::Open };
        match guarded("authenticate", || hook(&Handshake { head, peer })) {
            Some(Ok(Some(name))) => Verdict::Person(name),
            Some(Ok(None)) => Verdict::Open,
            Some(Err(why)) => Verdict::Refused(why),
            None => Verdict::Refused("this server cannot tell just now who may come in".into()),
        }
    }

    /// What is to be stored of a message.
    pub fn message(&self, room: &str, from: &str, body: String) -> Result<String, Problem> {
        let Some(hook) = &self.message else { return Ok(body) };
        let mut post = Post { room, from, body };
        match guarded("on_message", || hook(&mut post)) {
            Some(Ok(())) => Ok(post.body),
            Some(Err(why)) => Err(Problem::new(Code::NotAllowed, why)),
            None => Err(Problem::unavailable()),
        }
    }

    pub fn joined(&self, person: &str, room: &str) {
        let _ = self.join.as_ref().map(|hook| guarded("on_join", || hook(person, room)));
    }

    pub fn left(&self, person: &str, room: &str) {
        let _ = self.leave.as_ref().map(|hook| guarded("on_leave", || hook(person, room)));
    }
}

/// A panic of the program's own code ends what it was asked about, and nothing else.
fn guarded<T>(name: &str, hook: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(hook)).inspect_err(|_| error!("the hook {name} panicked")).ok()
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}
