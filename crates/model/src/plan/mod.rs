//! A plan: what exactly would change, as data that can be printed, stored,
//! compared, hashed and checked.

mod change;
mod effect;
mod hasher;
mod hold;
mod manager;
mod reason;
mod rest;
mod tally;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use change::{Change, Planned, Precondition};
pub use effect::{Answered, Effect, FieldValue, ManagerKey};
pub use hasher::PlanHasher;
pub use hold::{Hold, HoldKind};
pub use manager::{ManagerProblem, ManagerProblemKind};
pub use reason::Reason;
pub use rest::{Quiet, Rest, RestCounts};
pub use tally::PlanTally;

use crate::digest::{Digest, DigestKey};
use crate::evidence::Evidence;
use crate::field::Field;
use crate::id::ConnectionId;
use crate::report::{Counts, FieldCounts, PeopleCounts};

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
    /// The keyed hash; see [`PlanHasher`].
    #[must_use]
    pub fn compute_hash(&self, key: &DigestKey) -> Digest {
        let rows = self.changes.len() as u64;
        let mut hasher = PlanHasher::new(key, self.connection, self.made_for, rows);
        for change in &self.changes {
            hasher.row(change);
        }
        hasher.finish(&self.managers)
    }

    /// Each person once, by class, as if everything open succeeds.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally().counts
    }

    /// Per field, as if everything open succeeds.
    #[must_use]
    pub fn field_counts(&self) -> BTreeMap<Field, FieldCounts> {
        self.tally().fields
    }

    /// Everything that is counted of it.
    #[must_use]
    pub fn tally(&self) -> PlanTally {
        let mut tally = PlanTally::default();
        tally.rest(self.resting);
        for change in &self.changes {
            tally.add(change);
        }
        tally
    }

    /// Is there nothing to do and nothing to decide?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
