//! Rows as they become on a bad day.

use serde_json::{Value as Json, json};

/// The text of any alphabet.
pub(super) const LETTERS: &str = "Åse Ødegård 🙂";

/// Members of one row that are changed, at most.
const MOST_MEMBERS: usize = 150;
/// Depth of members that are changed.
const DEEPEST: usize = 3;

/// What happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// Nothing: the row under another id.
    None,
    /// It is null.
    Null,
    /// It is not there.
    Missing,
    /// It is of another kind.
    Kind,
    /// It is true, which may well be what it says of somebody else.
    Truth,
    /// It is a text of any alphabet.
    Letters,
}

impl Mishap {
    /// For findings.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::None => "as it was recorded",
            Self::Null => "is null",
            Self::Missing => "is missing",
            Self::Kind | Self::Truth => "is of another kind",
            Self::Letters => "holds letters such as å and an emoji",
        }
    }
}

/// A row on its bad day.
pub(super) struct Changed {
    /// Which of the recorded rows it was.
    pub(super) of: usize,
    /// The member, with slashes between; empty when nothing happened.
    pub(super) member: String,
    pub(super) mishap: Mishap,
    pub(super) row: Json,
}

/// Every bad day of a row; its id, at this pointer, stays.
pub(super) fn bad_days(of: usize, row: &Json, id: &str) -> Vec<Changed> {
    let mut ways = Vec::new();
    members(row, &mut Vec::new(), &mut ways);
    let id = id.trim_start_matches('/').replace('/', "\u{0}");
    ways.retain(|way| {
        way.join("\u{0}") != id && !id.starts_with(&format!("{}\u{0}", way.join("\u{0}")))
    });
    ways.truncate(MOST_MEMBERS);
    let mut days = vec![Changed {
        of,
        member: String::new(),
        mishap: Mishap::None,
        row: row.clone(),
    }];
    let kinds = [
        json!(-1),
        json!("x"),
        json!([]),
        json!([[]]),
        json!({"a": {}}),
    ];
    for way in &ways {
        let mut add = |mishap: Mishap, value: Option<Json>| {
            let mut row = row.clone();
            if put(&mut row, way, value) {
                days.push(Changed {
                    of,
                    member: format!("/{}", way.join("/")),
                    mishap,
                    row,
                });
            }
        };
        add(Mishap::Null, Some(Json::Null));
        add(Mishap::Missing, None);
        for kind in &kinds {
            add(Mishap::Kind, Some(kind.clone()));
        }
        add(Mishap::Truth, Some(json!(true)));
        add(Mishap::Letters, Some(json!(LETTERS)));
    }
    days
}

/// The ways to the members of a row; of a list, to those of its first element.
fn members(at: &Json, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if way.len() > DEEPEST {
        return;
    }
    let mut each = |name: String, value: &Json| {
        way.push(name);
        found.push(way.clone());
        members(value, way, found);
        way.pop();
    };
    match at {
        Json::Object(map) => map
            .iter()
            .for_each(|(name, value)| each(name.clone(), value)),
        Json::Array(list) => {
            if let Some(first) = list.first() {
                each("0".to_owned(), first);
            }
        }
        _ => {}
    }
}

/// Puts a value at a way, or takes away what is there.
fn put(row: &mut Json, way: &[String], value: Option<Json>) -> bool {
    let Some((last, around)) = way.split_last() else {
        return false;
    };
    let mut at = row;
    for name in around {
        let next = match at {
            Json::Object(map) => map.get_mut(name),
            Json::Array(list) => name
                .parse::<usize>()
                .ok()
                .and_then(|place| list.get_mut(place)),
            _ => None,
        };
        let Some(next) = next else { return false };
        at = next;
    }
    match (at, value) {
        (Json::Object(map), Some(value)) => {
            map.insert(last.clone(), value);
            true
        }
        (Json::Object(map), None) => map.remove(last).is_some(),
        (Json::Array(list), Some(value)) => match list.first_mut() {
            Some(first) => {
                *first = value;
                true
            }
            None => false,
        },
        (Json::Array(_), None) => false,
        _ => false,
    }
}

/// The row under another id, of the kind that ids have.
pub(super) fn renamed(row: &mut Json, id: &str, number: usize) -> bool {
    let way: Vec<String> = id
        .trim_start_matches('/')
        .split('/')
        .map(str::to_owned)
        .collect();
    let Some(present) = row.pointer(id) else {
        return false;
    };
    let new = match present {
        Json::Number(_) => json!(9_000_000_000_i64 + i64::try_from(number).unwrap_or_default()),
        _ => json!(format!("9{number:09}")),
    };
    put(row, &way, Some(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_bad_days_but_the_id() {
        let row = json!({"id": 7, "name": {"first": "Kari"}, "jobs": [{"end": null}]});
        let days = bad_days(0, &row, "/id");
        let of = |member: &str| days.iter().filter(|day| day.member == member).count();
        assert_eq!(
            (of(""), of("/id"), of("/name/first"), of("/jobs/0/end")),
            (1, 0, 9, 9)
        );
        let missing = days
            .iter()
            .find(|day| day.member == "/name/first" && day.mishap == Mishap::Missing)
            .unwrap();
        assert_eq!(missing.row["name"], json!({}));
        let mut other = row.clone();
        assert!(renamed(&mut other, "/id", 3));
        assert_eq!(other["id"], json!(9_000_000_003_i64));
    }
}
