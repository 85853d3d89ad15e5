//! The request head (RFC 9112 section 3): read under one deadline, bounded, parsed strictly.

use crate::refusal::Refusal;
use crate::transport::Transport;
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use tungstenite::http::header::HeaderName;
use tungstenite::http::{HeaderValue, Method, Request, Uri, Version};

/// The largest head, in bytes.
const LARGEST: usize = 16 * 1024;

/// Header fields in one head.
const FIELDS: usize = 64;

/// A head, and what came after it in the same packets.
pub(crate) struct Head {
    /// The request, whose target is a path with or without a query.
    pub request: Request<()>,
    /// Bytes that follow the head.
    pub rest: Vec<u8>,
}

impl Head {
    /// A header field that stands once and is text.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.request.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// Whether a header field that is a list has this word.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        let values = self.request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.request.uri().query()?;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.request.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// Reads a head, at most until `deadline`. None: the peer went away before it said anything.
/// `early` is what was read already.
pub(crate) fn read(socket: &dyn Transport, early: Vec<u8>, deadline: Instant) -> Result<Option<Head>, Refusal> {
    let mut bytes = early;
    loop {
        if let Some(head) = parse(&bytes)? {
            return Ok(Some(head));
        }
        if bytes.len() >= LARGEST {
            return Err(Refusal::new(431, "head_too_large", format!("a request head has {LARGEST} bytes at most")));
        }
        let start = bytes.len();
        bytes.resize((start + 2048).min(LARGEST), 0);
        let count = read_until(socket, &mut bytes[start..], deadline).map_err(|e| match e.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                Refusal::new(408, "too_late", "the request did not arrive in time".into())
            }
            _ => Refusal::gone(),
        })?;
        bytes.truncate(start + count);
        if count == 0 {
            return if start == 0 { Ok(None) } else { Err(Refusal::gone()) };
        }
    }
}

/// One read, given up at `deadline`.
pub(crate) fn read_until(socket: &dyn Transport, buffer: &mut [u8], deadline: Instant) -> std::io::Result<usize> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left < Duration::from_micros(1) {
        return Err(ErrorKind::TimedOut.into());
    }
    socket.set_patience(left)?;
    socket.read(buffer)
}

/// The head at the start of `bytes`, once it is all there.
#[inline(never)]
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    let malformed = |what: &str| Refusal::new(400, "bad_request", format!("this is no HTTP request: {what}"));
    let mut fields = vec![httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let end = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(431, "head_too_large", format!("a request has {FIELDS} header fields at most")));
        }
        Err(e) => return Err(malformed(&e.to_string())),
    };
    let target = parsed.path.unwrap_or_default();
    if !target.starts_with('/') || target.bytes().any(|b| !b.is_ascii_graphic()) {
        return Err(malformed("the target must be a path, percent-encoded"));
    }
    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(parsed.method.unwrap_or_default().as_bytes()).map_err(|_| malformed("the method"))?;
    *request.uri_mut() = target.parse::<Uri>().map_err(|_| malformed("the target"))?;
    *request.version_mut() = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| malformed("a header field's name"))?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| malformed("a header field's value"))?;
        request.headers_mut().append(name, value);
    }
    Ok(Some(Head { request, rest: bytes[end..].to_vec() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        parse(text.as_bytes()).ok().flatten().unwrap()
    }

    #[test]
    fn what_follows_the_head_is_kept() {
        let head =
            head("GET /ws?room=lobby&name=a%20b HTTP/1.1\r\nHost: x\r\nCookie: a=1; parlor_session=t\r\n\r\nrest");
        assert_eq!(head.rest, b"rest");
        assert_eq!(head.request.uri().path(), "/ws");
        assert_eq!(head.parameter("name").as_deref(), Some("a b"));
        assert_eq!(head.parameter("key"), None);
        assert_eq!(head.cookie("parlor_session"), Some("t"));
    }

    #[test]
    fn a_half_sent_head_is_not_done() {
        assert!(matches!(parse(b"GET / HTTP/1.1\r\nHost:"), Ok(None)));
    }

    #[test]
    fn a_malformed_head_is_refused() {
        for text in [
            "GET http://elsewhere/ HTTP/1.1\r\n\r\n",
            "GET /\u{e4} HTTP/1.1\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\u{0}",
        ] {
            let refused = parse(text.as_bytes()).err();
            assert_eq!(refused.map(|r| r.status), Some(400), "{text:?}");
        }
        let many: String = (0..65).map(|n| format!("a{n}: b\r\n")).collect();
        assert_eq!(parse(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).err().unwrap().status, 431);
    }

    #[test]
    fn a_field_that_stands_twice_is_no_field() {
        let twice = head("GET / HTTP/1.1\r\nOrigin: a\r\nOrigin: b\r\nConnection: keep-alive, Upgrade\r\n\r\n");
        assert_eq!(twice.field("origin"), None);
        assert!(twice.lists("connection", "upgrade"));
    }
}
