//! One suite, run on both engines: every test is written once and runs on
//! SQLite in a folder of its own and on PostgreSQL in a database of its own.
//!
//! PostgreSQL is taken from `MUSTER_TEST_POSTGRES=postgres://…`; when that is
//! not set its half says so.

// Helpers are not test functions to clippy; here, too, a panic is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[macro_use]
mod bench;
mod company;
mod tampering;

mod audit;
mod backup;
mod bulk;
mod connections;
mod crossing;
mod erasing;
mod holds;
mod keys;
mod links;
mod migrations;
mod organisations;
mod people;
mod plans;
mod records;
mod rest;
mod runs;
mod sealing;
mod sign_in;
mod statements;
mod writers;
