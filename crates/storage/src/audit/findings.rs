//! What a verification found.

use super::{AuditBreak, AuditHead};

/// What was looked at, and the first place that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFindings {
    /// Entries that are as they were written.
    pub entries: u64,
    /// Rows that are as they were entered: details, rows of plans, reports.
    pub rows: u64,
    /// Rows whose content was erased with a person: that they were there is proved.
    pub erased: u64,
    /// Entries by who made them, as [`crate::Actor`] is written; `unknown` for those
    /// of before that was entered.
    pub by: std::collections::BTreeMap<String, u64>,
    /// The newest entry; `None` if there is none.
    pub head: Option<AuditHead>,
    /// The first place that is wrong; `None` if there is none.
    pub broken: Option<AuditBreak>,
}
