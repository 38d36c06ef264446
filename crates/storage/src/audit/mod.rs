//! The audit log: what was done, one entry a commit, each covering the one
//! before it, all keyed with the organisation's key of digests. Whoever has the
//! database alone can neither change it unnoticed nor write an entry; whoever
//! cuts its end is found by a head that was kept elsewhere.
//!
//! Audited is what people ask about later: rows of plans and what became of
//! them, plans, runs with their reports, connections and credentials, decisions,
//! accounts' access and tokens, links taken away, people written outside a plan, people erased, outward work
//! that ended. Not audited is what follows from these or says nothing of
//! anybody: the pages of a read, rests and marks, leases, what a source last
//! said of an unchanged person, the counters of the brakes, and the queueing of
//! outward work, which follows from a row. A test lists every method that
//! writes, so that a new one has to choose.

mod actor;
mod break_in;
mod entry;
pub(crate) mod event;
mod findings;
mod head;
mod journal;
mod leaf;
mod row;
mod search;
mod tree;
mod verify;

pub use actor::{Actor, NobodyError};
pub use break_in::AuditBreak;
pub use findings::AuditFindings;
pub use head::{AuditHead, AuditHeadError};

pub(crate) use entry::{Cause, StoredEntry, entry_hash, genesis};
pub(crate) use event::{EmptiedRows, Event, EventKind, Forgotten, detail_leaf, seal_digest};
pub(crate) use journal::Journal;
pub(crate) use leaf::{LEAF_BYTES, Leaf, change_leaf, report_digest};
pub(crate) use row::{ChangeRow, DetailRow};
pub(crate) use tree::Tree;
pub(crate) use verify::verify;
