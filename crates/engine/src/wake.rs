//! Records that must be looked at again because something that they share with
//! others changed (`engine.md`, The shortcut).

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{ConnectionId, ExternalId, PersonId};
use muster_storage::Transaction;

use crate::error::EngineError;

/// Sets the mark on everything else that is said of these people: by other
/// connections, and by further records of `connection`. The records of `just`
/// caused the change and know it already.
pub(crate) async fn wake(
    transaction: &mut Transaction,
    connection: ConnectionId,
    just: &BTreeSet<ExternalId>,
    people: &[PersonId],
) -> Result<(), EngineError> {
    if people.is_empty() {
        return Ok(());
    }
    let mut asleep: BTreeMap<ConnectionId, Vec<ExternalId>> = BTreeMap::new();
    for (of, link) in transaction.links_of_people(people).await? {
        if of != connection || !just.contains(&link.external_id) {
            asleep.entry(of).or_default().push(link.external_id);
        }
    }
    for (connection, records) in asleep {
        transaction.mark_records_due(connection, &records).await?;
    }
    Ok(())
}
