//! What became of a row: which run did which part of it, what somebody decided,
//! and where the value of a field came from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use muster_model::plan::{Change, Effect, Planned};
use muster_model::report::Trigger;
use muster_model::{Answer, ConnectionId, Field, HoldKind, Matter, Person, PlanId, RunId};
use muster_storage::{ChangeState, PlannedRow, Reader, StoredChange};

use super::fields::{effect_name, touches};
use crate::error::EngineError;

/// What one run did of a row, when not only the run that made the plan did something.
pub(super) struct Done {
    pub(super) run: RunId,
    pub(super) at: Option<Timestamp>,
    /// Did somebody decide it?
    pub(super) decided: bool,
    parts: Vec<Option<HoldKind>>,
    effects: Vec<Planned>,
}

/// Where the value of a field came from, by the row that set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// With the person, whom the record made.
    Created,
    /// The source said something else than we held.
    Followed,
    /// Somebody decided that theirs is right.
    Theirs(RunId),
    /// Somebody decided that ours is right.
    Ours(RunId),
    /// An undo brought it back.
    Undone,
}

/// Everything that was done of a row, oldest first.
pub(super) async fn done(
    reader: &mut Reader,
    row: &StoredChange,
) -> Result<Vec<Done>, EngineError> {
    let mut all = Vec::with_capacity(row.done_by.len());
    for one in &row.done_by {
        let run = reader.run(one.run).await?;
        all.push(Done {
            run: one.run,
            at: run.as_ref().map(|run| run.started_at),
            decided: run.map_or(!one.effects.is_empty(), |run| {
                run.trigger == Trigger::Decision
            }),
            parts: one.parts.clone(),
            effects: one.effects.clone(),
        });
    }
    Ok(all)
}

/// What of a row still waits: neither done nor decided.
pub(super) fn open(change: &Change, state: ChangeState, done: &[Done]) -> Vec<Planned> {
    let waits = |planned: &&Planned| match state {
        ChangeState::Applied => false,
        ChangeState::Waiting => {
            let asks = matches!(planned.effect, Effect::Conflict { .. });
            (planned.held.is_some() || asks) && !done.iter().any(|one| one.covers(planned))
        }
        _ => true,
    };
    change.effects.iter().filter(waits).cloned().collect()
}

/// Was nothing done but what somebody noted: refused, skipped, left?
pub(super) fn only_noted(change: &Change, state: ChangeState, done: &[Done]) -> bool {
    let free = |planned: &Planned| {
        planned.held.is_none() && !matches!(planned.effect, Effect::Conflict { .. })
    };
    state == ChangeState::Applied
        && !done.is_empty()
        && done.iter().all(|one| {
            one.decided
                && one.effects.iter().all(|planned| {
                    matches!(
                        planned.effect,
                        Effect::Answer { .. } | Effect::Decide { .. }
                    )
                })
        })
        && !change.effects.iter().any(free)
}

/// Did somebody refuse this effect?
pub(super) fn refused(planned: &Planned, done: &[Done]) -> bool {
    let Some(kind) = planned.held else {
        return false;
    };
    done.iter().flat_map(|one| &one.effects).any(|noted| {
        matches!(
            &noted.effect,
            Effect::Answer { matter: Matter::Hold(of), to: Some(to), .. }
                if *of == kind && to.answer == Answer::Refuse
        )
    })
}

impl Done {
    fn covers(&self, planned: &Planned) -> bool {
        if planned.held.is_some() && self.parts.contains(&planned.held) {
            return true;
        }
        self.effects.iter().any(|one| match &one.effect {
            Effect::Answer {
                matter: Matter::Hold(kind),
                ..
            } => planned.held == Some(*kind),
            Effect::Set { field, .. }
            | Effect::Outward { field, .. }
            | Effect::Decide { field, .. } => {
                planned.held.is_none() && touches(&planned.effect, *field)
            }
            _ => false,
        })
    }

