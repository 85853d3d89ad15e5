//! `/api`: the description of the API, in OpenAPI 3.1. What it does not describe is not served.

use super::{Answer, field, problem};
use serde_json::Value;
use std::sync::OnceLock;
use tiny_http::{Method, Response};

const TEXT: &str = include_str!("description.json");

/// The routes below `/api/`: the parts of the path, of which those in braces may be anything, and the methods.
type Routes = Vec<(Vec<String>, Vec<String>)>;

/// The description itself.
pub(super) fn answer() -> Answer {
    Response::from_data(TEXT)
        .with_header(field("Content-Type", "application/vnd.oai.openapi+json;version=3.1"))
        .with_header(field("Cache-Control", "no-cache"))
        .with_header(field("X-Content-Type-Options", "nosniff"))
}

/// Turns away what is not described: a path with 404, a method with 405 and those that there are.
pub(super) fn admits(method: &Method, path: &str) -> Result<(), Answer> {
    let parts: Vec<&str> = path.split('/').collect();
    let Some((_, methods)) = routes().iter().find(|(route, _)| is_of(route, &parts)) else {
        return Err(problem(404, "not_found", "there is no such route; GET /api describes those that there are"));
    };
    if methods.iter().any(|known| known == method.as_str()) {
        return Ok(());
    }
    let allowed = methods.join(", ");
    let message = format!("here one can {allowed}");
    Err(problem(405, "method_not_allowed", &message).with_header(field("Allow", &allowed)))
}

fn is_of(route: &[String], parts: &[&str]) -> bool {
    let fits = |(known, part): (&String, &&str)| if known.starts_with('{') { !part.is_empty() } else { known == part };
    route.len() == parts.len() && route.iter().zip(parts).all(fits)
}

/// Read at the first request.
fn routes() -> &'static Routes {
    static ROUTES: OnceLock<Routes> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let described: Value = serde_json::from_str(TEXT).unwrap_or_default();
        let paths = described["paths"].as_object().into_iter().flatten();
        let mut routes: Routes = paths.map(|(path, operations)| (parts(path), methods(operations))).collect();
        // What is named comes before what may be anything.
        routes.sort_by_key(|(parts, _)| parts.iter().filter(|part| part.starts_with('{')).count());
        routes
    })
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

/// Whoever may GET may ask for the head alone.
fn methods(operations: &Value) -> Vec<String> {
    let all = ["get", "post", "put", "patch", "delete"];
    let mut methods: Vec<String> = Vec::new();
    for method in all.into_iter().filter(|method| operations.get(method).is_some()) {
        methods.push(method.to_uppercase());
        if method == "get" {
            methods.push("HEAD".into());
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_is_let_in_and_nothing_else() {
        let status = |method: Method, path| admits(&method, path).err().map(|answer| answer.status_code().0);
        assert_eq!(status(Method::Get, "/api/rooms"), None);
        assert_eq!(status(Method::Head, "/api/rooms/lobby/messages/7"), None);
        assert_eq!(status(Method::Put, "/api/rooms/lobby/messages/7/reactions/%F0%9F%91%8D"), None);
        assert_eq!(status(Method::Delete, "/api/rooms"), Some(405));
        for path in ["/api/", "/api/rooms/", "/api/nothing", "/api/rooms/lobby/messages/7/reactions"] {
            assert_eq!(status(Method::Get, path), Some(404), "{path}");
        }
    }

    /// The router's first word is in the description, whatever comes to it.
    #[test]
    fn every_noun_of_the_router_is_described() {
        let router = include_str!("mod.rs").split("fn api(").nth(1).unwrap();
        let nouns = router.split("\n}").next().unwrap().split("        (\"").skip(1);
        let nouns: Vec<&str> = nouns.map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(nouns.len() > 8, "{nouns:?}");
        for noun in nouns {
            assert!(routes().iter().any(|(route, _)| route.get(2).is_some_and(|part| part == noun)), "{noun}");
        }
    }
}
