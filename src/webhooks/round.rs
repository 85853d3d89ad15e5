//! A round: what one webhook has to send, read from the store after its marks, and sent in order.

use super::board::{Rooms, Went};
use super::courier::{Courier, Delivery};
use super::{LONGEST_WAIT, STORE_WAIT};
use crate::actor::Actor;
use crate::error::Error;
use crate::line::Line;
use crate::mention;
use crate::name::PersonName;
use crate::protocol;
use crate::store::{Message, Outcome, Rev, Room, RoomId, Time, Webhook};
use log::{info, warn};
use serde_json::json;
use std::time::Duration;

/// Messages read at once, and sent before another webhook has its turn.
const PAGE: usize = 50;
const MOST: usize = 20;

/// So much may be passed over before that is worth a write.
const UNSAVED: Rev = 500;

/// Sends what one webhook has to send, up to a number.
pub(super) fn run(line: &Line, courier: &Courier, id: &str, mut touched: Rooms, marks: &mut Rooms) -> Went {
    match Round::begin(line, courier, id, marks) {
        Ok(Some(mut round)) => {
            let went = round.send(&mut touched);
            match (round.save(), went) {
                (Ok(()), Ok(went)) => went,
                (Err(cause), _) | (_, Err(cause)) => silent(&cause, touched),
            }
        }
        Ok(None) => Went::Gone,
        Err(cause) => silent(&cause, touched),
    }
}

/// The store does not answer, which is not the webhook's fault.
fn silent(cause: &Error, left: Rooms) -> Went {
    warn!("webhooks wait for the store: {cause}");
    Went::Failed(left, STORE_WAIT)
}

struct Round<'a> {
    line: &'a Line,
    courier: &'a Courier,
    webhook: Webhook,
    marks: &'a mut Rooms,
    /// Where the marks stand in the store; what moved, and whether something was taken.
    before: Rooms,
    delivered: Option<Time>,
}

/// What came of one room.
enum Sent {
    All,
    /// It is another's turn.
    Some,
    Failed(String),
}

