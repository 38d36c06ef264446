//! Does every field find its place in the recorded rows?

use serde_json::Value as Json;

use super::Findings;
use crate::expression::Expression;
use crate::manifest::{Mapping, Path};
use crate::pointer::Pointer;

/// The rows of which a mapping speaks, and what there is beside them.
pub(super) struct Rows<'a> {
    /// The rows themselves.
    pub(super) rows: Vec<&'a Json>,
    /// Rows of joined lists, by name; a list that was not recorded is not among them.
    pub(super) joined: &'a [(String, Vec<Json>)],
}

impl Rows<'_> {
    /// Does a pointer find something in any row, were it null? `None` where no row
    /// was recorded into which it points.
    fn finds(&self, text: &str) -> Option<bool> {
        let pointer = Pointer::parse(text).ok()?;
        let is_there = |row: &Json| pointer.find(row).is_some();
        match pointer.of() {
            None => (!self.rows.is_empty()).then(|| self.rows.iter().any(|row| is_there(row))),
            Some(name) => {
                let (_, rows) = self.joined.iter().find(|(known, _)| known == name)?;
                (!rows.is_empty()).then(|| rows.iter().any(is_there))
            }
        }
    }

    /// Looks for the places of one mapping.
    pub(super) fn look(&self, findings: &mut Findings<'_>, path: &Path, mapping: &Mapping) {
        let source = &mapping.0;
        let mut places: Vec<&str> = source.from.0.iter().map(String::as_str).collect();
        let parts = [&source.postal_code, &source.city, &source.address_country];
        places.extend(source.line.0.iter().map(String::as_str));
        places.extend(parts.into_iter().flatten().map(String::as_str));
        let found: Vec<bool> = places
            .iter()
            .filter_map(|place| self.finds(place))
            .collect();
        if !found.is_empty() && found.len() == places.len() && !found.contains(&true) {
            let message = format!(
                "no recorded row has {}; a row has: {}. Correct the pointer; if the recording \
                 does not show it, name the field in `not_shown` of a fixture",
                places.join(" or "),
                self.names_for(&places)
            );
            findings.wrong(path, "offline.field_not_there", message);
        }
        let Some(value) = &source.value else {
            return;
        };
        let mut variables = vec!["row", "it", "setting", "today", "person", "engagement"];
        variables.extend(self.joined.iter().map(|(name, _)| name.as_str()));
        // What names a list that was not recorded cannot be looked for.
        let Ok(expression) = Expression::compile(value, &variables) else {
            return;
        };
        let missing: Vec<&str> = expression
            .reads("row")
            .filter(|name| !self.rows.iter().any(|row| row.get(name).is_some()))
            .collect();
        let read = expression.reads("row").count();
        if read > 0 && missing.len() == read && !self.rows.is_empty() {
            let message = format!(
                "no recorded row has {}, of which the expression is made; a row has: {}",
                missing.join(" or "),
                self.names()
            );
            findings.wrong(&path.name("value"), "offline.field_not_there", message);
        }
    }

    /// Names of members of the rows that these places point into.
    fn names_for(&self, places: &[&str]) -> String {
        let of = places.iter().find_map(|place| {
            let pointer = Pointer::parse(place).ok()?;
            let (_, rows) = (self.joined.iter()).find(|(name, _)| pointer.of() == Some(name))?;
            Some(rows.iter().collect())
        });
        let rows = of.unwrap_or_else(|| self.rows.clone());
        Self {
            rows,
            joined: self.joined,
        }
        .names()
    }

    /// Names of members of the rows, without what stands in them.
    fn names(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        let members = (self.rows.iter()).filter_map(|row| row.as_object());
        for name in members.flat_map(|members| members.keys()) {
            if !names.contains(&name.as_str()) && names.len() < 40 {
                names.push(name);
            }
        }
        names.join(", ")
    }
}
