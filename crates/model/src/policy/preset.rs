//! The four presets, as data.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    ApplyMode, Brakes, DisconnectRule, EmptyRule, FirstDifference, Flow, LeaverReaction, MatchKey,
    MatchedReaction, NewReaction, OursOnlyReaction, Policy, ProtectedReaction, ReadWhen,
};
use crate::field::Field;

/// A named policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// An administrator fetches candidates and picks.
    Pick,
    /// Two systems are kept equal, and people decide conflicts.
    Mirror,
    /// The HR system decides who is here; invitations are picked.
    Provision,
    /// The HR system decides about structure; the rest is ours.
    Auto,
}

/// A name that is no preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("preset.unknown: there is no preset {0:?}; choose pick, mirror, provision or auto")]
pub struct UnknownPreset(pub String);

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.name() == name)
            .ok_or_else(|| UnknownPreset(name.to_owned()))
    }
}

impl Preset {
    /// In the order of the table.
    pub const ALL: [Self; 4] = [Self::Pick, Self::Mirror, Self::Provision, Self::Auto];

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pick => "pick",
            Self::Mirror => "mirror",
            Self::Provision => "provision",
            Self::Auto => "auto",
        }
    }

    /// The policy of that name.
    #[must_use]
    pub fn policy(self) -> Policy {
        let base = Policy {
            preset: self,
            read: ReadWhen::Scheduled,
            scope: vec![Field::WorkEmail],
            keys: vec![MatchKey::WorkEmail],
            keys_must_agree: false,
            matched: MatchedReaction::Link,
            new: NewReaction::Create,
            ours_only: OursOnlyReaction::Report,
            flows: every_field(Flow::In),
            first_difference: FirstDifference::TakeTheirs,
            emptied: EmptyRule::Keep,
            ended: LeaverReaction::Suspend,
            gone: LeaverReaction::Suspend,
            out_of_scope: LeaverReaction::Suspend,
            protected: ProtectedReaction::Report,
            made_by_hr_administrator: true,
            auto_invite: false,
            grace_days: 0,
            apply: ApplyMode::EachAlone,
            disconnect: DisconnectRule::NeverAcceptedGo,
            interval_hours: 3,
            required: Vec::new(),
            brakes: Brakes::default(),
        };
        match self {
            Self::Provision => base,
            Self::Pick => Policy {
                read: ReadWhen::OnRequest,
                scope: vec![Field::WorkEmail, Field::EmployeeNumber],
                keys: vec![MatchKey::EmployeeNumber],
                matched: MatchedReaction::Taken,
                new: NewReaction::Offer,
                flows: BTreeMap::new(),
                ended: LeaverReaction::Report,
                gone: LeaverReaction::Report,
                out_of_scope: LeaverReaction::Report,
                protected: ProtectedReaction::NotReached,
                apply: ApplyMode::Together,
                disconnect: DisconnectRule::PeopleStay,
                ..base
            },
            Self::Mirror => Policy {
                read: ReadWhen::OnRequestFirstByHand,
                scope: Vec::new(),
                keys: vec![MatchKey::WorkEmail, MatchKey::EmployeeNumber],
                keys_must_agree: true,
                new: NewReaction::Ask,
                ours_only: OursOnlyReaction::Ask,
                flows: MIRRORED
                    .into_iter()
                    .map(|field| (field, Flow::Both))
                    .collect(),
                first_difference: FirstDifference::Ask,
                ended: LeaverReaction::ReportLastWorkdayOut,
                gone: LeaverReaction::Report,
                out_of_scope: LeaverReaction::Report,
                protected: ProtectedReaction::NotReached,
                disconnect: DisconnectRule::PeopleStay,
                ..base
            },
            Self::Auto => Policy {
                read: ReadWhen::ScheduledOnceOn,
                new: NewReaction::CreateAndInvite,
                ours_only: OursOnlyReaction::ReportNotSynced,
                flows: STRUCTURE
                    .into_iter()
                    .map(|field| (field, Flow::In))
                    .collect(),
                ended: LeaverReaction::SuspendIfHrAdministrator,
                gone: LeaverReaction::SuspendIfHrAdministrator,
                out_of_scope: LeaverReaction::SuspendIfHrAdministrator,
                made_by_hr_administrator: false,
                disconnect: DisconnectRule::PeopleStayMarksGo,
                ..base
            },
        }
    }
}

/// The eight fields that `mirror` keeps equal (HUM, Supported fields).
pub const MIRRORED: [Field; 8] = [
    Field::EmployeeNumber,
    Field::GivenName,
    Field::FamilyName,
    Field::Phone,
    Field::DateOfBirth,
    Field::BankAccount,
    Field::StartDate,
    Field::EndDate,
];

/// What `auto` lets in; engagements come along, because access follows them.
pub const STRUCTURE: [Field; 5] = [
    Field::Department,
    Field::Team,
    Field::ManagerExternalId,
    Field::ManagerEmail,
    Field::Engagements,
];

fn every_field(flow: Flow) -> BTreeMap<Field, Flow> {
    Field::ALL.into_iter().map(|field| (field, flow)).collect()
}
