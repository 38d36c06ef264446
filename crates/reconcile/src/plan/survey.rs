//! The first pass: what a plan would do, block by block, and of each block only
//! what the whole must know.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{DoubtKind, Evidence, ExternalId, PersonId};

use super::claims::Claims;
use super::decided::Decided;
use super::record::Judge;
use super::rows::Rows;
use super::{PlanError, managing, missing, weigh_confirmations};
use crate::brakes::{Braking, Day, Outline};
use crate::input::{Input, Touched};
use crate::managers::{self, Register, Statement};
use crate::trust::Verdict;

/// The rows of a block before anything is decided that needs all blocks: who
/// manages whom, and what the brakes hold.
#[derive(Debug, Default)]
pub struct Draft(pub(super) Rows);

impl Draft {
    /// Takes in the rows of another block.
    pub fn append(&mut self, other: Self) {
        self.0.append(other.0);
    }
}

/// The first pass over the records of a plan. It keeps ids, numbers and what
/// brakes see, so that a million people fit.
pub struct Survey {
    pub(super) evidence: Evidence,
    pub(super) verdict: Verdict,
    pub(super) claims: Claims,
    deferred: Vec<ExternalId>,
    register: Register,
    outlines: Outlines,
    administrators_leaving: BTreeSet<PersonId>,
}

impl Survey {
    /// Judges the read, before any record is looked at. Of the input it takes
    /// everything but the records and who holds their keys.
    ///
    /// # Errors
    /// [`PlanError::OtherAccount`]: an account that changed stops the run.
    pub fn begin(input: &Input<'_>) -> Result<Self, PlanError> {
        let mut evidence = input.evidence.clone();
        weigh_confirmations(input, &mut evidence);
        let verdict = super::judge(input, &mut evidence);
        if evidence.has(DoubtKind::OtherAccount) {
            return Err(PlanError::OtherAccount);
        }
        Ok(Self {
            evidence,
            verdict,
            claims: Claims::default(),
            deferred: Vec::new(),
            register: Register::default(),
            outlines: Outlines::default(),
            administrators_leaving: BTreeSet::new(),
        })
    }

    /// Looks at the records of a block. Those of which [`Survey::deferred`] tells
    /// afterwards are not in the draft.
    pub fn look(&mut self, input: &Input<'_>) -> Draft {
        let mut rows = Rows::default();
        for touched in &input.touched {
            if self.claims.hear(input, touched) {
                self.deferred.extend(touched.external_id.clone());
            } else {
                draft(input, &self.verdict, &self.claims, touched, &mut rows);
            }
        }
        self.take(&rows);
        Draft(rows)
    }

    /// Records without a link that name somebody: they must be looked at again
    /// when all blocks were, because another record may name the same person.
    pub fn deferred(&mut self) -> Vec<ExternalId> {
        let mut deferred = std::mem::take(&mut self.deferred);
        deferred.sort();
        deferred
    }

    /// Looks at records that were deferred.
    pub fn look_again(&mut self, input: &Input<'_>, deferred: &[ExternalId]) -> Draft {
        let mut rows = Rows::default();
        for touched in &input.touched {
            let id = touched.external_id.as_ref();
            if id.is_some_and(|id| deferred.binary_search(id).is_ok()) {
                draft(input, &self.verdict, &self.claims, touched, &mut rows);
            }
        }
        self.take(&rows);
        Draft(rows)
    }

    /// Whom the records name as managers: what [`Input::managers`] must answer.
    #[must_use]
    pub const fn named(&self) -> &Register {
        &self.register
    }

