//! What is counted while records go by.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::evidence::ReadSummary;
use muster_model::{Engagement, ExternalId, Field, Presence};
use muster_storage::{RecordToStore, Stored};

/// Counts of one read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Records, each id once, and how often their fields are filled.
    pub(crate) summary: ReadSummary,
    /// Ids that came more than once.
    pub(crate) repeated: u64,
}

impl Tally {
    /// Counts a group of records by what became of them. Of erased people nothing is
    /// counted any more, and each id once: where it stood in an earlier group, or
    /// else where it stands last in this one.
    pub(crate) fn add(&mut self, group: &[RecordToStore], stored: &Stored) {
        self.repeated += stored.already_in_this_snapshot.len() as u64;
        let mut repetitions: BTreeMap<&ExternalId, u32> = BTreeMap::new();
        for id in &stored.already_in_this_snapshot {
            *repetitions.entry(id).or_default() += 1;
        }
        let erased: BTreeSet<&ExternalId> = stored.erased.iter().collect();
        for RecordToStore { record, .. } in group {
            let repeated = repetitions.get_mut(&record.external_id);
            if let Some(left) = repeated.filter(|left| **left > 0) {
                *left -= 1;
                continue;
            }
            if record.presence == Presence::Removed || erased.contains(&record.external_id) {
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
