//! Durable, ordered outward work.

use jiff::Timestamp;
use muster_model::{ConnectionId, ExternalId, Field, PersonId, PlanId, RunId};
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
    /// The run that causes it, if one does.
    pub run: Option<RunId>,
    /// What it writes to, if it is an outward write.
    pub target: Option<OutboxTarget>,
}

/// One field of one record of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxTarget {
    /// The connection.
    pub connection: ConnectionId,
    /// Its record.
    pub external_id: ExternalId,
    /// The field.
    pub field: Field,
}

impl OutboxMessage {
    /// Work about a person that is no outward write.
    pub fn about(person: PersonId, kind: impl Into<String>, body: serde_json::Value) -> Self {
        Self {
            kind: kind.into(),
            person,
            body,
            row: None,
            run: None,
            target: None,
        }
    }

    /// That follows from a row of a plan: plan and place.
    #[must_use]
    pub const fn of_row(mut self, row: (PlanId, u64)) -> Self {
        self.row = Some(row);
        self
    }

    /// Caused by a run.
    #[must_use]
    pub const fn of_run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// That writes to a target.
    #[must_use]
    pub fn to(mut self, target: OutboxTarget) -> Self {
        self.target = Some(target);
        self
    }
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
    /// Attempts that were begun; each may have gone out.
    pub attempts: u64,
    /// It is not tried before this instant.
    pub due_at: Timestamp,
    /// Why it still waits, failed or was cancelled: a stable code.
    pub error_code: Option<String>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMark {
    /// Of which message.
    pub id: Uuid,
    /// Where it stands now.
    pub state: OutboxState,
    /// Why, if it was not sent: a stable code.
    pub error_code: Option<String>,
    /// When it is tried again, if it waits.
    pub due_at: Option<Timestamp>,
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
