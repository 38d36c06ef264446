//! An answer that came whole.

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::error::Place;

/// The answer to a request: its status, and its body as JSON (XML is read into
/// the same tree). Not printable: the body holds people's data.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null when there was none, or when an answer of refusal was no JSON.
    pub json: Value,
    /// Its headers.
    pub headers: HeaderMap,
    /// The request with status and request id, for errors.
    pub place: Place,
}

impl Answer {
    /// Did the vendor do what was asked?
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}
