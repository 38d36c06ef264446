//! Where a chain is broken.

use std::fmt;

use serde::Serialize;

/// The first place at which what is stored is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditBreak {
    /// The entry, from 1.
    pub entry: u64,
    /// Table and column, and the row if the entry has several there.
    pub place: String,
    /// The first wrong byte of the column, from 0, when it can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl AuditBreak {
    pub(crate) fn new(entry: u64, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            entry,
            place: place.into(),
            byte: None,
            what: what.into(),
        }
    }

    pub(crate) fn at(mut self, byte: Option<usize>) -> Self {
        self.byte = byte.and_then(|byte| u64::try_from(byte).ok());
        self
    }
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "entry {}, {}", self.entry, self.place)?;
        if let Some(byte) = self.byte {
            write!(formatter, ", byte {byte}")?;
        }
        write!(formatter, ": {}", self.what)
    }
}
