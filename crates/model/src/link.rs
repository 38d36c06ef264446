//! The tie between a person and a source record, with its memory.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::field::Field;
use crate::fields::Fields;
use crate::id::{ExternalId, PersonId};
use crate::raw::ReadAs;
use crate::said::Said;
use crate::swing::Swing;
use crate::value::Value;

/// A link (`engine.md`, Person, engagement, account, access, link).
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The source record.
    pub external_id: ExternalId,
    /// The person.
    pub person: PersonId,
    /// What the source last said.
    pub said: Fields,
    /// How that was read.
    pub read_as: Option<ReadAs>,
    /// The source's revision of it.
    pub revision: Option<i64>,
    /// Per field the pair last taken as equal.
    pub base: BTreeMap<Field, Base>,
    /// Per field what somebody decided.
    pub decisions: BTreeMap<Field, Decision>,
    /// Fields that lately went back and forth.
    pub swings: BTreeMap<Field, Swing>,
    /// Since when the record is missing from reads; `None` while it is there.
    pub gone_since: Option<Timestamp>,
    /// Grows by one with each change of the link.
    pub version: u64,
}

/// The pair of forms, theirs and ours, last taken as equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The source's form.
    pub theirs: Said<Value>,
    /// Our form.
    pub ours: Said<Value>,
}

/// What was decided about a pair of values; it holds until one of them moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Keyed digest of the pair.
    pub pair: Digest,
    /// The answer.
    pub choice: Choice,
}

/// The answers to a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Ours becomes theirs; used up when that is done.
    Theirs,
    /// Theirs becomes ours; used up when that is done.
    Ours,
    /// Leave both as they are.
    Skip,
    /// Not again until the source says something else: an undone or refused row.
    Declined,
}
