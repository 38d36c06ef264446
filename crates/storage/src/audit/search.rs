//! Which byte of an entry is wrong. An entry's hash says only that something
//! is; what else is known of each column tells where: the entry before it, the
//! entry after it, the leaves, and, for what stands nowhere else, trying each
//! other value of each byte until the hash agrees.

use muster_model::{Digest, DigestKey, OrganisationId};

use super::{AuditBreak, LEAF_BYTES, StoredEntry, Tree, entry_hash};

/// Leaves of which every byte is tried; more would take minutes.
const LEAVES_TRIED: usize = 1_000;

/// An entry whose hash does not agree, and what its neighbours say of it.
pub(crate) struct Suspect<'a> {
    pub(crate) key: &'a DigestKey,
    pub(crate) organisation: OrganisationId,
    pub(crate) entry: &'a StoredEntry,
    /// The number that comes here.
    pub(crate) number: u64,
    /// The hash of the entry before.
    pub(crate) previous: &'a [u8],
    /// What the entry after it calls its hash; of the last one, the head.
    pub(crate) next: Option<&'a [u8]>,
}

impl Suspect<'_> {
    /// The first wrong byte of the entry, found by its hash.
    pub(crate) fn find(&self) -> AuditBreak {
        let entry = self.entry;
        let right = self.hash(entry);
        if self.next == Some(right.as_bytes().as_slice()) {
            return self.is_wrong("hash", &entry.hash, right.as_bytes());
        }
        let mut tried = entry.clone();
        tried.previous = self.previous.to_vec();
        if self.agrees(&tried) {
            return self.is_wrong("previous", &entry.previous, self.previous);
        }
        let root = Tree::of(self.key, &entry.leaves).root(self.key);
        tried.clone_from(entry);
        tried.root = root.as_bytes().to_vec();
        if self.agrees(&tried) {
            return self.is_wrong("root", &entry.root, root.as_bytes());
        }
        for column in ["at", "cause", "details", "changes"] {
            if let Some(byte) = self.one_byte_of(column) {
                return self
                    .broken(column, "is not what was written")
                    .at(Some(byte));
            }
        }
        if entry.previous != self.previous {
            return self.is_wrong("previous", &entry.previous, self.previous);
        }
        if self.next == Some(entry.hash.as_slice()) {
            // The entry after it knows the hash: something that it covers was changed.
            return self.broken(
                "at, cause, details or changes",
                "several bytes are not what was written",
            );
        }
        self.broken(
            "hash",
            "does not agree with the entry: several of its bytes are not what was written",
        )
    }

    /// The first wrong byte of the leaves, whose root does not agree; `expected`
    /// are the leaves as the rows that are stored make them, in order.
    pub(crate) fn find_in_leaves(&self, expected: &[Option<[u8; LEAF_BYTES]>]) -> AuditBreak {
        let leaves = &self.entry.leaves;
        let mut mended = leaves.clone();
        for (leaf, expected) in mended.chunks_mut(LEAF_BYTES).zip(expected) {
            if let (Some(expected), LEAF_BYTES) = (expected, leaf.len()) {
                leaf.copy_from_slice(expected);
            }
        }
        let is_root = |root: Digest| self.entry.root == root.as_bytes();
        if is_root(Tree::of(self.key, &mended).root(self.key)) {
            return self.is_wrong("leaves", leaves, &mended);
        }
        let tree = Tree::of(self.key, leaves);
        if leaves.len() <= LEAVES_TRIED * LEAF_BYTES {
            for (place, leaf) in leaves.chunks(LEAF_BYTES).enumerate() {
                let right = |bytes: &[u8]| is_root(tree.root_with(self.key, place, bytes));
                if let Some(byte) = one_byte(leaf, right) {
                    return self
                        .broken("leaves", "is not what was written")
                        .at(Some(place * LEAF_BYTES + byte));
                }
            }
        }
        self.broken("leaves", "do not agree with their root")
    }

    fn hash(&self, entry: &StoredEntry) -> Digest {
        entry_hash(self.key, self.organisation, entry)
    }

    fn agrees(&self, entry: &StoredEntry) -> bool {
        entry.hash == self.hash(entry).as_bytes()
    }

    fn one_byte_of(&self, column: &str) -> Option<usize> {
        let mut tried = self.entry.clone();
        let number = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
        match column {
            "cause" => {
                let bytes = self.entry.cause.as_bytes();
                one_byte(bytes, |bytes| {
                    // Some of what is tried is no text, and was never one.
                    std::str::from_utf8(bytes).is_ok_and(|text| {
                        text.clone_into(&mut tried.cause);
                        self.agrees(&tried)
                    })
                })
            }
            "at" => one_byte(&self.entry.at.to_be_bytes(), |bytes| {
                number(bytes).is_some_and(|number| {
                    tried.at = number;
                    self.agrees(&tried)
                })
            }),
            "details" => one_byte(&self.entry.details.to_be_bytes(), |bytes| {
                number(bytes).is_some_and(|number| {
                    tried.details = number;
                    self.agrees(&tried)
                })
            }),
            _ => one_byte(&self.entry.changes.to_be_bytes(), |bytes| {
                number(bytes).is_some_and(|number| {
                    tried.changes = number;
                    self.agrees(&tried)
                })
            }),
        }
    }

    fn broken(&self, column: &str, what: &str) -> AuditBreak {
        AuditBreak::new(self.number, format!("audit_entries.{column}"), what)
    }

    fn is_wrong(&self, column: &str, stored: &[u8], right: &[u8]) -> AuditBreak {
        self.broken(column, "is not what was written")
            .at(first_difference(stored, right))
    }
}

/// The first byte in which two texts differ.
pub(crate) fn first_difference(stored: &[u8], right: &[u8]) -> Option<usize> {
    let shared = stored.iter().zip(right).position(|(a, b)| a != b);
    let shorter = stored.len().min(right.len());
    shared.or_else(|| (stored.len() != right.len()).then_some(shorter))
}

/// The byte that, with another value, makes these bytes right.
pub(crate) fn one_byte(bytes: &[u8], mut right: impl FnMut(&[u8]) -> bool) -> Option<usize> {
    let mut tried = bytes.to_vec();
    for at in 0..bytes.len() {
        let stored = bytes.get(at).copied()?;
        for value in 0..=u8::MAX {
            *tried.get_mut(at)? = value;
            if value != stored && right(&tried) {
                return Some(at);
            }
        }
        *tried.get_mut(at)? = stored;
    }
    None
}
