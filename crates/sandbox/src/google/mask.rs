//! The parameter `fields`: which part of an answer is wanted.

use serde_json::{Map, Value};

/// Parts by name, each with its own parts; `*` is everything.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mask(Vec<(String, Mask)>);

impl Mask {
    /// Reads `a,b(c,d),e/f`; none when it is not well formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mask = Self::list(&mut rest)?;
        rest.is_empty().then_some(mask)
    }

    fn list(rest: &mut &str) -> Option<Self> {
        let mut parts = Vec::new();
        loop {
            parts.push(Self::part(rest)?);
            match rest.strip_prefix(',') {
                Some(behind) => *rest = behind,
                None => return Some(Self(parts)),
            }
        }
    }

    fn part(rest: &mut &str) -> Option<(String, Self)> {
        let end = rest.find([',', '(', ')', '/']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        *rest = behind;
        if name.trim().is_empty() {
            return None;
        }
        let inner = if let Some(behind) = rest.strip_prefix('/') {
            *rest = behind;
            Self(vec![Self::part(rest)?])
        } else if let Some(behind) = rest.strip_prefix('(') {
            *rest = behind;
            let inner = Self::list(rest)?;
            *rest = rest.strip_prefix(')')?;
            inner
        } else {
            Self::default()
        };
        Some((name.trim().to_owned(), inner))
    }

    /// The wanted part of a value.
    pub(super) fn of(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.of(item)).collect(),
            Value::Object(properties) => {
                let kept: Map<String, Value> = properties
                    .into_iter()
                    .filter_map(|(name, value)| {
                        let (_, inner) = self
                            .0
                            .iter()
                            .find(|(wanted, _)| *wanted == name || wanted == "*")?;
                        Some((name, inner.of(value)))
                    })
                    .collect();
                Value::Object(kept)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mask_keeps_what_it_names() {
        let mask = Mask::parse("nextPageToken,users(id,name/givenName)").unwrap();
        let value = json!({
            "kind": "x", "nextPageToken": "t",
            "users": [{"id": "1", "name": {"givenName": "A", "familyName": "B"}, "etag": "e"}],
        });
        assert_eq!(
            mask.of(value),
            json!({"nextPageToken": "t", "users": [{"id": "1", "name": {"givenName": "A"}}]})
        );
        for wrong in ["", "a(", "a)", "a,,b", "a/"] {
            assert_eq!(Mask::parse(wrong), None, "{wrong}");
        }
    }
}
