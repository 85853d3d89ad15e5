//! What the operator sees first: where to go, where the data is, how many fit.

use super::classroom;
use super::settings::Settings;
use parlor::{Certificate, Error, Server};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};

/// Prints the greeting. A terminal that is gone is no reason not to serve.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// What there is to know of a server.
pub fn of(settings: &Settings, server: &Server, certificate: Option<&Certificate>) -> Result<String, Error> {
    // A lesson is nobody's: it is over before anyone could own it.
    let owner = if settings.classroom { None } else { server.owner_invitation()? };
    let capacity = server.capacity().to_string();
    Ok(greeting(settings, server.address(), &capacity, &addresses(), owner.as_deref(), certificate))
}

/// The addresses of this machine in its networks.
pub fn addresses() -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|i| i.ip()).collect();
    found.retain(|ip| matches!(ip, IpAddr::V4(v4) if !v4.is_loopback() && !v4.is_link_local()));
    // The address of a home or an office before that of a container or a tunnel.
    found.sort_by_key(|ip| match ip {
        IpAddr::V4(v4) if v4.octets()[0] == 192 => 0,
        IpAddr::V4(v4) if v4.octets()[0] == 10 => 1,
        IpAddr::V4(v4) if !v4.is_private() => 2,
        _ => 3,
    });
    found
}

fn greeting(
    settings: &Settings,
    address: SocketAddr,
    capacity: &str,
    networks: &[IpAddr],
    owner: Option<&str>,
    certificate: Option<&Certificate>,
) -> String {
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let mut text = format!("\n  Parlor {}\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |label: &str, value: &str| text.push_str(&format!("  {label:<6}{value}\n"));
    let everywhere = address.ip().is_unspecified();
    let own = if everywhere { SocketAddr::new([127, 0, 0, 1].into(), address.port()) } else { address };
    line("open", &format!("{scheme}://{own}"));
    let shared: Vec<String> = if everywhere {
        networks.iter().map(|ip| format!("{scheme}://{}", SocketAddr::new(*ip, address.port()))).collect()
    } else {
        vec![]
    };
    for url in &shared {
        line("", &format!("{url}  from other devices in this network"));
    }
    if settings.lan && shared.is_empty() {
        line("", "this machine is in no network that others could reach it through");
    }
    if settings.classroom {
        line("data", "in memory; at the end the lesson is written into a page here");
    } else if settings.memory {
        line("data", "in memory; nothing is kept after the end");
    } else if let Some(address) = &settings.database {
        line("data", &without_secrets(address));
    } else {
        let folder = std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone());
        line(
            "data",
            &format!("{} (SQLite, synchronous={})", folder.join("parlor.db").display(), settings.sync.as_str()),
        );
    }
    if let Some(certificate) = certificate {
        // In two lines: it is compared by eye.
        let (first, second) = certificate.fingerprint().split_at(48);
        line("tls", &format!("SHA-256 of the certificate: {first}"));
        line("", &format!("                            {second}"));
        if settings.tls.is_some() {
            line("", "it is this server's own: browsers warn of it; compare the two, and accept it");
        }
    }
    line("room", &format!("for {capacity}"));
    line("stop", "with Ctrl-C");
    if let Some(token) = owner {
        line(
            "own",
            &format!("{}/#invite={token}", shared.first().cloned().unwrap_or_else(|| format!("{scheme}://{own}"))),
        );
        line("", "nobody owns this server yet: whoever opens that link first does");
    }
    if settings.classroom {
        for (count, key) in classroom::KEYS.iter().enumerate() {
            line(if count == 0 { "keys" } else { "" }, key);
        }
    }
    if settings.lan
        && let Some(url) = shared.first()
        && let Ok(code) = QrCode::new(url)
    {
        text.push('\n');
        text.push_str(&drawn(&code, std::io::stdout().is_terminal()));
        text.push_str(&format!("  {url}\n"));
    }
    text.push('\n');
    text
}

/// An address without user, password and settings: whoever looks over a shoulder at the terminal need not see them.
fn without_secrets(address: &str) -> String {
    let bare = address.split('?').next().unwrap_or(address);
    match bare.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
        None => bare.into(),
    }
}

/// A QR code in half-height blocks, dark on light whatever the terminal's colours: a scanner wants it so.
fn drawn(code: &QrCode, colours: bool) -> String {
    let image =
        code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).quiet_zone(true).build();
    let (on, off) = if colours { ("\x1b[30;107m", "\x1b[0m") } else { ("", "") };
    image.lines().map(|line| format!("  {on}{line}{off}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use argh::FromArgs;

    fn greeted(args: &[&str], address: &str, networks: &[&str]) -> String {
        let settings = Settings::from_args(&["parlor"], args).unwrap();
        let networks: Vec<IpAddr> = networks.iter().map(|ip| ip.parse().unwrap()).collect();
        greeting(&settings, address.parse().unwrap(), "16000 clients, set by x = 1", &networks, None, None)
    }

    #[test]
    fn it_says_where_to_go_and_where_the_data_is() {
        let text = greeted(&[], "127.0.0.1:8080", &["192.168.1.4"]);
        assert!(text.contains("http://127.0.0.1:8080\n") && !text.contains("192.168"), "{text}");
        assert!(text.contains("parlor-data/parlor.db (SQLite, synchronous=full)"), "{text}");
        let shared = greeted(&["--database", "postgres://ann:secret@db/chat?password=secret"], "127.0.0.1:8080", &[]);
        assert!(shared.contains("postgres://db/chat\n") && !shared.contains("secret"), "{shared}");
        assert!(text.contains("for 16000 clients, set by x = 1"), "{text}");
    }

    #[test]
    fn in_a_network_it_draws_the_address() {
        let text = greeted(&["--lan", "--memory"], "0.0.0.0:8080", &["192.168.1.4"]);
        assert!(
            text.contains("http://127.0.0.1:8080") && text.contains("http://192.168.1.4:8080  from other devices"),
            "{text}"
        );
        assert!(text.contains('█') && text.contains("nothing is kept"), "{text}");
        assert!(greeted(&["--lan"], "0.0.0.0:8080", &[]).contains("in no network"));
    }
}
