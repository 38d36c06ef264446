//! The counts of a comparison.

use serde::{Serialize, Serializer};

/// The counts of a comparison. On each side the rows are matched, only there,
/// ambiguous or invalid, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DiffReport {
    /// Rows on the left.
    pub left: u64,
    /// Rows on the right.
    pub right: u64,
    /// Keys that stand once on each side.
    pub matched: u64,
    /// Those of them with at least one different field.
    pub changed: u64,
    /// Rows of the left whose key the right has not.
    pub only_left: u64,
    /// Rows of the right whose key the left has not.
    pub only_right: u64,
    /// Rows of the left whose key stands more than once on either side.
    pub ambiguous_left: u64,
    /// The same of the right.
    pub ambiguous_right: u64,
    /// Rows of the left whose key is empty or cannot be read.
    pub invalid_left: u64,
    /// The same of the right.
    pub invalid_right: u64,
    /// Differences per field, the most frequent first; fields without any are
    /// not named.
    #[serde(serialize_with = "as_map")]
    pub fields: Vec<(String, u64)>,
}

impl DiffReport {
    /// Are there rows that only a person can place?
    #[must_use]
    pub const fn needs_person(&self) -> bool {
        self.ambiguous_left + self.ambiguous_right + self.invalid_left + self.invalid_right > 0
    }
}

fn as_map<S: Serializer>(fields: &[(String, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, count)| (name, count)))
}
