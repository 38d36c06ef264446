//! One entry of the chain.

use muster_model::{Digest, DigestKey, OrganisationId, PlanId, RunId};
use serde::{Deserialize, Serialize};

use super::Actor;

/// Who did it, and what it belongs to; ids only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    /// None in entries of before it was entered.
    #[serde(default)]
    pub(crate) by: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<PlanId>,
}

/// An entry as it stands in the database, nothing of it believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEntry {
    pub(crate) number: i64,
    pub(crate) at: i64,
    pub(crate) cause: String,
    pub(crate) details: i64,
    pub(crate) changes: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) leaves: Vec<u8>,
    pub(crate) previous: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// What the first entry follows.
pub(crate) fn genesis(key: &DigestKey, organisation: OrganisationId) -> Digest {
    let mut digester = key.digester("audit genesis");
    digester.bytes(organisation.uuid().as_bytes());
    digester.finish()
}

/// The keyed hash of an entry: of everything in it, the leaves by their root.
pub(crate) fn entry_hash(
    key: &DigestKey,
    organisation: OrganisationId,
    entry: &StoredEntry,
) -> Digest {
    let mut digester = key.digester("audit entry");
    digester.bytes(organisation.uuid().as_bytes());
    for number in [entry.number, entry.at, entry.details, entry.changes] {
        digester.bytes(&number.to_le_bytes());
    }
    digester
        .text(&entry.cause)
        .bytes(&entry.root)
        .bytes(&entry.previous);
    digester.finish()
}
