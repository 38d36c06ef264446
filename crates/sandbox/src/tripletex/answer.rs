//! What goes back over the wire.

use std::time::Duration;

use super::disturbance::CutLength;

/// What a call gives when it is not refused.
#[derive(Debug)]
pub(super) struct Success {
    pub(super) status: u16,
    pub(super) body: Option<String>,
    /// The body stops inside a value.
    pub(super) cut: Option<CutLength>,
    /// The answer waits first.
    pub(super) is_slow: bool,
}

impl Success {
    pub(super) fn of(status: u16, body: String) -> Self {
        Self {
            status,
            body: Some(body),
            cut: None,
            is_slow: false,
        }
    }

    pub(super) fn without_body(status: u16) -> Self {
        Self {
            status,
            body: None,
            cut: None,
            is_slow: false,
        }
    }
}

/// An answer as the server sends it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
    /// A length header that says more than the body holds.
    pub(crate) claimed_length: Option<usize>,
    /// How long the answer waits before it is sent.
    pub(crate) delay: Option<Duration>,
}

/// Cuts a body inside a text value near its middle; a body without one is cut
/// before its last character, which leaves an object open.
pub(super) fn cut(body: &mut String) {
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
