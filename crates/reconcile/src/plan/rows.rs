//! What the steps collect: rows, records at rest, statements about managers.

use std::collections::BTreeSet;

use jiff::civil::Date;
use muster_model::plan::{Change, ManagerProblem, Precondition, Quiet, Rest, RestCounts};
use muster_model::report::PeopleCounts;
use muster_model::{DigestKey, ExternalId, PersonId, Reason};

use crate::decided::HoldAnswers;
use crate::input::{Input, Touched};
use crate::managers::Statement;

/// The plan while it grows.
pub(super) struct Rows {
    pub(super) changes: Vec<Change>,
    pub(super) quiet: Vec<Quiet>,
    pub(super) statements: Vec<Statement>,
    pub(super) people: PeopleCounts,
    pub(super) resting: RestCounts,
    pub(super) managers: Vec<ManagerProblem>,
    /// Administrators whose access these rows would take.
    pub(super) administrators_leaving: BTreeSet<PersonId>,
}

impl Rows {
    pub(super) fn new(input: &Input<'_>, read: u64) -> Self {
        Self {
            changes: Vec::new(),
            quiet: Vec::new(),
            statements: Vec::new(),
            people: PeopleCounts {
                read,
                out_of_scope: input.untouched.out_of_scope,
                invalid: 0,
                gone: input.untouched.gone,
            },
            resting: input.untouched,
            managers: Vec::new(),
            administrators_leaving: BTreeSet::new(),
        }
    }

    /// Lays a record to rest. One that the policy does not cover is counted
    /// there, so that the classes add up to the records in scope plus the gone.
    pub(super) fn rest(&mut self, quiet: Quiet) {
        self.resting.add(quiet.rest, 1);
        if quiet.rest == Rest::OutOfScope {
            self.people.out_of_scope += 1;
        }
        self.quiet.push(quiet);
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Takes what was refused out of the rows; whoever has nothing left rests.
    pub(super) fn refuse(&mut self, answers: &HoldAnswers, key: &DigestKey) {
        for quiet in answers.refuse(&mut self.changes, key) {
            self.rest(quiet);
        }
    }

    /// The rows in the order of the plan.
    pub(super) fn sort(&mut self) {
        self.changes.sort_by(|one, two| {
            (&one.external_id, one.person).cmp(&(&two.external_id, two.person))
        });
    }
}

/// A record at rest.
pub(super) fn quiet(
    external_id: &ExternalId,
    rest: Rest,
    reason: Reason,
    due_on: Option<Date>,
) -> Quiet {
    Quiet {
        external_id: external_id.clone(),
        rest,
        due_on,
        reason,
        believed: true,
        settles: true,
    }
}

/// What must still hold when a touched record's row is applied.
pub(super) fn precondition(touched: &Touched) -> Precondition {
    Precondition {
        person_version: touched.person.as_ref().map(|person| person.version),
        link_version: touched.link.as_ref().map(|link| link.version),
        record: touched.digest,
    }
}