impl<'a> Round<'a> {
    fn begin(line: &'a Line, courier: &'a Courier, id: &str, marks: &'a mut Rooms) -> Result<Option<Round<'a>>, Error> {
        let Some(webhook) = line.store.webhook(id)? else { return Ok(None) };
        let before: Rooms = line.store.webhook_marks(id)?.into_iter().collect();
        for (room, kept) in &before {
            // Another of several nodes may have sent until now.
            let mark = marks.entry(*room).or_insert(0);
            *mark = (*mark).max(*kept);
        }
        Ok(Some(Round { line, courier, webhook, marks, before, delivered: None }))
    }

    /// `touched` becomes what is left.
    fn send(&mut self, touched: &mut Rooms) -> Result<Went, Error> {
        if self.webhook.paused {
            return Ok(Went::Paused(std::mem::take(touched)));
        }
        let mut left = MOST;
        while let Some((room, from)) = touched.iter().next().map(|(room, from)| (*room, *from)) {
            match self.send_room(room, from, &mut left)? {
                Sent::All => drop(touched.remove(&room)),
                Sent::Some => return Ok(Went::On(std::mem::take(touched))),
                Sent::Failed(why) => return self.fail(std::mem::take(touched), &why),
            }
        }
        Ok(Went::Through)
    }

    fn send_room(&mut self, id: RoomId, from: Rev, left: &mut usize) -> Result<Sent, Error> {
        let name = self.line.doors.name(id);
        let Some(room) = name.map(|name| self.line.store.room(&name)).transpose()?.flatten() else {
            return Ok(Sent::All);
        };
        // What lies between was of no concern.
        let mut mark = self.marks.get(&id).copied().unwrap_or(0).max(from);
        loop {
            let messages = self.line.store.since(id, mark, PAGE)?;
            for message in &messages {
                if self.concerns(message)? {
                    if *left == 0 || self.line.is_stopping() {
                        return Ok(Sent::Some);
                    }
                    *left -= 1;
                    if let Err(why) = self.deliver(&room, message, mark) {
                        return Ok(Sent::Failed(why));
                    }
                    self.delivered = Some(Time::now());
                }
                mark = message.rev;
                self.marks.insert(id, mark);
            }
            if messages.len() < PAGE {
                return Ok(Sent::All);
            }
        }
    }

    /// Nobody is told of their own words, nor of a room that is shut to them.
    fn concerns(&self, message: &Message) -> Result<bool, Error> {
        let person = &self.webhook.person.name;
        let may_see = self.line.doors.ticket(message.room, person).is_some();
        if !may_see || message.from.folded() == person.folded() {
            return Ok(false);
        }
        if self.webhook.room.is_some() { Ok(true) } else { self.speaks_to(message, &person.folded()) }
    }

    /// Of the names that may be meant the longest that is somebody's counts.
    fn speaks_to(&self, message: &Message, folded: &str) -> Result<bool, Error> {
        for names in mention::candidates(&message.body) {
            let Some(at) = names.iter().position(|name| name == folded) else { continue };
            let mut meant = true;
            for longer in &names[..at] {
                meant &= self.line.store.known(&PersonName::trusted(longer))?.is_none();
            }
            if meant {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn deliver(&self, room: &Room, message: &Message, mark: Rev) -> Result<(), String> {
        let webhook = &self.webhook;
        let id = format!("{}-{}-{}", webhook.id, room.id, message.rev);
        let standing = self.line.doors.standing(room.id);
        let body = json!({
            "event": if message.seq > mark { "message" } else { "change" },
            "webhook": webhook.id,
            "delivery": id,
            "room": protocol::room_fields(room, &standing, &webhook.person.name),
            "message": protocol::message_fields(&room.name, message),
        });
        let delivery = Delivery { url: &webhook.url, secret: &webhook.secret, id: &id, body: body.to_string() };
        if let Some(said) = self.courier.deliver(&delivery)? {
            self.reply(room, &id, said);
        }
        Ok(())
    }

    /// A bot says what its program answered. That is not sent again if it is refused.
    fn reply(&self, room: &Room, id: &str, said: String) {
        let person = &self.webhook.person;
        if !self.line.store.bots().is_ok_and(|bots| bots.contains(person)) {
            return;
        }
        let actor = Actor { line: self.line, name: &person.name, role: person.role };
        let body = protocol::body(&said, self.line.limits.body);
        let stored = body.and_then(|body| actor.post(room, format!("re:{id}"), body, None)).and_then(|r| actor.ask(r));
        match stored {
            Ok(Outcome::Posted(_) | Outcome::Repeated(_)) => {}
            Ok(other) => warn!("what {} answers is not posted: {other:?}", person.name),
            Err(problem) => warn!("what {} answers is not posted: {}", person.name, problem.message),
        }
    }

    fn fail(&mut self, left: Rooms, why: &str) -> Result<Went, Error> {
        // What was taken in this round begins the count anew.
        let before = if self.delivered.is_some() { 0 } else { self.webhook.attempts };
        self.save()?;
        let attempts = before + 1;
        let paused = attempts >= i64::from(self.line.settings.webhook_attempts);
        self.line.store.judge_webhook(&self.webhook.id, attempts, paused, Some(why))?;
        info!("the webhook {} of {}: {why}", self.webhook.id, self.webhook.person.name);
        if paused {
            return Ok(Went::Paused(left));
        }
        let doublings = u32::try_from(attempts - 1).unwrap_or(u32::MAX).min(20);
        let wait = self.line.settings.webhook_wait.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        Ok(Went::Failed(left, wait.max(Duration::from_millis(1))))
    }

    /// Keeps how far it has come, where something was taken or much was passed over.
    fn save(&mut self) -> Result<(), Error> {
        let at = |room: &RoomId| self.before.get(room).copied().unwrap_or(0);
        let moved: Vec<(RoomId, Rev)> = self.marks.iter().map(|(r, v)| (*r, *v)).filter(|(r, v)| at(r) < *v).collect();
        let far = moved.iter().any(|(room, rev)| rev - at(room) > UNSAVED) || self.line.is_stopping();
        if !moved.is_empty() && (self.delivered.is_some() || far) {
            self.line.store.mark_webhook(&self.webhook.id, &moved, self.delivered.take())?;
            self.before.extend(moved);
        }
        Ok(())
    }
}
