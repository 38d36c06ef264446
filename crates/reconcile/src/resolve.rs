//! A row of a plan with what somebody decided about it: from the row as it was
//! shown to the row as it shall be done.

use std::collections::BTreeMap;

use jiff::civil::Date;
use muster_model::link::Choice;
use muster_model::plan::{Change, Effect, Planned};
use muster_model::policy::BrakeKind;
use muster_model::{
    Access, Answer, Field, Fields, HoldKind, Policy, Reaction, Reason, Situation, SourceRecord,
    Value,
};

use crate::{brakes, decide, decided};

/// Everything that was decided about one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowAnswer {
    /// Per field in conflict: theirs, ours, or skip.
    pub fields: BTreeMap<Field, Choice>,
    /// Per kind that holds something: release, or refuse.
    pub holds: BTreeMap<HoldKind, Answer>,
    /// Who the record is: create, link, or leave.
    pub matching: Option<Answer>,
    /// The older revision is the right one.
    pub older: bool,
}

impl RowAnswer {
    /// Is nothing decided?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What somebody is made with: what the source says on the day, but for the
/// manager, who is resolved when everybody is there.
#[must_use]
pub fn beginnings(record: &SourceRecord, policy: &Policy, today: Date) -> Fields {
    let mut fields = record.on(today).only(|field| !field.is_manager());
    let engagements = record.engagements().unwrap_or_default();
    // As the next plan will find it: the days of grace count from the first day.
    let employment = decide::employment(engagements.iter(), today, policy.grace_days);
    fields.put(Field::EmploymentStatus, Value::text(employment.name()));
    fields
}

/// The row as it was decided. Its record does not come to rest by it: the next
/// plan looks at it once more, and lays it to rest when nothing is left.
///
/// `made` is what a person is made with, where that was decided.
#[must_use]
pub fn resolve(change: &Change, answer: &RowAnswer, made: Option<Fields>) -> Change {
    let mut change = change.clone();
    change.settles = false;
    match answer.matching {
        Some(Answer::Create) => {
            let access = Access::NotInvited;
            change.situation = Situation::New;
            change.reaction = Reaction::Create;
            let reason = Reason::new(Reason::MATCH_DECIDED, "made as decided");
            change.reasons.push(reason);
            change.effects = made
                .map(|fields| Planned::braked(Effect::Create { fields, access }, BrakeKind::Create))
                .into_iter()
                .collect();
        }
        Some(Answer::Link(person)) => {
            change.person = Some(person);
            change.situation = Situation::Matched;
            change.reaction = Reaction::Link;
            let reason = Reason::new(Reason::MATCH_DECIDED, "joined as decided");
            change.reasons.push(reason);
            change.effects = vec![Planned::free(Effect::Link)];
        }
        Some(_) => {
            change.situation = Situation::New;
            change.effects.clear();
        }
        None => {}
    }
    answer_fields(&mut change, &answer.fields);
    for kind in answer.holds.keys() {
        if answer.holds.get(kind) == Some(&Answer::Release) {
            brakes::release(&mut change, *kind);
        }
    }
    let refused: Vec<HoldKind> = answer
        .holds
        .iter()
        .filter(|(_, answer)| **answer == Answer::Refuse)
        .map(|(kind, _)| *kind)
        .collect();
    if !refused.is_empty() {
        decided::take_out(&mut change, &refused);
    }
    if change.effects.is_empty() {
        change.reaction = Reaction::Report;
        let reason = Reason::new(Reason::DECIDED, "left alone as decided");
        change.reasons.push(reason);
    } else if change.reaction == Reaction::Ask && !asks(&change) {
        change.reaction = Reaction::Update;
    }
    change
}

/// Does the row still wait for somebody?
#[must_use]
pub fn waits(change: &Change) -> bool {
    change.effects.iter().any(|planned| planned.held.is_some()) || asks(change)
}

fn asks(change: &Change) -> bool {
    change
        .effects
        .iter()
        .any(|planned| matches!(planned.effect, Effect::Conflict { .. }))
}

fn answer_fields(change: &mut Change, fields: &BTreeMap<Field, Choice>) {
    let mut effects = Vec::with_capacity(change.effects.len());
    for planned in std::mem::take(&mut change.effects) {
        let Effect::Conflict {
            field,
            theirs,
            ours,
        } = &planned.effect
        else {
            effects.push(planned);
            continue;
        };
        let (field, theirs, ours) = (*field, theirs.clone(), ours.clone());
        match fields.get(&field) {
            None => effects.push(planned),
            Some(Choice::Theirs) => effects.push(Planned::free(Effect::Set {
                field,
                from: ours,
                to: theirs,
            })),
            // Counted, so that what a person sends adds up with what a sync sends.
            Some(Choice::Ours) => effects.push(Planned::braked(
                Effect::Outward {
                    field,
                    theirs,
                    ours,
                },
                if field == Field::BankAccount {
                    BrakeKind::OutwardBankAccount
                } else {
                    BrakeKind::OutwardWrite
                },
            )),
            Some(Choice::Skip | Choice::Declined) => {}
        }
    }
    change.effects = effects;
}
