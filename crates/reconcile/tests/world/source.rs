//! One source: what the vendor holds, and what we keep of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::evidence::ReadSummary;
use muster_model::plan::Rest;
use muster_model::policy::BrakeKind;
use muster_model::{
    ConnectionId, Digest, DigestKey, DoubtKind, Evidence, EvidenceLevel, ExternalId, Field, Link,
    Policy, Presence, ReadHistory, SourceRecord,
};

/// What goes wrong in a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Every n-th record is left out, and nothing tells of it.
    Short(usize),
    /// A page failed: every n-th record is left out, and the read says so.
    PageFailed(usize),
    /// An empty answer.
    Empty,
    /// The vendor's total is higher than what came.
    Uncounted(usize),
}

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) id: ConnectionId,
    pub(crate) rank: u32,
    pub(crate) policy: Policy,
    pub(crate) records: BTreeMap<ExternalId, SourceRecord>,
    pub(crate) links: BTreeMap<ExternalId, Link>,
    pub(crate) rests: BTreeMap<ExternalId, Resting>,
    /// Records that an undo set aside, with the digest they had.
    pub(crate) declined: BTreeMap<ExternalId, Digest>,
    pub(crate) history: ReadHistory,
    pub(crate) last_read: Option<Timestamp>,
    pub(crate) let_through: Vec<(Timestamp, BrakeKind, u64)>,
    pub(crate) can_confirm: bool,
    /// Grows with each change of the policy: a version under which records rest.
    pub(crate) version: u64,
}

/// Under what a record rests.
#[derive(Clone, Debug)]
pub(crate) struct Resting {
    /// The record's digest (none: missing) and the policy's version.
    pub(crate) settled: Option<(Option<Digest>, u64)>,
    pub(crate) due: bool,
    pub(crate) due_on: Option<Date>,
    pub(crate) rest: Rest,
}

impl Source {
    pub(crate) fn new(place: usize, policy: Policy) -> Self {
        Self {
            id: format!("00000000-0000-7000-9000-{place:012x}")
                .parse()
                .unwrap(),
            rank: u32::try_from(place).unwrap(),
            policy,
            records: BTreeMap::new(),
            links: BTreeMap::new(),
            rests: BTreeMap::new(),
            declined: BTreeMap::new(),
            history: ReadHistory::default(),
            last_read: None,
            let_through: Vec::new(),
            can_confirm: true,
            version: 0,
        }
    }

    pub(crate) fn put(&mut self, record: SourceRecord) {
        self.records.insert(record.external_id.clone(), record);
    }

    pub(crate) fn take(&mut self, record: &str) -> Option<SourceRecord> {
        self.records.remove(&ExternalId::from(record))
    }

    pub(crate) fn change(&mut self, record: &str, change: impl FnOnce(&mut SourceRecord)) {
        if let Some(record) = self.records.get_mut(&ExternalId::from(record)) {
            change(record);
        }
    }

    pub(crate) fn set_policy(&mut self, change: impl FnOnce(&mut Policy)) {
        change(&mut self.policy);
        self.version += 1;
    }

    /// What a read sees.
    pub(crate) fn visible(&self, fault: Fault) -> BTreeSet<ExternalId> {
        let left_out = |place: usize| match fault {
            Fault::None => false,
            Fault::Short(nth) | Fault::PageFailed(nth) | Fault::Uncounted(nth) => {
                place.is_multiple_of(nth.max(1))
            }
            Fault::Empty => true,
        };
        self.records
            .keys()
            .enumerate()
            .filter(|(place, _)| !left_out(*place))
            .map(|(_, id)| id.clone())
            .collect()
    }

    pub(crate) fn evidence(&self, fault: Fault) -> Evidence {
        let mut evidence = Evidence {
            level: EvidenceLevel::Ended,
            complete: true,
            pages: 1,
            read: self.visible(fault).len() as u64,
            ..Evidence::none()
        };
        match fault {
            Fault::PageFailed(_) => {
                evidence.complete = false;
                evidence.doubt(DoubtKind::PageFailed, "page 1 could not be read");
            }
            Fault::Uncounted(_) => evidence.declared = Some(self.records.len() as u64),
            _ => {}
        }
        evidence
    }

    pub(crate) fn summary(&self, fault: Fault) -> ReadSummary {
        let visible = self.visible(fault);
        let mut summary = ReadSummary::default();
        let present = self
            .records
            .values()
            .filter(|record| visible.contains(&record.external_id))
            .filter(|record| record.presence == Presence::Present);
        for record in present {
            summary.present += 1;
            for (field, said) in record.fields.iter() {
                if said.value().is_some() {
                    *summary.filled.entry(field).or_default() += 1;
                }
            }
            let known = self.links.get(&record.external_id);
            let known = known.and_then(|link| link.revision);
            summary.backwards +=
                u64::from(matches!((known, record.revision), (Some(old), Some(new)) if new < old));
        }
        summary
    }

    /// Is there something to look at?
    pub(crate) fn is_touched(
        &self,
        id: &ExternalId,
        digest: Option<Digest>,
        today: Date,
        minds_days: bool,
    ) -> bool {
        let Some(resting) = self.rests.get(id) else {
            return true;
        };
        resting.due
            || minds_days && resting.due_on.is_some_and(|day| day <= today)
            || resting.settled != Some((digest, self.version))
    }

    pub(crate) fn mark_due(&mut self, id: &ExternalId) {
        if let Some(resting) = self.rests.get_mut(id) {
            resting.due = true;
        }
    }

    pub(crate) fn unsettle(&mut self, id: &ExternalId) {
        self.rests.remove(id);
    }

    /// Writes under what a record rests, once its row is done.
    pub(crate) fn lay(
        &mut self,
        key: &DigestKey,
        id: &ExternalId,
        missing: bool,
        rest: Rest,
        due_on: Option<Date>,
        settles: bool,
    ) {
        if !settles {
            return self.unsettle(id);
        }
        let digest = (!missing)
            .then(|| self.records.get(id))
            .flatten()
            .map(|record| record.digest(key));
        let resting = Resting {
            settled: Some((digest, self.version)),
            due: false,
            due_on,
            rest,
        };
        self.rests.insert(id.clone(), resting);
    }

    pub(crate) fn says(&self, link: &Link, today: Date) -> BTreeSet<Field> {
        muster_reconcile::says(link, &self.policy, today)
    }
}
