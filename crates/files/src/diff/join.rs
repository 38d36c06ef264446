//! Which row of the one table is which of the other?
//!
//! A hash join in memory that is linear whatever the files hold: one table of
//! row ids over both sides, asked by the keys' hashes and answered by the keys.
//! Each thread takes the keys of its share of the hashes, so none waits.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::diff::side::{INVALID, Side};

/// No id.
const NONE: u32 = u32::MAX;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nobody on the other side has its key.
    Only,
    /// Its key stands more than once on a side.
    Ambiguous,
    /// It has no key.
    Invalid,
    /// The row of the other side with its key, and whether it is the same text.
    Matched { partner: u32, same: bool },
}

/// Rows that share a key, more than one on a side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    pub(super) left: Vec<u32>,
    pub(super) right: Vec<u32>,
}

/// What became of all rows.
#[derive(Debug)]
pub(super) struct Joined {
    left: Fates,
    right: Fates,
    /// In the order of their first row; those with a row on the left first.
    pub(super) crowds: Vec<Crowd>,
}

/// A fate a row, in 32 bits. Atomic, because several threads write the fates
/// of different rows; none reads what another writes.
#[derive(Debug)]
struct Fates(Vec<AtomicU32>);

impl Fates {
    const ONLY: u32 = u32::MAX;
    const AMBIGUOUS: u32 = u32::MAX - 1;
    const INVALID: u32 = u32::MAX - 2;
    const SAME: u32 = 1 << 31;

    fn new(rows: u32) -> Self {
        Self((0..rows).map(|_| AtomicU32::new(Self::ONLY)).collect())
    }

    fn set(&self, row: u32, fate: Fate) {
        let value = match fate {
            Fate::Only => Self::ONLY,
            Fate::Ambiguous => Self::AMBIGUOUS,
            Fate::Invalid => Self::INVALID,
            Fate::Matched { partner, same } => partner | if same { Self::SAME } else { 0 },
        };
        if let Some(place) = self.0.get(row as usize) {
            place.store(value, Ordering::Relaxed);
        }
    }

    fn get(&self, row: u32) -> Fate {
        let place = self.0.get(row as usize);
        match place.map_or(Self::INVALID, |place| place.load(Ordering::Relaxed)) {
            Self::ONLY => Fate::Only,
            Self::AMBIGUOUS => Fate::Ambiguous,
            Self::INVALID => Fate::Invalid,
            matched => Fate::Matched {
                partner: matched & !Self::SAME,
                same: matched & Self::SAME != 0,
            },
        }
    }
}

impl Joined {
    /// Joins two tables.
    pub(super) fn new(left: &Side, right: &Side, threads: usize) -> Self {
        let mut joined = Self {
            left: Fates::new(left.len()),
            right: Fates::new(right.len()),
            crowds: Vec::new(),
        };
        let shares = threads.max(1);
        let share = |share| Share {
            left,
            right,
            left_fates: &joined.left,
            right_fates: &joined.right,
            alike: left.is_laid_out_as(right),
            share,
            shares,
        };
        let mut crowds: Vec<Crowd> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..shares)
                .map(|other| scope.spawn(move || share(other).join()))
                .collect();
            let mut crowds = share(0).join();
            for other in others {
                crowds.extend(
                    other
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                );
            }
            crowds
        });
        let order = |crowd: &Crowd| {
            let first = crowd.left.first();
            (first.is_none(), first.or(crowd.right.first()).copied())
        };
        crowds.sort_unstable_by_key(order);
        joined.crowds = crowds;
        joined
    }

    pub(super) fn left(&self, row: u32) -> Fate {
        self.left.get(row)
    }

    pub(super) fn right(&self, row: u32) -> Fate {
        self.right.get(row)
    }
}

/// The keys of one thread.
#[derive(Clone, Copy)]
struct Share<'a> {
    left: &'a Side,
    right: &'a Side,
    left_fates: &'a Fates,
    right_fates: &'a Fates,
    /// Are equal rows of both equal texts?
    alike: bool,
    share: usize,
    shares: usize,
}

