//! Field by field: what we hold, whose it is, and what each record says of it.

use muster_model::link::Choice;
use muster_model::plan::Effect;
use muster_model::time::date_in;
use muster_model::zone::zone_of;
use muster_model::{Field, Fields, Flow, Person, Reason, Said, Value};
use muster_reconcile::compare::{Wish, pair_digest, wish};

use super::Asked;
use super::answer::{ExplainedField, ExplainedSaid, Why, name, shown, why};
use super::recall::{Recalled, Thought};
use crate::engine::Engine;

/// Every field of which something is known or said.
pub(super) fn all(
    engine: &Engine,
    asked: &Asked<'_>,
    person: Option<&Person>,
    records: &[Recalled],
    only: Option<Field>,
) -> Vec<ExplainedField> {
    let spoken: Vec<(&Recalled, Fields)> = records
        .iter()
        .map(|recalled| (recalled, flat(engine, asked, recalled)))
        .collect();
    Field::ALL
        .into_iter()
        .filter(|field| only.is_none_or(|only| only == *field))
        .filter_map(|field| one(asked, person, &spoken, field, only.is_some()))
        .collect()
}

/// What a record says today: what its link last believed, or what was read.
fn flat(engine: &Engine, asked: &Asked<'_>, recalled: &Recalled) -> Fields {
    let read = recalled.stored.as_ref().map(|stored| &stored.record.fields);
    let believed = recalled.link.as_ref().map(|link| &link.said);
    let Some(said) = read.or(believed) else {
        return Fields::new();
    };
    let zone = Engine::zone(asked.organisation);
    let today = date_in(engine.now(), &zone_of(said, &zone));
    muster_model::engagement::flatten(said, today)
}

fn one(
    asked: &Asked<'_>,
    person: Option<&Person>,
    spoken: &[(&Recalled, Fields)],
    field: Field,
    wanted: bool,
) -> Option<ExplainedField> {
    let value = match field {
        Field::Engagements => person.map(|person| {
            let all: Vec<_> = person.engagements.values().flatten().cloned().collect();
            Value::Engagements(all)
        }),
        _ => person.and_then(|person| person.fields.value(field).cloned()),
    };
    let said: Vec<ExplainedSaid> = spoken
        .iter()
        .filter_map(|(recalled, flat)| {
            let problem = recalled.stored.as_ref().and_then(|stored| {
                let problems = &stored.record.problems;
                problems.iter().find(|problem| problem.field == field)
            });
            let theirs = flat.get(field);
            if theirs.is_absent() && problem.is_none() && !wanted {
                return None;
            }
            let (text, why) = match problem {
                Some(problem) => (
                    problem.said.clone().unwrap_or_else(|| "••••".to_owned()),
                    why(
                        "field.unreadable",
                        &format!("{}: {}", problem.code, problem.message),
                    ),
                ),
                None => (words(theirs), judge(asked, person, recalled, field, theirs)),
            };
            Some(ExplainedSaid {
                connection: recalled.connection.name.clone(),
                external_id: recalled.external_id.to_string(),
                said: text,
                versions: recalled
                    .stored
                    .as_ref()
                    .and_then(|stored| stored.settled_versions.clone())
                    .unwrap_or_else(|| recalled.versions.clone()),
                why,
            })
        })
        .collect();
    if value.is_none() && said.is_empty() && !wanted {
        return None;
    }
    let owner = person.and_then(|person| person.owners.get(&field));
    Some(ExplainedField {
        field,
        value: value.map(|value| value.shown()),
        owner: owner.map_or_else(|| "ours".to_owned(), |owner| name(asked, *owner)),
        set: person
            .and_then(|person| person.provenance.of(field.name()))
            .map(|stamp| shown(asked, stamp)),
        said,
    })
}

