//! One line of a file of decisions: which row it is about, and what is decided.

use muster_model::link::Choice;
use muster_model::{Answer, HoldKind};

/// A line as it was written: the cells that `plan --format csv` prints, with the
/// last one filled in. Cells that are not there are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Where it stands in the table, as a spreadsheet counts: the names are 1.
    pub number: u64,
    /// The plan's id.
    pub plan: String,
    /// The row's place in the plan, from 0.
    pub row: String,
    /// The source record.
    pub external_id: String,
    /// The person.
    pub person: String,
    /// The field in conflict.
    pub field: String,
    /// The kind that holds the row.
    pub held: String,
    /// What is decided.
    pub decision: String,
}

/// A decision as a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// theirs, ours, skip.
    Field(Choice),
    /// create, leave.
    Match(Answer),
    /// link:PERSON, the person as written.
    Link(String),
    /// release, refuse.
    Hold(Answer),
    /// ask: an earlier answer is taken back, and the question is asked again.
    Ask,
}

impl Word {
    /// The words people write, for whoever wrote another.
    pub(super) const ALL: &'static str =
        "theirs, ours, skip, create, link:PERSON, leave, release, refuse, ask";

    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((word, person)) = text.split_once(':') {
            let person = person.trim();
            let is_link = word.trim().eq_ignore_ascii_case("link") && !person.is_empty();
            return is_link.then(|| Self::Link(person.to_owned()));
        }
        match text.to_ascii_lowercase().as_str() {
            "theirs" => Some(Self::Field(Choice::Theirs)),
            "ours" => Some(Self::Field(Choice::Ours)),
            "skip" => Some(Self::Field(Choice::Skip)),
            "create" => Some(Self::Match(Answer::Create)),
            "leave" => Some(Self::Match(Answer::Leave)),
            "release" => Some(Self::Hold(Answer::Release)),
            "refuse" => Some(Self::Hold(Answer::Refuse)),
            "ask" => Some(Self::Ask),
            _ => None,
        }
    }
}

/// What a line about a whole kind names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    /// Everything that a person may release.
    All,
    /// One kind.
    One(HoldKind),
    /// Records that are older than the one known.
    Older,
}

/// The word in the column `held` of a row about a record older than the one known.
pub const OLDER: &str = muster_model::DoubtKind::OlderThanLastRead.code();

impl Kinds {
    pub(super) fn of(text: &str) -> Option<Self> {
        match text.trim() {
            "all" => Some(Self::All),
            OLDER => Some(Self::Older),
            word => HoldKind::from_word(word).map(Self::One),
        }
    }

    pub(super) const fn covers(self, kind: HoldKind) -> bool {
        match self {
            Self::All => kind.can_be_released(),
            // Not by the derived equality, which is not const.
            Self::One(one) => one as u8 == kind as u8,
            Self::Older => false,
        }
    }
}
