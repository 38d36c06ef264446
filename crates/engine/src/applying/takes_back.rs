//! What the rows of an undo write beside people and links.

use muster_model::plan::{Change, Effect};
use muster_model::{Answer, ConnectionId, ExternalId, Matter, PersonId, PlanId, RecordDecision};
use muster_reconcile::State;
use muster_storage::Transaction;
use uuid::Uuid;

use crate::error::EngineError;

/// Collected over a block.
#[derive(Default)]
pub(super) struct Writes {
    removed: Vec<PersonId>,
    unlinked: Vec<ExternalId>,
    unlinked_people: Vec<PersonId>,
    declined: Vec<RecordDecision>,
    released: Vec<(ExternalId, Matter)>,
    due: Vec<ExternalId>,
    cancelled: Vec<Uuid>,
}

/// The messages that a row cancels.
pub(super) fn cancels(change: &Change) -> impl Iterator<Item = Uuid> + '_ {
    change
        .effects
        .iter()
        .filter(|planned| planned.held.is_none())
        .filter_map(|planned| match &planned.effect {
            Effect::Cancel { message, .. } => Some(*message),
            _ => None,
        })
}

impl Writes {
    /// Notes what follows from one row that was done.
    pub(super) fn note(&mut self, change: &Change, before: &State, after: &State, plan: PlanId) {
        self.cancelled.extend(cancels(change));
        if let (Some(person), None) = (&before.person, &after.person) {
            self.removed.push(person.id);
        }
        if let (Some(link), None, Some(person)) = (&before.link, &after.link, &after.person) {
            self.unlinked.push(link.external_id.clone());
            self.unlinked_people.push(person.id);
        }
        let Some(id) = &change.external_id else {
            return;
        };
        if change.takes_back() {
            self.due.push(id.clone());
        }
        for planned in change.effects.iter().filter(|one| one.held.is_none()) {
            match &planned.effect {
                Effect::DeclineRecord {
                    to: Some(about), ..
                } => self.declined.push(RecordDecision {
                    external_id: id.clone(),
                    matter: Matter::Match,
                    answer: Answer::Declined,
                    about: *about,
                    plan: Some(plan),
                }),
                Effect::DeclineRecord { to: None, .. } => {
                    self.released.push((id.clone(), Matter::Match));
                }
                Effect::Answer {
                    matter,
                    to: Some(to),
                    ..
                } => self.declined.push(RecordDecision {
                    external_id: id.clone(),
                    matter: *matter,
                    answer: to.answer,
                    about: to.about,
                    plan: Some(plan),
                }),
                Effect::Answer { matter, .. } => self.released.push((id.clone(), *matter)),
                _ => {}
            }
        }
    }

    /// Writes it, after people and links.
    pub(super) async fn write(
        self,
        transaction: &mut Transaction,
        connection: ConnectionId,
    ) -> Result<(), EngineError> {
        if self.due.is_empty() && self.removed.is_empty() && self.unlinked.is_empty() {
            return Ok(());
        }
        // One that left between the look and now: nothing of the block may stand.
        let cancelled = transaction.cancel_outbox(&self.cancelled).await?;
        if cancelled < self.cancelled.len() as u64 {
            return Err(EngineError::Raced);
        }
        transaction.delete_links(connection, &self.unlinked).await?;
        transaction.remove_people(&self.removed).await?;
        transaction
            .store_decisions(connection, &self.declined)
            .await?;
        transaction
            .take_back_decisions(connection, &self.released)
            .await?;
        // Whatever rests is looked at again, and found declined.
        transaction.unsettle(connection, &self.due).await?;
        transaction.mark_records_due(connection, &self.due).await?;
        transaction.mark_people_due(&self.unlinked_people).await?;
        Ok(())
    }
}
