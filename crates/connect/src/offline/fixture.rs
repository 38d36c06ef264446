//! The recorded answers of a folder.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Finding;

/// A file of recorded answers: an object whose members are answers, each named
/// `GET /path`, or with a member `request` that says so and a member `answer`
/// (or `answers`, for pages that follow each other).
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The file, as it is named in findings.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// Answers by request, pages in their order. A path may hold `*` for any segment.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) answers: BTreeMap<(String, String), Vec<Json>>,
    /// Canonical fields that the recordings are known not to show.
    pub(super) not_shown: Vec<String>,
}

impl Recorded {
    /// Reads the files; what is no JSON is told.
    pub(super) fn read(fixtures: &[Fixture], found: &mut Vec<Finding>) -> Self {
        let mut recorded = Self::default();
        for fixture in fixtures {
            match serde_json::from_str(&fixture.text) {
                Ok(Json::Object(members)) => {
                    for (name, value) in members {
                        recorded.member(&name, value);
                    }
                }
                Ok(_) => {}
                Err(error) => found.push(Finding {
                    code: "offline.fixture",
                    note: false,
                    file: fixture.file.clone(),
                    line: error.line(),
                    column: error.column(),
                    message: "this is no JSON; correct it, or leave the file out".to_owned(),
                }),
            }
        }
        recorded
    }

    fn member(&mut self, name: &str, value: Json) {
        if name == "not_shown" {
            let names = value.as_array().into_iter().flatten();
            self.not_shown
                .extend(names.filter_map(|name| Some(name.as_str()?.to_owned())));
            return;
        }
        let named = value
            .get("request")
            .and_then(Json::as_str)
            .map(str::to_owned);
        let Some(key) = request(named.as_deref().unwrap_or(name)) else {
            return; // says something about the answers
        };
        let pages = match value {
            Json::Object(mut members) if named.is_some() || members.contains_key("answer") => {
                match (members.remove("answers"), members.remove("answer")) {
                    (Some(Json::Array(pages)), _) => pages,
                    (_, Some(answer)) => vec![answer],
                    _ => return,
                }
            }
            answer => vec![answer],
        };
        self.answers.entry(key).or_default().extend(pages);
    }

    /// The answers to a request.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<&Vec<Json>> {
        let found = (self.answers.iter())
            .find(|((known, pattern), _)| known == method && fits(pattern, path));
        found.map(|(_, pages)| pages)
    }
}

/// Method and path of `GET /path?query`.
fn request(text: &str) -> Option<(String, String)> {
    let (method, rest) = text.split_once(' ')?;
    let known = matches!(method, "GET" | "POST" | "PUT" | "PATCH");
    let path = rest.trim().split('?').next()?;
    (known && path.starts_with('/')).then(|| (method.to_owned(), path.to_owned()))
}

/// Does a path fit a pattern? The pattern may leave out the base address's own path.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let segments = |text: &str| -> Vec<String> {
        let text = text.replace("%3E", ">");
        text.split('/').map(str::to_owned).collect()
    };
    let (wanted, given) = (segments(pattern), segments(path));
    // Both begin with an empty segment, which stands for nothing.
    let wanted = wanted.get(1..).unwrap_or_default();
    let given = given.get(1..).unwrap_or_default();
    let Some(skipped) = given.len().checked_sub(wanted.len()) else {
        return false;
    };
    (given.iter().skip(skipped).zip(wanted)).all(|(given, wanted)| wanted == "*" || wanted == given)
}
