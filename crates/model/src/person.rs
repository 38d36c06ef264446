//! A human in one organisation's directory.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::access::{Access, AccessCause};
use crate::engagement::{self, Engagement, EngagementStatus};
use crate::field::Field;
use crate::fields::Fields;
use crate::id::{ConnectionId, PersonId};
use crate::provenance::Provenance;

/// A directory row.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// What we hold as true; engagements stand by connection, below.
    pub fields: Fields,
    /// Which connection gave which field; the others are ours.
    pub owners: BTreeMap<Field, ConnectionId>,
    /// What each connection says of employment; access follows the union.
    pub engagements: BTreeMap<ConnectionId, Vec<Engagement>>,
    /// The manager, resolved.
    pub manager: Option<PersonId>,
    /// The union of the engagements, as last applied.
    pub employment: EngagementStatus,
    /// The right to enter.
    pub access: Access,
    /// Access before it was taken away, to give back.
    pub access_before: Option<Access>,
    /// Who took it away.
    pub access_cause: Option<AccessCause>,
    /// What no sync may touch.
    pub standing: Standing,
    /// Which run set what.
    pub provenance: Provenance,
    /// Grows by one with each change: the precondition of planned changes.
    pub version: u64,
}

/// People for whom a leaving is only reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The owner of the organisation (REV-24).
    #[serde(default)]
    pub owner: bool,
    /// An administrator; the last one with access is never cut by a sync (BEY-35).
    #[serde(default)]
    pub administrator: bool,
    /// Protected by hand, to this day inclusive.
    #[serde(default)]
    pub protected_until: Option<Date>,
}

impl Person {
    /// A person of whom nothing is known.
    #[must_use]
    pub fn new(id: PersonId) -> Self {
        Self {
            id,
            fields: Fields::new(),
            owners: BTreeMap::new(),
            engagements: BTreeMap::new(),
            manager: None,
            employment: EngagementStatus::Unknown,
            access: Access::NotInvited,
            access_before: None,
            access_cause: None,
            standing: Standing::default(),
            provenance: Provenance::default(),
            version: 0,
        }
    }

    /// Employment by the union of all engagements on a day.
    #[must_use]
    pub fn employment_on(&self, today: Date) -> EngagementStatus {
        engagement::employment_on(self.engagements.values().flatten(), today)
            .unwrap_or(EngagementStatus::Unknown)
    }

    /// The one word for lists.
    #[must_use]
    pub const fn status(&self) -> Status {
        Status::of(self.employment, self.access)
    }
}

/// The one word for lists (`engine.md`, States): ended if employment ended and
/// access is not active; else by what most needs to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the words are the documentation
pub enum Status {
    Ended,
    Suspended,
    Invited,
    NotInvited,
    OnLeave,
    LaidOff,
    Active,
}

impl Status {
    /// The word for an employment and an access.
    #[must_use]
    pub const fn of(employment: EngagementStatus, access: Access) -> Self {
        match (employment, access) {
            (EngagementStatus::Ended, Access::Active) => Self::Active,
            (EngagementStatus::Ended, _) => Self::Ended,
            (_, Access::Suspended | Access::Ended) => Self::Suspended,
            (_, Access::Invited) => Self::Invited,
            (_, Access::NotInvited | Access::None) => Self::NotInvited,
            (EngagementStatus::OnLeave, _) => Self::OnLeave,
            (EngagementStatus::LaidOff, _) => Self::LaidOff,
            _ => Self::Active,
        }
    }

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Suspended => "suspended",
            Self::Invited => "invited",
            Self::NotInvited => "not_invited",
            Self::OnLeave => "on_leave",
            Self::LaidOff => "laid_off",
            Self::Active => "active",
        }
    }
}
