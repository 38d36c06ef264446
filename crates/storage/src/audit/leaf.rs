//! What an entry knows of one row: its place, and a keyed digest.

use muster_model::{Digest, DigestKey, PlanId};
use uuid::Uuid;

/// Bytes of a stored leaf: a place of four, the little end first, and a digest.
pub(crate) const LEAF_BYTES: usize = 36;

/// One leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// The row's place: in the plan, or among the entry's details.
    pub(crate) place: u32,
    /// Of the row.
    pub(crate) digest: Digest,
}

impl Leaf {
    /// As it is stored.
    pub(crate) fn bytes(&self) -> [u8; LEAF_BYTES] {
        let mut bytes = [0; LEAF_BYTES];
        let (place, digest) = bytes.split_at_mut(4);
        place.copy_from_slice(&self.place.to_le_bytes());
        digest.copy_from_slice(self.digest.as_bytes());
        bytes
    }

    /// From stored bytes; `None` if there are not enough.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (place, digest) = bytes.split_first_chunk::<4>()?;
        Some(Self {
            place: u32::from_le_bytes(*place),
            digest: Digest::from_slice(digest)?,
        })
    }
}

/// The digest of a row of a plan and of what became of it. It covers what was
/// sealed, as it was sealed: once that is erased nothing can be told from it.
pub(crate) fn change_leaf(
    key: &DigestKey,
    plan: PlanId,
    ordinal: i64,
    state: &str,
    error_code: Option<&str>,
    person: Option<Uuid>,
    sealed: Option<&[u8]>,
) -> Digest {
    let mut digester = key.digester("audit change");
    digester
        .bytes(plan.uuid().as_bytes())
        .bytes(&ordinal.to_le_bytes())
        .text(state)
        .text(error_code.unwrap_or_default())
        .bytes(person.as_ref().map_or(&[], |id| id.as_bytes().as_slice()))
        .bytes(sealed.unwrap_or_default());
    digester.finish()
}

/// The digest of a stored report.
pub(crate) fn report_digest(key: &DigestKey, report: &str) -> Digest {
    key.digest("audit report", report)
}
