//! The Tripletex simulator through real HTTP, and its contract.

mod contract;
mod faults;
mod reading;
mod sessions;
mod support;
mod writing;
