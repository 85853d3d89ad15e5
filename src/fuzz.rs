//! What strangers send, made at random: nothing of it makes a parser panic, and how it is cut up changes nothing.

mod mutants;
mod targets;

use crate::front;
use crate::head;
use crate::protocol::{self, Limits};
use crate::proxy::Preface;
use flate2::{Compress, Compression, FlushCompress};
use proptest::collection::vec;
use proptest::prelude::*;
use targets::{LIMIT, unpacked};

/// Bytes that look like a request, more or less.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        "[A-Z]{1,8}",
        "/[ -~]{0,20}",
        Just(" ".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("HTTP/1.1".to_owned()),
        Just("HTTP/1.0".to_owned()),
        "(Host|Content-Length|Transfer-Encoding|Connection|Upgrade|Cookie|Origin): ?[ -~]{0,20}\r\n",
        Just("Content-Length: 5\r\n".to_owned()),
        Just("Content-Length: 99999999999999999999\r\n".to_owned()),
        "\\PC{0,5}",
    ];
    let words = vec(word, 0..20).prop_map(|words| words.concat().into_bytes());
    let clear =
        "(GET|POST|PUT) /[a-z/?=&%]{0,20} HTTP/1.1\r\n((Host|Cookie|X|Content-Length): [a-z0-9=; ]{0,9}\r\n){0,4}\r\n";
    prop_oneof![words, clear.prop_map(String::into_bytes), vec(any::<u8>(), 0..200)]
}

/// JSON that looks like a frame, more or less.
fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "-?[0-9]{1,20}",
        "\"\\PC{0,10}\"",
        Just("\"lobby\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[\"ann\",7,[]]".to_owned()),
        Just("{\"a\":{}}".to_owned()),
        Just("1e999".to_owned()),
    ];
    let kinds =
        "join|leave|create|direct|change|invite|remove|quit|members|post|edit|delete|react|typing|read|history|ping";
    let names =
        "room|since|last|id|body|seq|emoji|on|ref|title|kind|topic|members|people|name|before|limit|t|reply_to|rev";
    let fields = vec((names, value), 0..7)
        .prop_map(|fields| fields.into_iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect::<String>());
    let frame = (kinds, fields).prop_map(|(kind, fields)| format!("{{\"type\":\"{kind}\"{fields}}}"));
    prop_oneof![4 => frame, 1 => "\\PC{0,60}", 1 => "[\\[{]{0,200}"]
}

/// Frames of a client, of which some are packed, and some are nothing that makes sense.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first =
        prop_oneof![Just(0xc1u8), Just(0x41), Just(0x80), Just(0x00), Just(0x81), Just(0x89), Just(0xc2), any::<u8>()];
    let packed = vec(any::<u8>(), 0..300).prop_map(|bytes| pack(&bytes));
    let payload = prop_oneof![packed, vec(any::<u8>(), 0..300)];
    let frame = (first, payload, any::<[u8; 4]>(), 0..20)
        .prop_map(|(first, payload, mask, odd)| if odd == 0 { payload } else { frame(first, &payload, mask) });
    vec(frame, 0..8).prop_map(|frames| frames.concat())
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 100);
    Compress::new(Compression::fast(), false).compress_vec(bytes, &mut packed, FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ ..126 => bytes.push(0x80 | short as u8),
        middle => {
            bytes.push(0x80 | 126);
            bytes.extend((middle as u16).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_read_refused_or_waited_for(bytes in request()) {
        match head::parse(&bytes) {
            Ok(Some(head)) => {
                prop_assert!(head.request.uri().path().starts_with('/'));
                prop_assert!(bytes.ends_with(&head.rest));
                match front::check(&head) {
                    Ok(length) => prop_assert!(length <= LIMIT),
                    Err(refusal) => prop_assert!((400..500).contains(&refusal.status)),
                }
            }
            Ok(None) => {}
            Err(refusal) => prop_assert!([400, 431].contains(&refusal.status)),
        }
    }

    #[test]
    fn a_frame_of_json_is_a_request_or_a_problem(text in json()) {
        if let Err(problem) = protocol::parse(&text, &Limits::new(8192, LIMIT)) {
            prop_assert!(!problem.answering(&text).message.is_empty());
        }
    }

    #[test]
    fn what_a_proxy_says_is_never_longer_than_what_came(bytes in vec(any::<u8>(), 0..64), line in any::<bool>()) {
        let prefix: &[u8] = if line { b"PROXY " } else { b"\r\n\r\n\0\r\nQUIT\n" };
        let bytes = [prefix, &bytes].concat();
        if let Preface::Read(length, ..) = Preface::of(&bytes) {
            prop_assert!(length <= bytes.len());
        }
    }

    #[test]
    fn frames_come_out_the_same_however_they_are_cut(bytes in frames(), cuts in vec(any::<prop::sample::Index>(), 0..9)) {
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        prop_assert_eq!(unpacked(&bytes, &[]), unpacked(&bytes, &cuts));
    }

    #[test]
    fn a_packed_message_comes_out_as_it_was(
        message in vec(any::<u8>(), 0..3000),
        repeated in 1..20usize,
        mask in any::<[u8; 4]>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let message = message.repeat(repeated);
        let packed = pack(&message);
        let (begin, end) = packed.split_at(cut.index(packed.len() + 1));
        let (out, fault) = unpacked(&[frame(0x42, begin, mask), frame(0x80, end, mask)].concat(), &[]);
        prop_assert_eq!(fault, None);
        prop_assert!(out.ends_with(&message) && out[0] == 0x82 && out.len() <= message.len() + 14);
    }
}
