//! The handshake: what a connection wants, and who it is. One deadline over all of it.
//!
//! A WebSocket upgrade becomes a client of the chat or of the echo; everything else goes through the front to the page
//! and the API. A refusal is an HTTP answer with a JSON body.

use crate::client::{self, Arrival, Chat};
use crate::deflate::{self, Early};
use crate::entrance::Visit;
use crate::front;
use crate::head::{self, Head};
use crate::hooks::Verdict;
use crate::identity::{COOKIE, Identity, bearer, hash};
use crate::line::Line;
use crate::name::{PersonName, RoomName};
use crate::peer::Peer;
use crate::protocol::{MOST, PLAIN_LAST, SUBPROTOCOL};
use crate::refusal::Refusal;
use crate::store::{Role, Room, Time, TokenHash};
use crate::transport::Transport;
use log::{debug, error, info};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tungstenite::handshake::derive_accept_key;
use tungstenite::http::{Method, Version};

/// How long one that was refused is listened to, so that the answer is not lost in a reset.
const PARTING: Duration = Duration::from_secs(1);

/// Serves one connection, from its first request to its end.
pub(crate) fn serve(line: &Arc<Line>, mut visit: Visit, socket: &Arc<dyn Transport>) {
    let shaken = shake_hands(line, &mut visit, socket);
    let peer = visit.peer;
    match shaken {
        Ok(Opened::Chat(arrival)) => client::chat(line, peer, socket, arrival),
        Ok(Opened::Echo { early }) => client::echo(line, peer, socket, early),
        Ok(Opened::Nothing) => {}
        Err(refusal) => refuse(line, peer, &**socket, &refusal),
    }
}

/// What a handshake has led to.
enum Opened {
    Chat(Box<Arrival>),
    Echo {
        early: Early,
    },
    /// It was answered, or went away.
    Nothing,
}

/// What is on the stack once is a client's memory for ever: so what is large or rare stands in functions of their own, here and
/// below, and nothing of the head stays while the client is here.
#[inline(never)]
fn shake_hands(line: &Arc<Line>, visit: &mut Visit, socket: &Arc<dyn Transport>) -> Result<Opened, Refusal> {
    let head = head::read(&**socket, std::mem::take(&mut visit.early), visit.deadline);
    if line.is_stopping() {
        return Err(Refusal::stopping());
    }
    let Some(head) = head? else {
        debug!("{} left without a word", visit.peer);
        return Ok(Opened::Nothing);
    };
    visit.hear(line, &head)?;
    let (peer, deadline) = (visit.peer, visit.deadline);
    let path = head.request.uri().path();
    match Wish::of(&head) {
        Wish::Chat => chat(line, peer, &**socket, head),
        Wish::Echo => echo(line, peer, &**socket, head),
        Wish::Nowhere => {
            Err(Refusal::new(404, "not_found", format!("no WebSocket at {path}; the chat is at /ws, an echo at /echo")))
        }
        Wish::Upgrade => {
            Err(Refusal::new(426, "upgrade_required", format!("{path} speaks WebSocket: connect to it with ws://")))
        }
        Wish::Http => front::relay(&line.front, peer, &**socket, head, deadline).map(|()| Opened::Nothing),
    }
}

/// What a request is about.
enum Wish {
    Chat,
    Echo,
    /// A WebSocket where there is none.
    Nowhere,
    /// No WebSocket where there is one.
    Upgrade,
    Http,
}

impl Wish {
    fn of(head: &Head) -> Wish {
        match (head.request.uri().path(), head.lists("upgrade", "websocket")) {
            ("/ws", true) => Wish::Chat,
            ("/echo", true) => Wish::Echo,
            (_, true) => Wish::Nowhere,
            ("/ws" | "/echo", false) => Wish::Upgrade,
            (_, false) => Wish::Http,
        }
    }
}

