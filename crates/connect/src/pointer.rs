//! Where a value stands in what a source said.
//!
//! A pointer is a JSON pointer (RFC 6901) with two additions. A segment may
//! choose from a list by what its elements say: `/emails[type=work]/address`
//! is the address of the first element of `emails` whose `type` is `work`, and
//! `[type]` that of the first which has one. And a pointer may begin with the
//! name of another tree and a colon: `department:/name`.

use serde_json::Value as Json;

/// A pointer that can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointer {
    of: Option<String>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A member of an object, or the place in a list.
    Name(String),
    /// The first element of a list with this member, of this value.
    Choose(String, Option<String>),
}

impl Pointer {
    /// Reads a pointer.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let (of, path) = match written.split_once(':') {
            Some((of, path)) if !of.contains('/') => (Some(of), path),
            _ => (None, written),
        };
        if of.is_some_and(|of| !is_name(of)) {
            return Err("what stands before the colon is no name: use a-z, 0-9 and _".to_owned());
        }
        if !path.is_empty() && !path.starts_with('/') {
            return Err("a pointer begins with a slash, such as /name/given".to_owned());
        }
        let mut steps = Vec::new();
        for segment in segments(path) {
            let (name, mut choices) = match segment.split_once('[') {
                Some((name, choices)) => (name, choices),
                None => (segment, ""),
            };
            if !name.is_empty() || choices.is_empty() {
                steps.push(Step::Name(name.replace("~1", "/").replace("~0", "~")));
            }
            while !choices.is_empty() {
                let Some((choice, rest)) = choices.split_once(']') else {
                    return Err(format!("`[{choices}` is never closed"));
                };
                let (member, value) = match choice.split_once('=') {
                    Some((member, value)) => (member, Some(value.to_owned())),
                    None => (choice, None),
                };
                if member.is_empty() {
                    return Err("a choice names a member, such as [type=work]".to_owned());
                }
                steps.push(Step::Choose(member.to_owned(), value));
                choices = match rest.strip_prefix('[') {
                    Some(next) => next,
                    None if rest.is_empty() => "",
                    None => return Err(format!("`{rest}` stands behind a choice")),
                };
            }
        }
        Ok(Self {
            of: of.map(str::to_owned),
            steps,
        })
    }

    /// The tree it points into; `None` for the row itself.
    pub(crate) fn of(&self) -> Option<&str> {
        self.of.as_deref()
    }

    /// The first name on its way: what a vendor that lets fields be chosen is asked for.
    pub(crate) fn first_name(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Choose(..) => None,
        })
    }

    /// The ways of names to it and to the members that it chooses by, with slashes between: what
    /// a vendor that lets fields be chosen at any depth is asked for.
    pub(crate) fn ways(&self) -> Vec<String> {
        let (mut ways, mut way) = (Vec::new(), String::new());
        for step in &self.steps {
            match step {
                // A place in a list is no name.
                Step::Name(name) if name.parse::<usize>().is_ok() => {}
                Step::Name(name) => {
                    if !way.is_empty() {
                        way.push('/');
                    }
                    way.push_str(name);
                }
                Step::Choose(member, _) => ways.push(format!("{way}/{member}")),
            }
        }
        if !way.is_empty() {
            ways.push(way);
        }
        ways
    }

    /// Its names, where it is made of names of members alone.
    pub(crate) fn plain_names(&self) -> Option<Vec<String>> {
        (self.of.is_none()).then_some(())?;
        let name = |step: &Step| match step {
            Step::Name(name) if name.parse::<usize>().is_err() => Some(name.clone()),
            _ => None,
        };
        self.steps.iter().map(name).collect()
    }

    /// Could it lead to what stands at a way of names, or into that?
    pub(crate) fn may_reach(&self, way: &[String]) -> bool {
        let mut way = way.iter();
        for step in &self.steps {
            match (way.next(), step) {
                (None, _) => return true,
                (Some(name), Step::Name(step)) if step.parse::<usize>().is_err() => {
                    if name != step {
                        return false;
                    }
                }
                // What it chooses cannot be told before.
                (Some(_), _) => return true,
            }
        }
        way.next().is_none()
    }

    /// What stands there.
    pub(crate) fn find<'a>(&self, tree: &'a Json) -> Option<&'a Json> {
        self.steps.iter().try_fold(tree, |at, step| match step {
            Step::Name(name) => match at {
                Json::Array(list) => list.get(name.parse::<usize>().ok()?),
                at => at.get(name),
            },
            Step::Choose(member, value) => match at {
                Json::Array(list) => list
                    .iter()
                    .find(|one| chosen(one, member, value.as_deref())),
                // XML that holds one element holds no list.
                one if chosen(one, member, value.as_deref()) => Some(one),
                _ => None,
            },
        })
    }

    /// Takes what stands there out of the tree.
    pub(crate) fn take(&self, tree: &mut Json) -> Option<Json> {
        let mut at = tree;
        for step in &self.steps {
            at = match (step, at) {
                (Step::Name(name), Json::Array(list)) => {
                    list.get_mut(name.parse::<usize>().ok()?)?
                }
                (Step::Name(name), at) => at.get_mut(name)?,
                (Step::Choose(member, value), Json::Array(list)) => list
                    .iter_mut()
                    .find(|one| chosen(one, member, value.as_deref()))?,
                (Step::Choose(member, value), one) => {
                    Some(one).filter(|one| chosen(one, member, value.as_deref()))?
                }
            };
        }
        Some(at.take())
    }
}

