//! Webhooks in memory.

use super::super::people::{Person, PersonId};
use super::super::webhooks::{NewWebhook, Webhook, Webhooks};
use super::super::{Rev, RoomId, Time};
use super::Memory;
use crate::error::Error;
use std::collections::HashMap;

/// In the order in which they were made. Whose one is, it says by number: the name may change.
pub(super) type All = Vec<Kept>;

pub(super) struct Kept {
    person: PersonId,
    webhook: Webhook,
    marks: HashMap<RoomId, Rev>,
}

impl Memory {
    fn on_webhook(&self, id: &str, change: impl FnOnce(&mut Kept)) -> Result<(), Error> {
        self.state.write().webhooks.iter_mut().find(|kept| kept.webhook.id == id).map(change);
        Ok(())
    }
}

impl Webhooks for Memory {
    fn make_webhook(&self, webhook: &NewWebhook) -> Result<(), Error> {
        let NewWebhook { id, person, room, url, secret, at } = webhook.clone();
        let state = &mut *self.state.write();
        let owner: Person = state.everyone.of(person).person.clone();
        let marks = state.rooms.iter().map(|kept| (kept.room.id, kept.room.head)).collect();
        let (delivered_at, attempts, paused, error) = (None, 0, false, None);
        let webhook =
            Webhook { id, person: owner, room, url, secret, created_at: at, delivered_at, attempts, paused, error };
        state.webhooks.push(Kept { person, webhook, marks });
        Ok(())
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        let state = &mut *self.state.write();
        let everyone = &mut state.everyone;
        let view = |kept: &Kept| Webhook { person: everyone.of(kept.person).person.clone(), ..kept.webhook.clone() };
        Ok(state.webhooks.iter().map(view).collect())
    }

    fn webhook(&self, id: &str) -> Result<Option<Webhook>, Error> {
        Ok(self.webhooks()?.into_iter().find(|webhook| webhook.id == id))
    }

    fn webhook_marks(&self, id: &str) -> Result<Vec<(RoomId, Rev)>, Error> {
        let state = self.state.read();
        let found = state.webhooks.iter().find(|kept| kept.webhook.id == id);
        Ok(found.map(|kept| kept.marks.iter().map(|(room, rev)| (*room, *rev)).collect()).unwrap_or_default())
    }

    fn mark_webhook(&self, id: &str, marks: &[(RoomId, Rev)], delivered: Option<Time>) -> Result<(), Error> {
        self.on_webhook(id, |kept| {
            kept.marks.extend(marks.iter().copied());
            let webhook = &mut kept.webhook;
            webhook.delivered_at = delivered.or(webhook.delivered_at);
            (webhook.attempts, webhook.error) = (0, None);
        })
    }

    fn judge_webhook(&self, id: &str, attempts: i64, paused: bool, error: Option<&str>) -> Result<(), Error> {
        self.on_webhook(id, |kept| {
            let webhook = &mut kept.webhook;
            (webhook.attempts, webhook.paused, webhook.error) = (attempts, paused, error.map(Into::into));
        })
    }

    fn remove_webhook(&self, id: &str) -> Result<bool, Error> {
        let webhooks = &mut self.state.write().webhooks;
        let before = webhooks.len();
        webhooks.retain(|kept| kept.webhook.id != id);
        Ok(webhooks.len() < before)
    }
}
