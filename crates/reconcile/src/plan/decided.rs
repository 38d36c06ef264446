//! The second pass: the rows of each block as they are stored, and the head of
//! the plan.

use std::collections::BTreeMap;

use muster_model::plan::{Cause, Change, HoldKind, Plan, PlanHasher, PlanTally, Planned, Quiet};
use muster_model::report::PeopleCounts;
use muster_model::{DigestKey, Effect, Evidence, ExternalId, Matter, Reason};

use super::claims::Claims;
use super::doubts::Doubts;
use super::rows::Rows;
use super::survey::{Draft, Outlines, draft};
use super::{PlanError, managing};
use crate::brakes::{Braking, Outline};
use crate::input::Input;
use crate::managers::Resolved;
use crate::trust::Verdict;

/// What was decided about all blocks together. Give it every block once more,
/// in the order of record ids.
pub struct Decided {
    evidence: Evidence,
    verdict: Verdict,
    claims: Claims,
    resolved: Resolved,
    braking: Braking,
    /// What holds the creation of a person, by the outline of the row.
    creations_held: Vec<Option<HoldKind>>,
    expected: Vec<(Outline, u64)>,
    outlines: Outlines,
    doubts: Doubts,
    tally: PlanTally,
    people: PeopleCounts,
    resting: muster_model::plan::RestCounts,
    hasher: PlanHasher,
    key: DigestKey,
    /// Does a row act that another version of the mapping made?
    remapped: bool,
}

/// The rows of a block as they are stored.
#[derive(Debug, Default)]
pub struct Block {
    /// In the order of record ids.
    pub changes: Vec<Change>,
    /// Records that come to rest, because nothing follows from them.
    pub quiet: Vec<Quiet>,
    /// Decisions that are about nothing any more: to be taken back with the plan.
    pub spent: Vec<(ExternalId, Matter)>,
}

impl Decided {
    #[allow(clippy::too_many_arguments)] // the halves of one thing
    pub(super) fn new(
        input: &Input<'_>,
        evidence: Evidence,
        verdict: Verdict,
        claims: Claims,
        resolved: Resolved,
        braking: Braking,
        creations_held: Vec<Option<HoldKind>>,
        expected: Vec<(Outline, u64)>,
    ) -> Self {
        let rows = expected.iter().map(|(_, rows)| rows).sum();
        Self {
            people: PeopleCounts {
                read: evidence.read,
                out_of_scope: input.untouched.out_of_scope,
                gone: input.untouched.gone,
                ..PeopleCounts::default()
            },
            resting: input.untouched,
            hasher: PlanHasher::new(input.key, input.connection, input.today, rows),
            evidence,
            verdict,
            claims,
            resolved,
            braking,
            creations_held,
            expected,
            outlines: Outlines::default(),
            doubts: Doubts::default(),
            key: input.key.clone(),
            remapped: false,
            tally: PlanTally::default(),
        }
    }

    /// How many rows the plan will have.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.expected.iter().map(|(_, rows)| rows).sum()
    }

    /// Looks at the records of a block once more, for whoever kept no draft.
    #[must_use]
    pub fn look(&self, input: &Input<'_>) -> Draft {
        let mut rows = Rows::default();
        for touched in &input.touched {
            draft(input, &self.verdict, &self.claims, touched, &mut rows);
        }
        Draft(rows)
    }

    /// The rows of a block.
    pub fn block(&mut self, draft: Draft) -> Block {
        let Draft(mut rows) = draft;
        rows.sort();
        managing::resolve(&self.resolved, &mut rows);
        let (resolved, creations_held) = (&self.resolved, &self.creations_held);
        let held = |record: &ExternalId| {
            let outline = resolved.outline_of(record)?;
            *creations_held.get(outline as usize)?
        };
        for change in &mut rows.changes {
            let outline = Outline::of(change, &rows.administrators_leaving);
            self.outlines.add(outline);
            self.braking.take(change);
            managing::hold_with_managers(change, held);
            rows.answers
                .decide(change, &mut self.braking.holds, &self.key);
            self.remapped |= is_remapped(change);
            self.doubts.add(change);
            self.tally.add(change);
            self.hasher.row(change);
        }
        self.people.out_of_scope += rows.people.out_of_scope;
        self.people.invalid += rows.people.invalid;
        self.people.gone += rows.people.gone;
        self.resting.merge(rows.resting);
        Block {
            changes: rows.changes,
            quiet: rows.quiet,
            spent: rows.answers.spent(),
        }
    }

    /// The plan without its rows, and what it would do, counted.
    ///
    /// # Errors
    /// [`PlanError::Moved`] when the second pass found other rows than the first:
    /// somebody wrote in between, and the brakes counted something else.
    pub fn finish(mut self, input: &Input<'_>) -> Result<(Plan, PlanTally), PlanError> {
        let by_outline = |rows: Vec<(Outline, u64)>| rows.into_iter().collect::<BTreeMap<_, _>>();
        if by_outline(self.outlines.counted()) != by_outline(self.expected) {
            return Err(PlanError::Moved);
        }
        let mut holds = self.braking.holds;
        // What was released is held no more.
        holds.retain(|hold| hold.rows > 0);
        holds.extend(self.doubts.holds(&self.evidence));
        let managers = self.resolved.problems;
        self.tally.rest(self.resting);
        let plan = Plan {
            connection: input.connection,
            cause: if self.remapped {
                Cause::Mapping
            } else {
                Cause::Read
            },
            made_for: input.today,
            made_at: input.now,
            evidence: self.evidence,
            people: self.people,
            resting: self.resting,
            quiet: Vec::new(),
            changes: Vec::new(),
            holds,
            hash: self.hasher.finish(&managers),
            managers,
        };
        Ok((plan, self.tally))
    }
}

/// Does another version of the mapping speak in the row? A plan with such a row is
/// one of its own kind: it is looked at before a schedule goes on by itself.
fn is_remapped(change: &Change) -> bool {
    let remapped = |reason: &Reason| reason.code == Reason::REMAPPED;
    // What only asks, or is held, is done by no schedule anyhow.
    let acts = |planned: &Planned| {
        planned.held.is_none() && !matches!(planned.effect, Effect::Conflict { .. })
    };
    change.reasons.iter().any(remapped) && change.effects.iter().any(acts)
}