/// What a statement is worth for a person.
fn judge(
    asked: &Asked<'_>,
    person: Option<&Person>,
    recalled: &Recalled,
    field: Field,
    theirs: Said<&Value>,
) -> Why {
    if let Thought::Row { change, .. } | Thought::Next(change) = &recalled.thought {
        let touches = |effect: &Effect| matches!(effect, Effect::Set { field: of, .. } | Effect::Conflict { field: of, .. } | Effect::Outward { field: of, .. } if *of == field);
        let planned = change
            .effects
            .iter()
            .find(|planned| touches(&planned.effect));
        if let Some(planned) = planned {
            if let Some(kind) = planned.held {
                return Why {
                    rule: format!("hold.{}", kind.word()),
                    words: "held back".to_owned(),
                    detail: String::new(),
                    release: "see what holds the record".to_owned(),
                };
            }
            if matches!(planned.effect, Effect::Conflict { .. }) {
                return why("compare.conflict", "");
            }
        }
    }
    let (Some(person), Some(link)) = (person, &recalled.link) else {
        let reason = match &recalled.thought {
            Thought::Row { change, .. } | Thought::Next(change) => change.reasons.last(),
            Thought::Quiet(quiet) => Some(&quiet.reason),
            Thought::NoRow | Thought::NotThere => None,
        };
        return reason.map_or_else(
            || why("match.not_in_source", ""),
            |reason: &Reason| why(&reason.code, ""),
        );
    };
    let connection = &recalled.connection;
    let policy = &connection.policy;
    let ours = person.fields.get(field);
    let key = asked.organisation.digest_key();
    let declined = |choice: Choice| {
        link.decisions.get(&field).is_some_and(|decision| {
            decision.choice == choice
                && (beyond_fields(field) || decision.pair == pair_digest(&key, field, theirs, ours))
        })
    };
    if declined(Choice::Declined) {
        return why(Reason::DECLINED, "");
    }
    if declined(Choice::Skip) {
        return why(Reason::DECIDED, "");
    }
    match policy.flow(field) {
        Flow::Off => return why("flow.off", ""),
        Flow::KeyOnly => return why("flow.key_only", ""),
        _ => {}
    }
    if let Some(owner) = person.owners.get(&field)
        && *owner != connection.id
    {
        return why("owner.other", &format!("owned by {}", name(asked, *owner)));
    }
    if theirs.is_absent() {
        return why("compare.silent", "");
    }
    if beyond_fields(field) {
        return why("compare.same", "");
    }
    let set_here = person.provenance.of(field.name());
    match wish(policy, field, Some(link), theirs, ours, &key) {
        None if theirs.is_null() && ours.value().is_some() => why("compare.kept", ""),
        None => match set_here {
            Some(stamp) if stamp.connection == connection.id => why("compare.theirs_changed", ""),
            _ => why("compare.same", ""),
        },
        Some(Wish::Ask) => why("compare.conflict", ""),
        Some(Wish::GiveOurs) => why("flow.out", ""),
        Some(_) => why("compare.waits", ""),
    }
}

/// Fields that have steps of their own, and decisions about more than a value.
const fn beyond_fields(field: Field) -> bool {
    matches!(field, Field::Engagements | Field::EmploymentStatus) || field.is_manager()
}

fn words(said: Said<&Value>) -> String {
    match said {
        Said::Absent => "nothing".to_owned(),
        Said::Null => "none".to_owned(),
        Said::Value(value) => value.shown(),
    }
}

/// What an effect is about, in a word.
pub(super) fn effect_name(effect: &Effect) -> String {
    match effect {
        Effect::Create { .. } => "create".to_owned(),
        Effect::Link => "link".to_owned(),
        Effect::Unlink => "unlink".to_owned(),
        Effect::Set { field, .. }
        | Effect::Own { field }
        | Effect::Owner { field, .. }
        | Effect::Decide { field, .. }
        | Effect::Conflict { field, .. } => field.name().to_owned(),
        Effect::Outward { field, .. } => format!("{field}, to the source"),
        Effect::Manager { .. } => "manager".to_owned(),
        Effect::Employment { from, to } => {
            format!("employment {} → {}", from.name(), to.name())
        }
        Effect::Access { from, to } => format!("access {} → {}", from.name(), to.name()),
        Effect::MarkGone => "gone".to_owned(),
        Effect::Remove { .. } => "remove".to_owned(),
        Effect::DeclineRecord { .. } => "record".to_owned(),
        Effect::Answer { matter, .. } => matter.word().to_owned(),
        Effect::Cancel { kind, .. } => kind.clone(),
    }
}
