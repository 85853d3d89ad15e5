//! The page's files: compiled in, or read from a folder while one works on them.

use super::{Answer, POLICY, field, header, problem};
use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tiny_http::{Request, Response};

static WWW: Dir = include_dir!("$CARGO_MANIFEST_DIR/www");

/// The page, ready to be sent.
pub(super) struct Page {
    folder: Option<PathBuf>,
    files: OnceLock<HashMap<String, Arc<File>>>,
}

struct File {
    kind: &'static str,
    etag: String,
    plain: Vec<u8>,
    gzip: Vec<u8>,
}

impl Page {
    /// The page that was compiled in, or the one in `folder`.
    pub fn new(folder: Option<&Path>) -> Page {
        Page { folder: folder.map(Into::into), files: OnceLock::new() }
    }

    /// The file at `path`; `/` is the page itself.
    pub fn answer(&self, path: &str, request: &Request) -> Answer {
        let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
        let Some(file) = self.file(name) else {
            return problem(404, "not_found", "there is nothing here; the chat is at /");
        };
        let known = header(request, "If-None-Match").is_some_and(|known| known.contains(&file.etag));
        let gzip = header(request, "Accept-Encoding").is_some_and(|accepts| accepts.contains("gzip"));
        let (status, body) = match (known, gzip) {
            (true, _) => (304, Vec::new()),
            (false, true) => (200, file.gzip.clone()),
            (false, false) => (200, file.plain.clone()),
        };
        let mut answer = Response::from_data(body)
            .with_status_code(status)
            .with_header(field("ETag", &file.etag))
            .with_header(field("Cache-Control", "no-cache"))
            .with_header(field("Vary", "Accept-Encoding"))
            .with_header(field("X-Content-Type-Options", "nosniff"))
            .with_header(field("Referrer-Policy", "no-referrer"));
        answer.add_header(field("Content-Type", file.kind));
        if gzip && !known {
            answer.add_header(field("Content-Encoding", "gzip"));
        }
        if file.kind.starts_with("text/html") {
            answer.add_header(field("Content-Security-Policy", &policy(request)));
        }
        answer
    }

    fn file(&self, name: &str) -> Option<Arc<File>> {
        match &self.folder {
            Some(folder) => read(folder, name).map(|plain| Arc::new(File::new(name, plain))),
            // Packed at the first request: a server starts faster without, and an API alone never needs it.
            None => self.files.get_or_init(compiled_in).get(name).cloned(),
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

fn compiled_in() -> HashMap<String, Arc<File>> {
    fn collect(folder: &Dir, files: &mut HashMap<String, Arc<File>>) {
        for file in folder.files() {
            let name = file.path().to_string_lossy().into_owned();
            files.insert(name.clone(), Arc::new(File::new(&name, file.contents().to_vec())));
        }
        folder.dirs().for_each(|folder| collect(folder, files));
    }
    let mut files = HashMap::new();
    collect(&WWW, &mut files);
    files
}

/// A file of the folder, never one outside it.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let plain = |part: std::path::Component| matches!(part, std::path::Component::Normal(_));
    Path::new(name).components().all(plain).then(|| std::fs::read(folder.join(name)).ok())?
}

impl File {
    fn new(name: &str, plain: Vec<u8>) -> File {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        // Into memory: nothing here can fail.
        let gzip = packer.write_all(&plain).and_then(|()| packer.finish()).unwrap_or_default();
        let digest = Sha256::digest(&plain);
        // Weak, for the packed form and the plain one share it.
        let etag = format!("W/\"{}\"", digest[..12].iter().map(|b| format!("{b:02x}")).collect::<String>());
        File { kind: kind(name), etag, plain, gzip }
    }
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