    /// Resolves the managers and sets the brakes.
    #[must_use]
    pub fn decide(self, input: &Input<'_>) -> Decided {
        let resolved = managers::resolve(self.register, &input.managers);
        let mut outlines = self.outlines;
        for (outline, from) in resolved.changes() {
            outlines.add_manager(outline, from);
        }
        let rows = outlines.counted();
        let day = Day {
            brakes: &input.policy.brakes,
            linked: input.linked,
            first_sync: input.first_sync,
            let_through: &input.let_through,
            administrators: input.administrators,
            administrators_leaving: &self.administrators_leaving,
        };
        let braking = Braking::decide(&day, &rows);
        let creations_held = outlines
            .known()
            .map(|outline| braking.holds_creation(outline))
            .collect();
        Decided::new(
            input,
            self.evidence,
            self.verdict,
            self.claims,
            resolved,
            braking,
            creations_held,
            rows,
        )
    }

    fn take(&mut self, rows: &Rows) {
        let statements: BTreeMap<&ExternalId, &Statement> = rows
            .statements
            .iter()
            .map(|statement| (&statement.external_id, statement))
            .collect();
        for change in &rows.changes {
            let outline = Outline::of(change, &rows.administrators_leaving);
            let outline = self.outlines.add(outline);
            let Some(id) = &change.external_id else {
                continue;
            };
            let statement = statements.get(id).copied();
            let comes = managing::comes(change);
            if comes || statement.is_some() {
                let address = managing::address_of(change);
                (self.register).note(id, Some(outline), comes, address, statement);
            }
        }
        for quiet in &rows.quiet {
            if let Some(statement) = statements.get(&quiet.external_id) {
                let id = &quiet.external_id;
                self.register.note(id, None, false, None, Some(statement));
            }
        }
        self.administrators_leaving
            .extend(&rows.administrators_leaving);
    }
}

/// Takes one record through the steps.
pub(super) fn draft(
    input: &Input<'_>,
    verdict: &Verdict,
    claims: &Claims,
    touched: &Touched,
    rows: &mut Rows,
) {
    let judge = Judge {
        input,
        verdict,
        claims,
    };
    let before = rows.changes.len();
    match &touched.record {
        Some(source) => judge.plan(touched, source, rows),
        None => missing::plan(input, verdict, touched, rows),
    }
    if touched.decisions.is_empty() {
        return;
    }
    let change = rows.changes.get_mut(before);
    if let Some(quiet) = rows.answers.hear(touched, change, input.key) {
        rows.changes.truncate(before);
        rows.rest(quiet);
    }
}

/// How many rows there are of each outline.
#[derive(Debug, Default)]
pub(super) struct Outlines {
    places: BTreeMap<Outline, u32>,
    known: Vec<Outline>,
    rows: Vec<u64>,
}

impl Outlines {
    /// Counts a row; the place of its outline.
    pub(super) fn add(&mut self, outline: Outline) -> u32 {
        let place = self.place(outline);
        self.count(place, 1);
        place
    }

    /// A row gets another manager; without an outline it is made by that.
    fn add_manager(&mut self, outline: Option<u32>, from: Option<PersonId>) {
        let known = outline.and_then(|place| self.known.get(place as usize));
        let mut with_manager = known.cloned().unwrap_or_default();
        with_manager.add(&managing::effect(from, None));
        if let Some(place) = outline
            && let Some(rows) = self.rows.get_mut(place as usize)
        {
            *rows = rows.saturating_sub(1);
        }
        self.add(with_manager);
    }

    /// The outlines with their rows, those that have any.
    pub(super) fn counted(&self) -> Vec<(Outline, u64)> {
        self.places
            .iter()
            .filter_map(|(outline, place)| {
                let rows = *self.rows.get(*place as usize)?;
                (rows > 0).then(|| (outline.clone(), rows))
            })
            .collect()
    }

    fn known(&self) -> impl Iterator<Item = &Outline> {
        self.known.iter()
    }

    fn place(&mut self, outline: Outline) -> u32 {
        if let Some(place) = self.places.get(&outline) {
            return *place;
        }
        let place = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.push(outline.clone());
        self.rows.push(0);
        self.places.insert(outline, place);
        place
    }

    fn count(&mut self, place: u32, rows: u64) {
        if let Some(counted) = self.rows.get_mut(place as usize) {
            *counted += rows;
        }
    }
}
