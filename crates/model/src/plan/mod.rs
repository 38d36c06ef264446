//! A plan: what exactly would change, as data that can be printed, stored,
//! compared, hashed and checked.

mod change;
mod effect;
mod hold;
mod manager;
mod reason;
mod rest;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use change::{Change, Planned, Precondition};
pub use effect::{Effect, FieldValue, ManagerKey};
pub use hold::{Hold, HoldKind};
pub use manager::{ManagerProblem, ManagerProblemKind};
pub use reason::Reason;
pub use rest::{Quiet, Rest, RestCounts};

use crate::decision::Matter;
use crate::digest::{Digest, DigestKey};
use crate::evidence::Evidence;
use crate::field::Field;
use crate::id::{ConnectionId, ExternalId};
use crate::report::{Class, Counts, FieldCounts, PeopleCounts};

/// A stored change set.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// For which connection.
    pub connection: ConnectionId,
    /// Why it was made.
    pub cause: Cause,
    /// The organisation's civil date it was made for.
    pub made_for: Date,
    /// When it was made; not part of the hash.
    pub made_at: Timestamp,
    /// The read, judged.
    pub evidence: Evidence,
    /// Records before matching.
    pub people: PeopleCounts,
    /// Records at rest: touched ones for whom there is nothing to do, and untouched ones.
    pub resting: RestCounts,
    /// Touched records that come to rest with this plan, because nothing follows from them.
    pub quiet: Vec<Quiet>,
    /// In the order of record id.
    pub changes: Vec<Change>,
    /// What is held back, with its arithmetic.
    pub holds: Vec<Hold>,
    /// Managers that could not be resolved; they change no team.
    pub managers: Vec<ManagerProblem>,
    /// Decisions that are about nothing any more: to be taken back with this plan.
    pub spent: Vec<(ExternalId, Matter)>,
    /// See [`Plan::compute_hash`].
    pub hash: Digest,
}

/// Why a plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A read of the source.
    Read,
    /// A new version of the mapping or the normaliser.
    Mapping,
    /// A person takes back what a run did.
    Undo,
}

impl Plan {
    /// The keyed hash: connection, civil date, then per record its situation,
    /// reaction, values, reasons and versions. Not the time, not the evidence's
    /// page count, no new id: planning twice gives the same.
    #[must_use]
    pub fn compute_hash(&self, key: &DigestKey) -> Digest {
        let mut digester = key.digester("plan");
        digester
            .text(&self.connection.to_string())
            .text(&self.made_for.to_string())
            .number(self.changes.len() as u64);
        for change in &self.changes {
            change.digest_into(&mut digester);
        }
        for problem in &self.managers {
            digester
                .text(problem.external_id.as_str())
                .number(problem.kind as u64);
        }
        digester.finish()
    }

    /// Each person once, by class, as if everything open succeeds. The classes
    /// add up to the records in scope plus the gone; the gone at rest are ignored.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        counts.add(Class::Unchanged, self.resting.unchanged);
        counts.add(Class::Ignored, self.resting.ignored + self.resting.gone);
        for class in self.changes.iter().filter_map(Change::class) {
            counts.add(class, 1);
        }
        counts
    }

    /// Per field, as if everything open succeeds.
    #[must_use]
    pub fn field_counts(&self) -> BTreeMap<Field, FieldCounts> {
        let mut counts: BTreeMap<Field, FieldCounts> = BTreeMap::new();
        for planned in self.changes.iter().flat_map(|change| &change.effects) {
            match &planned.effect {
                Effect::Set { field, .. } => {
                    let entry = counts.entry(*field).or_default();
                    if planned.held.is_some() {
                        entry.held += 1
                    } else {
                        entry.applied += 1
                    }
                }
                Effect::Manager { .. } => {
                    let entry = counts.entry(Field::ManagerExternalId).or_default();
                    if planned.held.is_some() {
                        entry.held += 1
                    } else {
                        entry.applied += 1
                    }
                }
                Effect::Conflict { field, .. } => counts.entry(*field).or_default().conflicts += 1,
                _ => {}
            }
        }
        counts
    }

    /// Is there nothing to do and nothing to decide?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
