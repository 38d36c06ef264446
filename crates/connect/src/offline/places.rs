//! Does every field of a manifest find its place in the recorded rows?

use muster_model::Field;
use serde_json::Value as Json;

use super::played::Played;
use super::probe::Rows;
use super::trying::Kit;
use crate::manifest::Path;
use crate::pointer::Pointer;

impl Kit<'_> {
    /// Does every field find its place?
    pub(super) fn places(&mut self, played: &Played<'_>, joined: &[(String, Vec<Json>)]) {
        let manifest = self.manifest;
        let root = Path::default();
        let people = Rows {
            rows: played.rows.iter().collect(),
            joined,
        };
        let is_shown = |name: &str| !self.recorded.not_shown.iter().any(|known| known == name);
        for (name, mapping) in &manifest.fields {
            if is_shown(name) {
                let path = root.name("fields").name(name);
                people.look(&mut self.findings, &path, mapping);
            }
        }
        for (name, mapping) in &manifest.custom {
            if is_shown(name) {
                let path = root.name("custom").name(name);
                people.look(&mut self.findings, &path, mapping);
            }
        }
        if let Some(revision) = &played.people.revision
            && let Ok(pointer) = Pointer::parse(revision)
            && is_shown("revision")
            && !played.rows.iter().any(|row| pointer.find(row).is_some())
        {
            let message =
                format!("no recorded row has {revision}; an old copy would not be known by it");
            let path = played.path.name("revision");
            self.findings
                .wrong(&path, "offline.field_not_there", message);
        }
        self.places_of_engagements(&people, joined);
    }

    fn places_of_engagements(&mut self, people: &Rows<'_>, joined: &[(String, Vec<Json>)]) {
        let Some(engagements) = &self.manifest.engagements else {
            return;
        };
        let is_shown = |name: &str| !self.recorded.not_shown.iter().any(|known| known == name);
        let path = Path::default().name("engagements");
        let below = |rows: &[&Json], text: &str| -> Vec<Json> {
            let Ok(pointer) = Pointer::parse(text) else {
                return Vec::new();
            };
            let found: Vec<Json> = match pointer.of() {
                None => rows
                    .iter()
                    .filter_map(|row| pointer.find(row))
                    .cloned()
                    .collect(),
                Some(name) => {
                    let known = joined.iter().find(|(known, _)| known == name);
                    known.map(|(_, rows)| rows.clone()).unwrap_or_default()
                }
            };
            let mut all = Vec::new();
            for one in found {
                match one {
                    Json::Array(list) => all.extend(list),
                    Json::Null => {}
                    one => all.push(one),
                }
            }
            all
        };
        let own: Vec<Json> = match &engagements.rows {
            Some(rows) => {
                let found = below(&people.rows, rows);
                if found.is_empty()
                    && is_shown("engagements")
                    && Pointer::parse(rows).is_ok_and(|one| one.of().is_none())
                {
                    let message = format!("no recorded row has an engagement at {rows}");
                    self.findings
                        .wrong(&path.name("rows"), "offline.list_not_found", message);
                }
                found
            }
            None => people.rows.iter().map(|row| (*row).clone()).collect(),
        };
        let rows = Rows {
            rows: own.iter().collect(),
            joined,
        };
        let named = [
            ("id", &engagements.id),
            ("kind", &engagements.kind),
            ("status", &engagements.status),
            ("start_date", &engagements.start_date),
            ("end_date", &engagements.end_date),
            ("end_reason", &engagements.end_reason),
            ("primary", &engagements.primary),
        ];
        for (name, mapping) in named {
            if let Some(mapping) = mapping
                && is_shown(name)
            {
                rows.look(&mut self.findings, &path.name(name), mapping);
            }
        }
        for (field, mapping) in engagements.terms.each() {
            if is_shown(field.name()) {
                let path = path.name("terms").name(term(field));
                rows.look(&mut self.findings, &path, mapping);
            }
        }
        let Some(periods) = &engagements.periods else {
            return;
        };
        let path = path.name("periods");
        let of_person = periods.rows.strip_prefix("person:");
        let found = match of_person {
            Some(rows) => below(&people.rows, rows),
            None => below(&rows.rows, &periods.rows),
        };
        let rows = Rows {
            rows: found.iter().collect(),
            joined,
        };
        rows.look(&mut self.findings, &path.name("from"), &periods.from);
        for (field, mapping) in periods.terms.each() {
            if is_shown(field.name()) {
                let path = path.name("terms").name(term(field));
                rows.look(&mut self.findings, &path, mapping);
            }
        }
    }

    /// Where the manifest says from where a field comes.
    pub(super) fn place_of(&self, field: Field) -> Path {
        let root = Path::default();
        let name = field.name();
        if self.manifest.fields.contains_key(name) {
            return root.name("fields").name(name);
        }
        let Some(engagements) = &self.manifest.engagements else {
            return root.name("fields");
        };
        let root = root.name("engagements");
        let own = match field {
            Field::EmploymentStatus if engagements.status.is_some() => Some("status"),
            Field::EmploymentStatus | Field::EndDate if engagements.end_date.is_some() => {
                Some("end_date")
            }
            Field::StartDate if engagements.start_date.is_some() => Some("start_date"),
            _ => None,
        };
        if let Some(own) = own {
            return root.name(own);
        }
        if engagements.terms.each().any(|(known, _)| known == field) {
            return root.name("terms").name(term(field));
        }
        match &engagements.periods {
            Some(periods) if periods.terms.each().any(|(known, _)| known == field) => {
                root.name("periods").name("terms").name(term(field))
            }
            _ => root,
        }
    }
}

/// The name of a term in the manifest.
fn term(field: Field) -> &'static str {
    match field {
        Field::EmploymentType => "type",
        Field::EmploymentPercentage => "percentage",
        field => field.name(),
    }
}
