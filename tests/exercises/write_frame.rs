exercise!(write_frame, "yours to make pass: examples/exercises/write_frame.rs");

use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocket};

fn check(write_frame: impl Fn(&str, Option<[u8; 4]>) -> Vec<u8>) {
    // The first two are examples of RFC 6455, section 5.7.
    let hello = write_frame("Hello", None);
    assert_eq!(format!("{hello:02x?}"), "[81, 05, 48, 65, 6c, 6c, 6f]", "Hello, without a mask");
    let masked = write_frame("Hello", Some([0x37, 0xfa, 0x21, 0x3d]));
    assert_eq!(format!("{masked:02x?}"), "[81, 85, 37, fa, 21, 3d, 7f, 9f, 4d, 51, 58]", "Hello, with a mask");
    assert_eq!(write_frame("", None), [0x81, 0], "an empty text");
    assert_eq!(write_frame("ü", None), [0x81, 2, 0xc3, 0xbc], "the length is in bytes, not in letters");
    for length in [125, 126, 127, 128, 255, 256, 65535, 65536, 70_000] {
        let text = "x".repeat(length);
        for (mask, reader, size) in [(None, Role::Client, 0), (Some([1, 2, 3, 250]), Role::Server, 4)] {
            let frame = write_frame(&text, mask);
            let size = size
                + length
                + if length < 126 {
                    2
                } else if length < 65536 {
                    4
                } else {
                    10
                };
            assert_eq!(frame.len(), size, "the frame of {length} letters, mask {mask:?}: as short as can be");
            let mut socket = WebSocket::from_raw_socket(std::io::Cursor::new(frame), reader, None);
            match socket.read() {
                Ok(Message::Text(read)) => {
                    assert!(read == text, "{length} letters, mask {mask:?}: they come out wrong")
                }
                other => panic!("{length} letters, mask {mask:?}: {other:?}"),
            }
        }
    }
}
