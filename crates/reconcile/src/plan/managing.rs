//! The pass over the managers, and its effects on the rows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use muster_model::plan::{Change, Effect, HoldKind, ManagerKey, Planned, Precondition, Quiet};
use muster_model::policy::BrakeKind;
use muster_model::{
    ExternalId, Field, Flow, PersonId, Policy, Reaction, Reason, Situation, SourceRecord,
};

use super::declining;
use super::rows::Rows;
use super::subject::Subject;
use crate::input::Input;
use crate::managers::{Named, Resolved, Statement};

/// Notes whom the record of a known person names as manager; says whether that
/// was declined, and is left alone.
pub(super) fn state(
    subject: &Subject<'_>,
    source: &SourceRecord,
    precondition: Precondition,
    today: Date,
    rows: &mut Rows,
) -> bool {
    let said = source.engagements().unwrap_or_default();
    let owns = |field| subject.owns(field, said, today);
    if !owns(Field::ManagerExternalId) || !owns(Field::ManagerEmail) {
        return false;
    }
    let (input, current) = (subject.input, subject.person.manager);
    let declined = statement(input.policy, source, today).is_some_and(|named| {
        declining::holds(subject.link, Field::ManagerExternalId, || {
            declining::manager_pair(input.key, &named, current)
        })
    });
    if !declined {
        let person = Some((subject.person.id, current));
        note(input, source, person, precondition, today, rows);
    }
    declined
}

/// Whom a record names on a day, as far as the policy lets it.
#[must_use]
pub fn statement(policy: &Policy, source: &SourceRecord, today: Date) -> Option<Named> {
    let flows = |field| matches!(policy.flow(field), Flow::In | Flow::Both);
    let flat = source
        .on(today)
        .only(|field| field.is_manager() && flows(field));
    Named::of(&flat)
}

/// Notes whom the record of a joiner names.
pub(super) fn state_of_joiner(
    input: &Input<'_>,
    source: &SourceRecord,
    precondition: Precondition,
    today: Date,
    rows: &mut Rows,
) {
    note(input, source, None, precondition, today, rows);
}

fn note(
    input: &Input<'_>,
    source: &SourceRecord,
    person: Option<(PersonId, Option<PersonId>)>,
    precondition: Precondition,
    today: Date,
    rows: &mut Rows,
) {
    let Some(named) = statement(input.policy, source, today) else {
        return;
    };
    rows.statements.push(Statement {
        external_id: source.external_id.clone(),
        person: person.map(|(person, _)| person),
        current: person.and_then(|(_, manager)| manager),
        precondition,
        named,
    });
}

/// Records whose people this row makes or joins, as far as it is not in doubt.
pub(super) fn comes(change: &Change) -> bool {
    change.effects.iter().any(|planned| {
        planned.held.is_none() && matches!(planned.effect, Effect::Create { .. } | Effect::Link)
    })
}

/// The address under which somebody comes whom this row makes.
pub(super) fn address_of(change: &Change) -> Option<&str> {
    change
        .effects
        .iter()
        .find_map(|planned| match &planned.effect {
            Effect::Create { fields, .. } => fields.text(Field::WorkEmail),
            _ => None,
        })
}

/// Adds to the rows of a block what follows from the statements about managers.
pub(super) fn resolve(resolved: &Resolved, rows: &mut Rows) {
    for change in &mut rows.changes {
        let Some(id) = &change.external_id else {
            continue;
        };
        if let Some((from, to)) = resolved.change(id) {
            change.effects.push(effect(from, to));
        }
    }
    wake(resolved, rows);
    // Whoever names a stranger or stands on a cycle is looked at again at each read.
    for change in &mut rows.changes {
        let waits = change
            .external_id
            .as_ref()
            .is_some_and(|id| resolved.waits(id));
        change.settles &= !waits;
    }
    for quiet in &mut rows.quiet {
        quiet.settles &= !resolved.waits(&quiet.external_id);
    }
    rows.sort();
}

/// The effect of another manager.
pub(super) fn effect(from: Option<PersonId>, to: Option<ManagerKey>) -> Planned {
    let effect = Effect::Manager { from, to };
    // To have a manager for the first time takes nobody's approver away.
    if from.is_some() {
        Planned::braked(effect, BrakeKind::ManagerChanged)
    } else {
        Planned::free(effect)
    }
}

/// Makes rows of records that would rest, but for their manager.
fn wake(resolved: &Resolved, rows: &mut Rows) {
    let statements: BTreeMap<&ExternalId, &Statement> = rows
        .statements
        .iter()
        .map(|statement| (&statement.external_id, statement))
        .collect();
    if statements.is_empty() {
        return;
    }
    let mut woken = Vec::new();
    let resting = std::mem::take(&mut rows.quiet);
    for quiet in resting {
        let statement = statements.get(&quiet.external_id);
        let changed = statement.and_then(|_| resolved.change(&quiet.external_id));
        let (Some((from, to)), Some(statement)) = (changed, statement) else {
            rows.quiet.push(quiet);
            continue;
        };
        rows.resting.remove(quiet.rest, 1);
        woken.push(awake(quiet, statement, effect(from, to)));
    }
    rows.changes.extend(woken);
}

fn awake(quiet: Quiet, statement: &Statement, effect: Planned) -> Change {
    let mut reasons = vec![Reason::new(
        "manager.changed",
        "the source names another manager",
    )];
    if quiet.reason.code != "compare.same" {
        reasons.push(quiet.reason);
    }
    Change {
        external_id: Some(quiet.external_id),
        person: statement.person,
        situation: Situation::Linked,
        reaction: Reaction::Update,
        effects: vec![effect],
        reasons,
        precondition: statement.precondition,
        due_on: quiet.due_on,
        settles: quiet.settles,
    }
}

/// Holds whoever would report to somebody whose creation a brake holds; `held`
/// says what holds the creation of a record's person.
pub(super) fn hold_with_managers(
    change: &mut Change,
    held: impl Fn(&ExternalId) -> Option<HoldKind>,
) {
    let mut waits = false;
    for planned in &mut change.effects {
        let Effect::Manager {
            to: Some(ManagerKey::Record(record)),
            ..
        } = &planned.effect
        else {
            continue;
        };
        if let (None, Some(kind)) = (planned.held, held(record)) {
            planned.held = Some(kind);
            waits = true;
        }
    }
    change.settles &= !waits;
}