    /// In words: what was decided, or which part was done.
    pub(super) fn words(&self, change: &Change) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut say = |word: String| {
            if !words.contains(&word) {
                words.push(word);
            }
        };
        if self.effects.is_empty() {
            for part in &self.parts {
                say(part.map_or_else(
                    || "what nothing held".to_owned(),
                    |kind| format!("what {} held", kind.word()),
                ));
            }
        }
        let asked = |field: Field| {
            let conflict = |planned: &Planned| matches!(&planned.effect, Effect::Conflict { field: of, .. } if *of == field);
            change.effects.iter().any(conflict)
        };
        for planned in &self.effects {
            say(match &planned.effect {
                Effect::Answer { matter, to, .. } => {
                    let answer = to.map_or("ask", |to| to.answer.word());
                    match matter {
                        Matter::Match => answer.to_owned(),
                        Matter::Hold(kind) => format!("{answer} {}", kind.word()),
                    }
                }
                Effect::Decide { field, .. } => format!("skip {field}"),
                Effect::Set { field, .. } if asked(*field) => format!("theirs {field}"),
                Effect::Outward { field, .. } if asked(*field) => format!("ours {field}"),
                other => effect_name(other),
            });
        }
        words
    }
}

/// Which row set each field of a person, as far as rows of the record tell.
pub(super) async fn origins(
    reader: &mut Reader,
    connection: ConnectionId,
    person: &Person,
    rows: &[PlannedRow],
) -> Result<BTreeMap<Field, Origin>, EngineError> {
    let stamps: BTreeMap<Field, RunId> = Field::ALL
        .into_iter()
        .filter_map(|field| {
            let stamp = person.provenance.of(field.name())?;
            (stamp.connection == connection).then_some((field, stamp.run))
        })
        .collect();
    // Which run made the plans that set something.
    let mut makers: BTreeMap<PlanId, RunId> = BTreeMap::new();
    let mut runs: Vec<RunId> = stamps.values().copied().collect();
    runs.sort();
    runs.dedup();
    for run in runs {
        for plan in reader.plans_of_run(run).await? {
            if let Some(maker) = plan.run {
                makers.insert(plan.id, maker);
            }
        }
    }
    let mut origins = BTreeMap::new();
    for row in rows {
        let Some(change) = &row.row.change else {
            continue;
        };
        for (run, decided, effect) in deeds(row, change, makers.get(&row.plan).copied()) {
            for (field, stamp) in &stamps {
                if origins.contains_key(field) {
                    continue;
                }
                let origin = match effect {
                    Effect::Outward { field: of, .. } if of == field && decided => {
                        Origin::Ours(run)
                    }
                    Effect::Create { fields, .. }
                        if run == *stamp && fields.value(*field).is_some() =>
                    {
                        Origin::Created
                    }
                    Effect::Set { field: of, .. } if of == field && run == *stamp => {
                        if change.takes_back() {
                            Origin::Undone
                        } else if decided {
                            Origin::Theirs(run)
                        } else {
                            Origin::Followed
                        }
                    }
                    _ => continue,
                };
                origins.insert(*field, origin);
            }
        }
    }
    Ok(origins)
}

/// What was done of a row, newest first: by which run, whether somebody decided it,
/// and the effect. What goes without saying was done by the run that made the plan.
fn deeds<'a>(
    row: &'a PlannedRow,
    change: &'a Change,
    maker: Option<RunId>,
) -> Vec<(RunId, bool, &'a Effect)> {
    let mut deeds = Vec::new();
    for done in row.row.done_by.iter().rev() {
        let part = |planned: &&Planned| done.parts.contains(&planned.held);
        if done.effects.is_empty() {
            let effects = change.effects.iter().filter(part);
            deeds.extend(effects.map(|planned| (done.run, false, &planned.effect)));
        } else {
            let effects = done.effects.iter();
            deeds.extend(effects.map(|planned| {
                // Beside what was decided stands what needed nobody.
                let asked = change.effects.iter().any(|one| {
                    matches!(&one.effect, Effect::Conflict { field, .. } if touches(&planned.effect, *field))
                });
                (done.run, asked, &planned.effect)
            }));
        }
    }
    let somebody_else = |done: &muster_storage::DoneBy| done.parts.contains(&None);
    let is_done = matches!(row.row.state, ChangeState::Applied | ChangeState::Waiting)
        && !row.row.done_by.iter().any(somebody_else);
    if let (true, Some(maker)) = (is_done, maker) {
        let free = change.effects.iter().filter(|one| one.held.is_none());
        deeds.extend(free.map(|planned| (maker, false, &planned.effect)));
    }
    deeds
}
