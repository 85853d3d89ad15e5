//! The entrance: what a connection goes through before its first request is read. A proxy that is trusted says whom it
//! brings; TLS is agreed on; and an address that has taken its share is turned away. One deadline over all of it, and over
//! the handshake behind it.

use crate::addresses::Stay;
use crate::handshake;
use crate::head::{self, Head};
use crate::line::Line;
use crate::peer::Peer;
use crate::proxy::{self, Preface};
use crate::refusal::Refusal;
use crate::secure;
use crate::transport::Transport;
use log::debug;
use std::sync::Arc;
use std::time::Instant;

/// Bytes read at once until it is clear what a connection speaks.
const FIRST: usize = 512;

/// A connection on its way in.
pub(crate) struct Visit {
    pub peer: Peer,
    /// It comes straight from a proxy that is trusted, and who it is may be heard from that.
    by_proxy: bool,
    /// What was read of its first request.
    pub early: Vec<u8>,
    pub deadline: Instant,
    /// Counts for its address until it is gone.
    stay: Option<Stay>,
}

impl Visit {
    /// One that goes through none of it: from memory, where there is no address and nobody between.
    pub fn straight(line: &Line, peer: Peer) -> Visit {
        let deadline = Instant::now() + line.settings.handshake_time;
        Visit { peer, by_proxy: false, early: Vec::new(), deadline, stay: None }
    }

    /// Who comes through a proxy is known at last.
    fn identify(&mut self, line: &Line, peer: Peer) -> Result<(), Refusal> {
        self.peer = peer;
        if let Some(address) = peer.address {
            self.stay = line.addresses.enter(address.ip())?;
        }
        Ok(())
    }

    /// Takes from a request what a trusted proxy wrote into it.
    pub fn hear(&mut self, line: &Line, head: &Head) -> Result<(), Refusal> {
        if !self.by_proxy {
            return Ok(());
        }
        let (address, secure) = proxy::forwarded(head, &line.settings.proxies);
        let peer = Peer { secure: self.peer.secure || secure, ..self.peer };
        match address {
            Some(_) => self.identify(line, Peer { address, ..peer }),
            None => {
                self.peer = peer;
                Ok(())
            }
        }
    }
}

/// Counts a connection that has just been accepted, unless it comes through a proxy: then not the proxy counts.
pub(crate) fn admit(line: &Line, peer: Peer) -> Result<Option<Stay>, Refusal> {
    match peer.address {
        Some(address) if !proxy::is_trusted(&line.settings.proxies, address.ip()) => {
            line.addresses.enter(address.ip()).inspect_err(|refusal| {
                line.metrics.connections.inc();
                line.metrics.refused(refusal.code);
            })
        }
        _ => Ok(None),
    }
}

/// Serves one connection, from its first byte to its end. This is what a client's thread does.
pub(crate) fn serve(line: &Arc<Line>, peer: Peer, stay: Option<Stay>, socket: &Arc<dyn Transport>) {
    let mut visit = Visit { stay, ..Visit::straight(line, peer) };
    match enter(line, &mut visit, socket) {
        Ok(None) => handshake::serve(line, visit, socket),
        Ok(Some(secure)) => handshake::serve(line, visit, &secure),
        Err(refusal) => handshake::refuse(line, visit.peer, &**socket, &refusal),
    }
}

/// Gives the transport within TLS, where there is TLS. Its stack is gone once the client is served.
fn enter(
    line: &Arc<Line>,
    visit: &mut Visit,
    socket: &Arc<dyn Transport>,
) -> Result<Option<Arc<dyn Transport>>, Refusal> {
    visit.by_proxy = visit.peer.address.is_some_and(|from| proxy::is_trusted(&line.settings.proxies, from.ip()));
    if visit.by_proxy {
        hear_preface(line, visit, &**socket)?;
    }
    if line.keys.is_there() { encrypt(line, visit, socket).map(Some) } else { Ok(None) }
}

/// Agrees on TLS.
#[inline(never)]
fn encrypt(line: &Arc<Line>, visit: &mut Visit, socket: &Arc<dyn Transport>) -> Result<Arc<dyn Transport>, Refusal> {
    if visit.early.is_empty() && !more(visit, &**socket)? {
        debug!("{} left without a word", visit.peer);
        return Err(Refusal::gone());
    }
    if visit.early[0] != secure::FIRST_BYTE {
        return Err(point_to_https(visit, &**socket)?);
    }
    let hello = std::mem::take(&mut visit.early);
    let inside = line.keys.accept(socket.clone(), &hello, visit.deadline).map_err(|e| {
        debug!("{}: no TLS came about: {e}", visit.peer);
        line.metrics.refused("no_tls");
        Refusal::gone()
    })?;
    visit.peer.secure = true;
    Ok(inside)
}

/// What a proxy says before anything else, if it does.
#[inline(never)]
fn hear_preface(line: &Line, visit: &mut Visit, socket: &dyn Transport) -> Result<(), Refusal> {
    loop {
        match Preface::of(&visit.early) {
            Preface::Unknown => {
                if !more(visit, socket)? {
                    return Err(Refusal::gone());
                }
            }
            Preface::Absent => return Ok(()),
            Preface::Malformed => {
                let message = "this begins as the PROXY protocol and goes on as something else".into();
                return Err(Refusal::new(400, "bad_request", message));
            }
            Preface::Read(length, address, secure) => {
                visit.early.drain(..length);
                // It has said all that it has to say: header fields are the client's own from here on.
                visit.by_proxy = false;
                let peer = Peer { secure, address: address.or(visit.peer.address), ..visit.peer };
                return visit.identify(line, peer);
            }
        }
    }
}

/// Reads on. False: it has ended.
fn more(visit: &mut Visit, socket: &dyn Transport) -> Result<bool, Refusal> {
    let start = visit.early.len();
    visit.early.resize(start + FIRST, 0);
    let count = head::read_until(socket, &mut visit.early[start..], visit.deadline);
    visit.early.truncate(start + count.as_ref().map_or(0, |count| *count));
    match count {
        Ok(count) => Ok(count > 0),
        // There may be nobody who could read an answer: no request has begun.
        Err(_) => Err(Refusal::gone()),
    }
}

/// Plain HTTP where TLS is spoken: the answer says where to go.
#[inline(never)]
fn point_to_https(visit: &mut Visit, socket: &dyn Transport) -> Result<Refusal, Refusal> {
    let message = "this port speaks TLS: use https:// and wss://";
    let refusal = Refusal::new(400, "tls_required", message.into());
    let Some(head) = head::read(socket, std::mem::take(&mut visit.early), visit.deadline)? else {
        return Err(Refusal::gone());
    };
    let plain = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b));
    match head.field("host").filter(plain) {
        Some(host) if head.request.method().is_safe() && !head.lists("upgrade", "websocket") => {
            let target = head.request.uri().path_and_query().map_or("/", |target| target.as_str());
            Ok(Refusal::new(307, refusal.code, refusal.message).elsewhere(format!("https://{host}{target}")))
        }
        _ => Ok(refusal),
    }
}
