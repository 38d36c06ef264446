//! The dated list of what changes in a rehearsal year.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::biography::Happening;

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A new record, on the first day of work.
    Joined,
    /// Something about somebody who stays, or about a record that stays.
    Moved,
    /// The day before was the last one.
    Left,
    /// A new employment of somebody who had left, in the same record.
    Returned,
    /// An employment begins while the same person's contract runs out.
    Converted,
    /// Somebody becomes the manager of the department they are in.
    TookOver,
}

/// Something that changes about one record on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The day of the year, from 1.
    pub day: i32,
    /// The same day as a date.
    pub date: Date,
    /// What it is.
    pub kind: ChangeKind,
    /// The record's id.
    pub employee: u64,
    /// The canonical names of the fields that change; none for a joiner, whose
    /// record is new as a whole.
    pub fields: &'static [&'static str],
}

impl Happening {
    /// The kind and the canonical fields of a happening.
    pub(super) fn described(self) -> (ChangeKind, &'static [&'static str]) {
        match self {
            Self::Joined => (ChangeKind::Joined, &[]),
            Self::Left(_) => (ChangeKind::Left, &["employment_status", "engagements"]),
            Self::Returned { .. } => (ChangeKind::Returned, &["employment_status", "engagements"]),
            Self::Converted { .. } => (ChangeKind::Converted, &["engagements"]),
            Self::Phone => (ChangeKind::Moved, &["phone"]),
            Self::Percentage => (ChangeKind::Moved, &["engagements"]),
            Self::JobTitle => (ChangeKind::Moved, &["engagements"]),
            Self::Department { .. } => (ChangeKind::Moved, &["department", "manager_external_id"]),
            Self::Manager { .. } => (ChangeKind::Moved, &["manager_external_id"]),
            Self::Surname { earlier: None, .. } => (ChangeKind::Moved, &["family_name"]),
            Self::Surname { .. } => (ChangeKind::Moved, &["family_name", "work_email"]),
            Self::AddressReleased => (ChangeKind::Moved, &["work_email"]),
            Self::TookOver { .. } => (
                ChangeKind::TookOver,
                &["job_title", "manager_external_id", "engagements"],
            ),
        }
    }
}
