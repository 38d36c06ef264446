//! In which order rows are applied.

use std::collections::BTreeMap;

use muster_model::ExternalId;
use muster_model::plan::{Effect, ManagerKey};
use muster_storage::StoredChange;

/// Managers before those who name them: a person whom the same plan makes must
/// be there before somebody's manager can be set to them. Rows of one depth keep
/// their order; cycles were taken out when the plan was made.
pub(super) fn managers_first(rows: Vec<StoredChange>) -> Vec<StoredChange> {
    let above: BTreeMap<ExternalId, ExternalId> = rows
        .iter()
        .filter_map(|row| {
            let change = row.change.as_ref()?;
            let manager = change
                .effects
                .iter()
                .find_map(|planned| match &planned.effect {
                    Effect::Manager {
                        to: Some(ManagerKey::Record(record)),
                        ..
                    } => Some(record),
                    _ => None,
                })?;
            Some((change.external_id.clone()?, manager.clone()))
        })
        .collect();
    if above.is_empty() {
        return rows;
    }
    let mut depths: BTreeMap<ExternalId, usize> = BTreeMap::new();
    for start in above.keys() {
        let mut path: Vec<&ExternalId> = Vec::new();
        let mut at = start;
        // A path is never longer than there are rows, whatever the plan says.
        while !depths.contains_key(at) && path.len() <= above.len() {
            path.push(at);
            match above.get(at) {
                Some(next) => at = next,
                None => break,
            }
        }
        let mut depth = depths.get(at).copied().unwrap_or_default();
        for record in path.into_iter().rev() {
            if !depths.contains_key(record) {
                if above.contains_key(record) {
                    depth += 1;
                }
                depths.insert(record.clone(), depth);
            }
        }
    }
    let mut keyed: Vec<(usize, StoredChange)> = rows
        .into_iter()
        .map(|row| {
            let id = row
                .change
                .as_ref()
                .and_then(|change| change.external_id.as_ref());
            (
                id.and_then(|id| depths.get(id))
                    .copied()
                    .unwrap_or_default(),
                row,
            )
        })
        .collect();
    keyed.sort_by_key(|(depth, row)| (*depth, row.ordinal));
    keyed.into_iter().map(|(_, row)| row).collect()
}
