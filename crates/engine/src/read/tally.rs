//! What is counted while records go by.

use std::collections::BTreeSet;

use muster_model::evidence::ReadSummary;
use muster_model::{Engagement, ExternalId, Field, Presence};
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
    /// Counts a page; `repeated` are the ids that stood in this read before, `erased`
    /// those of erased people, whom nothing counts any more.
    pub(crate) fn add(
        &mut self,
        page: &[RecordToStore],
        repeated: &BTreeSet<&ExternalId>,
        erased: &BTreeSet<&ExternalId>,
    ) {
        self.repeated += repeated.len() as u64;
        for stored in page {
            let record = &stored.record;
            // Whoever stood on another page was counted there.
            if record.presence == Presence::Removed
                || repeated.contains(&record.external_id)
                || erased.contains(&record.external_id)
            {
                continue;
            }
            self.summary.present += 1;
            for (field, said) in record.fields.iter() {
                let of_engagements = field == Field::EndDate && record.engagements().is_some();
                if said.value().is_some() && !of_engagements {
                    self.fill(field);
                }
            }
            // Of engagements it counts whether their ends are spoken of at all: most
            // are open, and say so.
            let says_ends = |engagement: &Engagement| !engagement.end_date.is_absent();
            if record
                .engagements()
                .is_some_and(|engagements| engagements.iter().all(says_ends))
            {
                self.fill(Field::EndDate);
            }
        }
    }

    fn fill(&mut self, field: Field) {
        *self.summary.filled.entry(field).or_default() += 1;
    }
}
