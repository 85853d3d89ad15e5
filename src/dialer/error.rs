//! Why there is no connection, and whether there may be one later.

use super::Problem;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

/// Why there is no connection, or none any more.
///
/// ```
/// let nobody = parlor::Client::connect("ws://127.0.0.1:1", "ann").unwrap_err();
/// assert!(matches!(&nobody, parlor::DialError::Unreachable(place, _) if place == "127.0.0.1:1"));
/// assert!(nobody.may_pass()); // somebody may listen there later
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DialError {
    /// This is no address of a WebSocket; the text says why.
    Url(String),
    /// Nothing answers there: the host and port, and what the system says.
    Unreachable(String, Arc<io::Error>),
    /// The server answered with HTTP instead of a WebSocket.
    Refused {
        /// The status, such as 409 for a name that is taken.
        status: u16,
        /// The server's own code for it, such as `name_taken`; empty if it gave none.
        code: String,
        /// What the server says, for people.
        message: String,
        /// When to try again, if the server says so.
        retry_after: Option<Duration>,
    },
    /// What answered does not speak WebSocket, or not as asked; the text says what is wrong.
    NotWebSocket(String),
    /// The connection broke without a goodbye; the text says how.
    Lost(String),
    /// The server closed, with a code of RFC 6455 section 7.4 or its own from 4000, and its reason.
    Closed(u16, String),
    /// The server did not take a message or a request, and said why.
    Problem(Problem),
    /// There was no answer in time.
    TimedOut,
    /// This side has closed.
    Over,
}

impl DialError {
    /// Whether trying the same again later makes sense.
    pub fn may_pass(&self) -> bool {
        match self {
            DialError::Unreachable(..) | DialError::Lost(_) | DialError::TimedOut => true,
            DialError::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            // Our own fault, a rule broken, or told to stay away: it would end the same way again.
            DialError::Closed(code, _) => !matches!(code, 1002 | 1003 | 1007..=1010 | 4001),
            DialError::Problem(problem) => matches!(problem.code.as_str(), "unavailable" | "rate_limited"),
            DialError::Url(_) | DialError::NotWebSocket(_) | DialError::Over => false,
        }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            DialError::Url(why) => f.write_str(why),
            DialError::Unreachable(place, cause) => write!(f, "nothing answers at {place}: {cause}"),
            DialError::Refused { status, message, .. } => write!(f, "the server refused ({status}): {message}"),
            DialError::NotWebSocket(why) => write!(f, "no WebSocket answers there: {why}"),
            DialError::Lost(how) => write!(f, "the connection was lost: {how}"),
            DialError::Closed(code, reason) if reason.is_empty() => write!(f, "the server closed with {code}"),
            DialError::Closed(code, reason) => write!(f, "the server closed with {code}: {reason}"),
            DialError::Problem(problem) => f.write_str(&problem.message),
            DialError::TimedOut => f.write_str("there was no answer in time"),
            DialError::Over => f.write_str("the connection was closed from this side"),
        }
    }
}

impl std::error::Error for DialError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DialError::Unreachable(_, cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}
