//! The Merkle tree over the leaves of an entry.

use muster_model::{Digest, DigestKey};

use super::LEAF_BYTES;

/// All levels of the tree, the leaves' digests first, the root last.
pub(crate) struct Tree {
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree over the bytes of leaves; a last piece that is no whole leaf
    /// counts as a leaf of its own, so that no byte is left out.
    pub(crate) fn of(key: &DigestKey, leaves: &[u8]) -> Self {
        let mut level: Vec<Digest> = leaves
            .chunks(LEAF_BYTES)
            .map(|bytes| leaf(key, bytes))
            .collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level.chunks(2).map(|pair| node(key, pair)).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { levels }
    }

    /// The root; that of no leaves is of its own kind.
    pub(crate) fn root(&self, key: &DigestKey) -> Digest {
        self.levels
            .last()
            .and_then(|level| level.first())
            .copied()
            .unwrap_or_else(|| key.digest("audit no leaves", ""))
    }

    /// The root if one leaf had other bytes: along its path only.
    pub(crate) fn root_with(&self, key: &DigestKey, place: usize, bytes: &[u8]) -> Digest {
        let mut place = place;
        let mut digest = leaf(key, bytes);
        for level in self.levels.iter().take(self.levels.len().saturating_sub(1)) {
            let first = place - place % 2;
            let pair: Vec<Digest> = (first..first + 2)
                .filter_map(|at| {
                    if at == place {
                        Some(digest)
                    } else {
                        level.get(at).copied()
                    }
                })
                .collect();
            digest = node(key, &pair);
            place /= 2;
        }
        digest
    }
}

fn leaf(key: &DigestKey, bytes: &[u8]) -> Digest {
    let mut digester = key.digester("audit leaf");
    digester.bytes(bytes);
    digester.finish()
}

/// A node above two; one without a neighbour goes up as it is.
fn node(key: &DigestKey, pair: &[Digest]) -> Digest {
    match pair {
        [only] => *only,
        pair => {
            let mut digester = key.digester("audit node");
            for digest in pair {
                digester.digest(digest);
            }
            digester.finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_and_its_place_are_in_the_root() {
        let key = DigestKey::new([7; 32]);
        for leaves in 0..10_usize {
            let bytes: Vec<u8> = (0..leaves * LEAF_BYTES)
                .map(|at| u8::try_from(at % 251).unwrap())
                .collect();
            let tree = Tree::of(&key, &bytes);
            let root = tree.root(&key);
            for place in 0..leaves {
                let at = place * LEAF_BYTES;
                let mut changed = bytes.clone();
                changed[at + 35] ^= 1;
                let other = Tree::of(&key, &changed).root(&key);
                assert_ne!(other, root);
                let leaf = &changed[at..at + LEAF_BYTES];
                assert_eq!(tree.root_with(&key, place, leaf), other);
            }
            if leaves > 1 {
                let mut swapped = bytes[LEAF_BYTES..2 * LEAF_BYTES].to_vec();
                swapped.extend_from_slice(&bytes[..LEAF_BYTES]);
                swapped.extend_from_slice(&bytes[2 * LEAF_BYTES..]);
                assert_ne!(Tree::of(&key, &swapped).root(&key), root);
            }
            let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
            assert_ne!(Tree::of(&key, &longer).root(&key), root);
        }
    }
}
