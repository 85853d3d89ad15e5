//! The page and the API, served by tiny_http on a private socket. Only the front connects to it.

mod asked;
mod audit;
mod description;
mod invitations;
mod me;
mod messages;
mod order;
mod page;
mod passwords;
mod people;
mod picture;
mod register;
mod rooms;
mod search;
mod session;
mod tokens;
mod visitor;
mod webhooks;

use crate::error::Error;
use crate::front::Way;
use crate::line::Line;
use crate::metrics;
use crate::mishap::caught;
use log::{debug, warn};
use page::Page;
use parking_lot::RwLock;
use passwords::Passwords;
use std::io::{self, Cursor, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use tiny_http::{Header, Method, Request, Response};

/// Threads that answer.
const WORKERS: usize = 4;

/// What may be on the page: its own files and its own line, nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; manifest-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'";

type Answer = Response<Cursor<Vec<u8>>>;

/// What comes of a request.
enum Reply {
    Now(Answer),
    /// It costs a hash, and waits for its turn.
    Later(passwords::Job),
}

/// tiny_http on its private socket, not yet answering.
pub(crate) struct Http {
    served: Arc<Served>,
}

/// The tiny_http that listens just now. Out of descriptors it ends its accepting thread for good; then another takes its place.
struct Served {
    now: RwLock<(PathBuf, Arc<tiny_http::Server>)>,
    /// Goes after the server, which connects to its own socket to end its threads.
    folder: Folder,
}

/// A folder that only this user can enter, removed in the end.
struct Folder(PathBuf);

/// The threads that answer.
pub(crate) struct Workers {
    http: Http,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    hashing: Vec<JoinHandle<()>>,
    sending: Vec<JoinHandle<()>>,
    line: Arc<Line>,
}

impl Http {
    /// Listens on a socket in a folder that only this user can enter.
    pub fn bind() -> Result<Http, Error> {
        let failed = |cause: std::io::Error| Error::System("no private socket for the page", cause);
        let folder = std::env::temp_dir().join(format!("parlor-{}", crate::store::random_hex(8)?));
        std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        let folder = Folder(folder);
        let now = RwLock::new(listen(&folder.0).map_err(failed)?);
        Ok(Http { served: Arc::new(Served { now, folder }) })
    }

    /// The way to it, for as long as it is there.
    pub fn way(&self) -> Option<Way> {
        let served = Arc::downgrade(&self.served);
        Some(Box::new(move || served.upgrade().ok_or(ErrorKind::NotConnected)?.connect()))
    }

    /// Starts to answer.
    pub fn start(self, line: &Arc<Line>) -> Result<Workers, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let page = Arc::new(Page::new(line.settings.www.as_deref()));
        let mut workers = Workers {
            http: self,
            stop: stop.clone(),
            threads: Vec::new(),
            hashing: Vec::new(),
            sending: Vec::new(),
            line: line.clone(),
        };
        let (passwords, hashing) = Passwords::start(line)?;
        workers.hashing = hashing;
        workers.sending = crate::webhooks::start(line)?;
        for n in 1..=WORKERS {
            let (line, page, served, stop) = (line.clone(), page.clone(), workers.http.served.clone(), stop.clone());
            let hashing = passwords.clone();
            let named = std::thread::Builder::new().name(format!("http {n}"));
            let thread = named.spawn(move || work(&line, &page, &hashing, &served, &stop));
            match thread {
                Ok(thread) => workers.threads.push(thread),
                Err(cause) => {
                    drop(passwords);
                    workers.stop();
                    return Err(Error::System("cannot start a thread for the page", cause));
                }
            }
        }
        Ok(workers)
    }
}

/// Each listens at a place of its own: where one ends, it takes its place away with it.
fn listen(folder: &Path) -> io::Result<(PathBuf, Arc<tiny_http::Server>)> {
    let name = crate::store::random_hex(4).map_err(io::Error::other)?;
    let place = folder.join(name);
    let socket = place.clone();
    // The threads that it starts have the name of the one that asks for them.
    let begin = move || tiny_http::Server::http_unix(&socket).map_err(|e| io::Error::other(e.to_string()));
    let thread = std::thread::Builder::new().name("http".into()).spawn(begin)?;
    let server = thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))?;
    Ok((place, Arc::new(server)))
}