fn chat(line: &Line, peer: Peer, socket: &dyn Transport, head: Head) -> Result<Opened, Refusal> {
    let mut response = accept(&head)?;
    check_origin(&head, &line.settings.allowed_origins)?;
    let is_json = head.request.headers().contains_key("sec-websocket-protocol");
    if is_json {
        if !head.lists("sec-websocket-protocol", SUBPROTOCOL) {
            let message = format!("this server speaks {SUBPROTOCOL}, or plain text to who offers no subprotocol");
            return Err(Refusal::new(400, "unknown_subprotocol", message));
        }
        response += &format!("Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n");
    }
    let who = identify(line, peer, &head)?;
    let address = peer.address.map(|address| address.ip());
    if let Some(why) = line.doors.sanctions.bars(&who.name, who.role, address) {
        return Err(Refusal::new(403, "banned", why));
    }
    let Some(claim) = line.guests.claim(&who) else {
        let message = format!("the name {} is in use by another guest; choose another", who.name);
        return Err(Refusal::new(409, "name_taken", message));
    };
    // Only now: whoever makes an account holds the name meanwhile.
    if who.role == Role::Guest && !line.guests.vouch_for(&who) {
        check_guest(line, &who)?;
    }
    // Only now: what rooms there are depends on who asks, and a name is nobody's before it is claimed.
    let chat = if is_json { Chat::Json } else { Chat::Plain(plain_room(line, &head, &who)?, plain_last(&head)?) };
    let early = upgrade(line, socket, response, head)?;
    let who = Identity { name: claim.shown.clone(), ..who };
    Ok(Opened::Chat(Box::new(Arrival { who, claim, chat, early })))
}

fn echo(line: &Line, peer: Peer, socket: &dyn Transport, head: Head) -> Result<Opened, Refusal> {
    let response = accept(&head)?;
    check_origin(&head, &line.settings.allowed_origins)?;
    if let Verdict::Refused(why) = line.settings.hooks.authenticate(&head, peer) {
        return Err(Refusal::new(401, "unknown_credentials", why));
    }
    if let Some(why) = line.doors.sanctions.bars_from(peer.address.map(|address| address.ip())) {
        return Err(Refusal::new(403, "banned", why));
    }
    Ok(Opened::Echo { early: upgrade(line, socket, response, head)? })
}

/// Checks the upgrade (RFC 6455 section 4.2.1), and gives the beginning of the answer to it (section 4.2.2).
///
/// By hand, for what tungstenite's own check allocates would stay in the allocator of each client's thread.
fn accept(head: &Head) -> Result<String, Refusal> {
    let request = &head.request;
    let key = head.field("sec-websocket-key").unwrap_or_default();
    let right = [
        (request.method() == Method::GET, "its method is GET"),
        (request.version() == Version::HTTP_11, "it is made with HTTP/1.1"),
        (head.lists("connection", "upgrade"), "\"Connection\" lists \"Upgrade\""),
        (is_key(key), "\"Sec-WebSocket-Key\" is 16 bytes in base64"),
    ];
    if let Some((_, rule)) = right.iter().find(|(right, _)| !right) {
        return Err(Refusal::new(400, "bad_handshake", format!("this is no WebSocket handshake: {rule}")));
    }
    if head.field("sec-websocket-version") != Some("13") {
        let message = "this server speaks version 13 of the protocol, RFC 6455".into();
        return Err(Refusal::new(426, "wrong_version", message));
    }
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n",
        derive_accept_key(key.as_bytes())
    ))
}

/// Whether it is 16 bytes in base64: 22 letters, the last of which has 4 bits that are 0, and 2 signs that fill up.
fn is_key(key: &str) -> bool {
    let letters = key.strip_suffix("==").unwrap_or_default();
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'+' || letter == b'/';
    letters.len() == 22 && letters.bytes().all(is_letter) && letters.ends_with(['A', 'Q', 'g', 'w'])
}

/// A page may connect to the server it came from. Programs that are no browser send no Origin.
pub(crate) fn check_origin(head: &Head, allowed: &[String]) -> Result<(), Refusal> {
    if !head.request.headers().contains_key("origin") {
        return Ok(());
    }
    let origin = head.field("origin").unwrap_or_default().to_lowercase();
    let own = origin
        .split_once("://")
        .is_some_and(|(_, place)| Some(place) == head.field("host").map(str::to_lowercase).as_deref());
    if own || allowed.iter().any(|allowed| *allowed == origin || allowed == "*") {
        return Ok(());
    }
    let message = "pages of another origin may not connect; the operator can let them with --allow-origin".into();
    Err(Refusal::new(403, "origin_not_allowed", message))
}

