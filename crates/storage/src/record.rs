//! Source records as they are stored.

use jiff::Timestamp;
use jiff::civil::Date;
use muster_model::{Digest, ExternalId, RunId, SnapshotId, SourceRecord};

/// A record as it was just read.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordToStore {
    /// What was said.
    pub record: SourceRecord,
    /// [`SourceRecord::digest`] with the organisation's key.
    pub digest: Digest,
}

/// What became of a page of records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Ids never seen before on this connection.
    pub new: u64,
    /// Known ids that say something else than at the last read.
    pub changed: u64,
    /// Known ids that say the same.
    pub unchanged: u64,
    /// Ids that stood in this snapshot before: the row with the higher
    /// revision won, of equal ones the later. Each repetition once, in order.
    pub already_in_this_snapshot: Vec<ExternalId>,
    /// Ids of erased people: of these nothing was stored.
    pub erased: Vec<ExternalId>,
}

impl Stored {
    /// Adds what became of another page.
    pub fn add(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.already_in_this_snapshot
            .extend(other.already_in_this_snapshot);
        self.erased.extend(other.erased);
    }
}

/// A stored record, opened.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// Its id.
    pub external_id: ExternalId,
    /// What was last said.
    pub record: SourceRecord,
    /// The keyed hash of it.
    pub digest: Digest,
    /// The hash under which it was last brought to rest; `None` if it has none.
    pub settled: Option<Digest>,
    /// The versions under which that was.
    pub settled_versions: Option<String>,
    /// In which class it came to rest.
    pub rest: Option<String>,
    /// On which day it says something new.
    pub due_on: Option<Date>,
    /// Is its mark set?
    pub due: bool,
    /// How often it was marked: give it back in [`Rest::due_marks`], so that a
    /// mark set in the meantime is not lost.
    pub due_marks: u64,
}

/// When a record was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// In which snapshot.
    pub snapshot: SnapshotId,
    /// Of which run.
    pub run: RunId,
    /// When that read began.
    pub at: Timestamp,
    /// The newest snapshot of the connection: another one, and the record was
    /// not in the last read.
    pub newest: SnapshotId,
}

/// A record brought to rest: its person's row is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Which record.
    pub external_id: ExternalId,
    /// The digest that was planned from.
    pub digest: Digest,
    /// The class it is counted in while it rests: `unchanged`, `out_of_scope`, `ignored`.
    pub rest: String,
    /// The next day on which it says something new.
    pub due_on: Option<Date>,
    /// [`StoredRecord::due_marks`] as it was loaded.
    pub due_marks: u64,
}
