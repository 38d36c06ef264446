//! The checks, in their order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use muster_model::engagement::{EngagementStatus, employment_on};
use muster_model::{Clock, DoubtKind, Evidence, EvidenceLevel, Field, Presence, SourceRecord};
use secrecy::SecretString;
use serde_json::{Map, Value as Json};

use super::bad_day::{Changed, Mishap, bad_days, renamed};
use super::fixture::{Recorded, fits};
use super::probe::Rows;
use super::tape::Tape;
use super::{Finding, Findings, Fixture};
use crate::connector::{Connector as _, FieldScope, ReadRequest};
use crate::declared::{Declared, open_played};
use crate::error::ConnectError;
use crate::http::Pause;
use crate::manifest::{self, ConnectorInfo, Manifest, Path, People, Speaks};
use crate::pointer::Pointer;
use crate::settings::ConnectorSettings;

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

/// Tries a sound manifest on recorded answers; no findings, or only notes, mean that
/// it reads them and bears their bad days. A manifest that is not sound, and
/// fixtures without answers, give none: `check_manifest` speaks of the one, and
/// there is nothing to say of the others.
pub async fn try_recorded(
    file: &str,
    text: &str,
    fixtures: &[Fixture],
    today: Date,
    clock: Arc<dyn Clock>,
) -> Vec<Finding> {
    let Ok((manifest, info)) = manifest::read(text) else {
        return Vec::new();
    };
    let mut findings = Findings {
        file,
        text,
        found: Vec::new(),
    };
    let recorded = Recorded::read(fixtures, &mut findings.found);
    if recorded.answers.is_empty() {
        return findings.found;
    }
    // A connector's entry lives as long as the program; here one program checks one manifest.
    let info: &'static ConnectorInfo = Box::leak(Box::new(info));
    let mut kit = Kit {
        manifest: &manifest,
        info,
        recorded: &recorded,
        today,
        clock,
        findings,
    };
    kit.run().await;
    kit.findings.found.sort_by_key(|finding| {
        (
            finding.note,
            finding.file.clone(),
            finding.line,
            finding.column,
        )
    });
    kit.findings.found
}

/// What the checks share.
struct Kit<'a> {
    manifest: &'a Manifest,
    info: &'static ConnectorInfo,
    recorded: &'a Recorded,
    today: Date,
    clock: Arc<dyn Clock>,
    findings: Findings<'a>,
}

/// The list of people that is played.
struct Played<'a> {
    people: &'a People,
    path: Path,
    /// Method and path of its request, as fixtures name it.
    key: (String, String),
    /// The recorded pages.
    pages: Vec<Json>,
    /// Their rows.
    rows: Vec<Json>,
}

/// Nobody waits for what is played.
struct AtOnce;

#[async_trait]
impl Pause for AtOnce {
    async fn pause(&self, _: Duration) {}
}

impl<'a> Kit<'a> {
    async fn run(&mut self) {
        let Some(played) = self.people() else {
            return;
        };
        let joined = self.joined();
        self.places(&played, &joined);
        let tape = Arc::new(self.tape(&played, &played.pages));
        let Some((evidence, records)) = self.recorded_read(&played, &tape).await else {
            return;
        };
        for missing in tape.missing() {
            let message = format!(
                "the fixtures hold no answer to {missing}; record one, and what comes from it is tried too"
            );
            self.findings
                .note(&played.path, "offline.not_recorded", message);
        }
        self.proof(&played, &evidence);
        self.readable(&records);
        self.broken_bodies(&played).await;
        if self.manifest.speaks == Speaks::Json {
            self.bad_days(&played, &records).await;
        } else {
            let message = "bad days are played for JSON alone; XML was read as it was recorded";
            self.findings
                .note(&played.path, "offline.not_played", message);
        }
    }

