//! The Tripletex simulator through real HTTP, and its contract.

// Marked as tests so that the lints judge the shared functions as test code.
#[cfg(test)]
mod contract;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod support;
#[cfg(test)]
mod writing;
