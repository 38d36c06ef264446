//! Takes a person and the records of a connection apart.

use std::collections::BTreeSet;

use muster_model::{Answer, ExternalId, MatchKey, Matter, PersonId, RecordDecision};
use muster_reconcile::decided::keys_digest;
use muster_storage::{Organisation, PersonToWrite};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::wake::wake;

/// What was taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlinked {
    /// The person, who stays.
    pub person: PersonId,
    /// The connection's name.
    pub connection: String,
    /// The records that are nobody's now.
    pub records: Vec<ExternalId>,
    /// The fields that are ours from now on.
    pub fields: Vec<muster_model::Field>,
}

impl Engine {
    /// Takes the links of a person to a connection away. The person stays with
    /// every value, and access stays as it is; fields that the connection owned
    /// become ours. The records are left alone until somebody decides about them
    /// or one of their keys changes.
    ///
    /// # Errors
    /// When there is no such person or connection, or no link between them.
    pub async fn unlink(
        &self,
        organisation: &Organisation,
        person: &str,
        connection: &str,
    ) -> Result<Unlinked, EngineError> {
        let connection = self.connection(organisation.id, connection).await?;
        let named = self
            .people_named(organisation, &[person.to_owned()])
            .await?;
        let unknown = || EngineError::PersonUnknown {
            query: person.to_owned(),
        };
        let id = named.into_iter().next().ok_or_else(unknown)?;
        let key = organisation.digest_key();
        let mut transaction = self.storage.begin(organisation.id).await?;
        let mut person = transaction.people(&[id]).await?.pop().ok_or_else(unknown)?;
        let mut records: Vec<ExternalId> = transaction
            .links_of_people(&[id])
            .await?
            .into_iter()
            .filter(|(of, _)| *of == connection.id)
            .map(|(_, link)| link.external_id)
            .collect();
        records.sort();
        if records.is_empty() {
            return Err(EngineError::NotLinked {
                name: connection.name,
            });
        }
        let decisions: Vec<RecordDecision> = transaction
            .records(connection.id, &records)
            .await?
            .into_iter()
            .map(|row| RecordDecision {
                about: keys_digest(&row.record, &key),
                external_id: row.external_id,
                matter: Matter::Match,
                answer: Answer::Unlinked(id),
                plan: None,
            })
            .collect();
        let fields: Vec<muster_model::Field> = person
            .owners
            .iter()
            .filter(|(_, owner)| **owner == connection.id)
            .map(|(field, _)| *field)
            .collect();
        person.owners.retain(|_, owner| *owner != connection.id);
        // Another human's engagements, perhaps: they hold nobody here any more.
        // Employment and access stay as they are until another source says otherwise.
        person.engagements.remove(&connection.id);
        let keys = MatchKey::ALL
            .into_iter()
            .filter_map(|one| Some((one, one.digest(&person.fields, &key)?)))
            .collect();
        let stale = transaction
            .write_people(&[PersonToWrite { person, keys }])
            .await?;
        if !stale.is_empty() {
            return Err(EngineError::Raced);
        }
        transaction.delete_links(connection.id, &records).await?;
        transaction
            .store_decisions(connection.id, &decisions)
            .await?;
        transaction
            .mark_records_due(connection.id, &records)
            .await?;
        // Whatever else speaks of the person decides about what became free.
        wake(&mut transaction, connection.id, &BTreeSet::new(), &[id]).await?;
        transaction.commit().await?;
        Ok(Unlinked {
            person: id,
            connection: connection.name,
            records,
            fields,
        })
    }
}
