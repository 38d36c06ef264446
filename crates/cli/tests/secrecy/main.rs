//! Secrets and sealed fields stand nowhere in the open: not in what the real
//! binary prints at trace level, not in the bytes of the database, not in plans
//! and reports, not in the addresses that it asks. Everything of everybody in a
//! company is looked for, in every form. The second half plants a text in each
//! of the places and must find it.
//!
//! Of a person who is erased nothing is found afterwards, whatever it was, nor in
//! what an older backup brings back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what supports a test may panic and print, like the test"
)]

mod archive;
mod bad_secrets;
mod erased;
mod everything;
mod log;
#[path = "../muster/mod.rs"]
mod muster;
mod places;
mod planted;
mod search;
