//! One execution of the pipeline.

use jiff::Timestamp;
use muster_model::report::Trigger;
use muster_model::{ConnectionId, RunId, RunReport};

use crate::word::words;

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
    /// How far it came.
    pub step: Option<RunStep>,
    /// When another run found it dead, or silent for too long, and took its
    /// connection over.
    pub interrupted_at: Option<Timestamp>,
    /// What it did.
    pub report: Option<RunReport>,
}

words! {
    /// What a run is at.
    RunStep {
        /// The source is read.
        Read = "read",
        /// What was read is compared.
        Plan = "plan",
        /// Rows are applied.
        Apply = "apply",
        /// Outward writes are sent.
        Outbox = "outbox",
        /// The report is stored.
        Report = "report",
    }
}