/// Who it is. The program that embeds the server says it, or leaves it to the first of these that is given.
fn identify(line: &Line, peer: Peer, head: &Head) -> Result<Identity, Refusal> {
    match line.settings.hooks.authenticate(head, peer) {
        Verdict::Open => {}
        Verdict::Refused(why) => return Err(Refusal::new(401, "unknown_credentials", why)),
        Verdict::Person(name) => return vouched(line, &name),
    }
    if head.request.headers().contains_key("authorization") {
        return with_token(line, head.field("authorization").and_then(bearer));
    }
    if let Some(token) = head.cookie(COOKIE) {
        let token = hash(token);
        let person = line.store.session(&token, Time::now()).map_err(|e| Refusal::unavailable(&e))?;
        let person = person.ok_or_else(|| {
            Refusal::new(401, "unknown_credentials", "this session is not known here any more; sign in again".into())
        })?;
        return Ok(match person.role {
            Role::Guest => {
                let (key, session) = (Some(token), Some(token));
                Identity { name: person.name, person: None, role: Role::Guest, key, session }
            }
            _ => line.guests.account(&person, token),
        });
    }
    let Some(name) = head.parameter("name") else {
        let message = "say who you are: connect to /ws?name=NAME, or sign in on the page".into();
        return Err(Refusal::new(401, "unknown_credentials", message));
    };
    let name = PersonName::parse(&name).map_err(|why| Refusal::new(400, "bad_field", format!("\"name\": {why}")))?;
    let key = head.parameter("key").map(|key| hash(&key));
    Ok(Identity { name, person: None, role: Role::Guest, key, session: None })
}

/// A program, or whoever it speaks for.
fn with_token(line: &Line, token: Option<TokenHash>) -> Result<Identity, Refusal> {
    let unknown = || Refusal::new(401, "unknown_credentials", "this server knows no such token".into());
    let token = token.ok_or_else(unknown)?;
    let person = line.store.token(&token, Time::now()).map_err(|e| Refusal::unavailable(&e))?;
    Ok(line.guests.account(&person.ok_or_else(unknown)?, token))
}

/// A guest comes in where guests may, under a name that nobody has an account for.
fn check_guest(line: &Line, who: &Identity) -> Result<(), Refusal> {
    if !line.settings.guests {
        let message = "only people with an account come in here; sign in on the page of this server".into();
        return Err(Refusal::new(403, "not_allowed", message));
    }
    if line.store.account(&who.name).map_err(|e| Refusal::unavailable(&e))?.is_some() {
        let message = format!("{} has an account here; sign in on the page, or choose another name", who.name);
        return Err(Refusal::new(409, "name_taken", message));
    }
    Ok(())
}

fn vouched(line: &Line, name: &str) -> Result<Identity, Refusal> {
    let name = PersonName::parse(name).map_err(|why| {
        error!("the hook authenticate gave the name {name:?}: {why}");
        Refusal::new(500, "fault", "this server gave you a name that nobody can have".into())
    })?;
    Ok(line.guests.vouched(name))
}

fn plain_room(line: &Line, head: &Head, who: &Identity) -> Result<Room, Refusal> {
    let name = match head.parameter("room") {
        Some(name) => {
            RoomName::parse(&name).map_err(|why| Refusal::new(400, "bad_field", format!("\"room\": {why}")))?
        }
        None => RoomName::lobby(),
    };
    let room = line.store.room(&name).map_err(|e| Refusal::unavailable(&e))?;
    let room = room.filter(|room| line.doors.ticket(room.id, &who.name).is_some());
    room.ok_or_else(|| Refusal::new(404, "no_such_room", format!("there is no room \"{name}\"")))
}

fn plain_last(head: &Head) -> Result<usize, Refusal> {
    match head.parameter("last").map(|last| last.parse::<usize>()) {
        None => Ok(PLAIN_LAST),
        Some(Ok(last)) => Ok(last.min(MOST)),
        Some(Err(_)) => Err(Refusal::new(400, "bad_field", "\"last\" must be a number".into())),
    }
}

fn upgrade(line: &Line, socket: &dyn Transport, mut response: String, head: Head) -> Result<Early, Refusal> {
    let packed = line.settings.compression && deflate::is_offered(&head);
    if packed {
        response.push_str(deflate::ANSWER);
    }
    response.push_str("\r\n");
    socket.write_all(response.as_bytes()).map_err(|_| Refusal::gone())?;
    Ok(Early { bytes: head.rest, packed })
}

#[inline(never)]
pub(crate) fn refuse(line: &Line, peer: Peer, socket: &dyn Transport, refusal: &Refusal) {
    if refusal.status == 0 {
        return debug!("{peer} left during the handshake");
    }
    line.metrics.refused(refusal.code);
    info!("{peer} refused: {} {}", refusal.status, refusal.message);
    if socket.write_all(&refusal.response()).is_err() {
        return;
    }
    socket.end_writing();
    let deadline = Instant::now() + PARTING;
    let mut unread = [0; 4096];
    while head::read_until(socket, &mut unread, deadline).is_ok_and(|count| count > 0) {}
}
