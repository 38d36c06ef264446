//! What a source said about one person.

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestKey};
use crate::engagement::{self, Engagement};
use crate::field::Field;
use crate::fields::Fields;
use crate::id::ExternalId;
use crate::problem::FieldProblem;
use crate::raw::Raw;
use jiff::civil::Date;

/// A source record: normalised, keyed by the source's own stable id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The source's key.
    pub external_id: ExternalId,
    /// The source's revision of the record, if it numbers them; never runs backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// Is it there, or does the source say that it was deleted?
    #[serde(default)]
    pub presence: Presence,
    /// Could the whole record be read? A record that is not whole proves no leaving.
    pub whole: bool,
    /// What is said, field by field; employment in [`Field::Engagements`].
    pub fields: Fields,
    /// What could not be read, and counts as absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
    /// The vendor's own words, where the connector hands them over. The hash of
    /// the record covers the version of the mapping and not the words: what no field
    /// says moves nobody.
    #[serde(default, skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// Does the source still hold the record?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    #[default]
    Present,
    /// A tombstone, or the answer "deleted".
    Removed,
}

impl SourceRecord {
    /// The engagements, if the source says anything about employment.
    #[must_use]
    pub fn engagements(&self) -> Option<&[Engagement]> {
        self.fields
            .value(Field::Engagements)
            .and_then(crate::Value::as_engagements)
    }

    /// The canonical person on a day: what is said of the person, with the flat
    /// employment fields of the primary engagement of that day over it
    /// (`surfaces.md`, Canonical person).
    #[must_use]
    pub fn on(&self, today: Date) -> Fields {
        engagement::flatten(&self.fields, today)
    }

    /// The keyed hash of everything said. Nothing derived from a date is in it,
    /// so that a passing day changes no hash (`engine.md`, The shortcut). The version
    /// of the mapping is: under another one the record is another.
    #[must_use]
    pub fn digest(&self, key: &DigestKey) -> Digest {
        let mut digester = key.digester("record");
        digester
            .number(match self.presence {
                Presence::Present => 0,
                Presence::Removed => 1,
            })
            .number(u64::from(self.whole));
        self.fields.digest_into(&mut digester);
        digester.number(self.problems.len() as u64);
        for problem in &self.problems {
            digester.text(problem.field.name()).text(&problem.code);
        }
        if let Some(read_as) = self.raw.read_as() {
            digester.text(&read_as.mapping);
        }
        digester.finish()
    }
}