    /// The first list of people that default settings mean, with what was recorded of it.
    fn people(&mut self) -> Option<Played<'a>> {
        let manifest: &'a Manifest = self.manifest;
        let settings = self.settings();
        let meant = |people: &&People| {
            (people.when.iter()).all(|(name, value)| settings.settings.get(name) == Some(value))
        };
        let place = manifest.people.iter().position(|people| meant(&people))?;
        let people = manifest.people.get(place)?;
        let path = Path::default().name("people").place(place);
        let (method, address) = (method(people), self.full(&people.request.path));
        let Some(pages) = self.recorded.find(&method, &address) else {
            let message = format!(
                "the fixtures hold no answer to {method} {}, so nothing was played; record one \
                 under that name",
                people.request.path
            );
            self.findings
                .note(&path.name("request"), "offline.not_played", message);
            return None;
        };
        let key = (self.recorded.answers.keys())
            .find(|(known, pattern)| *known == method && fits(pattern, &address))?
            .clone();
        let mut rows = Vec::new();
        for page in pages {
            let tree = tree_of(page, manifest.speaks);
            match rows_at(people, &tree) {
                Some(found) => rows.extend(found),
                None if manifest.lists_may_be_missing || manifest.speaks == Speaks::Xml => {}
                None => {
                    let message = format!(
                        "the recorded answer has no list at {:?}; it has: {}",
                        people.rows,
                        names(&tree)
                    );
                    self.findings
                        .wrong(&path.name("rows"), "offline.list_not_found", message);
                    return None;
                }
            }
        }
        if rows.is_empty() {
            let message = "the recorded list has no rows; record one with a person or two";
            self.findings.note(&path, "offline.not_played", message);
            return None;
        }
        let id = Pointer::parse(&people.id).ok()?;
        if rows
            .iter()
            .all(|row| id.find(row).is_none_or(Json::is_null))
        {
            let message = format!(
                "no recorded row has an id at {}; a row has: {}",
                people.id,
                rows.first().map(names).unwrap_or_default()
            );
            self.findings
                .wrong(&path.name("id"), "offline.no_id", message);
            return None;
        }
        Some(Played {
            people,
            path,
            key,
            pages: pages.clone(),
            rows,
        })
    }

    /// Rows of the joined lists that were recorded.
    fn joined(&self) -> Vec<(String, Vec<Json>)> {
        let mut joined = Vec::new();
        for (name, join) in &self.manifest.joins {
            let address = self.full(&pattern(&join.request.path));
            let method = match join.request.method {
                manifest::Method::Post => "POST",
                _ => "GET",
            };
            let pages = self.recorded.find(method, &address);
            let mut rows = Vec::new();
            for page in pages.into_iter().flatten() {
                let mut tree = tree_of(page, self.manifest.speaks);
                let found = Pointer::parse(&join.rows)
                    .ok()
                    .and_then(|pointer| pointer.take(&mut tree));
                match found {
                    Some(Json::Array(list)) => rows.extend(list),
                    Some(Json::Object(map)) if join.keyed => {
                        rows.extend(map.into_iter().map(|(_, row)| row));
                    }
                    Some(row @ Json::Object(_)) => rows.push(row),
                    _ => {}
                }
            }
            if !rows.is_empty() {
                joined.push((name.clone(), rows));
            }
        }
        joined
    }

    /// Does every field find its place?
    fn places(&mut self, played: &Played<'_>, joined: &[(String, Vec<Json>)]) {
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

    /// Reads what was recorded, as it was.
    async fn recorded_read(
        &mut self,
        played: &Played<'_>,
        tape: &Arc<Tape>,
    ) -> Option<(Evidence, Vec<SourceRecord>)> {
        let connector = match self.connector(tape) {
            Ok(connector) => connector,
            Err(error) => {
                self.unreadable(&played.path, &error);
                return None;
            }
        };
        if let Err(error) = connector.account().await {
            let path = Path::default().name("company");
            let message = format!("the recorded answer names no company: {}", error.code());
            self.findings.wrong(&path, "offline.company", message);
            return None;
        }
        let mut records = Vec::new();
        match connector.read(&self.request(), &mut records).await {
            Ok(evidence) => Some((evidence, records)),
            Err(error) => {
                self.unreadable(&played.path, &error);
                None
            }
        }
    }

    fn unreadable(&mut self, path: &Path, error: &ConnectError) {
        let message = format!("what was recorded cannot be read: {}", error.in_short());
        self.findings.wrong(path, "offline.unreadable", message);
    }

    /// Is the end reached, and is what the manifest promises earned?
    fn proof(&mut self, played: &Played<'_>, evidence: &Evidence) {
        for doubt in &evidence.doubts {
            let detail = &doubt.detail;
            match doubt.kind {
                DoubtKind::PageFailed => self.findings.wrong(
                    &played.path.name("paging"),
                    "offline.paging_end",
                    format!(
                        "the end of the recorded list is not reached: {detail}. Correct the rule \
                         of its end, or record all of its pages (`answers`)"
                    ),
                ),
                DoubtKind::TotalDiffers => self.findings.note(
                    &played.path.name("paging"),
                    "offline.total_differs",
                    format!("{detail}: was the recording cut short?"),
                ),
                DoubtKind::RecordTwice => self.findings.wrong(
                    &played.path.name("id"),
                    "offline.record_twice",
                    format!("recorded rows share an id: {detail}"),
                ),
                DoubtKind::Empty => self.findings.wrong(
                    &played.path.name("only"),
                    "offline.nobody",
                    "of the recorded rows none is one of the company's people",
                ),
                _ => {}
            }
        }
        let promised = self.info.evidence.level;
        if evidence.doubts.is_empty() && evidence.level < promised {
            let message = format!(
                "reading the recorded pages earns `{}`, and the manifest promises `{}`",
                evidence.level.name(),
                promised.name()
            );
            let path = Path::default().name("evidence").name("level");
            self.findings
                .wrong(&path, "offline.evidence_not_earned", message);
        }
    }

    /// Is everything readable that was recorded?
    fn readable(&mut self, records: &[SourceRecord]) {
        for problem in records.iter().flat_map(|record| &record.problems) {
            let message = format!(
                "a recorded value cannot be read ({}): {}",
                problem.code, problem.message
            );
            let path = self.place_of(problem.field);
            match problem.field {
                // They depend on the country that a connection names, and made-up people
                // have made-up numbers.
                Field::Phone | Field::NationalId => {
                    self.findings
                        .note(&path, "offline.field_unreadable", message);
                }
                _ => self
                    .findings
                    .wrong(&path, "offline.field_unreadable", message),
            }
        }
    }

    /// A body that stops, and one without its list, prove nothing.
    async fn broken_bodies(&mut self, played: &Played<'_>) {
        let Some(first) = played.pages.first() else {
            return;
        };
        let whole = match first {
            Json::String(text) => text.clone(),
            first => first.to_string(),
        };
        let half: String = whole.chars().take(whole.chars().count() / 2).collect();
        let mut bodies = vec![(half, "stops in its middle")];
        if let Json::Object(_) = first
            && let Some(without) = without_rows(played.people, first)
        {
            bodies.push((without.to_string(), "comes without its list"));
        }
        for (body, how) in bodies {
            let mut tape = self.tape(played, &played.pages);
            tape.answers.insert(played.key.clone(), vec![body]);
            let Ok(connector) = self.connector(&Arc::new(tape)) else {
                continue;
            };
            let read = connector.read(&self.request(), &mut Vec::new()).await;
            if read.is_ok_and(|evidence| is_proof(&evidence)) {
                let message = format!("an answer that {how} is taken for the whole company");
                self.findings.wrong(
                    &played.path.name("rows"),
                    "offline.broken_is_whole",
                    message,
                );
            }
        }
    }

    /// Rows on their bad days, beside others that had none.
    async fn bad_days(&mut self, played: &Played<'_>, base: &[SourceRecord]) {
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
        if day.mishap == Mishap::Truth {
            return; // a flag that is set may mean just that
        }
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

    /// Where the manifest says from where a field comes.
    fn place_of(&self, field: Field) -> Path {
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

    fn request(&self) -> ReadRequest {
        ReadRequest::new(FieldScope::all(), self.today)
    }

    /// Settings as they are when nothing is entered, and something where something must be.
    fn settings(&self) -> ConnectorSettings {
        let mut settings = ConnectorSettings::new(self.clock.clone()).pause(Arc::new(AtOnce));
        for entry in &self.manifest.settings {
            let value = (entry.default.clone()).or_else(|| entry.values.first().cloned());
            settings = settings.set(&entry.name, value.unwrap_or_else(|| "1".to_owned()));
        }
        for entry in &self.manifest.secrets {
            settings = settings.secret(&entry.name, SecretString::from("recorded"));
        }
        settings
    }

    fn connector(&self, tape: &Arc<Tape>) -> Result<Declared, ConnectError> {
        open_played(self.info, self.manifest, &self.settings(), tape.clone())
    }

    /// The path with that of the base address before it.
    fn full(&self, path: &str) -> String {
        let base = self
            .info
            .base_urls
            .first()
            .map_or("", |base| base.url.as_str());
        let base = base.split_once("://").map_or("", |(_, rest)| rest);
        let base = base.split_once('/').map_or("", |(_, path)| path);
        match (base.trim_matches('/'), path) {
            (_, path) if path.starts_with("https://") => path.to_owned(),
            ("", path) => pattern(path),
            (base, path) => format!("/{base}{}", pattern(path)),
        }
    }

    /// The vendor with these pages of people.
    fn tape(&self, played: &Played<'_>, pages: &[Json]) -> Tape {
        let mut tape = Tape::new(self.recorded, self.otherwise());
        let written = |page: &Json| match page {
            Json::String(text) => text.clone(),
            page => page.to_string(),
        };
        tape.answers
            .insert(played.key.clone(), pages.iter().map(written).collect());
        let last = pages
            .last()
            .and_then(|page| with_rows(played.people, page, Vec::new()));
        if let Some(end) = last {
            tape.ends.insert(played.key.clone(), end.to_string());
        }
        tape
    }

    /// Answers to what was not recorded: a company of some name, and lists of none.
    fn otherwise(&self) -> Vec<(String, String)> {
        let mut made = Vec::new();
        if let Some(company) = &self.manifest.company {
            if let (Some(request), Some(id)) = (&company.request, company.id.0.first()) {
                let body = around(id, Json::from("recorded"));
                made.push((self.full(&request.path), body.to_string()));
            }
            if let Some(list) = &company.rights_list {
                let body = around(&list.rows, Json::Array(Vec::new()));
                made.push((self.full(&list.request.path), body.to_string()));
            }
        }
        for join in self.manifest.joins.values() {
            let body = around(&join.rows, Json::Array(Vec::new()));
            made.push((self.full(&join.request.path), body.to_string()));
        }
        for people in &self.manifest.people {
            let body = around(&people.rows, Json::Array(Vec::new()));
            made.push((self.full(&people.request.path), body.to_string()));
        }
        if let Some(discovery) = &self.manifest.discovery {
            let body = around(&discovery.rows, Json::Array(Vec::new()));
            made.push((self.full(&discovery.request.path), body.to_string()));
        }
        made
    }
}

/// Does a read with this evidence prove who is there?
fn is_proof(evidence: &Evidence) -> bool {
    evidence.level > EvidenceLevel::None && evidence.complete && evidence.doubts.is_empty()
}

/// The name of a term in the manifest.
fn term(field: Field) -> &'static str {
    match field {
        Field::EmploymentType => "type",
        Field::EmploymentPercentage => "percentage",
        field => field.name(),
    }
}

fn method(people: &People) -> String {
    match people.request.method {
        manifest::Method::Get => "GET",
        manifest::Method::Post => "POST",
        manifest::Method::Put => "PUT",
        manifest::Method::Patch => "PATCH",
    }
    .to_owned()
}

/// A path with a star for each segment that holds an expression.
fn pattern(path: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_u32;
    for letter in path.chars() {
        match letter {
            '{' => {
                if depth == 0 {
                    plain.push('*');
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            letter => plain.push(letter),
        }
    }
    plain
}

/// An answer as the tree that pointers point into.
fn tree_of(answer: &Json, speaks: Speaks) -> Json {
    match (answer, speaks) {
        (Json::String(text), Speaks::Xml) => crate::xml::parse(text.as_bytes()).unwrap_or_default(),
        (answer, _) => answer.clone(),
    }
}

fn rows_at(people: &People, tree: &Json) -> Option<Vec<Json>> {
    let pointer = Pointer::parse(&people.rows).ok()?;
    match pointer.find(tree)? {
        Json::Array(rows) => Some(rows.clone()),
        Json::Object(map) if people.keyed => Some(map.values().cloned().collect()),
        one @ Json::Object(_) => Some(vec![one.clone()]),
        _ => None,
    }
}

/// The answer with other rows, and with the numbers that speak of them.
fn with_rows(people: &People, page: &Json, rows: Vec<Json>) -> Option<Json> {
    let mut page = page.clone();
    let count = Json::from(rows.len());
    let list = match people.keyed {
        false => Json::Array(rows),
        true => {
            let named = rows.into_iter().enumerate();
            Json::Object(
                named
                    .map(|(number, row)| (number.to_string(), row))
                    .collect::<Map<_, _>>(),
            )
        }
    };
    let is_end = count == 0;
    *page.pointer_mut(&people.rows)? = list;
    let paging = &people.paging;
    let end =
        (paging.offset.as_ref().map(|one| &one.end)).or(paging.page.as_ref().map(|one| &one.end));
    if let Some(said) = end.and_then(|end| end.count.as_ref())
        && let Some(place) = page.pointer_mut(said)
    {
        *place = count.clone();
    }
    if let Some(said) = end.and_then(|end| end.total.as_ref())
        && let Some(place) = page.pointer_mut(said)
        && !is_end
    {
        *place = count;
    }
    if is_end
        && let Some(begins) = paging.offset.as_ref().and_then(|one| one.begins.as_ref())
        && let Some(place) = page.pointer_mut(begins)
    {
        *place = Json::Null;
    }
    Some(page)
}

/// The answer without its list.
fn without_rows(people: &People, page: &Json) -> Option<Json> {
    let mut page = page.clone();
    let (around, name) = people.rows.rsplit_once('/')?;
    page.pointer_mut(around)?.as_object_mut()?.remove(name)?;
    Some(page)
}

/// A value at the end of a pointer, with what must be around it.
fn around(pointer: &str, value: Json) -> Json {
    let names = pointer.split('/').skip(1).collect::<Vec<_>>();
    names
        .into_iter()
        .rev()
        .fold(value, |inner, name| match name.parse::<usize>() {
            Ok(_) => Json::Array(vec![inner]),
            Err(_) => Json::Object(Map::from_iter([(name.to_owned(), inner)])),
        })
}

/// Names of the members of an answer, without what stands in them.
fn names(tree: &Json) -> String {
    match tree {
        Json::Object(members) => {
            let names: Vec<&str> = members.keys().take(40).map(String::as_str).collect();
            names.join(", ")
        }
        Json::Array(_) => "a list".to_owned(),
        _ => "one value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_read_without_doubts_is_a_proof() {
        let mut evidence = Evidence::none();
        assert!(!is_proof(&evidence));
        evidence.level = EvidenceLevel::Ended;
        evidence.complete = true;
        assert!(is_proof(&evidence));
        evidence.doubt(DoubtKind::Empty, "nobody");
        assert!(!is_proof(&evidence));
    }

    #[test]
    fn paths_with_expressions_are_patterns() {
        assert_eq!(pattern("/people/{id}/jobs"), "/people/*/jobs");
        assert!(fits("/people/*/jobs", "/v2/people/4/jobs"));
        assert!(fits("/v2/token/>whoAmI", "/v2/token/%3EwhoAmI"));
        assert!(!fits("/people", "/people/4"));
        assert_eq!(
            around("/data/0/id", Json::from(1)).to_string(),
            r#"{"data":[{"id":1}]}"#
        );
    }
}
