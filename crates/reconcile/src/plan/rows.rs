//! What the steps collect: rows, records at rest, statements about managers.

use std::collections::BTreeSet;

use jiff::civil::Date;
use muster_model::plan::{Change, Precondition, Quiet, Rest, RestCounts};
use muster_model::report::PeopleCounts;
use muster_model::{ExternalId, PersonId, Reason};

use crate::decided::Answers;
use crate::input::Touched;
use crate::managers::Statement;

/// The rows of some records while they grow.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) changes: Vec<Change>,
    pub(super) quiet: Vec<Quiet>,
    pub(super) statements: Vec<Statement>,
    pub(super) people: PeopleCounts,
    pub(super) resting: RestCounts,
    /// Administrators whose access these rows would take.
    pub(super) administrators_leaving: BTreeSet<PersonId>,
    /// What people decided about these records, as far as anything was.
    pub(super) answers: Answers,
}

impl Rows {
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

    /// Takes in the rows of other records.
    pub(super) fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
        self.quiet.append(&mut other.quiet);
        self.statements.append(&mut other.statements);
        self.people.out_of_scope += other.people.out_of_scope;
        self.people.invalid += other.people.invalid;
        self.people.gone += other.people.gone;
        self.resting.merge(other.resting);
        self.administrators_leaving
            .append(&mut other.administrators_leaving);
        self.answers.append(other.answers);
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
