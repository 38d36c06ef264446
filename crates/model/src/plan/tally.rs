//! What a plan would do, counted row by row as it is made.

use std::collections::BTreeMap;

use super::change::Change;
use super::effect::Effect;
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
