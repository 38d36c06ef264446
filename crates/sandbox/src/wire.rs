//! A request and its answer as they cross the wire, in no vendor's shape.

use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::address::query_pairs;

/// One request, as it came.
#[derive(Debug)]
pub(crate) struct WireRequest {
    /// The method in capitals.
    pub(crate) method: String,
    /// The path as sent, from the root.
    pub(crate) path_as_sent: String,
    /// The path's segments, decoded.
    pub(crate) path: Vec<String>,
    /// The query as sent, without `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl WireRequest {
    /// A header's text; none when it is missing or no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Names and values behind the question mark, decoded.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        query_pairs(&self.query)
    }

    /// Names and values of a form in the body, decoded.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        query_pairs(&self.text())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// User and password of a Basic header.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let encoded = self.credentials("basic")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// The token of a Bearer header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.credentials("bearer")
    }

    fn credentials(&self, scheme: &str) -> Option<&str> {
        let (given, rest) = self.header("authorization")?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then_some(rest.trim())
    }

    /// Where the caller reached us: what the vendor's own addresses begin with.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("localhost"))
    }
}

/// What a body is made of.
pub(crate) enum Body {
    /// No body.
    None,
    /// The whole text.
    Text(String),
    /// Piece after piece, made while it is sent: for lists without pages.
    Pieces(Box<dyn Iterator<Item = String> + Send>),
}

/// An answer as the server sends it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
    /// A length header that says more than the body holds.
    pub(crate) claimed_length: Option<usize>,
    /// How long the answer waits before it is sent.
    pub(crate) delay: Option<Duration>,
}

/// The type of most bodies.
pub(crate) const JSON: &str = "application/json; charset=utf-8";

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: JSON,
            body: Body::None,
            claimed_length: None,
            delay: None,
        }
    }

    /// An answer with a whole body.
    pub(crate) fn text(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            content_type,
            body: Body::Text(body),
            ..Self::empty(status)
        }
    }

    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, JSON, body.to_string())
    }

    /// The same answer with one header more.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body's text, its pieces put together; none without a body.
    pub(crate) fn gather(&mut self) -> Option<&mut String> {
        if let Body::Pieces(pieces) = &mut self.body {
            self.body = Body::Text(pieces.collect());
        }
        match &mut self.body {
            Body::Text(text) => Some(text),
            Body::None | Body::Pieces(_) => None,
        }
    }
}

/// Cuts a body inside a text value near its middle; a body without one is cut
/// before its last character, which leaves an object open.
pub(crate) fn cut(body: &mut String) {
    let middle = body.len() / 2;
    let mut middle = middle;
    while !body.is_char_boundary(middle) {
        middle += 1;
    }
    let inside = |begin: usize, part: &str| {
        part.match_indices("\":\"")
            .map(|(at, pattern)| begin + at + pattern.len())
            .find(|at| body.get(*at..).is_some_and(|rest| !rest.starts_with('"')))
    };
    let (before, behind) = body.split_at(middle);
    let at = inside(middle, behind)
        .or_else(|| inside(0, before))
        // XML: behind the beginning of an element.
        .or_else(|| behind.find('>').map(|found| middle + found))
        .unwrap_or(body.len().saturating_sub(1));
    // One character of the value is left, so that the value has visibly begun.
    let begun = body
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    body.truncate(if at + begun < body.len() {
        at + begun
    } else {
        at
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_body_ends_inside_a_value_and_between_characters() {
        let mut body = r#"{"values":[{"a":"Åse"},{"a":"Øystein"},{"a":"Ærlig"}]}"#.to_owned();
        let whole = body.clone();
        cut(&mut body);
        assert!(whole.starts_with(&body));
        assert!(body.ends_with(":\"Ø") || body.ends_with(":\"Æ"), "{body}");
        assert!(serde_json::from_str::<serde_json::Value>(&body).is_err());
    }

    #[test]
    fn a_body_without_text_is_left_open() {
        let mut body = r#"{"values":[]}"#.to_owned();
        cut(&mut body);
        assert_eq!(body, r#"{"values":[]"#);
    }
}
