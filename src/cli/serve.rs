//! `parlor`: starts the server, says where it is, and stops it when asked to.

use super::certificate::Source;
use super::classroom::Classroom;
use super::greeting;
use super::settings::Settings;
use log::LevelFilter;
use parlor::{Capacity, Certificate, Error, Handle, Server};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use simplelog::{ColorChoice, ConfigBuilder, LevelPadding, TermLogger, TerminalMode};
use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use time::macros::format_description;

/// What a shell expects of a program that a second Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

pub fn run(settings: &Settings) -> Result<(), Error> {
    let calm = if settings.classroom { LevelFilter::Warn } else { LevelFilter::Info };
    start_log(settings.log.unwrap_or(calm));
    Capacity::raise_descriptor_limit();
    let source = Source::of(settings)?;
    let certificate = source.as_ref().map(|source| source.read(&greeting::addresses())).transpose()?;
    if settings.classroom {
        return teach(settings, source, certificate);
    }
    let server = builder(settings, certificate.clone())?.bind()?;
    let handle = server.handle();
    if let Some(source) = source {
        on_hangup(source, server.handle())?;
    }
    // Before the greeting: whoever has read it may press Ctrl-C.
    on_signals(move || handle.shutdown(), || {})?;
    greeting::print(&greeting::of(settings, &server, certificate.as_ref())?);
    server.run()
}

fn teach(settings: &Settings, source: Option<Source>, certificate: Option<Certificate>) -> Result<(), Error> {
    let lesson = Classroom::default();
    let server = lesson.equip(builder(settings, certificate.clone())?).bind()?;
    if let Some(source) = source {
        on_hangup(source, server.handle())?;
    }
    let (first, second, handle) = (lesson.clone(), lesson.clone(), server.handle());
    on_signals(move || first.end(&handle), move || second.give_terminal_back())?;
    let greeting = greeting::of(settings, &server, certificate.as_ref())?;
    greeting::print(&greeting);
    lesson.attend(server.handle(), greeting)?;
    let ended = server.run();
    lesson.export().and(ended)
}

fn builder(settings: &Settings, certificate: Option<Certificate>) -> Result<parlor::Builder, Error> {
    let listen = match (settings.listen, settings.lan) {
        (Some(address), true) if address.ip().is_loopback() => {
            return Err(Error::Setting(format!(
                "--lan is for other machines, and only this one reaches --listen {address}"
            )));
        }
        (Some(address), _) => address,
        (None, true) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
        (None, false) => SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
    };
    let mut builder = Server::builder()
        .listen(listen)
        .max_rooms(settings.max_rooms)
        .body_limit(settings.body_limit)
        .message_limit(settings.message_limit)
        .outbox_limit(settings.outbox_limit)
        .handshake_time(Duration::from_secs_f64(settings.handshake_time))
        .keepalive(Duration::from_secs_f64(settings.keepalive))
        .open_metrics(settings.open_metrics)
        .join(settings.join)
        .guests(settings.guests)
        .logins(settings.logins)
        .per_address(settings.per_address)
        .compression(settings.compression);
    if let Some((a_second, at_once)) = settings.rate {
        builder = builder.rate(a_second, at_once);
    }
    if !settings.memory && !settings.classroom {
        builder = match &settings.database {
            Some(address) => {
                let builder = builder.database(address, settings.sync);
                // It is not made for that alone.
                if settings.data.is_dir() { builder.commands(&settings.data) } else { builder }
            }
            None => builder.sqlite(&settings.data, settings.sync),
        };
    }
    if let Some(seconds) = settings.drain {
        builder = builder.drain(Duration::from_secs_f64(seconds));
    }
    if let Some(address) = &settings.cluster {
        builder = cluster(builder, address)?;
    }
    if let Some(folder) = &settings.www {
        builder = builder.www(folder);
    }
    if let Some(clients) = settings.max_clients {
        builder = builder.max_clients(clients);
    }
    if let Some(certificate) = certificate {
        builder = builder.tls(certificate);
    }
    for proxy in &settings.trust_proxy {
        builder = builder.trust_proxy(proxy)?;
    }
    for network in &settings.webhook_allow {
        builder = builder.webhook_allow(network);
    }
    for origin in &settings.allow_origin {
        builder = builder.allow_origin(origin);
    }
    Ok(builder)
}

#[cfg(feature = "cluster")]
fn cluster(builder: parlor::Builder, address: &str) -> Result<parlor::Builder, Error> {
    Ok(builder.cluster(address))
}

#[cfg(not(feature = "cluster"))]
fn cluster(_: parlor::Builder, _: &str) -> Result<parlor::Builder, Error> {
    let build = "cargo build --release --features cluster,postgres";
    Err(Error::Setting(format!("this parlor was built to be the only one on its database. Build it with: {build}")))
}

/// One line an event, on standard error: time, level, what happened.
fn start_log(level: LevelFilter) {
    let mut config = ConfigBuilder::new();
    config
        .set_time_format_custom(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        ))
        .set_level_padding(LevelPadding::Right)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .add_filter_allow_str("parlor");
    let colours = if std::io::stderr().is_terminal() { ColorChoice::Auto } else { ColorChoice::Never };
    // It fails only if there is a logger already, and this is the one place that makes one.
    let _ = TermLogger::init(level, config.build(), TerminalMode::Stderr, colours);
}

/// SIGHUP has the certificate read anew. Without TLS it ends the program, as any other.
fn on_hangup(source: Source, handle: Handle) -> Result<(), Error> {
    let failed = |cause| Error::System("cannot watch for SIGHUP", cause);
    let mut signals = Signals::new([SIGHUP]).map_err(failed)?;
    let watch = move || signals.forever().for_each(|_| source.renew(&handle));
    std::thread::Builder::new().name("renewal".into()).spawn(watch).map(drop).map_err(failed)
}

/// The first Ctrl-C or SIGTERM stops the server in order, the second ends the program on the spot.
fn on_signals(stop: impl Fn() + Send + 'static, last: impl Fn() + Send + 'static) -> Result<(), Error> {
    let failed = |cause| Error::System("cannot watch for Ctrl-C", cause);
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let watch = move || {
        for (count, _) in signals.forever().enumerate() {
            if count > 0 {
                last();
                std::process::exit(INTERRUPTED);
            }
            stop();
            // Nobody may be left who reads this, and that must not end this thread.
            let _ = writeln!(std::io::stderr(), "Stopping. Ctrl-C again ends it at once.");
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(watch).map(drop).map_err(failed)
}
