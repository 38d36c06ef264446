//! Whom the records name as managers, and who stands above them today.

use std::collections::BTreeSet;

use muster_model::{ExternalId, PersonId};
use muster_reconcile::ManagerIndex;
use muster_reconcile::managers::Register;

use super::load::Loader;
use crate::error::EngineError;

/// Looks up everybody who is named. Who manages whom is followed upwards from
/// them, a level at a time: what is not above anybody named can be on no cycle.
pub(super) async fn index(loader: &Loader, named: &Register) -> Result<ManagerIndex, EngineError> {
    let mut index = ManagerIndex::default();
    let records: Vec<ExternalId> = named.named_records().cloned().collect();
    let addresses: Vec<String> = named.named_addresses().map(ToOwned::to_owned).collect();
    if records.is_empty() && addresses.is_empty() {
        return Ok(index);
    }
    let mut reader = loader.reader().await?;
    index.records = reader
        .people_of_records(loader.connection.id, &records)
        .await?;
    for (address, people) in reader.people_of_addresses(&addresses).await? {
        // An address that several share names nobody.
        if let [only] = people.as_slice() {
            index.addresses.insert(address, *only);
        }
    }
    let mut level: BTreeSet<PersonId> = index
        .records
        .values()
        .chain(index.addresses.values())
        .copied()
        .collect();
    while !level.is_empty() {
        let people: Vec<PersonId> = level.into_iter().collect();
        let above = reader.managers_of(&people).await?;
        level = above
            .iter()
            .map(|(_, manager)| *manager)
            .filter(|manager| !index.edges.contains_key(manager))
            .collect();
        index.edges.extend(above);
        level.retain(|manager| !index.edges.contains_key(manager));
    }
    Ok(index)
}
