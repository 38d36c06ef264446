//! What the rows of a run put into the outbox, and how far it came.

use std::collections::BTreeMap;

use muster_model::PlanId;
use muster_reconcile::undo::Message;
use muster_storage::{OutboxState, Reader, StoredMessage};

use crate::error::EngineError;

/// Messages by the place of their row.
#[derive(Default)]
pub(super) struct Sent(BTreeMap<u64, Vec<Message>>);

impl Sent {
    /// Of the rows of a plan between two places.
    pub(super) async fn of(
        reader: &mut Reader,
        plan: PlanId,
        first: u64,
        last: u64,
    ) -> Result<Self, EngineError> {
        let mut sent = Self::default();
        for stored in reader.outbox_of_rows(plan, first, last).await? {
            if let Some((_, ordinal)) = stored.message.row {
                sent.0.entry(ordinal).or_default().push(message(&stored));
            }
        }
        Ok(sent)
    }

    /// The messages of a row.
    pub(super) fn take(&mut self, ordinal: u64) -> Vec<Message> {
        self.0.remove(&ordinal).unwrap_or_default()
    }
}

fn message(stored: &StoredMessage) -> Message {
    // An attempt that was begun may have gone out, whatever is known of its end.
    let waits = stored.state == OutboxState::Waiting && stored.attempts == 0;
    let begun = stored.state == OutboxState::Waiting && stored.attempts > 0;
    Message {
        id: stored.id,
        kind: stored.message.kind.clone(),
        field: stored.message.target.as_ref().map(|target| target.field),
        left: stored.state == OutboxState::Sent || begun,
        waits,
    }
}
