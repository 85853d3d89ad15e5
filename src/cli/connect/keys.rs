//! Bytes of a terminal in, keys out. Pure; a sequence may come in pieces.

/// What a person did.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    Char(char),
    /// Text that was pasted, line ends and all.
    Paste(String),
    Enter,
    /// A line end within the text.
    LineBreak,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    /// Ctrl-W and Alt-Backspace; Alt-D; Ctrl-U; Ctrl-K.
    CutWordLeft,
    CutWordRight,
    CutLeft,
    CutRight,
    /// Ctrl-Y puts back what was cut.
    PutBack,
    /// Ctrl-L.
    Redraw,
    /// Ctrl-C, Ctrl-D and Ctrl-Z.
    Interrupt,
    Over,
    Suspend,
}

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// Holds what is not complete yet.
#[derive(Default)]
pub struct Keys {
    pending: Vec<u8>,
}

impl Keys {
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.pending.extend_from_slice(bytes);
        let mut keys = Vec::new();
        let mut at = 0;
        while let Some((length, key)) = first(&self.pending[at..]) {
            at += length;
            keys.extend(key);
        }
        self.pending.drain(..at);
        keys
    }
}

/// The first key, if any, and how many bytes it took; nothing while it is not complete.
fn first(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let key = |key| Some((1, Some(key)));
    match *bytes.first()? {
        b'\r' => key(Key::Enter),
        // As a pipe or a script types it, and Ctrl-J.
        b'\n' => key(Key::Enter),
        b'\t' => key(Key::Tab),
        0x7f | 0x08 => key(Key::Backspace),
        0x01 => key(Key::Home),
        0x02 => key(Key::Left),
        0x03 => key(Key::Interrupt),
        0x04 => key(Key::Over),
        0x05 => key(Key::End),
        0x06 => key(Key::Right),
        0x0b => key(Key::CutRight),
        0x0c => key(Key::Redraw),
        0x0e => key(Key::Down),
        0x10 => key(Key::Up),
        0x15 => key(Key::CutLeft),
        0x17 => key(Key::CutWordLeft),
        0x19 => key(Key::PutBack),
        0x1a => key(Key::Suspend),
        0x1b => escaped(bytes),
        0x00..=0x1f => Some((1, None)),
        _ => character(bytes),
    }
}

/// A character of UTF-8; a byte that cannot belong to one is let fall.
fn character(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let start = &bytes[..bytes.len().min(4)];
    let chunk = start.utf8_chunks().next()?;
    if let Some(c) = chunk.valid().chars().next() {
        return Some((c.len_utf8(), Some(Key::Char(c))));
    }
    let expected = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let cut_short = bytes.len() < expected && chunk.invalid().len() == bytes.len();
    if cut_short { None } else { Some((chunk.invalid().len(), None)) }
}

fn escaped(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    if bytes.starts_with(PASTE_BEGINS) {
        let text = &bytes[PASTE_BEGINS.len()..];
        let end = text.windows(PASTE_ENDS.len()).position(|part| part == PASTE_ENDS)?;
        let pasted = String::from_utf8_lossy(&text[..end]).replace("\r\n", "\n").replace('\r', "\n");
        return Some((PASTE_BEGINS.len() + end + PASTE_ENDS.len(), Some(Key::Paste(pasted))));
    }
    match *bytes.get(1)? {
        b'[' | b'O' => sequence(bytes),
        // Escape twice: the first was pressed alone.
        0x1b => Some((1, None)),
        0x7f | 0x08 => Some((2, Some(Key::CutWordLeft))),
        b'b' => Some((2, Some(Key::WordLeft))),
        b'f' => Some((2, Some(Key::WordRight))),
        b'd' => Some((2, Some(Key::CutWordRight))),
        b'\r' | b'\n' => Some((2, Some(Key::LineBreak))),
        _ => Some((2, None)),
    }
}

/// What begins with `ESC [` or `ESC O`: parameters, and a last byte that tells the key (ECMA-48 section 5.4).
fn sequence(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let length = bytes.iter().skip(2).position(|byte| (0x40..=0x7e).contains(byte))? + 3;
    let parameters = &bytes[2..length - 1];
    // `1;5` and `1;3` before the last byte: with Ctrl, with Alt.
    let by_word = parameters.ends_with(b";5") || parameters.ends_with(b";3");
    let key = match bytes[length - 1] {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(if by_word { Key::WordRight } else { Key::Right }),
        b'D' => Some(if by_word { Key::WordLeft } else { Key::Left }),
        b'F' => Some(Key::End),
        b'H' => Some(Key::Home),
        b'~' => match parameters {
            b"1" | b"7" => Some(Key::Home),
            b"3" => Some(Key::Delete),
            b"3;5" | b"3;3" => Some(Key::CutWordRight),
            b"4" | b"8" => Some(Key::End),
            _ => None,
        },
        _ => None,
    };
    Some((length, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8], piece: usize) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes.chunks(piece).flat_map(|piece| keys.feed(piece)).collect()
    }

    #[test]
    fn keys_are_the_same_in_whatever_pieces_they_come() {
        let bytes = "a界\u{1b}[A\u{1b}[1;5C\u{1b}OF\u{1b}[3~\u{1b}b\u{7f}\r\u{1b}\r\u{3}\u{1b}[200~x\r\ny\u{1b}[201~z";
        let keys = [
            Key::Char('a'),
            Key::Char('界'),
            Key::Up,
            Key::WordRight,
            Key::End,
            Key::Delete,
            Key::WordLeft,
            Key::Backspace,
            Key::Enter,
            Key::LineBreak,
            Key::Interrupt,
            Key::Paste("x\ny".into()),
            Key::Char('z'),
        ];
        for piece in [1, 2, 3, 7, bytes.len()] {
            assert_eq!(typed(bytes.as_bytes(), piece), keys, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_means_nothing_is_let_fall() {
        assert_eq!(
            typed(b"\xff\xc3a\x80\x1b[99~\x1b[?1;2cb\x1bqc\x07", 1),
            [Key::Char('a'), Key::Char('b'), Key::Char('c')]
        );
        assert_eq!(typed(b"\x1b\x1b[A", 1), [Key::Up]);
    }
}
