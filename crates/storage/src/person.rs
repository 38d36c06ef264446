//! People on their way in, and how they are found.

use std::collections::BTreeMap;

use muster_model::{Digest, MatchKey, Person, PersonId};

/// A person to insert or update.
///
/// `person.version` is the version that was read: 0 inserts, anything else
/// updates the row that still has it. The stored version is one more.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonToWrite {
    /// The whole row.
    pub person: Person,
    /// The keyed digests of the person's keys; they replace the earlier ones.
    pub keys: BTreeMap<MatchKey, Digest>,
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonQuery {
    /// One person.
    Id(PersonId),
    /// By work e-mail, in any case.
    WorkEmail(String),
    /// By employee number.
    EmployeeNumber(String),
}
