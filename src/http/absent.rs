//! What stands in for the page and the API where they are not compiled in: nothing to connect to, nothing to stop.

use crate::error::Error;
use crate::front::Way;
use crate::line::Line;
use std::sync::Arc;

pub(crate) struct Http;
pub(crate) struct Workers;

impl Http {
    pub fn bind() -> Result<Http, Error> {
        Ok(Http)
    }

    pub fn way(&self) -> Option<Way> {
        None
    }

    pub fn start(self, _: &Arc<Line>) -> Result<Workers, Error> {
        Ok(Workers)
    }
}

impl Workers {
    pub fn stop(&mut self) {}
}
