//! How far a read can be believed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::id::SnapshotId;

/// What a read brought along to be judged by: made by the connector, completed
/// by the engine while the snapshot fills, judged by the trust gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the read can prove.
    pub level: EvidenceLevel,
    /// The company or tenant that answered.
    pub account: Option<String>,
    /// Did the read reach its end with nothing failed and nothing twice?
    pub complete: bool,
    /// Pages answered.
    pub pages: u64,
    /// The total that the vendor vouches for; `None` when it gives none that is exact.
    pub declared: Option<u64>,
    /// Records read, each id once.
    pub read: u64,
    /// People missing from the read of whom the source, asked by id, said that they are not there.
    pub confirmed_gone: u64,
    /// What speaks against the read.
    pub doubts: Vec<Doubt>,
    /// The credential's rights, where the vendor tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<BTreeSet<String>>,
    /// Only what changed since then, by the source's clock, was asked for: such a
    /// read says nothing of anybody who is not in it. `None` for a full read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes_since: Option<Timestamp>,
}

impl Evidence {
    /// Evidence of a read that has not begun.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            level: EvidenceLevel::None,
            account: None,
            complete: false,
            pages: 0,
            declared: None,
            read: 0,
            confirmed_gone: 0,
            doubts: Vec::new(),
            rights: None,
            changes_since: None,
        }
    }

    /// Is there a doubt of this kind?
    #[must_use]
    pub fn has(&self, kind: DoubtKind) -> bool {
        self.doubts.iter().any(|doubt| doubt.kind == kind)
    }

    /// Adds a doubt; the first of a kind stays.
    pub fn doubt(&mut self, kind: DoubtKind, detail: impl Into<String>) {
        if !self.has(kind) {
            self.doubts.push(Doubt {
                kind,
                detail: detail.into(),
            });
        }
    }
}

/// What a read can prove (`engine.md`, Trust).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceLevel {
    /// Nothing.
    None,
    /// One body, parsed to its end.
    Whole,
    /// Every page whole, and the vendor's own end mark seen.
    Ended,
    /// Rows equal a total that the vendor vouches for.
    Counted,
}

impl EvidenceLevel {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Whole => "whole",
            Self::Ended => "ended",
            Self::Counted => "counted",
        }
    }
}

/// Something that speaks against a read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// What kind of thing.
    #[serde(rename = "code")]
    pub kind: DoubtKind,
    /// With numbers, and without anybody's data.
    pub detail: String,
}

/// Kinds of doubt; each closes some of the reactions of the trust table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// Another company answered than the one pinned at connecting.
    OtherAccount,
    /// A page could not be read, or the read stopped early.
    PageFailed,
    /// The same record id stood on different pages.
    RecordTwice,
    /// The vendor's inexact total is not the number of rows.
    TotalDiffers,
    /// The read brought no record at all.
    Empty,
    /// The credential has fewer rights than at the last read.
    RightsLost,
    /// Far fewer or far more people than its history.
    Population,
    /// A field is filled far less often than in its history.
    FillRate,
    /// Revisions run backwards: an older state of the source.
    OlderThanLastRead,
    /// Somebody missing from the read is there when asked for by id.
    MissingCameBack,
}

impl DoubtKind {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherAccount => "other_account",
            Self::PageFailed => "page_failed",
            Self::RecordTwice => "record_twice",
            Self::TotalDiffers => "total_differs",
            Self::Empty => "empty",
            Self::RightsLost => "rights_lost",
            Self::Population => "population",
            Self::FillRate => "fill_rate",
            Self::OlderThanLastRead => "older_than_last_read",
            Self::MissingCameBack => "missing_came_back",
        }
    }
}

/// What was counted over all records of a read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReadSummary {
    /// Records that are there, each id once.
    pub present: u64,
    /// Per field, how many of them have a value.
    pub filled: BTreeMap<Field, u64>,
    /// Records whose revision is lower than the one stored for them.
    pub backwards: u64,
}

/// Earlier reads of a connection, newest last: what a read is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReadHistory {
    /// At most [`ReadHistory::KEPT`], all of them full ones.
    pub reads: Vec<PastRead>,
    /// From where changes can be asked for; `None` asks for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesFrom>,
}

/// From where a source can be asked for what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesFrom {
    /// When the last read that came whole began, by the source's own clock.
    pub at: Timestamp,
    /// When the last full read was made.
    pub full_at: Timestamp,
    /// Where its records are, with what changed since.
    pub snapshot: SnapshotId,
    /// Under which versions they were read: others read the same words another way.
    pub versions: String,
}

/// One earlier read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRead {
    /// When it was judged.
    pub at: Timestamp,
    /// What it counted.
    pub summary: ReadSummary,
    /// The credential's rights then.
    #[serde(default)]
    pub rights: Option<BTreeSet<String>>,
    /// Was it believed in full?
    pub proved: bool,
    /// Was the number of people the only thing doubted? Such a read, standing
    /// for a day, opens the population's history again.
    #[serde(default)]
    pub only_population_doubted: bool,
}

impl ReadHistory {
    /// How many reads are kept: two days of reads every three hours.
    pub const KEPT: usize = 16;

    /// The newest read that was believed in full.
    #[must_use]
    pub fn baseline(&self) -> Option<&PastRead> {
        self.reads.iter().rev().find(|read| read.proved)
    }

    /// Adds a read; the oldest go, but the baseline always stays.
    pub fn push(&mut self, read: PastRead) {
        self.reads.push(read);
        while self.reads.len() > Self::KEPT {
            let baseline = self.reads.iter().rposition(|read| read.proved);
            let oldest = usize::from(baseline == Some(0));
            self.reads.remove(oldest);
        }
    }
}
