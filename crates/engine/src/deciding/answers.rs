//! What was decided about the rows of a plan, compactly: by their places.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::plan::Planned;
use muster_reconcile::resolve::RowAnswer;

/// Decisions by row.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// By the row's place in the plan.
    pub(crate) rows: BTreeMap<u64, RowAnswer>,
    /// The line of the file that says who the record of a row is, to point at.
    pub(crate) lines: BTreeMap<u64, u64>,
    /// What was written down about a row before anything of it was done: for an undo.
    pub(crate) notes: BTreeMap<u64, Vec<Planned>>,
    /// Rows whose link took the decisions over, and is one version newer for it.
    pub(crate) noted: BTreeSet<u64>,
}

impl Answers {
    /// The decisions about one row.
    pub(crate) fn of(&self, ordinal: u64) -> Option<&RowAnswer> {
        self.rows.get(&ordinal)
    }
}
