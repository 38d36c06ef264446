//! One execution of the pipeline.

use jiff::Timestamp;
use muster_model::report::Trigger;
use muster_model::{ConnectionId, RunId, RunReport};

/// A run, with its report once it has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which one.
    pub id: RunId,
    /// Of which connection.
    pub connection: ConnectionId,
    /// What started it.
    pub trigger: Trigger,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it is at work, and for ever if it was killed.
    pub finished_at: Option<Timestamp>,
    /// What it did.
    pub report: Option<RunReport>,
}
