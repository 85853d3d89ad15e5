//! What a store does for webhooks: where messages are sent to, and how far that has come.

use super::people::{Person, PersonId};
use super::{Rev, RoomId, Time};
use crate::error::Error;

/// A webhook's key in the store: hexadecimal digits that nobody else has.
pub type WebhookId = String;

/// A webhook that is about to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Its key.
    pub id: WebhookId,
    /// Whose it is.
    pub person: PersonId,
    /// The room whose messages it sends; None: those that speak to the person, wherever.
    pub room: Option<RoomId>,
    /// Where to.
    pub url: String,
    /// What it signs with.
    pub secret: String,
    /// When.
    pub at: Time,
}

/// A webhook as it now stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Its key.
    pub id: WebhookId,
    /// Whose it is, as that person is now.
    pub person: Person,
    /// The room whose messages it sends; None: those that speak to the person, wherever.
    pub room: Option<RoomId>,
    /// Where to.
    pub url: String,
    /// What it signs with.
    pub secret: String,
    /// When it was made.
    pub created_at: Time,
    /// When something was last taken from it; None: never.
    pub delivered_at: Option<Time>,
    /// How often in a row it has failed.
    pub attempts: i64,
    /// It has failed too often, and sends nothing until it is resumed.
    pub paused: bool,
    /// Why it failed last.
    pub error: Option<String>,
}

/// Webhooks. Every method may block.
pub trait Webhooks {
    /// Makes a webhook. What was said before it, it does not send.
    fn make_webhook(&self, webhook: &NewWebhook) -> Result<(), Error>;

    /// All webhooks, the oldest first.
    fn webhooks(&self) -> Result<Vec<Webhook>, Error>;

    /// The webhook of that key.
    fn webhook(&self, id: &str) -> Result<Option<Webhook>, Error>;

    /// Up to which number of each room it has sent what concerns it; 0 where there is no mark.
    fn webhook_marks(&self, id: &str) -> Result<Vec<(RoomId, Rev)>, Error>;

    /// Keeps how far it has come, and when something was last taken from it; what failed before is forgotten. It is no error
    /// if the webhook is gone.
    fn mark_webhook(&self, id: &str, marks: &[(RoomId, Rev)], delivered: Option<Time>) -> Result<(), Error>;

    /// Keeps how often it has failed and why, and whether it is paused.
    fn judge_webhook(&self, id: &str, attempts: i64, paused: bool, error: Option<&str>) -> Result<(), Error>;

    /// Takes a webhook away. False: there was none.
    fn remove_webhook(&self, id: &str) -> Result<bool, Error>;
}
