use data_encoding::BASE64;
use sha1::{Digest, Sha1};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

pub fn accept_key(key: &str) -> Option<String> {
    let bytes = BASE64.decode(key.as_bytes()).ok()?;
    (bytes.len() == 16).then(|| BASE64.encode(&Sha1::digest(format!("{key}{GUID}"))))
}
