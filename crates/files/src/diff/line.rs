//! What is told of one person.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    /// On both sides, with different values.
    Changed,
    /// On the left only.
    OnlyLeft,
    /// On the right only.
    OnlyRight,
    /// More than once on a side.
    Ambiguous,
    /// A row whose key is empty or cannot be read.
    Invalid,
}

impl Situation {
    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::OnlyLeft => "only_left",
            Self::OnlyRight => "only_right",
            Self::Ambiguous => "ambiguous",
            Self::Invalid => "invalid",
        }
    }
}

/// The compared form of a key, in the order in which its columns were named.
/// An empty part is none; what cannot be read is as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(pub Vec<Option<String>>);

impl Serialize for Key {
    /// One text, or a list when the key has several columns.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let [only] = self.0.as_slice() {
            return only.serialize(serializer);
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for part in &self.0 {
            list.serialize_element(part)?;
        }
        list.end()
    }
}

/// A field with different values, as they stand in the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field's name.
    #[serde(skip)]
    pub field: String,
    /// On the left.
    pub left: String,
    /// On the right.
    pub right: String,
}

/// What is told of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// By what they were found.
    pub key: Key,
    /// What became of them.
    pub situation: Situation,
    /// What differs, of those who are on both sides.
    pub differences: Vec<Difference>,
    /// Their rows on the left, the header being row 1.
    pub left_rows: Vec<u64>,
    /// Their rows on the right.
    pub right_rows: Vec<u64>,
}

impl Serialize for Line {
    /// `key`, `situation`, `fields`; and where a person must look at the files
    /// (ambiguous, invalid) the rows too.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Fields<'a>(&'a [Difference]);
        impl Serialize for Fields<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|one| (&one.field, one)))
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", &self.key)?;
        map.serialize_entry("situation", &self.situation)?;
        map.serialize_entry("fields", &Fields(&self.differences))?;
        if matches!(self.situation, Situation::Ambiguous | Situation::Invalid) {
            map.serialize_entry("left_rows", &self.left_rows)?;
            map.serialize_entry("right_rows", &self.right_rows)?;
        }
        map.end()
    }
}
