//! What is written to a source, and what it answers.

use std::collections::BTreeMap;

use muster_model::{ExternalId, Field, Fields, SourceRecord};

/// Fields of one record to be written together.
#[derive(Clone)]
pub struct RecordWrite {
    /// Which record.
    pub external_id: ExternalId,
    /// The revision that the values were compared with. A source that has moved
    /// on since answers [`WriteAnswer::Moved`], and nothing is written.
    pub revision: Option<i64>,
    /// The new values, in canonical form; null stands for none.
    pub fields: Fields,
    /// The engagement whose dates are meant when the fields name some.
    pub engagement: Option<String>,
}

/// What a source makes of a write.
#[derive(Clone)]
pub enum WriteAnswer {
    /// It took what it did not refuse.
    Done(Written),
    /// Somebody wrote the record since it was read: nothing was written.
    Moved,
}

/// What became of a write.
#[derive(Clone, Default)]
pub struct Written {
    /// The record's revision after it, where the source tells.
    pub revision: Option<i64>,
    /// The written fields in the form that the source gave back; those that its
    /// answer does not show are absent.
    pub fields: Fields,
    /// The fields that were not written, each with the stable code of the reason.
    pub refused: BTreeMap<Field, String>,
}

/// What a source says of one record that was asked for by its id.
#[derive(Debug, Clone)]
pub enum Fetched {
    /// The record.
    Record(Box<SourceRecord>),
    /// There is no such record.
    NotThere,
}
