//! Rows on their way out, some at a time.

use std::cell::Cell;

use serde_json::Value as Json;

/// Rows of one batch.
const BATCH: usize = 500;

/// Rows on their way out.
pub(super) struct Batches<'a> {
    batch: Vec<Json>,
    since: &'a Cell<usize>,
    take: &'a mut dyn FnMut(Vec<Json>) -> bool,
    /// Does nobody take rows any more?
    left: bool,
}

impl<'a> Batches<'a> {
    /// None yet. `since` are the bytes since the last row; `take` says whether somebody
    /// still wants rows.
    pub(super) fn new(since: &'a Cell<usize>, take: &'a mut dyn FnMut(Vec<Json>) -> bool) -> Self {
        Self {
            batch: Vec::with_capacity(BATCH),
            since,
            take,
            left: false,
        }
    }

    /// Does nobody take rows any more?
    pub(super) const fn is_left(&self) -> bool {
        self.left
    }

    /// A row; says whether more are wanted.
    pub(super) fn push(&mut self, row: Json) -> bool {
        self.since.set(0);
        self.batch.push(row);
        self.batch.len() < BATCH || self.flush()
    }

    /// Hands over what is there.
    pub(super) fn flush(&mut self) -> bool {
        if self.batch.is_empty() {
            return true;
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        let taken = (self.take)(batch);
        self.left |= !taken;
        taken
    }
}
