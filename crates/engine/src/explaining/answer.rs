//! The answer, in the shape in which it is printed and served.

use jiff::Timestamp;
use muster_model::plan::{Change, Planned};
use muster_model::{
    Evidence, Field, Hold, HoldKind, Person, PersonId, Provenance, Reaction, Reason, RunId, Stamp,
};
use muster_storage::ChangeState;
use serde::Serialize;

use super::done::only_noted;
use super::recall::{Recalled, Thought};
use super::{Asked, fields, words};
use crate::engine::Engine;

/// Why somebody, or a record that is nobody, is as it is.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Who; absent while the records are nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The right to enter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<&'static str>,
    /// Who set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_set: Option<ShownStamp>,
    /// Employment by the union of all engagements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment: Option<&'static str>,
    /// The manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonId>,
    /// Who set that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_set: Option<ShownStamp>,
    /// What was thought of each record.
    pub records: Vec<ExplainedRecord>,
    /// Field by field.
    pub fields: Vec<ExplainedField>,
}

/// A rule that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// Its stable code.
    pub rule: String,
    /// In words.
    pub words: String,
    /// With ids, field names and counts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What would release it.
    pub release: String,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownStamp {
    /// The run.
    pub run: RunId,
    /// The connection's name.
    pub connection: String,
    /// When.
    pub at: Timestamp,
    /// Under which versions of connector, mapping and policy.
    pub versions: String,
}

/// One record, and what was thought of it.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedRecord {
    /// The connection's name.
    pub connection: String,
    /// The record.
    pub external_id: String,
    /// The run that last saw it in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_by: Option<RunId>,
    /// When that read began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Was it in the last read of the connection?
    pub in_last_read: bool,
    /// What matching found.
    pub situation: String,
    /// What the policy answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    /// What became of it: applied, held, open, waiting, stale; `decided`, where
    /// somebody refused, skipped or left it; `at rest`; `next read`.
    pub state: String,
    /// The run that thought so, when one left a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Under which versions of connector, mapping and policy.
    pub versions: String,
    /// The rules, in order.
    pub why: Vec<Why>,
    /// What other runs than the one that planned it did of it, and what was decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<DonePart>,
    /// What is held back, and by what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldPart>,
    /// Doubts about the read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// What a later run did of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DonePart {
    /// Which run.
    pub run: RunId,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Did somebody decide it?
    pub decided: bool,
    /// What, in the words of the file of decisions.
    pub what: Vec<String>,
}

/// A part of a row that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldPart {
    /// What would happen.
    pub what: String,
    /// What holds it.
    pub kind: &'static str,
    /// The arithmetic, or the doubt.
    pub reason: String,
    /// What would release it.
    pub release: String,
}

/// One field.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedField {
    /// Which.
    pub field: Field,
    /// What we hold; sealed values are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Which connection owns it; `ours` for none.
    pub owner: String,
    /// Who set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<ShownStamp>,
    /// What each record says of it.
    pub said: Vec<ExplainedSaid>,
}

/// What one record says of a field.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedSaid {
    /// The connection's name.
    pub connection: String,
    /// The record.
    pub external_id: String,
    /// What it says: a value, `none` or `nothing`; sealed values are masked.
    pub said: String,
    /// Under which versions it was mapped.
    pub versions: String,
    /// Why it counts, or does not.
    pub why: Why,
}

pub(super) fn explanation(
    engine: &Engine,
    asked: &Asked<'_>,
    person: Option<Person>,
    records: Vec<Recalled>,
    only: Option<Field>,
) -> Explanation {
    let stamp = |name: &str| {
        let person = person.as_ref()?;
        Some(shown(asked, person.provenance.of(name)?))
    };
    Explanation {
        access_set: stamp(Provenance::ACCESS),
        manager_set: stamp(Provenance::MANAGER),
        person: person.as_ref().map(|person| person.id),
        access: person.as_ref().map(|person| person.access.name()),
        employment: person.as_ref().map(|person| person.employment.name()),
        manager: person.as_ref().and_then(|person| person.manager),
        fields: fields::all(engine, asked, person.as_ref(), &records, only),
        records: records
            .iter()
            .map(|recalled| record(engine, asked, person.as_ref(), recalled))
            .collect(),
    }
}

pub(super) fn shown(asked: &Asked<'_>, stamp: &Stamp) -> ShownStamp {
    ShownStamp {
        run: stamp.run,
        connection: name(asked, stamp.connection),
        at: stamp.at,
        versions: stamp.versions.clone(),
    }
}

pub(super) fn name(asked: &Asked<'_>, id: muster_model::ConnectionId) -> String {
    asked
        .connections
        .get(&id)
        .map_or_else(|| id.to_string(), |connection| connection.name.clone())
}

pub(super) fn why(code: &str, detail: &str) -> Why {
    let rule = words::of(code);
    Why {
        rule: code.to_owned(),
        words: rule.words.to_owned(),
        // The planner's words may be the rule's own.
        detail: if rule.words.contains(detail) {
            String::new()
        } else {
            detail.to_owned()
        },
        release: rule.release.to_owned(),
    }
}