impl Served {
    fn server(&self) -> Arc<tiny_http::Server> {
        self.now.read().1.clone()
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let place = self.now.read().0.clone();
        UnixStream::connect(&place).or_else(|e| match e.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::NotFound => {
                self.revive(&place)?;
                UnixStream::connect(&self.now.read().0)
            }
            _ => Err(e),
        })
    }

    /// Puts another in the place of one that accepts nothing any more, unless somebody was quicker.
    fn revive(&self, dead: &Path) -> io::Result<()> {
        let mut now = self.now.write();
        if now.0 == dead {
            let (_, old) = std::mem::replace(&mut *now, listen(&self.folder.0)?);
            (0..WORKERS).for_each(|_| old.unblock());
            warn!("the page was not served for a moment, for want of descriptors");
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

impl Workers {
    /// Ends the threads when each has answered what it has in hand.
    pub fn stop(&mut self) {
        self.stop.store(true, SeqCst);
        for thread in self.threads.drain(..) {
            // Wakes any one of them; so once for each, until it is this one.
            while !thread.is_finished() {
                self.http.served.server().unblock();
                std::thread::yield_now();
            }
            let _ = thread.join();
        }
        // What waited for its turn has been answered by now: nobody else could hand it on.
        self.hashing.drain(..).for_each(|thread| drop(thread.join()));
        self.line.webhooks.stop();
        self.sending.drain(..).for_each(|thread| drop(thread.join()));
    }
}

fn work(line: &Line, page: &Page, passwords: &Passwords, served: &Served, stop: &AtomicBool) {
    while !stop.load(SeqCst) {
        match served.server().recv() {
            Ok(mut request) => match careful(line, || answer(line, page, &mut request)) {
                Reply::Now(answer) => send(request, answer),
                Reply::Later(job) => passwords.take(request, job),
            },
            Err(_) if stop.load(SeqCst) => {}
            // Another has taken its place, or will.
            Err(cause) => debug!("the page's socket: {cause}"),
        }
    }
}

/// Answers a request. One that makes it panic is refused, and does not take the thread with it that others need.
fn careful<T: From<Answer>>(line: &Line, work: impl FnOnce() -> T) -> T {
    caught("a request", work).unwrap_or_else(|| {
        line.metrics.panics.inc();
        T::from(problem(500, "fault", "a fault here, which is ours; it was noted"))
    })
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Now(answer)
    }
}

fn send(request: Request, answer: Answer) {
    // The front, and behind it the client, may be gone.
    let _ = request.respond(answer.with_chunked_threshold(usize::MAX));
}

fn answer(line: &Line, page: &Page, request: &mut Request) -> Reply {
    let target = request.url().to_owned();
    let path = target.split('?').next().unwrap_or_default();
    let reads = matches!(request.method(), Method::Get | Method::Head);
    if let Some(route) = path.strip_prefix("/api/") {
        if let Err(refusal) = description::admits(request.method(), path) {
            return Reply::Now(refusal);
        }
        return api(line, request, route).unwrap_or_else(Reply::Now);
    }
    Reply::Now(match path {
        "/api" if reads => description::answer(),
        "/healthz" if reads => healthz(line),
        // Who may read them, the front has seen to.
        "/metrics" if reads => metrics(line),
        path if reads => page.answer(path, request),
        _ => problem(405, "method_not_allowed", "this is only for reading").with_header(field("Allow", "GET, HEAD")),
    })
}

/// What is asked of the API. An error is the answer, too.
fn api(line: &Line, request: &mut Request, route: &str) -> Result<Reply, Answer> {
    let (noun, rest) = route.split_at(route.find('/').unwrap_or(route.len()));
    match (noun, rest) {
        ("session", "") => session::answer(line, request),
        ("register", "") => register::answer(line, request),
        ("door", "") => register::door(line, request).map(Reply::Now),
        ("me", rest) if rest == "/tokens" || rest.starts_with("/tokens/") => {
            tokens::own(line, request, &rest["/tokens".len()..]).map(Reply::Now)
        }
        ("bots", rest) => tokens::bots(line, request, rest).map(Reply::Now),
        ("webhooks", rest) => webhooks::answer(line, request, rest).map(Reply::Now),
        ("rooms", rest) => rooms::answer(line, request, rest).map(Reply::Now),
        ("direct", "") => rooms::direct(line, request).map(Reply::Now),
        ("me", rest) => me::answer(line, request, rest),
        ("people", rest) if order::is_about(rest) => order::answer(line, request, rest).map(Reply::Now),
        ("sanctions", "") => order::list(line, request).map(Reply::Now),
        ("audit", "") => audit::answer(line, request).map(Reply::Now),
        ("people", rest) => people::answer(line, request, rest).map(Reply::Now),
        ("search", "") => search::answer(line, request).map(Reply::Now),
        ("invitations", rest) => invitations::answer(line, request, rest).map(Reply::Now),
        _ => Err(problem(404, "not_found", "there is no such route")),
    }
}

/// Whether the server can do its work: it answers, and its store does.
fn healthz(line: &Line) -> Answer {
    match line.store.room(&crate::name::RoomName::lobby()) {
        Ok(_) if !line.is_stopping() => json(200, &serde_json::json!({"status": "ok", "clients": line.roster.count()})),
        Ok(_) => problem(503, "stopping", "this server is going away"),
        Err(cause) => problem(503, "unavailable", &cause.to_string()),
    }
}

fn metrics(line: &Line) -> Answer {
    Response::from_data(line.metrics.text(&line.now()))
        .with_header(field("Content-Type", metrics::CONTENT_TYPE))
        .with_header(field("Cache-Control", "no-store"))
        .with_header(field("X-Content-Type-Options", "nosniff"))
}

fn json(status: u16, value: &serde_json::Value) -> Answer {
    Response::from_data(value.to_string() + "\n")
        .with_status_code(status)
        .with_header(field("Content-Type", "application/json"))
        .with_header(field("Cache-Control", "no-store"))
        .with_header(field("X-Content-Type-Options", "nosniff"))
}

fn problem(status: u16, code: &str, message: &str) -> Answer {
    json(status, &serde_json::json!({"error": {"code": code, "message": message}}))
}

/// The value of a request's header field.
fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    request.headers().iter().find(|header| header.field.equiv(name)).map(|header| header.value.as_str())
}

/// A header field of our own making.
fn field(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("names and values of our own are ASCII")
}

/// All is done, and there is nothing to say.
fn done() -> Answer {
    json(204, &serde_json::Value::Null).with_data(Cursor::new(Vec::new()), Some(0))
}
