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
    let field = stored.message.body.get("field");
    Message {
        id: stored.id,
        kind: stored.message.kind.clone(),
        field: field
            .and_then(serde_json::Value::as_str)
            .and_then(|name| name.parse().ok()),
        left: stored.state == OutboxState::Sent,
        waits: stored.state == OutboxState::Waiting,
    }
}
