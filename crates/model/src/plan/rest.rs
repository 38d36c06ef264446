//! Records that come to rest, and how they are counted.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::reason::Reason;
use crate::id::ExternalId;
use crate::situation::words;

/// How many records rest, by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RestCounts {
    /// Nothing differs.
    pub unchanged: u64,
    /// Explained and left alone.
    pub ignored: u64,
    /// Not covered by the policy.
    pub out_of_scope: u64,
    /// Linked, missing from reads, and dealt with.
    pub gone: u64,
}

words! {
    /// What a record at rest is.
    Rest {
        /// Nothing differs.
        Unchanged = "unchanged",
        /// Explained and left alone.
        Ignored = "ignored",
        /// Not covered by the policy.
        OutOfScope = "out_of_scope",
        /// Missing from reads, and dealt with.
        Gone = "gone",
    }
}

impl Rest {
    /// The rest of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rest| rest.word() == word)
    }
}

impl RestCounts {
    /// Counts records.
    pub const fn add(&mut self, rest: Rest, records: u64) {
        let counter = match rest {
            Rest::Unchanged => &mut self.unchanged,
            Rest::Ignored => &mut self.ignored,
            Rest::OutOfScope => &mut self.out_of_scope,
            Rest::Gone => &mut self.gone,
        };
        *counter += records;
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.unchanged + self.ignored + self.out_of_scope + self.gone
    }

    /// Adds other counts.
    pub const fn merge(&mut self, other: Self) {
        self.unchanged += other.unchanged;
        self.ignored += other.ignored;
        self.out_of_scope += other.out_of_scope;
        self.gone += other.gone;
    }

    /// Takes back what was counted: the record has a row after all.
    pub const fn remove(&mut self, rest: Rest, records: u64) {
        let counter = match rest {
            Rest::Unchanged => &mut self.unchanged,
            Rest::Ignored => &mut self.ignored,
            Rest::OutOfScope => &mut self.out_of_scope,
            Rest::Gone => &mut self.gone,
        };
        *counter = counter.saturating_sub(records);
    }
}

/// A touched record that comes to rest without a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The record.
    pub external_id: ExternalId,
    /// What it is.
    pub rest: Rest,
    /// The day on which it must be looked at again.
    pub due_on: Option<Date>,
    /// Why it is left alone.
    pub reason: Reason,
    /// May its link take over what the record says? Not from an older state of the source.
    pub believed: bool,
    /// Is it at rest? One that waits for somebody else to appear is not.
    pub settles: bool,
}
