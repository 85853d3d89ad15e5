//! The way to a database under TLS, as libpq and libmariadb make it of the URL.

use super::super::address::Address;
use super::*;
use std::path::Path;
use std::process::Command;

/// Makes a certificate authority, and a certificate that it has signed for a server.
fn certificates(folder: &Path) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt && \
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key -out other.crt && \
        openssl req -newkey rsa:2048 -nodes -subj /CN=database -keyout server.key -out server.csr && \
        openssl x509 -req -in server.csr -days 2 -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt && \
        chmod 600 server.key";
    let made = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Two authorities, and a server that has a certificate of the first one, started with what it needs to know.
fn with_certificate(
    start: impl FnOnce(&dyn Fn(&str) -> String) -> Option<Engine>,
) -> Option<(tempfile::TempDir, Engine)> {
    let folder = tempfile::tempdir().unwrap();
    if Command::new("openssl").arg("version").output().is_err() {
        engines::lacks("openssl");
        return None;
    }
    certificates(folder.path());
    engines::give_to_nobody(folder.path());
    let engine = start(&|name| folder.path().join(name).to_string_lossy().into_owned())?;
    Some((folder, engine))
}

fn open(url: &str) -> Result<Sql, Error> {
    Sql::open(&Address::parse(url)?, Synchronous::Full, 5)
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_is_trusted_whose_certificate_an_authority_has_signed_and_no_other() {
    let started = with_certificate(|file| {
        let (own, key) = (file("server.crt"), file("server.key"));
        engines::start_postgres(&[("ssl", "on"), ("ssl_cert_file", &own), ("ssl_key_file", &key)])
    });
    let Some((folder, engine)) = started else { return };
    let url = engine.fresh();
    let open = |mode: &str, authority: &str| {
        open(&format!("{url}?sslmode={mode}&sslrootcert={}", folder.path().join(authority).display()))
    };
    open("verify-ca", "ca.crt").unwrap().record(&[post(1, "ann", "1", "hidden")]).unwrap();
    open("require", "ca.crt").unwrap();
    let refused = open("verify-ca", "other.crt").err().unwrap();
    assert!(matches!(&refused, Error::Unreachable(why) if why.contains("certificate")), "{refused}");
    let refused = open("verify-full", "ca.crt").err().unwrap();
    assert!(matches!(&refused, Error::Unreachable(why) if why.contains("database")), "it is not its host: {refused}");
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_without_tls_is_refused_where_that_is_required() {
    let Some(engine) = engines::postgres() else { return };
    let refused = open(&format!("{}?sslmode=require", engine.fresh())).err().unwrap();
    assert!(matches!(&refused, Error::Unreachable(why) if why.contains("SSL")), "{refused}");
}

#[cfg(feature = "mysql")]
#[test]
fn mariadb_is_spoken_to_in_tls_where_that_is_required_and_never_trusted_unchecked() {
    let started = with_certificate(|file| {
        let (own, key) = (file("server.crt"), file("server.key"));
        engines::start_mariadb(&[("ssl-cert", &own), ("ssl-key", &key)])
    });
    let Some((folder, engine)) = started else { return };
    let url = engine.fresh();
    engine.say_in("mysql", "ALTER USER parlor@'%' REQUIRE SSL");
    let authority = folder.path().join("ca.crt");
    let open = |mode: &str| open(&format!("{url}?ssl_mode={mode}&ssl_ca={}", authority.display()));
    open("required").unwrap().record(&[post(1, "ann", "1", "hidden")]).unwrap();
    for mode in ["verify_ca", "verify_identity"] {
        let refused = open(mode).err().unwrap();
        assert!(matches!(&refused, Error::Setting(why) if why.contains("tunnel")), "{refused}");
    }
}

#[cfg(feature = "mysql")]
#[test]
fn mariadb_without_tls_is_refused_where_that_is_required() {
    let Some(engine) = engines::mariadb() else { return };
    let folder = tempfile::tempdir().unwrap();
    let refused = open(&format!("{}?ssl_mode=required", engine.fresh())).err().unwrap();
    assert!(matches!(&refused, Error::Setting(why) if why.contains("ssl_ca")), "{refused}");
    certificates(folder.path());
    let authority = folder.path().join("ca.crt");
    let refused = open(&format!("{}?ssl_mode=required&ssl_ca={}", engine.fresh(), authority.display())).err().unwrap();
    assert!(matches!(&refused, Error::Unreachable(_)), "{refused}");
}
