//! `/api/audit`: the book of what was done to keep order, for owners.

use super::asked::{at_least, bad_field, unavailable};
use super::{Answer, field, json, problem};
use crate::line::Line;
use crate::store::Role;
use serde_json::json;
use tiny_http::{Method, Request};

/// Deeds that come at once: if nothing is said, and at most.
const PAGE: usize = 50;
const MOST: usize = 200;

pub(super) fn answer(line: &Line, request: &Request) -> Result<Answer, Answer> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        let refused = problem(405, "method_not_allowed", "this is only for reading");
        return Err(refused.with_header(field("Allow", "GET, HEAD")));
    }
    at_least(Role::Owner, line, request)?;
    let before = parameter(request, "before")?;
    let limit = parameter(request, "limit")?.map_or(PAGE, |limit| limit.clamp(1, MOST as i64) as usize);
    // One more than asked for says whether there are any.
    let mut deeds = line.store.deeds(before, limit + 1).map_err(|e| unavailable(&e))?;
    let more = deeds.len() > limit;
    deeds.truncate(limit);
    Ok(json(200, &json!({"deeds": deeds, "more": more})))
}

fn parameter(request: &Request, name: &str) -> Result<Option<i64>, Answer> {
    let query = request.url().split_once('?').map(|(_, query)| query).unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    let Some((_, text)) = found else { return Ok(None) };
    text.parse().map(Some).map_err(|_| bad_field(name, "it must be a whole number"))
}