fn chosen(one: &Json, member: &str, value: Option<&str>) -> bool {
    match (one.get(member), value) {
        (None | Some(Json::Null), _) => false,
        (Some(_), None) => true,
        (Some(Json::String(said)), Some(value)) => said == value,
        (Some(Json::Bool(said)), Some(value)) => said.to_string() == value,
        (Some(Json::Number(said)), Some(value)) => said.to_string() == value,
        (Some(said @ Json::Object(_)), Some(value)) => {
            said.get("#text").and_then(Json::as_str) == Some(value)
        }
        (Some(Json::Array(_)), Some(_)) => false,
    }
}

/// Splits at slashes outside of choices.
fn segments(path: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut begin, mut inside) = (None, false);
    for (place, character) in path.char_indices() {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            '/' if !inside => {
                if let Some(begin) = begin {
                    found.extend(path.get(begin..place));
                }
                begin = Some(place + 1);
            }
            _ => {}
        }
    }
    if let Some(begin) = begin {
        found.extend(path.get(begin..));
    }
    found
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && (text.chars()).all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_follows_names_places_and_choices() {
        let tree = json!({
            "name": {"given": "Kari"}, "a/b": 1, "list": [10, 20],
            "emails": [{"type": "home", "address": "k@home.example"},
                       {"type": "work", "address": "kari@nordlys.example"}],
            "organizations": [{"title": "x"}, {"primary": true, "title": "Developer"}],
            "ID": {"@type": "WID", "#text": "0e44"},
            "usage": [{"kind": {"#text": "WORK"}, "n": 1}]
        });
        for (pointer, expected) in [
            ("/name/given", Some(json!("Kari"))),
            ("/a~1b", Some(json!(1))),
            ("/list/1", Some(json!(20))),
            (
                "/emails[type=work]/address",
                Some(json!("kari@nordlys.example")),
            ),
            ("/emails[type=other]/address", None),
            (
                "/organizations[primary=true]/title",
                Some(json!("Developer")),
            ),
            ("/organizations[primary]/title", Some(json!("Developer"))),
            ("/ID[@type=WID]/#text", Some(json!("0e44"))),
            ("/usage[kind=WORK]/n", Some(json!(1))),
            ("/nothing/here", None),
        ] {
            let parsed = Pointer::parse(pointer).unwrap();
            assert_eq!(parsed.find(&tree), expected.as_ref(), "{pointer}");
            assert_eq!(parsed.take(&mut tree.clone()), expected, "{pointer}");
        }
        assert_eq!(Pointer::parse("").unwrap().find(&tree), Some(&tree));
        let other = Pointer::parse("department:/head/id").unwrap();
        assert_eq!(
            (other.of(), other.first_name()),
            (Some("department"), Some("head"))
        );
        assert_eq!(Pointer::parse("/urn:x:y").unwrap().of(), None);
    }

    #[test]
    fn its_ways_name_what_is_read_and_what_is_chosen_by() {
        let ways = |text: &str| Pointer::parse(text).unwrap().ways();
        assert_eq!(ways("/name/given"), ["name/given"]);
        assert_eq!(ways("/teams/0/name"), ["teams/name"]);
        assert_eq!(
            ways("/emails[type=work]/address"),
            ["emails/type", "emails/address"]
        );
        assert!(ways("").is_empty());
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["name", "/a[b", "/a[]", "Dep:/x", "/a[b=c]d"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
    }
}
