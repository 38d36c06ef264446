//! People whom a record may turn out to be: named by a key, or by a decision.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::{Answer, ExternalId, MatchKey, PersonId, RecordDecision};
use muster_reconcile::{Candidate, KeyHolders};
use muster_storage::Reader;

use super::load::people_by_id;
use super::sources::Sources;
use crate::error::EngineError;

/// Loads these people with everything that is said of them.
pub(super) async fn candidates(
    reader: &mut Reader,
    sources: &Sources,
    people: &[PersonId],
    recycled: &BTreeMap<PersonId, BTreeSet<MatchKey>>,
    holders: &mut KeyHolders,
) -> Result<(), EngineError> {
    let mut heard = sources.heard(reader, people).await?;
    for (id, person) in people_by_id(reader, people).await? {
        let heard = heard.remove(&id).unwrap_or_default();
        holders.candidates.insert(
            id,
            Candidate {
                person,
                linked_here: heard.here(),
                others: heard.others,
                siblings: heard.siblings,
                recycled: recycled.get(&id).cloned().unwrap_or_default(),
            },
        );
    }
    Ok(())
}

/// Loads whom somebody named for a record, also when no key of it does.
pub(super) async fn named_by_decisions(
    reader: &mut Reader,
    sources: &Sources,
    decided: &BTreeMap<ExternalId, Vec<RecordDecision>>,
    holders: &mut KeyHolders,
) -> Result<(), EngineError> {
    let people: BTreeSet<PersonId> = decided
        .values()
        .flatten()
        .filter_map(|decision| match decision.answer {
            Answer::Link(person) => Some(person),
            _ => None,
        })
        .filter(|person| !holders.candidates.contains_key(person))
        .collect();
    if people.is_empty() {
        return Ok(());
    }
    let people: Vec<PersonId> = people.into_iter().collect();
    candidates(reader, sources, &people, &BTreeMap::new(), holders).await
}
