//! The checks, in their order.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use muster_model::{Clock, DoubtKind, Evidence, EvidenceLevel, Field, SourceRecord};
use secrecy::SecretString;
use serde_json::Value as Json;

use super::fixture::Recorded;
use super::played::{Played, without_rows};
use super::tape::Tape;
use super::{Finding, Findings, Fixture};
use crate::connector::{Connector as _, FieldScope, ReadRequest};
use crate::declared::{Declared, open_played};
use crate::error::ConnectError;
use crate::http::Pause;
use crate::manifest::{self, ConnectorInfo, Manifest, Path, Speaks};
use crate::settings::ConnectorSettings;

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
        let message =
            "the fixtures name no request (`GET /path`) with its answer, so nothing was played";
        findings.note(
            &Path::default().name("people"),
            "offline.not_played",
            message,
        );
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
pub(super) struct Kit<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) info: &'static ConnectorInfo,
    pub(super) recorded: &'a Recorded,
    pub(super) today: Date,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) findings: Findings<'a>,
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

    pub(super) fn request(&self) -> ReadRequest {
        ReadRequest::new(FieldScope::all(), self.today)
    }

    /// Settings as they are when nothing is entered, and something where something must be.
    pub(super) fn settings(&self) -> ConnectorSettings {
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

    pub(super) fn connector(&self, tape: &Arc<Tape>) -> Result<Declared, ConnectError> {
        open_played(self.info, self.manifest, &self.settings(), tape.clone())
    }
}

/// Does a read with this evidence prove who is there?
fn is_proof(evidence: &Evidence) -> bool {
    evidence.level > EvidenceLevel::None && evidence.complete && evidence.doubts.is_empty()
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
}
