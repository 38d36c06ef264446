//! Named behaviours from entrance to end state: a simulator on a real socket,
//! a real database, and the engine between them.
//!
//! Everything runs on SQLite; with `MUSTER_TEST_POSTGRES=postgres://…` it runs
//! on PostgreSQL, and what is compared between engines runs on both.

// Helpers are not test functions to clippy; here, too, a panic is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod world;

mod applying;
mod changes;
mod decisions;
mod explain;
mod fault_pairs;
mod faults;
mod hard_cases;
mod large;
mod mapping;
mod moved;
mod oracle;
mod outward;
mod rehearsal;
mod releases;
mod replaced_secrets;
mod runs;
mod silence;
mod skips;
mod sources;
mod taken_back;
mod undo;
