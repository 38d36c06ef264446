//! In which order rows are applied.

use std::collections::BTreeMap;

use muster_model::plan::{Change, Effect, ManagerKey};
use muster_model::{ExternalId, ExternalIds};

/// Managers before those who name them: a person whom the same plan makes must
/// be there before somebody's manager can be set to them. Of each row it keeps
/// its id and numbers, so that the rows of a million people can be put in order.
#[derive(Debug, Default)]
pub(crate) struct Order {
    ids: ExternalIds,
    ordinals: Vec<u32>,
    /// The place of each row's manager in `named`.
    above: Vec<Option<u32>>,
    named: BTreeMap<ExternalId, u32>,
}

impl Order {
    /// Adds the row at a place of the plan.
    pub(crate) fn add(&mut self, ordinal: u64, change: &Change) {
        self.ids
            .push(change.external_id.as_ref().map_or("", ExternalId::as_str));
        // Four thousand million rows are out of reach.
        self.ordinals
            .push(u32::try_from(ordinal).unwrap_or(u32::MAX));
        let manager = change
            .effects
            .iter()
            .find_map(|planned| match &planned.effect {
                Effect::Manager {
                    to: Some(ManagerKey::Record(record)),
                    ..
                } => Some(record),
                _ => None,
            });
        let manager = manager.map(|record| self.place_of(record));
        self.above.push(manager);
    }

    /// The places of the plan in the order in which they are applied. Rows of one
    /// depth keep their order; cycles were taken out when the plan was made.
    pub(super) fn finish(self) -> Vec<u32> {
        if self.named.is_empty() {
            return self.ordinals;
        }
        let depths = self.depths();
        let mut rows: Vec<(u32, u32)> = depths.into_iter().zip(self.ordinals).collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, ordinal)| ordinal).collect()
    }

    fn place_of(&mut self, record: &ExternalId) -> u32 {
        if let Some(place) = self.named.get(record) {
            return *place;
        }
        let place = u32::try_from(self.named.len()).unwrap_or(u32::MAX);
        self.named.insert(record.clone(), place);
        place
    }

    /// How many managers of the same plan stand above each row.
    fn depths(&self) -> Vec<u32> {
        let sorted = self.ids.order();
        let mut managers: Vec<Option<usize>> = vec![None; self.named.len()];
        for (record, place) in &self.named {
            if let Some(manager) = managers.get_mut(*place as usize) {
                *manager = self.ids.find(record.as_str(), &sorted);
            }
        }
        let above = |row: usize| -> Option<usize> {
            let named = (*self.above.get(row)?)?;
            *managers.get(named as usize)?
        };
        let mut depths: Vec<Option<u32>> = vec![None; self.above.len()];
        for start in 0..depths.len() {
            let mut path: Vec<usize> = Vec::new();
            let mut at = Some(start);
            let mut depth = 0;
            // A path is never longer than there are rows, whatever the plan says.
            while let Some(row) = at.filter(|_| path.len() <= depths.len()) {
                if let Some(known) = depths.get(row).copied().flatten() {
                    depth = known + 1;
                    break;
                }
                path.push(row);
                at = above(row);
            }
            for row in path.into_iter().rev() {
                if let Some(known) = depths.get_mut(row) {
                    *known = Some(depth);
                }
                depth += 1;
            }
        }
        depths.into_iter().map(Option::unwrap_or_default).collect()
    }
}

#[cfg(test)]
mod tests {
    use muster_model::plan::{Planned, Precondition};
    use muster_model::{Reaction, Situation};

    use super::*;

    fn row(id: &str, manager: Option<&str>) -> Change {
        let manager = manager.map(|record| Effect::Manager {
            from: None,
            to: Some(ManagerKey::Record(record.into())),
        });
        Change {
            external_id: Some(id.into()),
            person: None,
            situation: Situation::New,
            reaction: Reaction::Create,
            effects: manager.map(Planned::free).into_iter().collect(),
            reasons: Vec::new(),
            precondition: Precondition::default(),
            due_on: None,
            settles: true,
        }
    }

    #[test]
    fn managers_come_before_those_who_name_them() {
        let rows = [
            row("a", Some("c")),
            row("b", None),
            row("c", Some("d")),
            row("d", None),
            row("e", Some("somebody else")),
        ];
        let mut order = Order::default();
        for (ordinal, row) in rows.iter().enumerate() {
            order.add(ordinal as u64 + 10, row);
        }
        assert_eq!(order.finish(), [11, 13, 14, 12, 10]);
    }

    #[test]
    fn a_cycle_in_a_stored_plan_comes_to_an_end() {
        let mut order = Order::default();
        for (ordinal, (id, manager)) in [("a", "b"), ("b", "a")].into_iter().enumerate() {
            order.add(ordinal as u64, &row(id, Some(manager)));
        }
        assert_eq!(order.finish().len(), 2);
    }
}
