//! Why it did not go well, and the exit code that says so.

use parlor::DialError;

#[derive(Debug)]
pub enum Failure {
    /// Not connected, or no longer.
    Lost(String),
    /// What was given was not understood.
    Misused(String),
    /// The server said no.
    Refused(String),
    /// A signal; its number.
    Signal(i32),
}

impl Failure {
    pub fn code(&self) -> u8 {
        match self {
            Failure::Lost(_) => 1,
            Failure::Misused(_) => 2,
            Failure::Refused(_) => 3,
            // What a shell expects of a program that a signal ended.
            Failure::Signal(number) => u8::try_from(128 + number).unwrap_or(1),
        }
    }

    /// What to say; nothing of a signal, which whoever sent it knows.
    pub fn message(&self) -> Option<&str> {
        match self {
            Failure::Lost(why) | Failure::Misused(why) | Failure::Refused(why) => Some(why),
            Failure::Signal(_) => None,
        }
    }

    /// Why there is no chat.
    pub fn of_chat(error: DialError) -> Failure {
        let hint = match &error {
            DialError::NotWebSocket(why) if !why.starts_with("TLS") => "; --raw speaks to servers that are no Parlor",
            // A Parlor names the reason.
            DialError::Refused { code, status, .. } if code.is_empty() && *status < 500 => {
                "; --raw speaks to servers that are no Parlor"
            }
            DialError::Refused { code, .. } if code == "name_taken" => " with --name",
            _ => "",
        };
        Failure::of(error, hint)
    }

    /// Why there is no connection to a server of any kind.
    pub fn of_raw(error: DialError) -> Failure {
        Failure::of(error, "")
    }

    fn of(error: DialError, hint: &str) -> Failure {
        let why = super::harmless::line(&format!("{error}{hint}"));
        match error {
            DialError::Url(_) => Failure::Misused(why),
            // 1008: the server does not want us (RFC 6455 section 7.4.1).
            DialError::Problem(_) | DialError::Closed(1008, _) => Failure::Refused(why),
            DialError::Refused { .. } if !error.may_pass() => Failure::Refused(why),
            _ => Failure::Lost(why),
        }
    }
}

/// Why a connection broke, for where it is said already that it did.
pub fn cause(error: &DialError) -> String {
    super::harmless::line(&match error {
        DialError::Lost(how) => how.clone(),
        error => error.to_string(),
    })
}
