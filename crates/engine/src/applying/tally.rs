//! What applying did, counted.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{Change, Effect};
use muster_model::policy::BrakeKind;
use muster_model::report::{Class, Counts, FieldCounts, MessageCounts};
use muster_model::{Access, Field, HoldKind};

use super::{Choice, Prepared};
use crate::planning::Planned;

/// What became of the rows of a plan.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// Each person once.
    pub counts: Counts,
    /// Per field.
    pub fields: BTreeMap<Field, FieldCounts>,
    /// Mails queued.
    pub messages: MessageCounts,
    /// Rows refused because something changed since they were planned.
    pub stale: u64,
    /// Rows let through, by what brakes count.
    pub passed: BTreeMap<BrakeKind, u64>,
}

/// Rows of a plan that an earlier application dealt with.
#[derive(Debug, Clone, Copy, Default)]
pub struct DoneBefore {
    /// Done.
    pub applied: u64,
    /// Refused: a new plan decides about them.
    pub refused: u64,
    /// Not asked for this time.
    pub left: u64,
}

impl Applied {
    /// Nothing applied yet: the rows of the plan as they are counted when
    /// everything open succeeds.
    pub(crate) fn nothing(prepared: &Prepared) -> Self {
        Self {
            counts: prepared.tally.counts,
            fields: prepared.tally.fields.clone(),
            ..Self::default()
        }
    }

    /// Do people come by it?
    pub(super) const fn made_people(&self) -> bool {
        self.counts.created > 0
    }

    /// Adds the rows of the plan that an earlier application dealt with.
    pub(super) const fn done_before(&mut self, before: DoneBefore) {
        self.counts.add(Class::Unchanged, before.applied);
        self.counts.add(Class::Failed, before.refused);
        self.counts.add(Class::Ignored, before.left);
    }

    /// All or nothing, and it was nothing.
    pub(super) fn refused_together(planned: &Planned, prepared: &Prepared, stale: u64) -> Self {
        let mut applied = Self::nothing(prepared);
        let resting = planned.plan.resting;
        let mut counts = Counts::default();
        counts.add(Class::Unchanged, resting.unchanged);
        counts.add(Class::Ignored, resting.ignored);
        counts.add(Class::Failed, prepared.tally.people);
        applied.counts = counts;
        applied.fields.clear();
        applied.stale = stale;
        applied.done_before(prepared.done_before);
        applied
    }

    /// A row that was done.
    pub(super) fn done(&mut self, change: &Change) {
        let mut kinds: BTreeSet<BrakeKind> = BTreeSet::new();
        for planned in change
            .effects
            .iter()
            .filter(|planned| planned.held.is_none())
        {
            kinds.extend(planned.brake);
            match &planned.effect {
                Effect::Access {
                    to: Access::Invited,
                    ..
                }
                | Effect::Create {
                    access: Access::Invited,
                    ..
                } => self.messages.invited += 1,
                Effect::Access {
                    from: Access::Invited,
                    to: Access::NotInvited,
                } => {
                    self.messages.withdrawn += 1;
                }
                _ => {}
            }
        }
        for kind in kinds {
            *self.passed.entry(kind).or_default() += 1;
        }
    }

    /// A row that was refused: it is counted as failed instead of its class.
    pub(super) fn refused(&mut self, change: &Change) {
        self.stale += 1;
        if let Some(class) = change.class() {
            self.counts.take(class);
            self.counts.add(Class::Failed, 1);
        }
        for field in fields_of(change) {
            if let Some(counts) = self.fields.get_mut(&field) {
                counts.applied = counts.applied.saturating_sub(1);
            }
        }
    }

    /// A row that was not chosen: nothing happened to it, and what waits for a
    /// person goes on waiting.
    pub(super) fn left(&mut self, change: &Change) {
        let waits =
            |class: &Class| matches!(class, Class::Held | Class::Conflicts | Class::Ambiguous);
        if let Some(class) = change.class().filter(|class| !waits(class)) {
            self.counts.take(class);
            self.counts.add(Class::Ignored, 1);
        }
        for field in fields_of(change) {
            if let Some(counts) = self.fields.get_mut(&field) {
                counts.applied = counts.applied.saturating_sub(1);
            }
        }
    }
}

fn fields_of(change: &Change) -> impl Iterator<Item = Field> + '_ {
    change
        .effects
        .iter()
        .filter(|planned| planned.held.is_none())
        .filter_map(|planned| match &planned.effect {
            Effect::Set { field, .. } => Some(*field),
            Effect::Manager { .. } => Some(Field::ManagerExternalId),
            _ => None,
        })
}

/// Is this row among those that shall be applied?
pub(super) fn chosen(change: &Change, choice: &Choice) -> bool {
    match (&choice.only, change.person) {
        (None, _) => true,
        (Some(only), Some(person)) => only.contains(&person),
        // Nobody can name a person who is not there yet.
        (Some(_), None) => false,
    }
}

/// Opens the effects that these kinds hold.
pub(super) fn release(change: &mut Change, allow: &BTreeSet<HoldKind>) {
    let mut released = false;
    for planned in &mut change.effects {
        if planned.held.is_some_and(|kind| allow.contains(&kind)) {
            planned.held = None;
            released = true;
        }
    }
    if released {
        change.settles = change.effects.iter().all(|planned| {
            planned.held.is_none()
                && !matches!(
                    planned.effect,
                    Effect::Conflict { .. } | Effect::Outward { .. }
                )
        });
    }
}
