//! Field by field: what we hold, whose it is, and what each record says of it.

use muster_model::link::Choice;
use muster_model::plan::{Effect, Planned};
use muster_model::time::date_in;
use muster_model::zone::zone_of;
use muster_model::{
    Answer, ConnectionId, DigestKey, Field, Fields, Flow, Link, Person, Reason, RecordDecision,
    Said, Value,
};
use muster_reconcile::compare::{Wish, pair_digest, wish};

use super::answer::{ExplainedField, ExplainedSaid, Why, name, shown, why};
use super::done::{self, Origin};
use super::recall::{Recalled, Thought};
use super::{Asked, words};
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
                None => (
                    shown_said(theirs),
                    judge(asked, person, recalled, field, theirs),
                ),
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
    if let Some(why) = waiting(recalled, field) {
        return why;
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
    match stands(link, &key, field, theirs, ours) {
        Some(Choice::Declined) => return why(Reason::DECLINED, ""),
        Some(Choice::Skip) => return why("decided.skip", ""),
        _ => {}
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
        return beyond(person, connection.id, recalled, field, theirs);
    }
    let origin = recalled.origins.get(&field).copied();
    let decided = |run| format!("decided in run {run}");
    match wish(policy, field, Some(link), theirs, ours, &key) {
        None if theirs.is_null() && ours.value().is_some() => why("compare.kept", ""),
        None | Some(Wish::GiveOurs) if let Some(Origin::Ours(run)) = origin => {
            why("decided.ours", &decided(run))
        }
        None => match (origin, person.provenance.of(field.name())) {
            (Some(Origin::Created), _) => why("field.created", ""),
            (Some(Origin::Followed), _) => why("compare.theirs_changed", ""),
            (Some(Origin::Theirs(run)), _) => why("decided.theirs", &decided(run)),
            (Some(Origin::Undone), _) => why("undo.reverted", ""),
            (_, Some(stamp)) if stamp.connection == connection.id => why("field.given", ""),
            _ => why("compare.same", ""),
        },
        Some(Wish::Ask) => why("compare.conflict", ""),
        Some(Wish::GiveOurs) => why("flow.out", ""),
        Some(_) if refused_before(recalled) => why("hold.refused", ""),
        Some(_) => why("compare.waits", ""),
    }
}

/// What was decided about the pair of values that stands now.
fn stands(
    link: &Link,
    key: &DigestKey,
    field: Field,
    theirs: Said<&Value>,
    ours: Said<&Value>,
) -> Option<Choice> {
    let decision = link.decisions.get(&field)?;
    (beyond_fields(field) || decision.pair == pair_digest(key, field, theirs, ours))
        .then_some(decision.choice)
}

/// Who left the record as it is, and how: each way once, in words.
pub(super) fn left_as_decided(
    engine: &Engine,
    asked: &Asked<'_>,
    person: Option<&Person>,
    recalled: &Recalled,
) -> Vec<&'static str> {
    let (Some(person), Some(link)) = (person, &recalled.link) else {
        return vec![words::LEFT];
    };
    let said = flat(engine, asked, recalled);
    let key = asked.organisation.digest_key();
    let choices: Vec<Choice> = Field::ALL
        .into_iter()
        .filter_map(|field| {
            let ours = person.fields.get(field);
            stands(link, &key, field, said.get(field), ours)
        })
        .collect();
    let refused = |decision: &RecordDecision| decision.answer == Answer::Refuse;
    [
        (choices.contains(&Choice::Skip), words::SKIPPED),
        (choices.contains(&Choice::Declined), words::SET_ASIDE),
        (recalled.decisions.iter().any(refused), words::REFUSED),
    ]
    .into_iter()
    .filter_map(|(applies, words)| applies.then_some(words))
    .collect()
}

/// What the row says of a field: held, asked, or refused.
fn waiting(recalled: &Recalled, field: Field) -> Option<Why> {
    let (open, all, done) = match &recalled.thought {
        Thought::Row {
            change, open, done, ..
        } => (open, &change.effects, done.as_slice()),
        Thought::Next(change) => (&change.effects, &change.effects, [].as_slice()),
        _ => return None,
    };
    let about = |planned: &&Planned| touches(&planned.effect, field);
    if all
        .iter()
        .filter(about)
        .any(|planned| done::refused(planned, done))
    {
        return Some(why("hold.refused", ""));
    }
    let planned = open.iter().find(about)?;
    if let Some(kind) = planned.held {
        return Some(Why {
            rule: format!("hold.{}", kind.word()),
            words: "held back".to_owned(),
            detail: String::new(),
            release: "see what holds the record".to_owned(),
        });
    }
    matches!(planned.effect, Effect::Conflict { .. }).then(|| why("compare.conflict", ""))
}

/// Does the record rest because somebody refused what was held?
fn refused_before(recalled: &Recalled) -> bool {
    let refusal = |decision: &RecordDecision| decision.answer == Answer::Refuse;
    matches!(&recalled.thought, Thought::Quiet(quiet) if quiet.reason.code == Reason::DECIDED)
        && recalled.decisions.iter().any(refusal)
}

/// A statement about employment or the manager, which are worked out from more than
/// one record.
fn beyond(
    person: &Person,
    connection: ConnectionId,
    recalled: &Recalled,
    field: Field,
    theirs: Said<&Value>,
) -> Why {
    let same = match (field, theirs.value()) {
        (Field::EmploymentStatus, Some(theirs)) => {
            theirs.same(&Value::text(person.employment.name()), field)
        }
        (Field::Engagements, Some(Value::Engagements(theirs))) => {
            let ours = person.engagements.get(&connection);
            ours.map_or(theirs.is_empty(), |ours| ours == theirs)
        }
        (Field::EmploymentStatus | Field::Engagements, _) => false,
        _ => return why("manager.resolved", ""),
    };
    if same {
        why("compare.same", "")
    } else if refused_before(recalled) {
        why("hold.refused", "")
    } else {
        why("compare.differs", "")
    }
}

/// Is the effect about the field?
pub(super) fn touches(effect: &Effect, field: Field) -> bool {
    match effect {
        Effect::Set { field: of, .. }
        | Effect::Conflict { field: of, .. }
        | Effect::Decide { field: of, .. }
        | Effect::Outward { field: of, .. } => *of == field,
        Effect::Employment { .. } => field == Field::EmploymentStatus,
        Effect::Manager { .. } => field.is_manager(),
        _ => false,
    }
}

/// Fields that have steps of their own, and decisions about more than a value.
pub(super) const fn beyond_fields(field: Field) -> bool {
    matches!(field, Field::Engagements | Field::EmploymentStatus) || field.is_manager()
}

fn shown_said(said: Said<&Value>) -> String {
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
