//! A picture that somebody sends: small, and of a kind that browsers show as a picture and as nothing else.

use super::{Answer, problem};
use std::io::Read;
use tiny_http::Request;

/// The largest picture, in bytes. The front lets no larger body through.
const LARGEST: u64 = 64 * 1024;

/// The body of a request, if it is a picture.
pub(super) fn read(request: &mut Request) -> Result<Vec<u8>, Answer> {
    let mut picture = Vec::new();
    let read = request.as_reader().take(LARGEST + 1).read_to_end(&mut picture);
    if read.is_err() || picture.len() as u64 > LARGEST {
        return Err(problem(413, "too_large", "a picture has 64 KiB at most"));
    }
    match kind(&picture) {
        Some(_) => Ok(picture),
        None => Err(problem(415, "bad_picture", "send a picture as PNG, JPEG, WebP or GIF")),
    }
}

/// What kind of picture it is, by its first bytes; what the sender calls it does not count.
pub(super) fn kind(picture: &[u8]) -> Option<&'static str> {
    match picture {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0..."), Some("image/jpeg"));
        assert_eq!(kind(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind(b"GIF89a"), Some("image/gif"));
        for other in [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"<html>", b"RIFF....WAVE", b"GIF", b""] {
            assert_eq!(kind(other), None, "{other:?}");
        }
    }
}
