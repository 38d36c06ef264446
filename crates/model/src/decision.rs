//! What a person decided about a record as a whole. Decisions about one field
//! of a linked person stand on the link ([`crate::link::Decision`]).

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{ExternalId, PersonId, PlanId};
use crate::plan::HoldKind;

/// A decision about a record. It holds as long as the record is about the same
/// thing: while [`RecordDecision::about`] is what a plan finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordDecision {
    /// The record.
    pub external_id: ExternalId,
    /// What was asked.
    pub matter: Matter,
    /// What was answered.
    pub answer: Answer,
    /// Keyed digest of what the answer is about: of the record's keys for a
    /// match, of what would be done for a hold. Another one, and it is asked again.
    pub about: Digest,
    /// In which plan it was seen; `None` when no plan was needed.
    pub plan: Option<PlanId>,
}

/// What a decision answers. A record has at most one answer to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Who is it?
    Match,
    /// May what this kind holds be done?
    Hold(HoldKind),
}

impl Matter {
    /// The stored word: `match`, or that of the hold.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Hold(kind) => kind.word(),
        }
    }

    /// The matter of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "match" => Some(Self::Match),
            word => HoldKind::from_word(word).map(Self::Hold),
        }
    }
}

/// The answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Make a person of it.
    Create,
    /// It is this person.
    Link(PersonId),
    /// Leave it alone until one of its keys changes.
    Leave,
    /// It was taken apart from this person: as [`Answer::Leave`].
    Unlinked(PersonId),
    /// An undo took back what was made of it: as [`Answer::Leave`].
    Declined,
    /// Do what is held.
    Release,
    /// Do not do it, until it would be something else.
    Refuse,
}

impl Answer {
    /// The stored word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Link(_) => "link",
            Self::Leave => "leave",
            Self::Unlinked(_) => "unlinked",
            Self::Declined => "declined",
            Self::Release => "release",
            Self::Refuse => "refuse",
        }
    }

    /// Whom it names.
    #[must_use]
    pub const fn person(self) -> Option<PersonId> {
        match self {
            Self::Link(person) | Self::Unlinked(person) => Some(person),
            _ => None,
        }
    }

    /// The answer of a stored word and person.
    #[must_use]
    pub fn from_word(word: &str, person: Option<PersonId>) -> Option<Self> {
        match (word, person) {
            ("create", _) => Some(Self::Create),
            ("link", Some(person)) => Some(Self::Link(person)),
            ("leave", _) => Some(Self::Leave),
            ("unlinked", Some(person)) => Some(Self::Unlinked(person)),
            ("declined", _) => Some(Self::Declined),
            ("release", _) => Some(Self::Release),
            ("refuse", _) => Some(Self::Refuse),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_as_what_they_were() {
        let person = PersonId::from_uuid(uuid::Uuid::from_u128(7));
        for answer in [
            Answer::Create,
            Answer::Link(person),
            Answer::Leave,
            Answer::Unlinked(person),
            Answer::Declined,
            Answer::Release,
            Answer::Refuse,
        ] {
            assert_eq!(
                Answer::from_word(answer.word(), answer.person()),
                Some(answer)
            );
        }
        assert_eq!(Answer::from_word("link", None), None);
        for kind in HoldKind::ALL {
            let matter = Matter::Hold(*kind);
            assert_eq!(Matter::from_word(matter.word()), Some(matter));
        }
        assert_eq!(Matter::from_word("match"), Some(Matter::Match));
    }
}
