//! Who holds a key.

use std::collections::BTreeMap;

use muster_model::{Digest, ExternalId, MatchKey, PersonId};

/// Holders by key and digest; a key that nobody holds is not in it.
pub type KeyHolders = BTreeMap<(MatchKey, Digest), KeyOwners>;

/// The people and the records that hold one key, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOwners {
    /// People of the organisation.
    pub people: Vec<PersonId>,
    /// Records of the connection and snapshot that were asked about.
    pub records: Vec<ExternalId>,
}
