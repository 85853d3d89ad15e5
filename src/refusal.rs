//! Why a request or a handshake was refused: an HTTP answer with a JSON body.

use crate::error::Error;
use log::debug;
use tungstenite::http::StatusCode;

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The HTTP status; 0 when there is nobody left to tell.
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    retry_after: Option<u32>,
    location: Option<String>,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: String) -> Refusal {
        Refusal { status, code, message, retry_after: None, location: None }
    }

    /// The peer is gone.
    pub fn gone() -> Refusal {
        Refusal::new(0, "gone", String::new())
    }

    /// As many are here as there may be.
    pub fn full(clients: usize) -> Refusal {
        let refusal = Refusal::new(
            503,
            "full",
            format!("this server holds {clients} clients, and they are all here; try again soon"),
        );
        Refusal { retry_after: Some(5), ..refusal }
    }

    /// As many are here from one address as there may be.
    pub fn crowded(limit: usize) -> Refusal {
        let refusal = Refusal::new(
            429,
            "crowded",
            format!(
                "{limit} connections from one address are the most; the operator can allow more with --per-address"
            ),
        );
        Refusal { retry_after: Some(5), ..refusal }
    }

    /// What is asked for is at another address.
    pub fn elsewhere(self, location: String) -> Refusal {
        Refusal { location: Some(location), ..self }
    }

    /// More is being asked at the same time than there may be.
    pub fn busy() -> Refusal {
        Refusal {
            retry_after: Some(1),
            ..Refusal::new(503, "busy", "too many requests at the same time; try again".into())
        }
    }

    /// The server is going away.
    pub fn stopping() -> Refusal {
        Refusal {
            retry_after: Some(5),
            ..Refusal::new(503, "stopping", "this server is going away; try again soon".into())
        }
    }

    /// The store did not answer.
    pub fn unavailable(cause: &Error) -> Refusal {
        debug!("cannot read: {cause}");
        let message = "the database does not answer just now; try again".into();
        Refusal { retry_after: Some(5), ..Refusal::new(503, "unavailable", message) }
    }

    /// The whole answer.
    pub fn response(&self) -> Vec<u8> {
        let body = serde_json::json!({"error": {"code": self.code, "message": self.message}}).to_string() + "\n";
        let reason = StatusCode::from_u16(self.status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
        let mut head = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
            self.status,
            body.len()
        );
        match self.status {
            405 => head.push_str("Allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"),
            426 => head.push_str("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            _ => {}
        }
        if let Some(location) = &self.location {
            head.push_str(&format!("Location: {location}\r\n"));
        }
        if let Some(seconds) = self.retry_after {
            head.push_str(&format!("Retry-After: {seconds}\r\n"));
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}
