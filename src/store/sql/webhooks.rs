//! Webhooks in SQL.

use super::super::schema::{people, rooms, webhook_marks, webhooks};
use super::super::webhooks::{NewWebhook, Webhook, Webhooks};
use super::super::{Rev, RoomId, Time};
use super::of_tokens::stored;
use super::{Sql, refused};
use crate::error::Error;
use crate::store::database::Database;
use diesel::prelude::*;

impl Sql {
    /// Does something to webhooks in a transaction.
    fn on_webhooks<T>(&self, mut work: impl FnMut(&mut Database) -> QueryResult<T>) -> Result<T, Error> {
        self.pen.transaction(|c, _| work(c)).map_err(|e| refused(&e))
    }
}

impl Webhooks for Sql {
    fn make_webhook(&self, webhook: &NewWebhook) -> Result<(), Error> {
        let NewWebhook { id, person, room, url, secret, at } = webhook;
        let row = (
            webhooks::id.eq(id),
            webhooks::person_id.eq(person),
            webhooks::room_id.eq(room),
            webhooks::url.eq(url),
            webhooks::secret.eq(secret),
            webhooks::created_at.eq(at.0),
            webhooks::attempts.eq(0),
            webhooks::paused.eq(false),
        );
        self.on_webhooks(|c| {
            diesel::insert_into(webhooks::table).values(&row).execute(c)?;
            let heads = rooms::table.filter(rooms::head.gt(0)).select((rooms::id, rooms::head));
            for (room, head) in heads.load::<(RoomId, Rev)>(c)? {
                mark(c, id, room, head)?;
            }
            Ok(())
        })
    }

    fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        self.readers.read(|c| {
            let all = webhooks::table.inner_join(people::table).order((webhooks::created_at, webhooks::id));
            let rows: Vec<Row> = all.select(columns).load(c)?;
            Ok(rows.into_iter().map(Webhook::from).collect())
        })
    }

    fn webhook(&self, id: &str) -> Result<Option<Webhook>, Error> {
        let id = id.to_owned();
        self.readers.read(move |c| {
            let row = webhooks::table.inner_join(people::table).filter(webhooks::id.eq(id));
            let found: Option<Row> = row.select(columns).first(c).optional()?;
            Ok(found.map(Webhook::from))
        })
    }

    fn webhook_marks(&self, id: &str) -> Result<Vec<(RoomId, Rev)>, Error> {
        let own = webhook_marks::table.filter(webhook_marks::webhook_id.eq(id.to_owned()));
        self.readers.read(move |c| own.select((webhook_marks::room_id, webhook_marks::rev)).load(c))
    }

    fn mark_webhook(&self, id: &str, marks: &[(RoomId, Rev)], delivered: Option<Time>) -> Result<(), Error> {
        self.on_webhooks(|c| {
            let row = webhooks::table.filter(webhooks::id.eq(id));
            let fine = (webhooks::attempts.eq(0), webhooks::error.eq(None::<String>));
            if diesel::update(row).set(fine).execute(c)? == 0 {
                return Ok(());
            }
            if let Some(at) = delivered {
                diesel::update(row).set(webhooks::delivered_at.eq(at.0)).execute(c)?;
            }
            marks.iter().try_for_each(|(room, rev)| mark(c, id, *room, *rev))
        })
    }

    fn judge_webhook(&self, id: &str, attempts: i64, paused: bool, error: Option<&str>) -> Result<(), Error> {
        let row = webhooks::table.filter(webhooks::id.eq(id));
        let judged = (webhooks::attempts.eq(attempts), webhooks::paused.eq(paused), webhooks::error.eq(error));
        self.on_webhooks(|c| diesel::update(row).set(judged).execute(c)).map(drop)
    }

    fn remove_webhook(&self, id: &str) -> Result<bool, Error> {
        self.on_webhooks(|c| {
            diesel::delete(webhook_marks::table.filter(webhook_marks::webhook_id.eq(id))).execute(c)?;
            diesel::delete(webhooks::table.filter(webhooks::id.eq(id))).execute(c).map(|gone| gone > 0)
        })
    }
}

fn mark(c: &mut Database, id: &str, room: RoomId, rev: Rev) -> QueryResult<()> {
    let row = webhook_marks::table.filter(webhook_marks::webhook_id.eq(id).and(webhook_marks::room_id.eq(room)));
    if diesel::update(row).set(webhook_marks::rev.eq(rev)).execute(c)? == 0 {
        let new = (webhook_marks::webhook_id.eq(id), webhook_marks::room_id.eq(room), webhook_marks::rev.eq(rev));
        diesel::insert_into(webhook_marks::table).values(new).execute(c)?;
    }
    Ok(())
}

type Row =
    ((String, Option<i64>, String, String), (i64, String, String), (i64, Option<i64>, i64, bool, Option<String>));
#[allow(non_upper_case_globals, clippy::type_complexity)]
const columns: (
    (webhooks::id, webhooks::room_id, webhooks::url, webhooks::secret),
    (people::id, people::name, people::role),
    (webhooks::created_at, webhooks::delivered_at, webhooks::attempts, webhooks::paused, webhooks::error),
) = (
    (webhooks::id, webhooks::room_id, webhooks::url, webhooks::secret),
    (people::id, people::name, people::role),
    (webhooks::created_at, webhooks::delivered_at, webhooks::attempts, webhooks::paused, webhooks::error),
);

impl From<Row> for Webhook {
    fn from((what, whose, how): Row) -> Webhook {
        let ((id, room, url, secret), (person, name, role)) = (what, whose);
        let (created_at, delivered_at, attempts, paused, error) = how;
        let (created_at, delivered_at) = (Time(created_at), delivered_at.map(Time));
        let person = stored(person, &name, &role);
        Webhook { id, person, room, url, secret, created_at, delivered_at, attempts, paused, error }
    }
}
