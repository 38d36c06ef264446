//! The pass over the managers, and its effects on the rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use muster_model::plan::{
    Change, Effect, HoldKind, ManagerKey, ManagerProblemKind, Planned, Precondition, Quiet,
};
use muster_model::policy::BrakeKind;
use muster_model::{
    ExternalId, Field, Flow, PersonId, Policy, Reaction, Reason, Situation, SourceRecord,
};

use super::declining;
use super::rows::Rows;
use super::subject::Subject;
use crate::input::Input;
use crate::managers::{self, Named, Statement};

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

/// Resolves every statement, and adds what follows to the rows. Linear in the
/// statements and rows but for the maps' logarithms.
pub(super) fn resolve(input: &Input<'_>, rows: &mut Rows) {
    if rows.statements.is_empty() {
        return;
    }
    let mut resolved = managers::resolve(&rows.statements, &coming(&rows.changes), &input.managers);
    for change in &mut rows.changes {
        let Some(id) = &change.external_id else {
            continue;
        };
        if let Some((from, to)) = resolved.changes.remove(id) {
            change.effects.push(effect(from, to));
        }
    }
    wake(&mut resolved.changes, rows);
    wait(&resolved.problems, rows);
    rows.managers = resolved.problems;
    rows.sort();
}

/// Records whose people this plan makes or joins, as far as it is not in doubt.
fn coming(changes: &[Change]) -> BTreeSet<ExternalId> {
    let comes = |planned: &Planned| {
        planned.held.is_none() && matches!(planned.effect, Effect::Create { .. } | Effect::Link)
    };
    changes
        .iter()
        .filter(|change| change.effects.iter().any(comes))
        .filter_map(|change| change.external_id.clone())
        .collect()
}

fn effect(from: Option<PersonId>, to: Option<ManagerKey>) -> Planned {
    let effect = Effect::Manager { from, to };
    // To have a manager for the first time takes nobody's approver away.
    if from.is_some() {
        Planned::braked(effect, BrakeKind::ManagerChanged)
    } else {
        Planned::free(effect)
    }
}

type Changed = BTreeMap<ExternalId, (Option<PersonId>, Option<ManagerKey>)>;

/// Makes rows of records that would rest, but for their manager.
fn wake(changed: &mut Changed, rows: &mut Rows) {
    if changed.is_empty() {
        return;
    }
    let statements: BTreeMap<&ExternalId, &Statement> = rows
        .statements
        .iter()
        .map(|statement| (&statement.external_id, statement))
        .collect();
    let mut woken = Vec::new();
    let resting = std::mem::take(&mut rows.quiet);
    for quiet in resting {
        let statement = statements.get(&quiet.external_id);
        let (Some((from, to)), Some(statement)) = (changed.remove(&quiet.external_id), statement)
        else {
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

/// Whoever names a stranger or stands on a cycle is looked at again at each
/// read: the stranger may appear, and the cycle may open.
fn wait(problems: &[muster_model::plan::ManagerProblem], rows: &mut Rows) {
    let waiting: BTreeSet<&ExternalId> = problems
        .iter()
        .filter(|problem| problem.kind != ManagerProblemKind::Oneself)
        .map(|problem| &problem.external_id)
        .collect();
    let waits = |id: Option<&ExternalId>| id.is_some_and(|id| waiting.contains(id));
    for change in &mut rows.changes {
        change.settles &= !waits(change.external_id.as_ref());
    }
    for quiet in &mut rows.quiet {
        quiet.settles &= !waits(Some(&quiet.external_id));
    }
}

/// Holds whoever would report to somebody whose creation a brake holds.
pub(super) fn hold_with_managers(changes: &mut [Change]) {
    let held: BTreeMap<ExternalId, HoldKind> = changes
        .iter()
        .filter_map(|change| {
            let held = change
                .effects
                .iter()
                .find(|planned| matches!(planned.effect, Effect::Create { .. }))?
                .held?;
            Some((change.external_id.clone()?, held))
        })
        .collect();
    if held.is_empty() {
        return;
    }
    for change in changes {
        for planned in &mut change.effects {
            let Effect::Manager {
                to: Some(ManagerKey::Record(record)),
                ..
            } = &planned.effect
            else {
                continue;
            };
            if let (None, Some(kind)) = (planned.held, held.get(record)) {
                planned.held = Some(*kind);
                change.settles = false;
            }
        }
    }
}
