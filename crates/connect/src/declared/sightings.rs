//! Whom a read has met already.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};

/// Bytes kept of the digest of an id: two of a million ids are the same with a
/// probability of one in 10^26.
const KEPT: usize = 16;

/// In no list.
const NEVER: u32 = u32::MAX;

/// Ids that a read has met, by digest: of a million people some fifty megabytes,
/// however long a vendor's ids are.
#[derive(Default)]
pub(super) struct Sightings {
    met: HashMap<[u8; KEPT], Met>,
    /// Counts the lines that were drawn.
    stretch: u32,
    /// Counts the lists that pass over whom those before them had.
    list: u32,
}

/// When somebody was met.
struct Met {
    first: u32,
    /// The list in which they were passed over last.
    passed: u32,
}

impl Sightings {
    /// Draws a line: whoever was met until now was met before.
    pub(super) const fn draw_line(&mut self) {
        self.stretch += 1;
    }

    /// Begins a list that passes over whom those before it had.
    pub(super) const fn begin_list(&mut self) {
        self.list += 1;
        self.draw_line();
    }

    /// Meets somebody; tells whether for the first time.
    pub(super) fn meet(&mut self, id: &str) -> bool {
        let mut new = false;
        self.met.entry(key(id)).or_insert_with(|| {
            new = true;
            Met {
                first: self.stretch,
                passed: NEVER,
            }
        });
        new
    }

    /// Passes over somebody who was met before the line; tells whether for the first
    /// time in this list, and nothing when they were not met before.
    pub(super) fn pass(&mut self, id: &str) -> Option<bool> {
        let (stretch, list) = (self.stretch, self.list);
        let met = self
            .met
            .get_mut(&key(id))
            .filter(|met| met.first < stretch)?;
        let first = met.passed != list;
        met.passed = list;
        Some(first)
    }
}

fn key(id: &str) -> [u8; KEPT] {
    let digest = digest(&SHA256, id.as_bytes());
    let mut key = [0; KEPT];
    for (kept, byte) in key.iter_mut().zip(digest.as_ref()) {
        *kept = *byte;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_new_once_and_passed_over_once_a_list() {
        let mut sightings = Sightings::default();
        assert!(sightings.meet("a"));
        assert!(!sightings.meet("a"));
        assert_eq!(sightings.pass("a"), None, "not before the line");
        sightings.begin_list();
        assert_eq!(sightings.pass("a"), Some(true));
        assert_eq!(sightings.pass("a"), Some(false));
        assert_eq!(sightings.pass("b"), None);
        assert!(sightings.meet("b"));
        assert_eq!(sightings.pass("b"), None, "met in this list");
        sightings.draw_line();
        assert_eq!(sightings.pass("b"), Some(true));
        sightings.begin_list();
        assert_eq!(sightings.pass("a"), Some(true), "a list of its own");
    }
}
