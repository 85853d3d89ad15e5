//! The functions that read what strangers send, each as one of any bytes: nothing of it makes them panic, and what they promise
//! of their result is so. What each gives is what was made of the bytes, in a word: another word is worth another look.

use crate::deflate::Unpacker;
use crate::front;
use crate::head;
use crate::mention;
use crate::name::{PersonName, RoomName};
use crate::peer::Peer;
use crate::protocol::{self, Limits};
use crate::proxy::Preface;
use crate::query::Query;
use crate::words::{self, Term};

pub type Target = fn(&[u8]) -> String;

pub const LIMIT: usize = 64 * 1024;

/// A request head, cut anywhere.
pub fn head(bytes: &[u8]) -> String {
    match head::parse(bytes) {
        Ok(Some(head)) => {
            assert!(head.request.uri().path().starts_with('/') && bytes.ends_with(&head.rest));
            let end = bytes.len() - head.rest.len();
            for cut in [end / 3, end / 2, end.saturating_sub(1)] {
                assert!(matches!(head::parse(&bytes[..cut]), Ok(None)), "part of a head is waited for");
            }
            let _ = (head.parameter("name"), head.cookie("parlor_session"), head.lists("connection", "upgrade"));
            format!("{} fields", head.request.headers().len())
        }
        Ok(None) => "more".into(),
        Err(refusal) => {
            assert!([400, 431].contains(&refusal.status));
            refusal.message
        }
    }
}

/// A request, up to what tiny_http gets of it: that has one meaning, and it is ours.
pub fn front(bytes: &[u8]) -> String {
    let Ok(Some(head)) = head::parse(bytes) else { return "no head".into() };
    let length = match front::check(&head) {
        Ok(length) => length,
        Err(refusal) => {
            assert!((400..500).contains(&refusal.status));
            return refusal.message;
        }
    };
    assert!(length <= LIMIT);
    let plain = front::plain_head(&head, Peer { id: 1, address: None, secure: false }, length);
    let again = head::parse(&plain).ok().flatten().expect("it is a head");
    assert!(again.rest.is_empty(), "and nothing behind it");
    assert_eq!((again.request.method(), again.request.uri()), (head.request.method(), head.request.uri()));
    let field = |name| again.field(name).map(str::to_owned);
    assert_eq!(field("content-length"), Some(length.to_string()));
    assert_eq!((field("transfer-encoding"), field("connection")), (None, Some("close".into())));
    assert_eq!((field("x-real-ip"), field("x-forwarded-proto")), (Some("127.0.0.1".into()), None));
    assert_eq!(field("origin"), head.field("origin").map(str::to_owned));
    format!("{} with {} fields", head.request.method(), again.request.headers().len())
}

/// A frame of `parlor.v1`.
pub fn frame(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match protocol::parse(&text, &Limits::new(8192, LIMIT)) {
        Ok(request) => format!("{request:?}").chars().take_while(|c| c.is_alphabetic()).collect(),
        Err(problem) => {
            let problem = problem.answering(&text);
            assert!(!problem.message.is_empty());
            // Without what it quotes.
            format!("{} {}", problem.code.as_str(), problem.message.split('"').step_by(2).collect::<String>())
        }
    }
}

/// What comes before a request, of a proxy.
pub fn proxy(bytes: &[u8]) -> String {
    let preface = Preface::of(bytes);
    if let Preface::Read(length, ..) = preface {
        assert!(length <= bytes.len());
    }
    match preface {
        Preface::Read(length, address, secure) => format!("{} {} {secure}", length.min(300), address.is_some()),
        other => format!("{other:?}"),
    }
}

/// WebSocket frames of a client that may pack, cut as the first bytes say: how they are cut changes nothing, and no message
/// grows beyond the limit.
pub fn deflate(bytes: &[u8]) -> String {
    let (cuts, frames) = bytes.split_at(bytes.len().min(4));
    let whole = unpacked(frames, &[]);
    let cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) * frames.len() / 256).collect();
    let pieces = unpacked(frames, &cuts);
    assert_eq!(whole, pieces);
    assert!(whole.0.len() <= frames.len() + (frames.len() / 6 + 1) * (LIMIT + 14));
    whole.1.unwrap_or_else(|| format!("{} bytes", whole.0.len().min(64)))
}

/// What comes of bytes that arrive in pieces, up to where they are refused.
pub fn unpacked(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Option<String>) {
    let mut unpacker = Unpacker::new(Default::default(), LIMIT);
    let mut cuts = cuts.to_vec();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut out = Vec::new();
    for pair in cuts.windows(2) {
        if let Err(fault) = unpacker.push(&bytes[pair[0]..pair[1]], &mut out) {
            return (out, Some(fault.to_string()));
        }
    }
    (out, None)
}

/// Text of a person: said, as a name, a title, a sign, a query; the names that it mentions, and its words.
pub fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = &*text;
    let mut made = Vec::new();
    let mut note = |what: &str, problem: Option<String>| made.push(format!("{what} {}", problem.unwrap_or_default()));
    note(
        "body",
        protocol::body(text, 8192)
            .err()
            .map(|problem| problem.message.chars().filter(|c| !c.is_ascii_digit()).collect()),
    );
    note("title", protocol::title(text).err().map(|problem| problem.message));
    #[cfg(all(feature = "http", feature = "sqlite"))]
    {
        note("sign", protocol::sign(text).err().map(|problem| problem.message));
        note("topic", protocol::topic(text).err().map(|problem| problem.message));
    }
    note("room", RoomName::parse(text).err().map(str::to_owned));
    let name = PersonName::parse(text);
    if let Ok(name) = &name {
        assert_eq!(PersonName::parse(name.as_str()).as_ref(), Ok(name), "a name is one, however often it is read");
        let line = format!("{name}: hello");
        assert_eq!(line.split_once(": ").map(|(from, _)| from), Some(name.as_str()), "plain text shows who speaks");
    }
    note("name", name.err().map(str::to_owned));
    let query = Query::parse(text).map_err(|fault| {
        assert!(fault.at <= text.chars().count() + 1);
        fault.why
    });
    note("query", query.err());
    for names in mention::candidates(text) {
        assert!(names.iter().all(|name| !name.is_empty()));
    }
    let words = words::words(text);
    let mut end = 0;
    for word in &words {
        assert!(end <= word.at.start && word.at.start < word.at.end && text.get(word.at.clone()).is_some());
        end = word.at.end;
    }
    if let Some(word) = words.first() {
        let term = Term { words: vec![word.text.clone()], begun: false };
        assert!(words::find(text, &[term]).is_some_and(|marks| !marks.is_empty()), "a word of it is in it");
    }
    made.join(", ")
}