fn record(
    engine: &Engine,
    asked: &Asked<'_>,
    person: Option<&Person>,
    recalled: &Recalled,
) -> ExplainedRecord {
    let sighting = recalled.sighting.as_ref();
    let rested = recalled
        .stored
        .as_ref()
        .and_then(|stored| stored.settled_versions.clone());
    let mut answer = ExplainedRecord {
        connection: recalled.connection.name.clone(),
        external_id: recalled.external_id.to_string(),
        seen_by: sighting.map(|sighting| sighting.run),
        seen_at: sighting.map(|sighting| sighting.at),
        in_last_read: sighting.is_some_and(|sighting| sighting.snapshot == sighting.newest),
        situation: if recalled.link.is_some() {
            "linked".to_owned()
        } else {
            "new".to_owned()
        },
        reaction: None,
        state: "at rest".to_owned(),
        run: sighting.map(|sighting| sighting.run),
        at: sighting.map(|sighting| sighting.at),
        versions: rested.unwrap_or_else(|| recalled.versions.clone()),
        why: Vec::new(),
        done: Vec::new(),
        held: Vec::new(),
        doubts: Vec::new(),
    };
    match &recalled.thought {
        Thought::Row {
            change,
            state,
            done,
            open,
            holds,
            evidence,
            run,
            at,
            versions,
        } => {
            of_change(&mut answer, change);
            answer.state = if only_noted(change, *state, done) {
                "decided".to_owned()
            } else {
                state.word().to_owned()
            };
            answer.done = done
                .iter()
                .map(|done| DonePart {
                    run: done.run,
                    at: done.at,
                    decided: done.decided,
                    what: done.words(change),
                })
                .collect();
            if *state == ChangeState::Applied {
                nothing_to_answer(&mut answer);
            }
            answer.run = *run;
            answer.at = Some(*at);
            if let Some(versions) = versions {
                answer.versions.clone_from(versions);
            }
            answer.held = held(open, holds);
            if answer
                .held
                .iter()
                .any(|part| part.kind == HoldKind::Doubt.word())
            {
                answer.doubts = doubts(evidence);
                for why in answer.why.iter_mut().filter(|why| why.rule == GONE) {
                    DOUBTED.clone_into(&mut why.words);
                    BELIEVED.clone_into(&mut why.release);
                    why.detail.clear();
                }
            }
        }
        Thought::Next(change) => {
            of_change(&mut answer, change);
            answer.state = "next read".to_owned();
        }
        Thought::Quiet(quiet) => {
            use muster_model::plan::Rest;
            answer.situation = match quiet.rest {
                Rest::OutOfScope => "out of scope".to_owned(),
                Rest::Gone => "gone".to_owned(),
                Rest::Unchanged | Rest::Ignored => answer.situation,
            };
            let mut because = why(&quiet.reason.code, &quiet.reason.detail);
            if because.rule == Reason::DECIDED {
                let ways = fields::left_as_decided(engine, asked, person, recalled);
                if !ways.is_empty() {
                    because.words = ways.join("; ");
                }
            }
            answer.why.push(because);
        }
        Thought::NoRow => answer.why.push(why("run.no_row", "")),
        Thought::NotThere => {
            answer.situation = "not in the source".to_owned();
            answer.why.push(why("match.not_in_source", ""));
        }
    }
    unreadable(&mut answer, recalled);
    answer
}

/// What the record said and could not be read: nothing differs only in the rest.
fn unreadable(answer: &mut ExplainedRecord, recalled: &Recalled) {
    let Some(stored) = recalled.stored.as_ref().filter(|_| recalled.now) else {
        return;
    };
    let problems = &stored.record.problems;
    if problems.is_empty() {
        return;
    }
    for same in answer.why.iter_mut().filter(|why| why.rule == SAME) {
        REST_SAME.clone_into(&mut same.words);
        same.detail.clear();
    }
    answer.why.extend(problems.iter().map(|problem| {
        let detail = format!("{}: {}: {}", problem.field, problem.code, problem.message);
        why("field.unreadable", &detail)
    }));
}

/// What was done waits for nobody's answer.
fn nothing_to_answer(answer: &mut ExplainedRecord) {
    for why in &mut answer.why {
        if why.release.starts_with("`muster decide` with") {
            words::NOTHING.clone_into(&mut why.release);
        }
    }
}

/// The rule of a record that is missing, and what is true of it after a read that
/// is not believed.
const GONE: &str = "decide.gone";
const DOUBTED: &str = "missing from a read that was not full, or is not believed";
const BELIEVED: &str = "the next read that can be believed in full decides by itself";
/// The rule of a record in which nothing differs.
const SAME: &str = "compare.same";
const REST_SAME: &str = "both sides say the same, but for what could not be read";

fn of_change(answer: &mut ExplainedRecord, change: &Change) {
    answer.situation = change.situation.word().to_owned();
    answer.reaction = Some(change.reaction.word().to_owned());
    answer.why = change
        .reasons
        .iter()
        .map(|reason| why(&reason.code, &reason.detail))
        .collect();
    // Whoever is new waits for nobody where the policy makes them, and for an answer
    // where it asks.
    let asks = change.reaction == Reaction::Ask && change.effects.is_empty();
    for why in answer
        .why
        .iter_mut()
        .filter(|why| asks && why.rule.starts_with("match.") && why.release == words::NOTHING)
    {
        WHO.clone_into(&mut why.release);
    }
}

/// What answers the question who a record is.
const WHO: &str = "`muster decide` with create, link:PERSON or leave";

/// What a hold keeps back, with its arithmetic.
fn held(open: &[Planned], holds: &[Hold]) -> Vec<HeldPart> {
    let part = |planned: &Planned| {
        let kind = planned.held?;
        let hold = holds.iter().find(|hold| hold.kind == kind);
        Some(HeldPart {
            what: fields::effect_name(&planned.effect),
            kind: kind.word(),
            reason: hold.map(|hold| hold.reason.clone()).unwrap_or_default(),
            release: hold.map(|hold| hold.next.clone()).unwrap_or_default(),
        })
    };
    let mut parts: Vec<HeldPart> = Vec::new();
    for part in open.iter().filter_map(part) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

fn doubts(evidence: &Evidence) -> Vec<String> {
    evidence
        .doubts
        .iter()
        .map(|doubt| format!("{}: {}", doubt.kind.code(), doubt.detail))
        .collect()
}
