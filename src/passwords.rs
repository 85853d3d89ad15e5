//! Passwords: what one may be, and argon2id.

use crate::error::Error;
use crate::store::random_bytes;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// In characters.
const SHORTEST: usize = 8;
const LONGEST: usize = 256;

/// Checks a password that is to be kept.
pub fn check_new(password: &str) -> Result<(), &'static str> {
    if password.chars().count() < SHORTEST { Err("a password has 8 characters at least") } else { check(password) }
}

/// Checks a password that somebody claims to know.
pub fn check(password: &str) -> Result<(), &'static str> {
    if password.chars().count() > LONGEST { Err("a password has 256 characters at most") } else { Ok(()) }
}

/// 46 MiB, one pass, one lane: the first that OWASP names. As strong as 19 MiB and two passes; but what is larger than 32 MiB the
/// GNU allocator gives back to the system at once, and of less it keeps hundreds. Written into each hash, so that others can
/// follow without breaking the old.
fn argon2id() -> Result<Argon2<'static>, Error> {
    let params = Params::new(46 * 1024, 1, 1, None).map_err(|cause| Error::Store(format!("no argon2: {cause}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password, as a PHC string with its parameters and its salt.
pub fn hash(password: &str) -> Result<String, Error> {
    let salt = SaltString::encode_b64(&random_bytes::<16>()?);
    let failed = |cause: argon2::password_hash::Error| Error::Store(format!("no hash of a password: {cause}"));
    let salt = salt.map_err(failed)?;
    Ok(argon2id()?.hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Whether it is the password. With no hash to compare with it costs the same time: who has no account is not told apart.
pub fn is_right(password: &str, stored: Option<&str>) -> bool {
    match stored.map(PasswordHash::new) {
        // By its own parameters, whatever they are now.
        Some(Ok(stored)) => Argon2::default().verify_password(password.as_bytes(), &stored).is_ok(),
        _ => {
            let _ = hash(password);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_hash_says_how_it_was_made_and_knows_its_password() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_ne!(stored, hash("correct horse").unwrap(), "each has its own salt");
        assert!(is_right("correct horse", Some(&stored)));
        assert!(!is_right("correct horsf", Some(&stored)) && !is_right("correct horse", None));
    }

    #[test]
    fn a_name_that_is_unknown_takes_as_long_as_a_wrong_password() {
        let stored = hash("correct horse").unwrap();
        let time = |stored: Option<&str>| {
            let start = Instant::now();
            is_right("wrong", stored);
            start.elapsed()
        };
        let known = (0..3).map(|_| time(Some(&stored))).min().unwrap();
        let unknown = (0..3).map(|_| time(None)).min().unwrap();
        assert!(unknown > known / 3 && known > unknown / 3, "{known:?} {unknown:?}");
    }
}
