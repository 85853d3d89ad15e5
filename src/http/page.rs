//! The page's files: compiled in, or read from a folder while one works on them.

use super::{Answer, POLICY, field, header, problem};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use tiny_http::{Request, Response};

/// Each file by its name, packed with gzip: see `build.rs`.
static WWW: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page, ready to be sent.
pub(super) struct Page {
    folder: Option<PathBuf>,
}

enum File {
    Packed(&'static [u8]),
    Plain(Vec<u8>),
}

impl Page {
    /// The page that was compiled in, or the one in `folder`.
    pub fn new(folder: Option<&Path>) -> Page {
        Page { folder: folder.map(Into::into) }
    }

    /// The file at `path`; `/` is the page itself.
    pub fn answer(&self, path: &str, request: &Request) -> Answer {
        let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
        let Some(file) = self.file(name) else {
            return problem(404, "not_found", "there is nothing here; the chat is at /");
        };
        let etag = file.etag();
        let known = header(request, "If-None-Match").is_some_and(|known| known.contains(&etag));
        let takes_gzip = header(request, "Accept-Encoding").is_some_and(|accepts| accepts.contains("gzip"));
        let gzip = takes_gzip && matches!(file, File::Packed(_));
        let (status, body) = match known {
            true => (304, Vec::new()),
            false => (200, file.body(gzip).into_owned()),
        };
        let mut answer = Response::from_data(body)
            .with_status_code(status)
            .with_header(field("ETag", &etag))
            .with_header(field("Cache-Control", "no-cache"))
            .with_header(field("Vary", "Accept-Encoding"))
            .with_header(field("X-Content-Type-Options", "nosniff"))
            .with_header(field("Referrer-Policy", "no-referrer"));
        answer.add_header(field("Content-Type", kind(name)));
        if gzip && !known {
            answer.add_header(field("Content-Encoding", "gzip"));
        }
        if kind(name).starts_with("text/html") {
            answer.add_header(field("Content-Security-Policy", &policy(request)));
        }
        answer
    }

    fn file(&self, name: &str) -> Option<File> {
        match &self.folder {
            Some(folder) => read(folder, name).map(File::Plain),
            None => WWW.iter().find(|(known, _)| *known == name).map(|(_, packed)| File::Packed(packed)),
        }
    }
}

/// Some browsers do not count a WebSocket to the page's own server as `'self'`.
fn policy(request: &Request) -> String {
    match header(request, "Host")
        .filter(|host| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b)))
    {
        Some(host) => format!("{POLICY} ws://{host} wss://{host}"),
        None => POLICY.into(),
    }
}

/// A file of the folder, never one outside it.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let plain = |part: std::path::Component| matches!(part, std::path::Component::Normal(_));
    Path::new(name).components().all(plain).then(|| std::fs::read(folder.join(name)).ok())?
}

impl File {
    /// Weak, for the packed form and the plain one share it.
    fn etag(&self) -> String {
        let digest = match self {
            File::Packed(packed) => Sha256::digest(packed),
            File::Plain(plain) => Sha256::digest(plain),
        };
        format!("W/\"{}\"", digest[..12].iter().map(|b| format!("{b:02x}")).collect::<String>())
    }

    fn body(&self, gzip: bool) -> Cow<'_, [u8]> {
        match self {
            File::Packed(packed) if gzip => Cow::Borrowed(packed),
            File::Packed(packed) => Cow::Owned(unpacked(packed)),
            File::Plain(plain) => Cow::Borrowed(plain),
        }
    }
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    // What was packed here is whole: nothing here can fail.
    let _ = GzDecoder::new(packed).read_to_end(&mut plain);
    plain
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}
