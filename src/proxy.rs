//! What a proxy that is trusted says of who comes through it: in a line before all else (the PROXY protocol, versions 1 and
//! 2), or in header fields. Pure. Whoever is not trusted may say what he likes: nobody looks.

use crate::head::Head;
use ipnet::IpNet;
use ppp::{HeaderResult, v1, v2};
use std::net::{IpAddr, SocketAddr};

/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;

/// What version 2 takes before its length is known.
const FIXED_PART: usize = 16;

/// The longest header of version 2 that makes sense: addresses, and some fields about TLS.
const LONGEST: usize = 4096;

/// Reads a network, or a single address: `10.0.0.0/8`, `::1`.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether what comes from this address comes through a proxy of ours.
pub(crate) fn is_trusted(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// What stands before the first request.
#[derive(Debug, PartialEq)]
pub(crate) enum Preface {
    /// It may come, or be longer: more is to be read.
    Unknown,
    /// There is none.
    Absent,
    /// So many bytes: where the client is, if the proxy says so, and whether it came to the proxy over TLS.
    Read(usize, Option<SocketAddr>, bool),
    /// It began as one and went wrong.
    Malformed,
}

impl Preface {
    /// Looks at the first bytes of a connection.
    pub fn of(bytes: &[u8]) -> Preface {
        let (line, binary) = (v1::PROTOCOL_PREFIX.as_bytes(), v2::PROTOCOL_PREFIX);
        let begins = |prefix: &[u8]| bytes.iter().zip(prefix).all(|(byte, other)| byte == other);
        let whole = match (begins(line), begins(binary)) {
            (false, false) => return Preface::Absent,
            _ if bytes.len() < line.len() => return Preface::Unknown,
            (true, _) => match bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if bytes.len() < LONGEST_LINE => return Preface::Unknown,
                None => return Preface::Malformed,
            },
            (_, true) => {
                let Some(length) = bytes.get(FIXED_PART - 2..FIXED_PART) else { return Preface::Unknown };
                FIXED_PART + usize::from(u16::from_be_bytes([length[0], length[1]]))
            }
        };
        if whole > LONGEST {
            return Preface::Malformed;
        }
        bytes.get(..whole).map_or(Preface::Unknown, Preface::parse)
    }

    fn parse(all: &[u8]) -> Preface {
        let (address, secure) = match HeaderResult::parse(all) {
            HeaderResult::V1(Ok(header)) => match header.addresses {
                v1::Addresses::Tcp4(ip) => (Some((ip.source_address, ip.source_port).into()), false),
                v1::Addresses::Tcp6(ip) => (Some((ip.source_address, ip.source_port).into()), false),
                v1::Addresses::Unknown => (None, false),
            },
            HeaderResult::V2(Ok(header)) => (source(&header), came_over_tls(&header)),
            _ => return Preface::Malformed,
        };
        Preface::Read(all.len(), address, secure)
    }
}

/// The proxy looking after the server itself says `LOCAL`, and means nobody.
fn source(header: &v2::Header) -> Option<SocketAddr> {
    match header.addresses {
        _ if header.command == v2::Command::Local => None,
        v2::Addresses::IPv4(ip) => Some((ip.source_address, ip.source_port).into()),
        v2::Addresses::IPv6(ip) => Some((ip.source_address, ip.source_port).into()),
        _ => None,
    }
}

/// The field about TLS begins with flags, of which the first says so.
fn came_over_tls(header: &v2::Header) -> bool {
    let about_tls = u8::from(v2::Type::SSL);
    header.tlvs().flatten().any(|field| field.kind == about_tls && field.value.first().is_some_and(|f| f & 1 == 1))
}

/// Where a request really comes from, by its header fields, and whether it came to the proxy over TLS. Of the chain in
/// `X-Forwarded-For` the last that is no proxy of ours: all before that anybody may have written.
pub(crate) fn forwarded(head: &Head, networks: &[IpNet]) -> (Option<SocketAddr>, bool) {
    let mut address = None;
    for step in list(head, "x-forwarded-for").rev() {
        let Some(ip) = ip(step) else { break };
        address = Some(SocketAddr::new(ip, 0));
        if !is_trusted(networks, ip) {
            break;
        }
    }
    let secure = list(head, "x-forwarded-proto").next_back().is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    (address, secure)
}

fn list<'a>(head: &'a Head, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let values = head.request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).collect::<Vec<_>>().into_iter()
}

