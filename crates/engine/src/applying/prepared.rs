//! A plan made ready to be applied: counted, and in order.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::{Hold, PlanTally};
use muster_model::{Change, HoldKind};
use muster_storage::{ChangeState, Organisation};

use super::tally::{DoneBefore, chosen, release};
use super::{Choice, Order, PAGE};
use crate::deciding::{as_counted, is_waiting};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::planning::Planned;

/// What applying must know of all rows of a plan, without the rows.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// What the rows that can be applied would do.
    pub(super) tally: PlanTally,
    /// Their places in the plan, in the order in which they are applied.
    pub(super) ordinals: Vec<u32>,
    /// Rows that an earlier application dealt with.
    pub(super) done_before: DoneBefore,
    /// Rows that each kind still holds once the choice has released what it releases.
    held: BTreeMap<HoldKind, u64>,
}

impl Prepared {
    /// Of a plan that was just made.
    pub(crate) fn new(tally: PlanTally, order: Order) -> Self {
        Self {
            tally,
            ordinals: order.finish(),
            done_before: DoneBefore::default(),
            held: BTreeMap::new(),
        }
    }

    /// Leaves of the holds of a stored plan what is still held.
    pub(crate) fn still_held(&self, holds: &mut Vec<Hold>) {
        for hold in holds.iter_mut() {
            hold.rows = self.held.get(&hold.kind).copied().unwrap_or_default();
        }
        holds.retain(|hold| hold.rows > 0);
    }

    /// What the plan would do.
    pub(crate) const fn tally(&self) -> &PlanTally {
        &self.tally
    }
}

impl Engine {
    /// Goes through the rows of a stored plan: they are counted as they will be
    /// once the choice has released what it releases.
    pub(crate) async fn prepare(
        &self,
        organisation: &Organisation,
        planned: &Planned,
        choice: &Choice,
    ) -> Result<Prepared, EngineError> {
        let mut reader = self.storage.read(organisation.id).await?;
        let mut tally = PlanTally::default();
        tally.rest(planned.plan.resting);
        let mut order = Order::default();
        let mut done_before = DoneBefore::default();
        let mut held: BTreeMap<HoldKind, u64> = BTreeMap::new();
        let mut after: Option<u64> = None;
        loop {
            let page = reader
                .changes(planned.id, ChangeState::ALL, after, PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.ordinal);
            for row in page {
                let Some(mut change) = row.change else {
                    continue;
                };
                match row.state {
                    ChangeState::Applied => {
                        done_before.applied += u64::from(change.class().is_some());
                        continue;
                    }
                    ChangeState::Stale | ChangeState::Failed => {
                        done_before.refused += u64::from(change.class().is_some());
                        continue;
                    }
                    ChangeState::Open | ChangeState::Held | ChangeState::Waiting => {}
                }
                if let Some(answers) = &choice.decided {
                    let decided = answers.of(row.ordinal);
                    if let Some(answer) = decided {
                        order.add(row.ordinal, &change);
                        change = as_counted(&change, row.state, answer);
                    }
                    // Whatever waits goes on waiting; the rest is left for `apply`.
                    if decided.is_some() || is_waiting(&change) {
                        tally.add(&change);
                        count_held(&mut held, &change);
                    } else {
                        done_before.left += u64::from(change.class().is_some());
                    }
                    continue;
                }
                // Of a held row everything that is not held goes on; of one that waits
                // that is done, and only a release goes further.
                if row.state != ChangeState::Waiting || !choice.allow.is_empty() {
                    order.add(row.ordinal, &change);
                }
                if chosen(&change, choice) {
                    release(&mut change, &choice.allow);
                }
                tally.add(&change);
                count_held(&mut held, &change);
            }
        }
        Ok(Prepared {
            tally,
            ordinals: order.finish(),
            done_before,
            held,
        })
    }
}

fn count_held(held: &mut BTreeMap<HoldKind, u64>, change: &Change) {
    let kinds: BTreeSet<HoldKind> = change.effects.iter().filter_map(|one| one.held).collect();
    for kind in kinds {
        *held.entry(kind).or_default() += 1;
    }
}
