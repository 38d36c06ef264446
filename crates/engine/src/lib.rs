//! Runs: everything that reads, decides and writes.
