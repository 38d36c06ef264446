//! What a plan would do, counted row by row as it is made.

use std::collections::BTreeMap;

use super::change::Change;
use super::effect::Effect;
use super::reason::Reason;
use super::rest::RestCounts;
use crate::field::Field;
use crate::report::{Class, Counts, FieldCounts};

/// Counts of a plan, as if everything open succeeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanTally {
    /// Rows.
    pub rows: u64,
    /// Rows that are counted in a class.
    pub people: u64,
    /// Rows of records that a new mapping reads another way than before.
    pub remapped: u64,
    /// Each person once, by class. The classes add up to the records in scope
    /// plus the gone; the gone at rest are ignored.
    pub counts: Counts,
    /// Per field.
    pub fields: BTreeMap<Field, FieldCounts>,
}

impl PlanTally {
    /// Counts a row.
    pub fn add(&mut self, change: &Change) {
        self.rows += 1;
        let mut codes = change.reasons.iter().map(|reason| &reason.code);
        self.remapped += u64::from(codes.any(|code| code == Reason::REMAPPED));
        if let Some(class) = change.class() {
            self.counts.add(class, 1);
            self.people += 1;
        }
        for planned in &change.effects {
            let held = planned.held.is_some();
            match &planned.effect {
                Effect::Set { field, .. } => self.count(*field, held),
                Effect::Manager { .. } => self.count(Field::ManagerExternalId, held),
                Effect::Conflict { field, .. } => {
                    self.fields.entry(*field).or_default().conflicts += 1;
                }
                _ => {}
            }
        }
    }

    /// Counts the records at rest.
    pub const fn rest(&mut self, resting: RestCounts) {
        self.counts.add(Class::Unchanged, resting.unchanged);
        self.counts
            .add(Class::Ignored, resting.ignored + resting.gone);
    }

    fn count(&mut self, field: Field, held: bool) {
        let counts = self.fields.entry(field).or_default();
        if held {
            counts.held += 1;
        } else {
            counts.applied += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Precondition;
    use crate::situation::{Reaction, Situation};

    #[test]
    fn rows_of_a_new_mapping_are_counted_as_they_are_made() {
        let row = |code: &'static str| Change {
            external_id: None,
            person: None,
            situation: Situation::Linked,
            reaction: Reaction::Update,
            effects: Vec::new(),
            reasons: vec![
                Reason::new("compare.theirs_changed", ""),
                Reason::new(code, ""),
            ],
            precondition: Precondition::default(),
            due_on: None,
            settles: true,
        };
        let mut tally = PlanTally::default();
        for code in [Reason::REMAPPED, Reason::DECIDED, Reason::REMAPPED] {
            tally.add(&row(code));
        }
        assert_eq!((tally.rows, tally.remapped), (3, 2));
    }
}
