//! What a run did, in the shape of `surfaces.md`, Run report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::field::Field;
use crate::id::{ConnectionId, PlanId, RunId};

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Which run.
    pub run: RunId,
    /// The connection's id.
    pub connection: ConnectionId,
    /// What started it.
    pub trigger: Trigger,
    /// How it ended.
    pub outcome: Outcome,
    /// Was it only planned? Then the counts say what would happen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub planned_only: bool,
    /// The run that it takes back; only in an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// The plan in which held rows of an undo wait, for `muster apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// When it began, UTC.
    pub started: Timestamp,
    /// When it ended, UTC.
    pub finished: Timestamp,
    /// How far the read could be believed.
    pub evidence: Evidence,
    /// Records by what became of them before matching.
    pub people: PeopleCounts,
    /// Each person once, by the first class that applies.
    pub counts: Counts,
    /// Per field.
    pub fields: BTreeMap<Field, FieldCounts>,
    /// Writes to the target.
    pub target: TargetCounts,
    /// Mails to people.
    pub messages: MessageCounts,
    /// What is held back, and why.
    pub holds: Vec<HoldReport>,
    /// The newest entry of the audit log when the run ended, `N:HASH`: kept
    /// elsewhere it proves what was written until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<String>,
    /// Why nothing was planned; only in a failed run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// Stable code.
    pub code: String,
    /// What was wrong, where, and what to do.
    pub message: String,
}

/// What starts runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person asked for it.
    Manual,
    /// Its time came.
    Schedule,
    /// The vendor pushed.
    Push,
    /// A person decided about rows of a plan.
    Decision,
}

impl Trigger {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Push => "push",
            Self::Decision => "decision",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that was to be done is done.
    Ok,
    /// Rows failed or wait for decisions.
    Partial,
    /// A doubt or a brake holds rows.
    Held,
    /// Nothing was planned.
    Failed,
}

impl Outcome {
    /// The exit code of the command line: 0 done, 1 failed, 3 a person is needed.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Held | Self::Partial => 3,
        }
    }

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// Records before matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PeopleCounts {
    /// Records read, each id once.
    pub read: u64,
    /// Not covered by the policy.
    pub out_of_scope: u64,
    /// A required field is missing or unreadable.
    pub invalid: u64,
    /// Linked, and missing from the read.
    pub gone: u64,
}

/// The classes, in the order in which the first that applies is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the words are the documentation
pub enum Class {
    Failed,
    Ambiguous,
    Conflicts,
    Held,
    Created,
    Restored,
    Suspended,
    Ended,
    Linked,
    Updated,
    Ignored,
    Unchanged,
}

/// How many people are in each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs)] // the words are the documentation
pub struct Counts {
    pub failed: u64,
    pub ambiguous: u64,
    pub conflicts: u64,
    pub held: u64,
    pub created: u64,
    pub restored: u64,
    pub suspended: u64,
    pub ended: u64,
    pub linked: u64,
    pub updated: u64,
    pub ignored: u64,
    pub unchanged: u64,
}

impl Counts {
    /// Counts one person, or several.
    pub const fn add(&mut self, class: Class, people: u64) {
        *self.counter(class) += people;
    }

    /// Takes one person out of a class: something else became of them.
    pub const fn take(&mut self, class: Class) {
        let counter = self.counter(class);
        *counter = counter.saturating_sub(1);
    }

    const fn counter(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::Failed => &mut self.failed,
            Class::Ambiguous => &mut self.ambiguous,
            Class::Conflicts => &mut self.conflicts,
            Class::Held => &mut self.held,
            Class::Created => &mut self.created,
            Class::Restored => &mut self.restored,
            Class::Suspended => &mut self.suspended,
            Class::Ended => &mut self.ended,
            Class::Linked => &mut self.linked,
            Class::Updated => &mut self.updated,
            Class::Ignored => &mut self.ignored,
            Class::Unchanged => &mut self.unchanged,
        }
    }

    /// All classes together: the records in scope plus the gone.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.failed
            + self.ambiguous
            + self.conflicts
            + self.held
            + self.created
            + self.restored
            + self.suspended
            + self.ended
            + self.linked
            + self.updated
            + self.ignored
            + self.unchanged
    }
}

/// Changes of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FieldCounts {
    /// Written.
    pub applied: u64,
    /// Held back.
    pub held: u64,
    /// Different on both sides.
    pub conflicts: u64,
}

/// Writes to the target system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs)] // the words are the documentation
pub struct TargetCounts {
    pub queued: u64,
    pub created: u64,
    pub updated: u64,
    pub failed: u64,
    pub waiting: u64,
}

/// Mails to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MessageCounts {
    /// Invitations sent.
    pub invited: u64,
    /// Invitations withdrawn.
    pub withdrawn: u64,
}

/// A kind of row that is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldReport {
    /// Which kind.
    pub kind: String,
    /// How many rows.
    pub rows: u64,
    /// The arithmetic, or the doubt.
    pub reason: String,
    /// What a person can do.
    pub next: String,
}
