//! Order in SQL: penalties, and the book of what was done.

use super::super::order::{Deed, Noted, Order, Penalty, Sanction};
use super::super::schema::{banned_networks, deeds, messages, people, sanctions};
use super::super::{Rev, RoomId, Time};
use super::messages::place;
use super::{Sql, person, refused};
use crate::error::Error;
use crate::name::PersonName;
use crate::store::database::Database;
use diesel::prelude::*;
use std::collections::HashMap;

impl Order for Sql {
    fn sanctions(&self, now: Time) -> Result<Vec<Sanction>, Error> {
        self.readers.read(move |c| all(c, now))
    }

    fn sanction(&self, sanction: &Sanction, deed: &Deed) -> Result<(), Error> {
        let laid = self.pen.transaction(|c, known| {
            let (id, _) = person(c, known, &sanction.name, sanction.at)?;
            take_away(c, id, sanction.penalty)?;
            let row = (
                sanctions::person_id.eq(id),
                sanctions::penalty.eq(sanction.penalty.as_str()),
                sanctions::until.eq(sanction.until.map(|until| until.0)),
                sanctions::reason.eq(&sanction.reason),
                sanctions::by_name.eq(&sanction.by),
                sanctions::at.eq(sanction.at.0),
            );
            diesel::insert_into(sanctions::table).values(row).execute(c)?;
            for network in &sanction.networks {
                let row = (banned_networks::person_id.eq(id), banned_networks::network.eq(network));
                diesel::insert_into(banned_networks::table).values(row).execute(c)?;
            }
            note(c, deed)
        });
        laid.map_err(|e| refused(&e))
    }

    fn lift(&self, name: &PersonName, penalty: Penalty, deed: &Deed) -> Result<bool, Error> {
        let lifted = self.pen.transaction(|c, _| {
            let row = people::table.filter(people::folded.eq(name.folded())).select(people::id);
            let Some(id) = row.first::<i64>(c).optional()? else { return Ok(false) };
            if take_away(c, id, penalty)? == 0 {
                return Ok(false);
            }
            note(c, deed).map(|()| true)
        });
        lifted.map_err(|e| refused(&e))
    }

    fn note(&self, deed: &Deed) -> Result<(), Error> {
        self.pen.transaction(|c, _| note(c, deed)).map_err(|e| refused(&e))
    }

    fn deeds(&self, before: Option<i64>, count: usize) -> Result<Vec<Noted>, Error> {
        let page = deeds::table.filter(deeds::id.lt(before.unwrap_or(i64::MAX)));
        let page = page.order(deeds::id.desc()).limit(count as i64);
        let rows: Vec<DeedRow> = self.readers.read(move |c| page.load(c))?;
        Ok(rows.into_iter().map(Noted::from).collect())
    }

    fn written_by(&self, name: &PersonName, room: RoomId, after: Rev, count: usize) -> Result<Vec<Rev>, Error> {
        let folded = name.folded();
        self.readers.read(move |c| {
            let author = people::table.filter(people::folded.eq(folded)).select(people::id);
            let Some(author) = author.first::<i64>(c).optional()? else { return Ok(Vec::new()) };
            // No index has authors: this reads the room once, which is rare, and an index would cost every post.
            let own = messages::table
                .filter(messages::id.gt(place(room, after)).and(messages::id.le(place(room, Rev::MAX))))
                .filter(messages::author_id.eq(author).and(messages::deleted.eq(false)))
                .order(messages::id.asc())
                .limit(count as i64);
            own.select(messages::seq).load(c)
        })
    }
}

fn all(c: &mut Database, now: Time) -> QueryResult<Vec<Sanction>> {
    let networks: Vec<(i64, String)> =
        banned_networks::table.select((banned_networks::person_id, banned_networks::network)).load(c)?;
    let mut of: HashMap<i64, Vec<String>> = HashMap::new();
    for (person, network) in networks {
        of.entry(person).or_default().push(network);
    }
    let rows: Vec<SanctionRow> = sanctions::table
        .inner_join(people::table)
        .filter(sanctions::until.is_null().or(sanctions::until.gt(now.0)))
        .order((sanctions::at, sanctions::person_id))
        .select((
            people::id,
            people::name,
            sanctions::penalty,
            sanctions::until,
            sanctions::reason,
            sanctions::by_name,
            sanctions::at,
        ))
        .load(c)?;
    let sanction = |(id, name, penalty, until, reason, by, at): SanctionRow| {
        // Of a penalty that this program does not know, nothing is thought.
        let penalty = Penalty::parse(&penalty)?;
        let networks = if penalty == Penalty::Ban { of.remove(&id).unwrap_or_default() } else { Vec::new() };
        let (name, until, at) = (PersonName::trusted(&name), until.map(Time), Time(at));
        Some(Sanction { name, penalty, until, reason, by, at, networks })
    };
    Ok(rows.into_iter().filter_map(sanction).collect())
}

fn take_away(c: &mut Database, person: i64, penalty: Penalty) -> QueryResult<usize> {
    if penalty == Penalty::Ban {
        diesel::delete(banned_networks::table.filter(banned_networks::person_id.eq(person))).execute(c)?;
    }
    let row = sanctions::table.filter(sanctions::person_id.eq(person).and(sanctions::penalty.eq(penalty.as_str())));
    diesel::delete(row).execute(c)
}

fn note(c: &mut Database, deed: &Deed) -> QueryResult<()> {
    let row = (
        deeds::at.eq(deed.at.0),
        deeds::by_name.eq(&deed.by),
        deeds::act.eq(&deed.act),
        deeds::whom.eq(&deed.whom),
        deeds::room.eq(&deed.room),
        deeds::detail.eq(&deed.detail),
        deeds::reason.eq(&deed.reason),
    );
    diesel::insert_into(deeds::table).values(row).execute(c).map(drop)
}

type SanctionRow = (i64, String, String, Option<i64>, String, String, i64);

type DeedRow = (i64, i64, String, String, Option<String>, Option<String>, Option<String>, Option<String>);

impl From<DeedRow> for Noted {
    fn from((id, at, by, act, whom, room, detail, reason): DeedRow) -> Noted {
        Noted { id, deed: Deed { at: Time(at), by, act, whom, room, detail, reason } }
    }
}
