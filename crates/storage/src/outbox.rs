//! Durable, ordered outward work.

use jiff::Timestamp;
use muster_model::{PersonId, PlanId};
use uuid::Uuid;

use crate::word::words;

/// Work to queue, in the transaction of the change that it follows from.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxMessage {
    /// What is to be done, such as `mail.invitation`.
    pub kind: String,
    /// Whom it is about; the body is sealed with this person's key.
    pub person: PersonId,
    /// What it needs.
    pub body: serde_json::Value,
    /// The row of a plan from which it follows, if it does: plan and place.
    pub row: Option<(PlanId, u64)>,
}

/// Queued work, opened.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    /// Which one; ids are in the order of queueing.
    pub id: Uuid,
    /// The work.
    pub message: OutboxMessage,
    /// Where it stands.
    pub state: OutboxState,
    /// When it was queued.
    pub created_at: Timestamp,
}

words! {
    /// Where outward work stands.
    OutboxState {
        /// To be done.
        Waiting = "waiting",
        /// Done.
        Sent = "sent",
        /// Given up, after bounded attempts.
        Failed = "failed",
        /// No longer wanted.
        Cancelled = "cancelled",
    }
}
