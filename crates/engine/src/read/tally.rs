//! What is counted while records go by.

use std::collections::BTreeSet;

use muster_model::evidence::ReadSummary;
use muster_model::{ExternalId, Presence};
use muster_storage::RecordToStore;

/// Counts of one read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Records, each id once, and how often their fields are filled.
    pub(crate) summary: ReadSummary,
    /// Ids that came more than once.
    pub(crate) repeated: u64,
}

impl Tally {
    /// Counts a page; `repeated` are the ids that stood in this read before.
    pub(crate) fn add(&mut self, page: &[RecordToStore], repeated: &BTreeSet<&ExternalId>) {
        self.repeated += repeated.len() as u64;
        for stored in page {
            let record = &stored.record;
            // Whoever stood on another page was counted there.
            if record.presence == Presence::Removed || repeated.contains(&record.external_id) {
                continue;
            }
            self.summary.present += 1;
            for (field, said) in record.fields.iter() {
                if said.value().is_some() {
                    *self.summary.filled.entry(field).or_default() += 1;
                }
            }
        }
    }
}
