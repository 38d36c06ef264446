//! Sealing: encryption at rest with one key per human.
//!
//! The master key, outside the database, wraps one key per organisation; that
//! wraps a key per connection, per person and per source record. What is
//! sealed is bound to its organisation, its place and its owner, so that a
//! sealed value copied to another row does not open there.

mod key;
mod master_key;

pub use key::Unopened;
pub(crate) use key::{Key, Place};
pub use master_key::{MasterKey, MasterKeyError};
