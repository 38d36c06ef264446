//! What a source answered, before anything was mapped: enough to tell whether
//! the source moved or only our reading of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestKey};

/// The vendor's own words about one record, as far as the mapping reads them.
/// The words themselves are never stored or printed: what stays is a keyed
/// digest, and the version of the mapping that read them.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Raw {
    #[serde(skip)]
    text: Option<String>,
    /// Under which version of connector and normaliser, and the digest of the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<ReadAs>,
}

/// How a record was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAs {
    /// The version of connector and normaliser.
    pub mapping: String,
    /// The keyed digest of the vendor's words; `None` from a connector that does
    /// not hand them over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Digest>,
}

impl Raw {
    /// The vendor's words: the same text as long as the vendor says the same.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            read: None,
        }
    }

    /// Are there neither words nor a digest?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_none() && self.read.is_none()
    }

    /// Keeps the digest of the words instead of the words.
    pub fn seal(&mut self, mapping: &str, key: &DigestKey) {
        self.read = Some(ReadAs {
            mapping: mapping.to_owned(),
            words: self.text.take().map(|text| key.digest("raw", &text)),
        });
    }

    /// How the record was read, once it is sealed.
    #[must_use]
    pub const fn read_as(&self) -> Option<&ReadAs> {
        self.read.as_ref()
    }
}

impl ReadAs {
    /// Was it read by another mapping than before, and did the source move?
    #[must_use]
    pub fn since(&self, before: Option<&Self>) -> Remapped {
        match before {
            Some(before) if before.mapping != self.mapping => match (&before.words, &self.words) {
                (Some(before), Some(now)) if before == now => Remapped::Still,
                (Some(_), Some(_)) => Remapped::Moved,
                _ => Remapped::Unknown,
            },
            _ => Remapped::No,
        }
    }
}

/// What a new version of the mapping did to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remapped {
    /// Nothing: it is read as before.
    No,
    /// It is read another way, and the source said the same.
    Still,
    /// It is read another way, and the source said something else too.
    Moved,
    /// It is read another way, and whether the source moved is not known.
    Unknown,
}

impl Remapped {
    /// May a difference be written outwards? Not one that only our reading made.
    #[must_use]
    pub const fn lets_out(self) -> bool {
        matches!(self, Self::No | Self::Moved)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the words: they are personal data in the vendor's own form.
        formatter
            .debug_struct("Raw")
            .field("words", &self.text.as_ref().map(|_| "••••"))
            .field("read", &self.read)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_reading_of_the_same_words_is_no_move() {
        let key = DigestKey::new([3; 32]);
        let read = |text: &str, mapping: &str| {
            let mut raw = Raw::of(text);
            raw.seal(mapping, &key);
            raw.read_as().cloned().unwrap()
        };
        let before = read("a", "1");
        assert_eq!(read("b", "1").since(Some(&before)), Remapped::No);
        assert_eq!(read("a", "2").since(Some(&before)), Remapped::Still);
        assert_eq!(read("b", "2").since(Some(&before)), Remapped::Moved);
        assert_eq!(read("b", "2").since(None), Remapped::No);
        let mut silent = Raw::default();
        silent.seal("2", &key);
        let silent = silent.read_as().unwrap();
        assert_eq!(silent.since(Some(&before)), Remapped::Unknown);
    }

    #[test]
    fn the_words_are_neither_stored_nor_printed() {
        let mut raw = Raw::of("Amara Okafor");
        for _ in 0..2 {
            let shown = format!("{raw:?}{}", serde_json::to_string(&raw).unwrap());
            assert!(!shown.contains("Amara"), "{shown}");
            raw.seal("1", &DigestKey::new([3; 32]));
        }
    }
}