impl Share<'_> {
    /// The upper half of the hash says whose it is, the lower one where it is
    /// looked for.
    fn is_mine(&self, hash: u64) -> bool {
        self.shares == 1 || (hash >> 32) as usize % self.shares == self.share
    }

    fn mine<'a>(&'a self, hashes: &'a [u64]) -> impl Iterator<Item = (u32, u64)> + 'a {
        (0_u32..)
            .zip(hashes.iter().copied())
            .filter(|(_, hash)| self.is_mine(*hash))
    }

    /// Ids of both sides in one row: those of the right behind those of the left.
    fn hash_of(&self, id: u32) -> u64 {
        let behind = id.checked_sub(self.left.len());
        let hash = match behind {
            None => self.left.hashes.get(id as usize),
            Some(right) => self.right.hashes.get(right as usize),
        };
        hash.copied().unwrap_or(INVALID)
    }

    /// Have two ids the same key, and are they even the same text?
    fn compare(&self, one: u32, two: u32) -> (bool, bool) {
        let side = |id: u32| match id.checked_sub(self.left.len()) {
            None => (self.left, self.left.row(id)),
            Some(right) => (self.right, self.right.row(right)),
        };
        let ((one_side, one), (two_side, two)) = (side(one), side(two));
        if self.alike && one.raw() == two.raw() {
            return (true, true);
        }
        (one_side.same_key(one, two_side, two), false)
    }

    fn join(self) -> Vec<Crowd> {
        let border = self.left.len();
        let count = self.mine(&self.left.hashes).count() + self.mine(&self.right.hashes).count();
        let mut table = Table::new(count);
        // Rows whose key was met before, with the row that was first.
        let mut late: Vec<(u32, u32)> = Vec::new();
        for (row, hash) in self.mine(&self.left.hashes) {
            if hash == INVALID {
                self.left_fates.set(row, Fate::Invalid);
            } else if let Some((first, _)) = table.enter(row, hash, &self) {
                late.push((first, row));
            }
        }
        for (row, hash) in self.mine(&self.right.hashes) {
            if hash == INVALID {
                self.right_fates.set(row, Fate::Invalid);
                continue;
            }
            let id = border + row;
            let Some((first, same)) = table.enter(id, hash, &self) else {
                continue;
            };
            if first < border && self.left_fates.get(first) == Fate::Only {
                self.left_fates
                    .set(first, Fate::Matched { partner: row, same });
                self.right_fates.set(
                    row,
                    Fate::Matched {
                        partner: first,
                        same,
                    },
                );
            } else {
                late.push((first, id));
            }
        }
        late.sort_unstable();
        late.chunk_by(|one, two| one.0 == two.0)
            .filter_map(|late| self.crowd(late))
            .collect()
    }

    /// The rows of one key that stands more than once.
    fn crowd(&self, late: &[(u32, u32)]) -> Option<Crowd> {
        let border = self.left.len();
        let first = late.first()?.0;
        let mut crowd = Crowd::default();
        let mut add = |id: u32| match id.checked_sub(border) {
            None => {
                self.left_fates.set(id, Fate::Ambiguous);
                crowd.left.push(id);
            }
            Some(right) => {
                self.right_fates.set(right, Fate::Ambiguous);
                crowd.right.push(right);
            }
        };
        // The partner was met before any row that came too late on its side.
        let partner = (first < border).then(|| self.left_fates.get(first));
        add(first);
        for (_, id) in late.iter().filter(|(_, id)| *id < border) {
            add(*id);
        }
        if let Some(Fate::Matched { partner, .. }) = partner {
            add(border + partner);
        }
        for (_, id) in late.iter().filter(|(_, id)| *id >= border) {
            add(*id);
        }
        Some(crowd)
    }
}

/// Ids by the hash of their key: open addressing, at most half full.
struct Table {
    places: Vec<u32>,
    mask: usize,
}

impl Table {
    fn new(ids: usize) -> Self {
        let size = (ids * 2).next_power_of_two().max(2);
        Self {
            places: vec![NONE; size],
            mask: size - 1,
        }
    }

    /// Enters an id, or tells the one that was there with the same key, and
    /// whether their rows are the same text.
    fn enter(&mut self, id: u32, hash: u64, share: &Share<'_>) -> Option<(u32, bool)> {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the lower bits are all that is wanted"
        )]
        let mut at = hash as usize & self.mask;
        loop {
            let place = self.places.get_mut(at)?;
            if *place == NONE {
                *place = id;
                return None;
            }
            if share.hash_of(*place) == hash {
                let (same_key, same) = share.compare(*place, id);
                if same_key {
                    return Some((*place, same));
                }
            }
            at = (at + 1) & self.mask;
        }
    }
}