/// Some write a port behind it.
fn ip(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tungstenite::http::Request;

    fn networks(all: &[&str]) -> Vec<IpNet> {
        all.iter().map(|text| network(text).unwrap()).collect()
    }

    #[test]
    fn networks_and_single_addresses_are_read() {
        let trusted = networks(&["10.0.0.0/8", "127.0.0.1", "fd00::/8"]);
        for ours in ["10.1.2.3", "127.0.0.1", "::ffff:10.9.9.9", "fd00::7"] {
            assert!(is_trusted(&trusted, ours.parse().unwrap()), "{ours}");
        }
        for other in ["11.0.0.1", "127.0.0.2", "::1"] {
            assert!(!is_trusted(&trusted, other.parse().unwrap()), "{other}");
        }
        assert!(network("10.0.0.0/33").is_none() && network("proxy").is_none());
    }

    #[test]
    fn a_line_before_the_request_is_read_whole_or_not_at_all() {
        let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 51234 443\r\nGET / HTTP/1.1\r\n";
        let end = line.iter().position(|b| *b == b'\n').unwrap() + 1;
        for cut in 0..end {
            assert_eq!(Preface::of(&line[..cut]), Preface::Unknown, "{cut}");
        }
        let read = Preface::Read(end, Some("192.0.2.7:51234".parse().unwrap()), false);
        assert_eq!(Preface::of(&line[..end]), read);
        assert_eq!(Preface::of(line), read);
        assert_eq!(Preface::of(b"PROXY UNKNOWN\r\n"), Preface::Read(15, None, false));
        for none in ["POST / HTTP/1.1\r\n", "GET /", "\x16\x03\x01", "PR0XY"] {
            assert_eq!(Preface::of(none.as_bytes()), Preface::Absent, "{none:?}");
        }
        let long = format!("PROXY TCP4 {}\r\n", "1".repeat(200));
        for wrong in ["PROXY TCP4 nobody 10.0.0.1 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n", &long] {
            assert_eq!(Preface::of(wrong.as_bytes()), Preface::Malformed, "{wrong:?}");
        }
    }

    #[test]
    fn a_binary_preface_tells_of_tls_too() {
        let mut bytes = v2::PROTOCOL_PREFIX.to_vec();
        bytes.extend([0x21, 0x11, 0, 12 + 8]); // PROXY, TCP over IPv4
        bytes.extend([192, 0, 2, 7, 10, 0, 0, 1, 0xc8, 0x22, 1, 0xbb]);
        bytes.extend([0x20, 0, 5, 1, 0, 0, 0, 0]); // PP2_TYPE_SSL with PP2_CLIENT_SSL
        for cut in 0..bytes.len() {
            assert_eq!(Preface::of(&bytes[..cut]), Preface::Unknown, "{cut}");
        }
        let read = Preface::Read(bytes.len(), Some("192.0.2.7:51234".parse().unwrap()), true);
        assert_eq!(Preface::of(&[&bytes[..], b"GET"].concat()), read);
        bytes[12] = 0x20; // LOCAL
        assert_eq!(Preface::of(&bytes), Preface::Read(bytes.len(), None, true));
        bytes[12] = 0x31; // a version that is none
        assert_eq!(Preface::of(&bytes), Preface::Malformed);
        (bytes[12], bytes[14]) = (0x21, 0xff);
        assert_eq!(Preface::of(&bytes), Preface::Malformed, "too long");
    }

    #[test]
    fn of_a_chain_the_last_that_is_no_proxy_of_ours_counts() {
        let trusted = networks(&["10.0.0.0/8"]);
        let asks = |fields: &[(&str, &str)]| {
            let request = fields.iter().fold(Request::builder().uri("/"), |r, (name, value)| r.header(*name, *value));
            forwarded(&Head { request: request.body(()).unwrap(), rest: Vec::new() }, &trusted)
        };
        let from = |ip: &str| Some(SocketAddr::new(ip.parse().unwrap(), 0));
        let chain = |value| asks(&[("x-forwarded-for", value)]).0;
        assert_eq!(chain("6.6.6.6, 192.0.2.7, 10.1.1.1"), from("192.0.2.7"), "what stands before is hearsay");
        assert_eq!(chain("192.0.2.7:4711"), from("192.0.2.7"));
        assert_eq!(chain("[2001:db8::1]"), from("2001:db8::1"));
        assert_eq!(chain("[2001:db8::1]:4711"), from("2001:db8::1"));
        assert_eq!(chain("10.2.2.2, 10.1.1.1"), from("10.2.2.2"), "one of ours asks itself");
        assert_eq!(chain("192.0.2.7, unknown"), None);
        assert_eq!(asks(&[]), (None, false));
        let two = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "HTTPS")];
        assert_eq!(asks(&two), (from("192.0.2.7"), true));
        assert!(!asks(&[("x-forwarded-proto", "https, http")]).1);
    }
}
