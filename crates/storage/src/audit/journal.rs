//! What a transaction did so far, to be entered when it commits.

use std::collections::BTreeMap;

use muster_model::{PersonId, PlanId, RunId};

use super::{Actor, Cause, Event, EventKind, Leaf};

/// Collects what a transaction does.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    run: Option<RunId>,
    events: Vec<Event>,
    /// Rows of plans, by their place; a row that was marked twice counts as it is last.
    changes: BTreeMap<PlanId, BTreeMap<u32, Leaf>>,
    people: Vec<PersonId>,
}

impl Journal {
    /// The run on whose behalf everything in this transaction is done.
    pub(crate) const fn belongs_to(&mut self, run: RunId) {
        self.run = Some(run);
    }

    /// Something was done.
    pub(crate) fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Rows of a plan were marked.
    pub(crate) fn marked(&mut self, plan: PlanId, leaves: Vec<Leaf>) {
        let rows = self.changes.entry(plan).or_default();
        rows.extend(leaves.into_iter().map(|leaf| (leaf.place, leaf)));
    }

    /// People were written. When rows of a plan are marked in the same
    /// transaction these say it already, and better.
    pub(crate) fn wrote(&mut self, people: impl Iterator<Item = PersonId>) {
        self.people.extend(people);
    }

    /// The entries of this transaction, in order: one, or one for each plan whose
    /// rows were marked. None if nothing was done that is audited.
    pub(crate) fn into_entries(mut self, by: Actor) -> Vec<(Cause, Vec<Event>, Vec<Leaf>)> {
        if self.changes.is_empty() && !self.people.is_empty() {
            self.events.push(Event::new(
                EventKind::PeopleWritten,
                serde_json::json!({ "people": self.people }),
            ));
        }
        let run = self.run;
        let cause = |plan| Cause {
            by: Some(by),
            run,
            plan,
        };
        let mut plans = self.changes.into_iter();
        let first = match plans.next() {
            Some((plan, rows)) => (cause(Some(plan)), self.events, rows.into_values().collect()),
            None if self.events.is_empty() => return Vec::new(),
            None => (cause(None), self.events, Vec::new()),
        };
        let rest = plans.map(|(plan, rows)| {
            let leaves = rows.into_values().collect();
            (cause(Some(plan)), Vec::new(), leaves)
        });
        std::iter::once(first).chain(rest).collect()
    }
}
