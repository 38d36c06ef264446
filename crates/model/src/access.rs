//! The right of a person's account to enter the organisation.

use serde::{Deserialize, Serialize};

/// Access (`engine.md`, States).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The person is in the directory and no right was ever spoken of.
    None,
    /// Could be invited and was not (PLE-15).
    #[default]
    NotInvited,
    /// An invitation is on its way or waits.
    Invited,
    /// May enter.
    Active,
    /// Taken away, reversibly.
    Suspended,
    /// Over.
    Ended,
}

impl Access {
    /// The word in lists and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NotInvited => "not_invited",
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }

    /// The access of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::None,
            Self::NotInvited,
            Self::Invited,
            Self::Active,
            Self::Suspended,
            Self::Ended,
        ]
        .into_iter()
        .find(|access| access.name() == name)
    }

    /// Was it taken away?
    #[must_use]
    pub const fn is_off(self) -> bool {
        matches!(self, Self::Suspended | Self::Ended)
    }
}

/// Who took access away: a sync may give back only what a sync took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessCause {
    /// A sync, because the source said or showed that the person left.
    Sync,
    /// A person, by hand.
    Hand,
}
