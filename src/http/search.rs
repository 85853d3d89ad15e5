//! `/api/search`: what was said of something, for whoever is signed in.

use super::asked::at_least;
use super::{Answer, field, json, problem};
use crate::line::Line;
use crate::protocol::{Code, FoundFields, Problem};
use crate::query::{MOST_HITS, Question, USUAL_HITS};
use crate::search;
use crate::store::Role;
use tiny_http::{Method, Request};

/// `?q=QUERY&limit=NUMBER&cursor=CURSOR`
pub(super) fn answer(line: &Line, request: &Request) -> Result<Answer, Answer> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(problem(405, "method_not_allowed", "this is only for reading"));
    }
    let caller = at_least(Role::Guest, line, request)?;
    let question = question(request.url()).map_err(|problem| refused(&problem))?;
    let answer = search::answer(line, &caller.person.name, &question).map_err(|problem| refused(&problem))?;
    serde_json::to_value(FoundFields::of(&answer, None))
        .map(|found| json(200, &found))
        .map_err(|_| problem(500, "fault", "what was found cannot be written as JSON; this is a fault of the server"))
}

fn question(target: &str) -> Result<Question, Problem> {
    let fields = target.split_once('?').map_or("", |(_, fields)| fields);
    let mut question = Question { query: String::new(), cursor: None, limit: USUAL_HITS };
    for (name, value) in form_urlencoded::parse(fields.as_bytes()) {
        match name.as_ref() {
            "q" => question.query = value.into_owned(),
            "cursor" => question.cursor = Some(value.into_owned()),
            "limit" => question.limit = limit(&value)?,
            _ => {}
        }
    }
    Ok(question)
}

fn limit(text: &str) -> Result<usize, Problem> {
    let number = text.parse().ok().filter(|number: &usize| *number >= 1);
    let none = || Problem::new(Code::BadField, format!("\"limit\" must be a whole number from 1 to {MOST_HITS}"));
    number.map(|number| number.min(MOST_HITS)).ok_or_else(none)
}

fn refused(refused: &Problem) -> Answer {
    let status = match refused.code {
        Code::NoSuchRoom => 404,
        Code::Unavailable => 503,
        _ => 400,
    };
    let answer = problem(status, refused.code.as_str(), &refused.message);
    if status == 503 { answer.with_header(field("Retry-After", "5")) } else { answer }
}
