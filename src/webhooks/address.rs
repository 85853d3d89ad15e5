//! Where a webhook may point to: not to this machine, nor into a network that only machines here can reach.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use tungstenite::http::Uri;

/// The longest URL, in characters.
const LONGEST: usize = 2000;

/// Addresses that are not of the open Internet (IANA's registries of special-purpose addresses).
const SPECIAL: [&str; 24] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/127",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
];

/// The networks that the operator allows besides.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    allowed: Vec<IpNet>,
    special: Vec<IpNet>,
}

impl Networks {
    /// Those that are written so, as in `10.1.0.0/16`; an address alone is a network of one.
    pub fn parse(allowed: &[String]) -> Result<Networks, String> {
        let read = |text: &String| -> Result<IpNet, String> {
            let text = text.trim();
            let one = text.parse::<IpAddr>().map(IpNet::from);
            one.or_else(|_| text.parse()).map_err(|_| format!("{text:?} is no network, as 10.1.0.0/16 is one"))
        };
        let allowed = allowed.iter().map(read).collect::<Result<_, _>>()?;
        let special = SPECIAL.iter().filter_map(|text| text.parse().ok()).collect();
        Ok(Networks { allowed, special })
    }

    /// Whether something may be sent there.
    pub fn allow(&self, address: SocketAddr) -> bool {
        let within = |networks: &[IpNet], ip: IpAddr| networks.iter().any(|network| network.contains(&ip));
        let ip = address.ip().to_canonical();
        if within(&self.allowed, ip) {
            return true;
        }
        let special = within(&self.special, ip) || carried(ip).is_some_and(|inner| within(&self.special, inner));
        !special && !is_own(address)
    }
}

/// The address of the old kind that one of the new kind stands for: behind a translator, or through 6to4.
fn carried(ip: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(ip) = ip else { return None };
    let bytes = ip.octets();
    let four = |at: usize| IpAddr::V4(Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]));
    match ip.segments() {
        [0x64, 0xff9b, ..] => Some(four(12)),
        [0x2002, ..] => Some(four(2)),
        // Deprecated, and some systems still take it for the address that it ends with.
        [0, 0, 0, 0, 0, 0, ..] => Some(four(12)),
        _ => None,
    }
}

/// Whether it is an address of this machine: what goes there would come from there. Nothing is sent to find that out.
fn is_own(address: SocketAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let asked = UdpSocket::bind(any).and_then(|socket| socket.connect(address).and_then(|()| socket.local_addr()));
    asked.is_ok_and(|own| own.ip() == address.ip())
}

/// Checks what can be known of a URL before anybody is asked for the address of its host.
pub(crate) fn checked_url(text: &str, networks: &Networks) -> Result<String, &'static str> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err("it has 2000 characters at most");
    }
    let uri: Uri = text.parse().map_err(|_| "it is no URL")?;
    let port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err("it must begin with http:// or https://"),
    };
    let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or("it names no host")?;
    if authority.as_str().contains('@') {
        return Err("no name and password in it: what is sent is signed");
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(port);
    let inward =
        "it is of this machine or of a private network, which only the operator can allow, with --webhook-allow";
    match host.parse::<IpAddr>() {
        Ok(ip) if !networks.allow((ip, port).into()) => Err(inward),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_open_internet_is_allowed() {
        let networks = Networks::parse(&[]).unwrap();
        assert_eq!(networks.special.len(), SPECIAL.len(), "each of them is read");
        let allow = |ip: &str| networks.allow((ip.parse::<IpAddr>().unwrap(), 80).into());
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.4",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "2001:0:1::1",
            "2001:db8::1",
            "::10.0.0.1",
        ] {
            assert!(!allow(ip), "{ip}");
        }
        for ip in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(allow(ip), "{ip}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_allowed() {
        let networks = Networks::parse(&["10.1.0.0/16".into(), " ::1 ".into(), "127.0.0.1".into()]).unwrap();
        let allow = |ip: &str| networks.allow((ip.parse::<IpAddr>().unwrap(), 80).into());
        assert!(allow("10.1.2.3") && allow("::1") && allow("127.0.0.1") && allow("::ffff:10.1.0.9"));
        assert!(!allow("10.2.0.1") && !allow("127.0.0.2"));
        assert!(Networks::parse(&["10.1.0.0/99".into()]).unwrap_err().contains("10.1.0.0/99"));
    }

    #[test]
    fn a_url_is_checked_before_it_is_kept() {
        let networks = Networks::parse(&[]).unwrap();
        let why = |url: &str| checked_url(url, &networks).err().unwrap_or_default();
        for url in ["https://example.org/hook?a=b", "http://example.org:8080", "https://[2606:4700::1111]/"] {
            assert_eq!(why(url), "", "{url}");
        }
        for (url, word) in [
            ("example.org", "http://"),
            ("ftp://example.org", "http://"),
            ("https://", "URL"),
            ("https://a:b@example.org", "signed"),
            ("http://127.0.0.1:8080/api", "private"),
            ("http://[::1]/", "private"),
            ("http://[fd00::1]:80/", "private"),
            (&format!("https://example.org/{}", "x".repeat(2000)), "2000"),
        ] {
            assert!(why(url).contains(word), "{url}: {}", why(url));
        }
    }
}
