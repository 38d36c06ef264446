//! What bad days make of people.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_model::engagement::{EngagementStatus, employment_on};
use muster_model::{DoubtKind, Field, Presence, SourceRecord};
use serde_json::Value as Json;

use super::bad_day::{Changed, Mishap, bad_days, renamed};
use super::played::{Played, with_rows};
use super::trying::Kit;
use crate::connector::Connector as _;
use crate::manifest::Path;
use crate::pointer::Pointer;

/// Recorded people who have bad days; further ones would show the same.
const MOST_PEOPLE: usize = 3;

/// Fields of free text, in which any letter must come through.
const OF_TEXT: [Field; 8] = [
    Field::GivenName,
    Field::FamilyName,
    Field::DisplayName,
    Field::JobTitle,
    Field::Department,
    Field::Team,
    Field::Location,
    Field::CostCentre,
];

impl Kit<'_> {
    /// Rows on their bad days, beside others that had none.
    pub(super) async fn bad_days(&mut self, played: &Played<'_>, base: &[SourceRecord]) {
        let people = played.people;
        let mut days: Vec<Changed> = (played.rows.iter().take(MOST_PEOPLE).enumerate())
            .flat_map(|(of, row)| bad_days(of, row, &people.id))
            .collect();
        for (number, day) in days.iter_mut().enumerate() {
            if !renamed(&mut day.row, &people.id, number) {
                return;
            }
        }
        let mut rows = played.rows.clone();
        rows.extend(days.iter().map(|day| day.row.clone()));
        let Some(page) = played
            .pages
            .first()
            .and_then(|page| with_rows(people, page, rows))
        else {
            return;
        };
        let tape = Arc::new(self.tape(played, &[page]));
        let Ok(connector) = self.connector(&tape) else {
            return;
        };
        let mut records = Vec::new();
        let read = connector.read(&self.request(), &mut records).await;
        let failed = match &read {
            Ok(evidence) => (evidence.doubts.iter())
                .find(|doubt| doubt.kind == DoubtKind::PageFailed)
                .map(|doubt| doubt.detail.clone()),
            Err(error) => Some(error.in_short()),
        };
        if let Some(detail) = failed {
            let place = match (&people.only, &people.removed) {
                (Some(_), _) => "only",
                (None, Some(_)) => "removed",
                _ => "rows",
            };
            let message = format!(
                "one person's bad field takes the proof from the whole read: {detail}. Let the \
                 expression bear null and other kinds, such as text(row.x)"
            );
            self.findings
                .wrong(&played.path.name(place), "offline.one_spoils_all", message);
        }
        let by_id: BTreeMap<&str, &SourceRecord> = (records.iter())
            .map(|record| (record.external_id.as_str(), record))
            .collect();
        for record in base {
            if by_id
                .get(record.external_id.as_str())
                .is_some_and(|now| *now != record)
            {
                let message = "somebody else's bad day changes what is read of a person";
                self.findings
                    .wrong(&played.path, "offline.neighbour_changed", message);
            }
        }
        let Ok(id) = Pointer::parse(&people.id) else {
            return;
        };
        let record_of = |row: &Json| {
            let id = crate::declared::id_text(id.find(row)?)?;
            by_id.get(id.as_str()).copied()
        };
        let mut usual: BTreeMap<usize, &SourceRecord> = BTreeMap::new();
        for day in days.iter().filter(|day| day.mishap == Mishap::None) {
            if let Some(record) = record_of(&day.row) {
                usual.insert(day.of, record);
            }
        }
        for day in &days {
            if let Some(usual) = usual.get(&day.of) {
                self.judge(played, day, usual, record_of(&day.row));
            }
        }
    }

    /// What a bad day makes of a person.
    fn judge(
        &mut self,
        played: &Played<'_>,
        day: &Changed,
        usual: &SourceRecord,
        record: Option<&SourceRecord>,
    ) {
        if day.mishap == Mishap::Truth {
            return; // a flag that is set may mean just that
        }
        let how = format!("{} {}", day.member, day.mishap.words());
        let Some(record) = record else {
            let message =
                format!("when {how}, the person is none of the company's: is that meant?");
            return self.findings.note(
                &played.path.name("only"),
                "offline.person_vanishes",
                message,
            );
        };
        if usual.presence == Presence::Present && record.presence == Presence::Removed {
            let message = format!("when {how}, the person counts as removed");
            self.findings.wrong(
                &played.path.name("removed"),
                "offline.silence_removes",
                message,
            );
        }
        let ended = |record: &SourceRecord| {
            record.whole
                && record.engagements().is_some_and(|all| {
                    employment_on(all, self.today) == Some(EngagementStatus::Ended)
                })
        };
        if ended(record) && !ended(usual) && day.mishap != Mishap::None {
            let path = self.place_of(Field::EmploymentStatus);
            let message = format!(
                "when {how}, somebody who works there has left: an unknown word, or nothing, must \
                 not end anybody (otherwise = \"unknown\")"
            );
            self.findings
                .wrong(&path, "offline.silence_ends_somebody", message);
        }
        if day.mishap == Mishap::Letters {
            self.letters(day, usual, record);
        }
    }

    /// Letters of any alphabet come through, where a field is read from the member.
    fn letters(&mut self, day: &Changed, usual: &SourceRecord, record: &SourceRecord) {
        for (name, mapping) in &self.manifest.fields {
            let Ok(field) = name.parse::<Field>() else {
                continue;
            };
            let source = &mapping.0;
            let is_meant = OF_TEXT.contains(&field)
                && source.codes.is_empty()
                && source.from.0.first() == Some(&day.member)
                && usual.fields.text(field).is_some();
            if is_meant && record.fields.text(field).is_none_or(str::is_ascii) {
                let path = Path::default().name("fields").name(name);
                let message = format!("when {} {}, they are lost", day.member, day.mishap.words());
                self.findings.wrong(&path, "offline.letters_lost", message);
            }
        }
    }
}
